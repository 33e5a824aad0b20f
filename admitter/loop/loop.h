/* loop.h - the engine thread: what each event means, the scheduling cycle, and what gets written.
 *
 * One thread owns the engine and every record of an object. News comes in as events (event.h) from
 * the kube thread; decisions leave as writes (admitter/kube/writer.h) after their intent is in the
 * ledger. Level-triggered: an object that may need something is marked dirty, one pure step says
 * what, the write's answer marks it again. One write per object is in flight at a time. Rules:
 * design.md "The way of the data". */
#pragma once

#include <stdbool.h>
#include "admitter/kube/event.h"
#include "admitter/kube/writer.h"
#include "admitter/loop/event.h"
#include "admitter/rules/settings.h"
#include "admitter/loop/snapshot.h"

struct loop;

struct loop_parts { /* all borrowed until loop_destroy */
    const struct loop_settings *settings;
    struct kube_client *client;
    struct kube_writer *writer;
    struct kube_recorder *recorder;
    struct snapshot *snapshot;
    /* May this replica write now? Any thread, exact to the millisecond; NULL: always. */
    bool (*may_write)(void *context);
    void *may_write_context;
};

struct loop *loop_create(const struct loop_parts *parts);
/* Which lists must be complete before the loop decides: bits of enum event_kind and of job kinds.
 * Before loop_start. */
void loop_want(struct loop *loop, unsigned kinds, unsigned jobs);
void loop_start(struct loop *loop); /* the thread */
/* Stop taking news, let the present batch end, join the thread. */
void loop_stop(struct loop *loop);
void loop_destroy(struct loop *loop); /* NULL is fine */

/* Any thread. Ownership passes. */
void loop_push(struct loop *loop, struct loop_event *event);
/* Run 'call' on the engine thread, later. */
void loop_call(struct loop *loop, void (*call)(struct loop *loop, void *context), void *context);

/* How often things of one kind were to be looked at, have been, and how many wait for it now. */
struct loop_work {
    const char *name;
    uint64_t added, stepped, waiting;
};
enum { LOOP_WORK_KINDS = 4 };
void loop_work(const struct loop *loop, struct loop_work work[LOOP_WORK_KINDS]); /* any thread */

bool loop_synced(const struct loop *loop); /* every list has been seen; any thread */
bool loop_failed(const struct loop *loop); /* the ledger cannot be written; any thread */
