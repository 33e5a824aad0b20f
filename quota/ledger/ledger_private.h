/* ledger_private.h - what ledger.c, worker.c, found.c and retention.c share. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include "quota/base/arena.h"
#include "quota/ledger/entry.h"
#include "quota/ledger/store.h"

struct task; /* task.h */

struct ledger {
    struct queue *queue;
    struct ledger_options options; /* with defaults filled in */
    pthread_t thread;
    atomic_bool failed, stopping;
    _Atomic uint64_t next_intent;
    _Atomic uint64_t committed, lost, dropped, commits, synced, waiting;
    _Atomic int64_t commit_ns_last, commit_ns_most;

    /* read once by ledger_open, then constant */
    struct ledger_found found;
    struct arena found_texts;

    /* the ledger thread's */
    struct store store;
    struct entry *pending, *pending_last; /* taken from the queue, not yet written */
    struct task *tasks;                   /* questions under way */
    int64_t retry_at, retention_at;       /* monotonic */
    bool wrote;                           /* since the last look at retention */
    bool deleting;                        /* retention is under way */
};

/* The ledger thread; returns when ledger->stopping is set and all is written. */
void *worker_run(void *ledger);

/* Read what is open in the file. */
MUST_USE int found_read(struct ledger *ledger, struct err *e);

/* Delete at most 'slice' rows of each table that retention no longer keeps. Number of rows deleted,
 * -1 when it failed (the transaction is rolled back). */
int retention_slice(struct store *s, const struct ledger_options *options, int slice);
