#ifndef AR_H
#define AR_H
#include "base/err.h"
#include "base/span.h"
struct archive_reader;
struct archive_reader_options { bool inflate_ahead; };
bool archive_reader_open(const char *path, const struct archive_reader_options *options, struct archive_reader **reader_out, struct err *err);
void archive_reader_close(struct archive_reader **reader);
enum archive_item_kind { ARCHIVE_LINE, ARCHIVE_DAMAGE, ARCHIVE_END };
struct archive_item { enum archive_item_kind kind; struct span bytes; int64_t offset; int64_t line; const char *reason; char detail[160]; };
bool archive_reader_next(struct archive_reader *reader, struct archive_item *item_out, struct err *err);
struct archive_totals { int64_t compressed_bytes, bytes, lines, members; };
void archive_reader_totals(const struct archive_reader *reader, struct archive_totals *totals_out);
#endif
