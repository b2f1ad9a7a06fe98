/* SPDX-License-Identifier: Apache-2.0 */
/* torture.h - a lake that lives, is killed at a failpoint, and lives again.
 *
 *   torture.c  the driver: which point, which life, what came of it
 *   life.c     one life of a process: start with recovery, check, work
 *   feed.c     events from a script, through the same pending batch that the poller fills
 *   imports.c  the same events in files, as `octolake import` takes them, finished by the life after a kill
 *   origin.c   a server on loopback that has those files
 *   verify.c   what has to hold after every start
 *   archive.c  files of an archive, before the lake knows of them
 *   damage.c   what happens to files while nobody lives there
 *
 * The driver never opens an engine: each life is a child process, and what it says goes through the
 * ledger, which all of them share. */
#ifndef TESTS_TORTURE_TORTURE_H
#define TESTS_TORTURE_TORTURE_H

#include "app/session.h"
#include "app/stages.h"

enum {
	TORTURE_POINTS_MAX = 512,
	TORTURE_WORDS_MAX = 1024,
	FEED_LINE_BYTES = 512,
	IMPORTS_MAX = 64, /* of one lake */
	IMPORT_FAR_EVENTS = 103, /* three more than there may be partitions */
};

/* What a life does once it has started; each is the way to points that no other reaches. */
enum scenario {
	SCENARIO_NEW_LAKE, /* there is no folder yet */
	SCENARIO_POLL,
	SCENARIO_COMPACT,
	SCENARIO_IMPORT,          /* files that share events with each other, with what was polled and will be */
	SCENARIO_IMPORT_FAR,      /* one of more types and days than a file of silver each is made for */
	SCENARIO_IMPORT_FETCHED,  /* over HTTP, broken off in the middle; and one that is not there */
	SCENARIO_REBUILD_SILVER,
	SCENARIO_REBUILD_GOLD,
	SCENARIO_LEFTOVERS,       /* drafts, staged files, files without a name, a damaged bronze file */
	SCENARIO_DAMAGED_CATALOG,
	SCENARIO_DAMAGED_GOLD,
	SCENARIO_LOST_SILVER,
	SCENARIO_SPOILT_SILVER,   /* a byte of two files turns while gold is built from them */
	SCENARIO_OTHER_VIEWS,     /* events.yaml moved a field from one event type to another */
	SCENARIO_EXPIRED_GOLD,    /* the oldest quarter of gold goes; silver keeps all */
	SCENARIO_RETENTION,       /* half of bronze goes, and a rebuild keeps what silver alone has */
	SCENARIO_IMPORT_DROP,     /* files whose bronze goes once they are in silver */
	SCENARIO_LOST_CATALOG,    /* after a retention: its backup is there */
	SCENARIO_ARCHIVE,         /* files of an archive, in pieces, copied and linked, beside the lake */
	SCENARIO_COUNT,
};
extern const char *const scenario_names[SCENARIO_COUNT];

/* An import that was begun, and is finished by the next life that lives long enough. */
struct import_note {
	int64_t number;   /* of this lake's imports */
	int64_t position; /* in the script, where its files lie */
	enum scenario scenario;
	bool begun;
};

struct ledger {
	/* Events of the script below this were stored, as a cursor once said: they stay for ever. */
	int64_t promised;
	/* Sums that a stored batch made true; a lost catalog takes them along. */
	int64_t duplicates;
	int64_t filtered;
	int64_t quarantined;
	/* Bronze is not all there any more: what only silver has must not get lost. */
	bool retained;
	/* Gold was told to let go of events before this instant: they may be there, or gone. 0: of none. */
	int64_t gone_before_us;
	struct import_note import;
	bool has_far[IMPORTS_MAX]; /* imports that came to their end, and had far events */
	/* ---- of the life in progress ---- */
	bool verified;
	bool compared; /* with a rebuild */
	bool finished;
	int64_t events;                    /* in gold when it was verified */
	int64_t hits[TORTURE_POINTS_MAX];  /* when it finished */
	char violation[TORTURE_WORDS_MAX]; /* "": none */
};

