/* ledger.h - the book of what was decided and who held what: SQLite behind one thread of its own.
 *
 * Records go in from any thread and never block; the ledger thread writes them in groups, one
 * transaction per group, and answers each record that asks for it once it is on disk. A group that
 * holds an intent is synced (power loss cannot take it back); a group of plain history is not.
 * Records are applied in the order of submission, so what a crash leaves is a prefix of them.
 *
 * The ledger decides nothing. For live state the API server wins: on start the caller compares
 * ledger_found() with the objects and closes what is no longer true. Deleting the file loses
 * history only. Design: "The ledger"; libraries.md 4 and 7. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "quota/base/err.h"
#include "quota/base/str.h"

struct ledger;

struct ledger_options {
    int64_t keep_ns;  /* delete history older than this, counted from the newest record; 0: keep */
    int64_t max_rows; /* at most so many decisions; all history older than the oldest of them goes
                         with the others; 0: no limit */
    unsigned batch_records; /* records per transaction at most; 0: 256 */
    int64_t batch_wait_ns;  /* a group of plain history waits so long for more; 0: 5 ms */
    unsigned waiting_limit; /* history records that may wait; further ones are dropped; 0: 65536 */
    const char *vfs;        /* SQLite VFS by name, for tests; NULL: the default */
    /* The ledger cannot be written (failed, 'why' says what) or can again. On the ledger thread;
     * NULL: nobody asks. */
    void (*state_changed)(void *context, bool failed, const char *why);
    void *state_context;
};

/* Open or create the file (":memory:" for none) and start the ledger thread. 'options' may be NULL.
 * A damaged file is moved aside to FILE.damaged-<time> and a new one is started: see ledger_found.
 * NULL and *e, which names the file: ERR_CONFLICT (another process has it open), ERR_INVALID (a
 * database of another program, or of a newer version), ERR_IO (folder missing or not writable, disk
 * full, or a file system that cannot do it: a test write is made). */
struct ledger *ledger_open(const char *path, const struct ledger_options *options, struct err *e);
/* Write what waits, checkpoint, close the file, end the thread. Nobody may submit any more. NULL is
 * fine. */
void ledger_close(struct ledger *ledger);
/* True while the last write failed (disk full, I/O error): intents are refused. Tried again every
 * second. Any thread. */
bool ledger_failed(const struct ledger *ledger);

/* ---- records ---- */

struct ledger_amount {
    const char *flavor, *resource;
    int64_t amount; /* cpu in milli-cores, others in whole units */
};

struct ledger_pod_set {
    const char *name;
    int64_t count;
    const struct ledger_amount *amounts;
    size_t amount_count;
};

/* A reservation about to be written to the API server: the whole gang, in one transaction. */
struct ledger_intent {
    uint64_t id; /* of ledger_intent_id */
    int64_t cycle;
    const char *uid, *namespace, *name, *cluster_queue;
    const struct ledger_pod_set *pod_sets;
    size_t pod_set_count;
};

enum ledger_intent_state { LEDGER_INTENT_OPEN, LEDGER_INTENT_CONFIRMED, LEDGER_INTENT_UNDONE };

/* What became of an intent. Closing one that is closed already changes nothing. */
struct ledger_resolution {
    uint64_t id;
    enum ledger_intent_state state; /* confirmed or undone */
    const char *reason;             /* "" when confirmed */
};

/* From 'time' on the workload holds exactly these amounts (none: it holds nothing): intervals that
 * no longer hold are closed, new ones opened, equal ones go on. */
struct ledger_usage {
    const char *uid, *namespace, *name, *cluster_queue;
    const struct ledger_amount *amounts; /* at most one per flavor and resource */
    size_t amount_count;
};

struct ledger_decision {
    int64_t cycle;
    const char *uid, *namespace, *name, *cluster_queue;
    const char *outcome, *reason, *message;
    const char
        *inputs; /* JSON from which the decision can be replayed, or its digest; "" for none */
};

/* Limits and settings of a queue, cohort or flavor as of now; equal to the last one: not stored. */
struct ledger_object {
    const char *kind, *name; /* "ClusterQueue", "Cohort", ...; a LocalQueue is "namespace/name" */
    const char *spec;        /* compact JSON; NULL: deleted */
};

struct ledger_workload {
    const char *uid, *namespace, *name, *queue, *cluster_queue;
    int64_t priority, created;
    bool gone; /* finished or deleted at 'time' */
};

/* Fair-share accumulator of a LocalQueue. */
struct ledger_share {
    const char *queue;    /* "namespace/name" */
    const char *consumed; /* JSON; NULL: forget the queue */
    int64_t updated;      /* ignored on submit: the record's time counts */
};

