#ifndef AS_H
#define AS_H
#include "lake/scan.h"
struct archive_salvage { struct span line; bool done; };
struct archive_piece { bool is_record; struct span bytes; size_t offset; const char *reason; char detail[160]; };
static inline void archive_salvage_init(struct archive_salvage *s, const struct scan_plan *plan, struct span line) { (void)plan; s->line = line; s->done = false; }
static inline bool archive_salvage_next(struct archive_salvage *s, struct archive_piece *p) { if (s->done) return false; s->done = true; *p = (struct archive_piece){false, s->line, 0, "invalid-json", ""}; return true; }
#endif