/* Says what is wrong, as a life's last words. Returns false. */
bool ledger_violate(struct ledger *ledger, const char *format, ...) PRINTF_LIKE(2, 3);

struct life_options {
	const char *folder; /* in it: lake/, events-a.yaml, events-b.yaml */
	enum scenario scenario;
	bool defer_rebuild; /* as a live start does; else as a batch does */
	bool other_views;
	bool rebuild; /* compare with what a rebuild from bronze gives */
	bool finish_first; /* an import that was begun: before anything else, as by its command, or behind the rest */
	const char *origin_url; /* has the files in `folder` */
};

/* In a child process: lives and returns true; false with ledger->violation. */
bool life_run(const struct life_options *options, struct ledger *ledger);

/* ---- feed ---- */
struct feed {
	struct session *session;
	struct ledger *ledger;
	struct pending *pending;
	int64_t position; /* the script's next event */
};
/* Goes on where the catalog's cursor stands; without one a little before what was promised. */
MUST_CHECK bool feed_open(struct feed *feed, struct session *session, struct ledger *ledger, struct err *err);
void feed_close(struct feed *feed);
/* Stores the next events as one batch, with some that were stored before. */
MUST_CHECK bool feed_store(struct feed *feed, struct err *err);
/* Stores a batch that has no line which could become a row. */
MUST_CHECK bool feed_store_garbage(struct feed *feed, struct err *err);
/* Event `index` of the script as JSON; `repo_shift` other than 0: the same key with another repository. */
void feed_render(int64_t index, int64_t repo_shift, char line[FEED_LINE_BYTES]);
/* The key of event `index` of the script. */
uint64_t feed_key(int64_t index);
int64_t feed_time_us(int64_t index);

/* ---- archive ---- */
/* Fetches in pieces and takes files, in `folder`; checks what the life before left of that. */
MUST_CHECK bool archive_live(const char *folder, struct err *err);

/* ---- imports ---- */
struct import_lake {
	const struct life_options *options;
	struct session *session;
	struct silver *silver;
	struct gold *gold;
	struct ledger *ledger;
};
/* Begins an import of that scenario's files, with events around `position` of the script; what is told in
 * the ledger is finished by any later life. */
MUST_CHECK bool import_begin(const struct import_lake *lake, int64_t position, struct err *err);
/* The import that the ledger tells of, from its start to its end, as the command does it. ERR_LOCAL also when
 * it does not come to its end, or leaves something in incoming/. */
MUST_CHECK bool import_finish(const struct import_lake *lake, struct err *err);
/* Event `index` of those that such an import has for itself, each of another day. */
struct event import_far_event(int64_t number, int64_t index);

/* ---- origin ---- */
/* A process that serves the files of `folder`, ended with its parent: an answer without a Range breaks off in
 * the middle. False with words on stderr. */
bool origin_start(const char *folder, char url[64], pid_t *pid_out);

/* ---- verify ---- */
/* Everything is in gold that bronze has, once, and nothing else; what was promised is there, but for
 * what gold was told to let go of; the numbers add up; nothing lies about. */
bool verify_lake(struct session *session, struct gold *gold, struct ledger *ledger);
/* The bytes of its blocks, as the limit of gold's size counts. */
MUST_CHECK bool verify_gold_bytes(struct gold *gold, int64_t *bytes_out, struct err *err);
/* Everything in gold that a person could see, as a short text. */
MUST_CHECK bool verify_digest(struct gold *gold, char *text, size_t size, struct err *err);

/* ---- damage: by the driver, between two lives ---- */
struct random {
	uint64_t state;
};
uint64_t random_next(struct random *random);
/* From 0 to below - 1. */
int64_t random_below(struct random *random, int64_t below);
/* What the scenario wants to be found at its start. False with words on stderr. */
bool damage_do(enum scenario scenario, const char *folder, struct ledger *ledger, struct random *random);

#endif
