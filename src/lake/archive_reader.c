#include "lake/archive_reader.h"
#include "base/memory.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
struct archive_reader { FILE *f; char *line; size_t cap; int64_t bytes, lines; };
bool archive_reader_open(const char *path, const struct archive_reader_options *options, struct archive_reader **out, struct err *err)
{ (void)options; char cmd[5000]; snprintf(cmd, sizeof cmd, "gzip -dcf '%s'", path); struct archive_reader *r = memory_allocate(1, sizeof *r); r->f = popen(cmd, "r"); (void)err; *out = r; return true; }
void archive_reader_close(struct archive_reader **r) { if (!*r) return; pclose((*r)->f); free((*r)->line); free(*r); *r = NULL; }
bool archive_reader_next(struct archive_reader *r, struct archive_item *i, struct err *err)
{ (void)err; ssize_t n = getline(&r->line, &r->cap, r->f); if (n <= 0) { i->kind = ARCHIVE_END; return true; } i->kind = ARCHIVE_LINE; i->offset = r->bytes; r->bytes += n; r->lines++; if (r->line[n-1] == '\n') n--; i->bytes = span_make(r->line, (size_t)n); return true; }
void archive_reader_totals(const struct archive_reader *r, struct archive_totals *t) { *t = (struct archive_totals){.bytes = r->bytes, .lines = r->lines}; }
