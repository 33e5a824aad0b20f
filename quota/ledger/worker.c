#include "quota/ledger/ledger_private.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "quota/base/clock.h"
#include "quota/base/log.h"
#include "quota/base/mem.h"
#include "quota/ledger/apply.h"
#include "quota/ledger/task.h"

enum { RETENTION_SLICE = 256, WAL_PAGES_MAX = 1024 /* 4 MB */ };

#define RETRY_NS NANOSECONDS_PER_SECOND
#define RETENTION_NS (60 * NANOSECONDS_PER_SECOND)

static int64_t monotonic(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NANOSECONDS_PER_SECOND + now.tv_nsec;
}

static struct entry *next_of(const struct entry *entry)
{
    return (struct entry *)entry->message.next;
}

/* A lost resolution only means that the next start reconciles its intent once more. */
static bool wants_sync(const struct entry *entry)
{
    return entry->record.kind == LEDGER_INTENT;
}

/* ---- taking from the queue ---- */

static void sort_in(struct ledger *l, struct entry *entry)
{
    entry->message.next = NULL;
    if (entry->kind == ENTRY_WAKE) {
        entry_destroy(entry);
    } else if (entry->kind != ENTRY_RECORD) {
        task_append(&l->tasks, task_create(entry));
    } else if (!l->pending) {
        l->pending = l->pending_last = entry;
    } else {
        l->pending_last->message.next = &entry->message;
        l->pending_last = entry;
    }
}

static void take(struct ledger *l)
{
    struct message *m = queue_take(l->queue);

    while (m) {
        struct message *next = m->next;

        sort_in(l, (struct entry *)m);
        m = next;
    }
}

/* Is there anything that should be written at once, or a whole group? */
static bool group_is_due(const struct ledger *l)
{
    unsigned count = 0;

    for (const struct entry *entry = l->pending; entry; entry = next_of(entry))
        if (wants_sync(entry) || ++count >= l->options.batch_records)
            return true;
    return false;
}

/* Plain history waits a little for more of it. */
static void gather(struct ledger *l)
{
    int64_t until = monotonic() + l->options.batch_wait_ns;

    take(l);
    while (l->pending && !group_is_due(l) && !atomic_load(&l->stopping)) {
        int64_t left = until - monotonic();

        if (left <= 0)
            return;
        queue_wait(l->queue, (int)(left / NANOSECONDS_PER_MILLISECOND) + 1);
        take(l);
    }
}

/* ---- writing ---- */

static void answer(struct ledger *l, struct entry *entry)
{
    static const struct err none = { ERR_NONE, "" };

    atomic_fetch_add(entry->error ? &l->lost : &l->committed, 1);
    atomic_fetch_sub(&l->waiting, 1);
    if (entry->done)
        entry->done(entry->context, entry->error ? entry->error : &none);
    entry_destroy(entry);
}

static void entry_refuse(struct entry *entry, const struct err *why)
{
    if (!entry->error)
        entry->error = mem_alloc(sizeof(*entry->error));
    *entry->error = *why;
}

/* Cut the first group off the pending list. */
static struct entry *group_take(struct ledger *l, bool *synced)
{
    struct entry *first = l->pending, *last = first;

    *synced = wants_sync(last);
    for (unsigned count = 1; next_of(last) && count < l->options.batch_records; count++) {
        last = next_of(last);
        *synced = *synced || wants_sync(last);
    }
    l->pending = next_of(last);
    last->message.next = NULL;
    return first;
}

static int group_apply(struct ledger *l, struct entry *group, bool synced, struct err *e)
{
    struct store *s = &l->store;

    if (store_begin(s, synced) < 0)
        return store_error(s, "begin", e);
    for (struct entry *entry = group; entry; entry = next_of(entry)) {
        bool refused;

        if (apply_record(s, &entry->record, &refused, e) == 0)
            continue;
        if (!refused)
            return -1;
        entry_refuse(entry, e);
    }
    return store_commit(s) < 0 ? store_error(s, "commit", e) : 0;
}

static void state_set(struct ledger *l, bool failed, const char *why)
{
    if (atomic_exchange(&l->failed, failed) == failed)
        return;
    if (failed)
        LOG(LOG_ERROR, "the ledger cannot be written; reservations wait", KS("error", why));
    else
        LOG(LOG_WARN, "the ledger can be written again", KS("path", l->store.path));
    if (l->options.state_changed)
        l->options.state_changed(l->options.state_context, failed, why);
}