enum ledger_kind {
    LEDGER_INTENT,
    LEDGER_RESOLUTION,
    LEDGER_USAGE,
    LEDGER_DECISION,
    LEDGER_OBJECT,
    LEDGER_WORKLOAD,
    LEDGER_SHARE,
};

struct ledger_record {
    enum ledger_kind kind;
    int64_t time; /* when it happened; nanoseconds since 1970 */
    union {
        struct ledger_intent intent;
        struct ledger_resolution resolution;
        struct ledger_usage usage;
        struct ledger_decision decision;
        struct ledger_object object;
        struct ledger_workload workload;
        struct ledger_share share;
    };
};

/* error->code is ERR_NONE when the record is written (an intent: durable), ERR_IO when it was not
 * and ledger_failed is true, ERR_INVALID when the record itself breaks a rule (the id of an intent
 * twice, a flavor and resource twice). On the ledger thread, without locks: hand over to a queue
 * and return. */
typedef void ledger_done_fn(void *context, const struct err *error);

/* An id for a new intent, never given out before (also not before a restart). Any thread. */
uint64_t ledger_intent_id(struct ledger *ledger);
/* Texts (NULL counts as "") and lists are copied. 'done' (may be NULL) is called exactly once.
 * Intents and resolutions are always taken. History (all other kinds) is dropped, counted and
 * answered with ERR_BUSY, at once on the caller's thread, when too much waits. Any thread; never
 * blocks. While ledger_failed, records are lost (answered with ERR_IO): when it works again, submit
 * what holds then. */
void ledger_submit(struct ledger *ledger, const struct ledger_record *record, ledger_done_fn *done,
                   void *context);

struct ledger_counts {                   /* since the start; any thread */
    uint64_t committed, failed, dropped; /* records */
    uint64_t commits, synced;            /* transactions, and those that were synced */
    uint64_t waiting;                    /* records not yet written */
    int64_t commit_ns_last, commit_ns_most;
};
struct ledger_counts ledger_counts(const struct ledger *ledger);

/* ---- what the file held when it was opened ---- */

struct ledger_open_intent {
    int64_t time;
    struct ledger_intent intent;
};

struct ledger_open_usage { /* one workload with intervals that have no end yet */
    int64_t since;         /* the earliest */
    struct ledger_usage usage;
};

/* Lives until ledger_close. The caller compares with the API server, which wins, and then submits a
 * resolution for every intent, and an empty usage for every workload that no longer reserves. */
struct ledger_found {
    const struct ledger_open_intent *intents; /* by id */
    size_t intent_count;
    const struct ledger_open_usage *usage; /* by uid */
    size_t usage_count;
    const struct ledger_share *shares; /* by queue */
    size_t share_count;
    const char *damaged; /* where a damaged file was moved to; NULL: there was none */
    const char *damage;  /* what was wrong with it */
};
const struct ledger_found *ledger_found(const struct ledger *ledger);

/* ---- questions, on a live ledger and on files ---- */

struct ledger_query {
    const char *workload; /* "namespace/name"; NULL: all */
    const char *queue;    /* a ClusterQueue, or "namespace/name" of a LocalQueue; NULL: all */
    int64_t since, until; /* since <= time < until; TIME_NONE: no bound */
    uint64_t limit;       /* rows at most; 0: no limit */
    bool json;            /* an array of objects, else a table */
};

/* A piece of the answer; the last one has 'last' set and *error filled (ERR_NONE when complete).
 * False: stop, nothing more is wanted (no further call). On the ledger thread. */
typedef bool ledger_text_fn(void *context, struct str piece, bool last, const struct err *error);

/* The history as text, in slices of at most 256 rows between which records are written. Any
 * thread. */
void ledger_ask(struct ledger *ledger, const struct ledger_query *query, ledger_text_fn *text,
                void *context);
/* A consistent copy of the live ledger into a new file, in slices. 'done' as for records. */
void ledger_copy(struct ledger *ledger, const char *path, ledger_done_fn *done, void *context);

/* The same for files that no process has open; nothing in them is changed. 0, or -1 and *e.
 * ledger_file_check writes one line per finding and one with counts to 'out'; ERR_INVALID when
 * there was a finding. */
MUST_USE int ledger_file_check(const char *path, FILE *out, struct err *e);
MUST_USE int ledger_file_export(const char *path, const char *copy, struct err *e);
MUST_USE int ledger_file_history(const char *path, const struct ledger_query *query, FILE *out,
                                 struct err *e);
