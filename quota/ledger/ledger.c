#include "quota/ledger/ledger_private.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "quota/base/clock.h"
#include "quota/base/log.h"
#include "quota/base/mem.h"

/* ---- damage ---- */

/* "20260102T030405Z" of this moment. */
static void stamp_print(char *buffer, size_t size)
{
    time_t now = time(NULL);
    struct tm parts;

    gmtime_r(&now, &parts);
    strftime(buffer, size, "%Y%m%dT%H%M%SZ", &parts);
}

/* A name beside the file that nothing has yet. Heap. */
static char *aside_name(const char *path)
{
    char stamp[32];
    char *name;

    stamp_print(stamp, sizeof(stamp));
    name = mem_format("%s.damaged-%s", path, stamp);
    for (unsigned i = 2; access(name, F_OK) == 0; i++) {
        free(name);
        name = mem_format("%s.damaged-%s.%u", path, stamp, i);
    }
    return name;
}

static int move_one(const char *path, const char *aside, const char *suffix, struct err *e)
{
    AUTO_FREE char *from = mem_format("%s%s", path, suffix);
    AUTO_FREE char *to = mem_format("%s%s", aside, suffix);

    if (rename(from, to) == 0 || errno == ENOENT)
        return 0;
    return err_set(e, ERR_IO, "ledger %s: damaged, and cannot be moved to %s: %s", from, to,
                   strerror(errno));
}

/* The log first: were we stopped in between, the next start would find damage again and go on. */
static int move_aside(struct ledger *l, const char *path, const struct err *damage, struct err *e)
{
    AUTO_FREE char *aside = aside_name(path);

    if (move_one(path, aside, "-wal", e) < 0 || move_one(path, aside, "-journal", e) < 0 ||
        move_one(path, aside, "", e) < 0)
        return -1;
    l->found.damaged = arena_strdup(&l->found_texts, aside);
    l->found.damage = arena_strdup(&l->found_texts, damage->text);
    LOG(LOG_ERROR, "the ledger was damaged; a new one is started, its history lies in the old file",
        KS("path", path), KS("moved_to", aside), KS("error", damage->text));
    return 0;
}

/* ---- opening and closing ---- */

static void options_fill(struct ledger_options *to, const struct ledger_options *from)
{
    if (from)
        *to = *from;
    if (to->batch_records == 0)
        to->batch_records = 256;
    if (to->batch_wait_ns == 0)
        to->batch_wait_ns = 5 * NANOSECONDS_PER_MILLISECOND;
    if (to->waiting_limit == 0)
        to->waiting_limit = 65536;
}

/* Open, and read what is open in it: damage that the quick check does not see may show there. */
static int open_and_read(struct ledger *l, const char *path, bool *damaged, struct err *e)
{
    if (store_open(&l->store, path, l->options.vfs, damaged, e) < 0)
        return -1;
    if (found_read(l, e) == 0)
        return 0;
    *damaged = store_damage_seen(&l->store);
    store_close(&l->store, false);
    memset(&l->found, 0, sizeof(l->found));
    return -1;
}

static int open_or_renew(struct ledger *l, const char *path, struct err *e)
{
    struct err damage = { ERR_NONE, "" };
    bool damaged;

    if (open_and_read(l, path, &damaged, &damage) == 0)
        return 0;
    if (e)
        *e = damage;
    if (!damaged)
        return -1;
    if (move_aside(l, path, &damage, e) < 0)
        return -1;
    return store_open(&l->store, path, l->options.vfs, &damaged, e);
}

/* The starts are counted on disk, so an id of this start was never used before. */
static void intents_number(struct ledger *l)
{
    int64_t opened = store_number(&l->store, "SELECT value FROM meta WHERE key = 'opened'", 1);

    atomic_store(&l->next_intent, ((uint64_t)opened << 32) + 1);
}

/* Signals are main's. */
static int thread_start(struct ledger *l, struct err *e)
{
    sigset_t all, before;
    int code;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    code = pthread_create(&l->thread, NULL, worker_run, l);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code == 0 ? 0 : err_set(e, ERR_NOMEM, "ledger thread: %s", strerror(code));
}

static void ledger_release(struct ledger *l)
{
    queue_destroy(l->queue);
    arena_finish(&l->found_texts);
    free(l);
}

struct ledger *ledger_open(const char *path, const struct ledger_options *options, struct err *e)
{
    struct ledger *l = mem_alloc(sizeof(*l));

    options_fill(&l->options, options);
    arena_init(&l->found_texts);
    l->queue = queue_create(l->options.waiting_limit);
    l->wrote = true; /* look at retention once */
    if (open_or_renew(l, path, e) == 0) {
        intents_number(l);
        if (thread_start(l, e) == 0)
            return l;
        store_close(&l->store, false);
    }
    ledger_release(l);
    return NULL;
}

void ledger_close(struct ledger *l)
{
    if (!l)
        return;
    atomic_store(&l->stopping, true);
    queue_push_always(l->queue, &entry_create(ENTRY_WAKE, NULL)->message);
    pthread_join(l->thread, NULL);
    store_close(&l->store, !atomic_load(&l->failed));
    ledger_release(l);
}

/* ---- any thread ---- */

bool ledger_failed(const struct ledger *l)
{
    return atomic_load(&l->failed);
}

const struct ledger_found *ledger_found(const struct ledger *l)
{
    return &l->found;
}

uint64_t ledger_intent_id(struct ledger *l)
{
    return atomic_fetch_add(&l->next_intent, 1);
}

void ledger_submit(struct ledger *l, const struct ledger_record *record, ledger_done_fn *done,
                   void *context)
{
    struct entry *entry = entry_of_record(record, done, context);
    struct err busy;

    atomic_fetch_add(&l->waiting, 1);
    if (record->kind == LEDGER_INTENT || record->kind == LEDGER_RESOLUTION) {
        queue_push_always(l->queue, &entry->message);
        return;
    }
    if (queue_push(l->queue, &entry->message, NULL) == 0)
        return;
    atomic_fetch_sub(&l->waiting, 1);
    atomic_fetch_add(&l->dropped, 1);
    err_set(&busy, ERR_BUSY, "ledger: too many records wait; one was dropped");
    LOG(LOG_WARN, "the ledger is too slow; history records are dropped",
        KI("limit", l->options.waiting_limit));
    if (done)
        done(context, &busy);
    entry_destroy(entry);
}

struct ledger_counts ledger_counts(const struct ledger *l)
{
    return (struct ledger_counts){
        .committed = atomic_load(&l->committed),
        .failed = atomic_load(&l->lost),
        .dropped = atomic_load(&l->dropped),
        .commits = atomic_load(&l->commits),
        .synced = atomic_load(&l->synced),
        .waiting = atomic_load(&l->waiting),
        .commit_ns_last = atomic_load(&l->commit_ns_last),
        .commit_ns_most = atomic_load(&l->commit_ns_most),
    };
}

void ledger_ask(struct ledger *l, const struct ledger_query *query, ledger_text_fn *text,
                void *context)
{
    struct entry *entry = entry_create(ENTRY_ASK, context);

    entry->query = *query;
    entry->query.workload = query->workload ? mem_dup(query->workload) : NULL;
    entry->query.queue = query->queue ? mem_dup(query->queue) : NULL;
    entry->text = text;
    queue_push_always(l->queue, &entry->message);
}

void ledger_copy(struct ledger *l, const char *path, ledger_done_fn *done, void *context)
{
    struct entry *entry = entry_create(ENTRY_COPY, context);

    entry->path = mem_dup(path);
    entry->done = done;
    queue_push_always(l->queue, &entry->message);
}