static void group_answer(struct ledger *l, struct entry *group, const struct err *all)
{
    while (group) {
        struct entry *next = next_of(group);

        if (all)
            entry_refuse(group, all);
        answer(l, group);
        group = next;
    }
}

static void time_note(struct ledger *l, int64_t took, bool synced)
{
    atomic_fetch_add(&l->commits, 1);
    if (synced)
        atomic_fetch_add(&l->synced, 1);
    atomic_store(&l->commit_ns_last, took);
    if (took > atomic_load(&l->commit_ns_most))
        atomic_store(&l->commit_ns_most, took);
}

static void group_write(struct ledger *l)
{
    int64_t began = monotonic();
    struct err error = { ERR_NONE, "" };
    bool synced;
    struct entry *group = group_take(l, &synced);

    if (group_apply(l, group, synced, &error) < 0) {
        store_roll_back(&l->store);
        error.code = ERR_IO;
        l->retry_at = monotonic() + RETRY_NS;
        state_set(l, true, error.text);
        group_answer(l, group, &error);
        return;
    }
    time_note(l, monotonic() - began, synced);
    l->wrote = true;
    group_answer(l, group, NULL);
    if (l->store.wal_pages > WAL_PAGES_MAX)
        store_checkpoint(&l->store, false);
}

/* ---- failed, and back ---- */

static void pending_refuse(struct ledger *l)
{
    struct entry *group = l->pending;
    struct err why;

    err_set(&why, ERR_IO, "ledger %s: cannot be written since an earlier error", l->store.path);
    l->pending = NULL;
    group_answer(l, group, &why);
}

/* After a failed sync the log may have a hole that only power loss would show; so the log is copied
 * into the file and emptied before it is trusted again. */
static void retry(struct ledger *l)
{
    char finding[256];

    l->retry_at = monotonic() + RETRY_NS;
    store_checkpoint(&l->store, true);
    if (l->store.wal_pages > 0 || store_test_write(&l->store) < 0 ||
        store_is_damaged(&l->store, finding, sizeof(finding)))
        return;
    state_set(l, false, "");
}

/* ---- when there is time ---- */

static void retention(struct ledger *l)
{
    if (!l->wrote || monotonic() < l->retention_at)
        return;
    l->deleting = retention_slice(&l->store, &l->options, RETENTION_SLICE) > 0;
    if (l->deleting)
        return; /* there may be more: the next round goes on */
    l->wrote = false;
    l->retention_at = monotonic() + RETENTION_NS;
}

static void tasks_step(struct ledger *l)
{
    struct task *task = l->tasks;

    if (!task)
        return;
    l->tasks = task_next(task);
    if (atomic_load(&l->stopping))
        task_cancel(task, "closing");
    else if (task_step(task, &l->store))
        task_append(&l->tasks, task);
}

static int milliseconds_until(int64_t at)
{
    int64_t left = at - monotonic();

    return left <= 0 ? 0 : (int)(left / NANOSECONDS_PER_MILLISECOND) + 1;
}

/* How long the thread may sleep. */
static int patience(const struct ledger *l)
{
    if (l->pending || l->tasks || atomic_load(&l->stopping))
        return 0;
    if (atomic_load(&l->failed))
        return milliseconds_until(l->retry_at);
    if (l->wrote && (l->options.keep_ns > 0 || l->options.max_rows > 0))
        return milliseconds_until(l->retention_at);
    return -1;
}

static void idle(struct ledger *l)
{
    if (l->store.wal_pages > 0 && !queue_wait(l->queue, 200) && !atomic_load(&l->stopping))
        store_checkpoint(&l->store, false);
    queue_wait(l->queue, patience(l));
}

void *worker_run(void *argument)
{
    struct ledger *l = argument;

    log_thread_name("ledger");
    for (;;) {
        if (!l->pending)
            gather(l);
        if (atomic_load(&l->failed) && monotonic() >= l->retry_at)
            retry(l);
        if (l->pending && atomic_load(&l->failed))
            pending_refuse(l);
        else if (l->pending)
            group_write(l);
        tasks_step(l);
        if (!atomic_load(&l->failed))
            retention(l);
        if (l->pending || l->tasks || queue_count(l->queue) > 0)
            continue;
        if (atomic_load(&l->stopping))
            return NULL;
        if (!l->deleting)
            idle(l);
    }
}
