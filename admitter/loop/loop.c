#include "admitter/loop/loop.h"

#include <stdlib.h>
#include <string.h>
#include "admitter/loop/elastic.h"
#include "admitter/loop/intents.h"
#include "admitter/loop/owners.h"
#include "admitter/loop/report.h"
#include "admitter/loop/snapshot.h"
#include "admitter/loop/workload_writes.h"
#include "quota/base/log.h"
#include "quota/base/mem.h"
#include "quota/ledger/ledger.h"

#define WAIT_AT_MOST_MS 60000

/* ---- life ---- */

static bool earlier(const void *a, const void *b, void *context)
{
    const struct look *x = a, *y = b;

    (void)context;
    return x->at != y->at ? x->at < y->at : x < y;
}

struct loop *loop_create(const struct loop_parts *parts)
{
    struct loop *loop = mem_alloc(sizeof(*loop));

    loop->settings = parts->settings;
    loop->parts = *parts;
    loop->queue = queue_create(0);
    loop->engine = engine_create(&parts->settings->engine);
    loop->random = (uint64_t)loop_now();
    loop->workloads = map_create();
    loop->jobs = map_create();
    loop->queues = map_create();
    loop->targets = map_create();
    loop->wanted_workloads = map_create();
    loop->tallies = map_create();
    loop->children = map_create();
    loop->chains = map_create();
    loop->pods = map_create();
    loop->quiet_until = TIME_NONE;
    for (size_t i = 0; i < OBJECT_KINDS; i++)
        loop->objects[i] = map_create();
    loop->namespaces = map_create();
    loop->priority_classes = map_create();
    loop->workload_priority_classes = map_create();
    loop->step_trees = json_array();
    dirty_init(&loop->dirty_workloads);
    dirty_init(&loop->dirty_jobs);
    dirty_init(&loop->dirty_chains);
    dirty_init(&loop->dirty_objects);
    heap_init(&loop->looks, HEAP_PLACE(struct look, place), earlier, NULL);
    look_init(&loop->devices, devices_wake);
    arena_init(&loop->arena);
    arena_init(&loop->scratch);
    return loop;
}

void loop_want(struct loop *loop, unsigned kinds, unsigned jobs)
{
    loop->wanted_kinds = kinds;
    loop->wanted_jobs = jobs;
}

void loop_destroy(struct loop *loop)
{
    if (!loop)
        return;
    records_destroy(loop);
    heap_finish(&loop->looks);
    queue_destroy(loop->queue);
    engine_destroy(loop->engine);
    json_decref(loop->step_trees);
    arena_finish(&loop->arena);
    arena_finish(&loop->scratch);
    free(loop);
}

void loop_push(struct loop *loop, struct loop_event *event)
{
    queue_push_always(loop->queue, &event->message);
}

void loop_call(struct loop *loop, void (*call)(struct loop *loop, void *context), void *context)
{
    struct loop_event *event = event_create(EVENT_CALL);

    event->call = call;
    event->call_context = context;
    loop_push(loop, event);
}

void loop_work(const struct loop *loop, struct loop_work work[LOOP_WORK_KINDS])
{
    const struct {
        const char *name;
        const struct dirty_list *list;
    } kinds[LOOP_WORK_KINDS] = {
        { "workload", &loop->dirty_workloads },
        { "job", &loop->dirty_jobs },
        { "workload_slice", &loop->dirty_chains },
        { "queue", &loop->dirty_objects },
    };

    for (size_t i = 0; i < LOOP_WORK_KINDS; i++)
        work[i] = (struct loop_work){ kinds[i].name, kinds[i].list->added, kinds[i].list->stepped,
                                      kinds[i].list->waiting };
}

bool loop_synced(const struct loop *loop)
{
    return atomic_load(&loop->is_synced);
}

bool loop_failed(const struct loop *loop)
{
    struct ledger *ledger = atomic_load(&((struct loop *)(uintptr_t)loop)->ledger);

    return ledger && ledger_failed(ledger);
}

/* ---- events ---- */

/* The answer is here (engine thread). */
static void handle_write(struct loop *loop, struct write_op *op)
{
    switch (op->purpose) {
    case WRITE_JOB:
        job_write_done(loop, op);
        break;
    case WRITE_POD:
        pod_write_done(loop, op);
        break;
    case WRITE_OBJECT_STATUS:
    case WRITE_OBJECT_FINALIZER:
        object_write_done(loop, op);
        break;
    default:
        workload_write_done(loop, op);
        break;
    }
    write_op_destroy(op);
}

static void mark_everything(struct loop *loop)
{
    struct map_entry entry;

    for (size_t i = 0; i < OBJECT_KINDS; i++)
        for (size_t at = 0; map_next(loop->objects[i], &at, &entry);)
            mark_object(loop, entry.value);
    for (size_t at = 0; map_next(loop->workloads, &at, &entry);) {
        ((struct workload_record *)entry.value)->is_class_news = true;
        mark_workload(loop, entry.value);
    }
    for (size_t at = 0; map_next(loop->jobs, &at, &entry);)
        mark_job(loop, entry.value);
}

/* The ledger comes with the lead; what it has open is settled once everything is known. */
static void handle_leading(struct loop *loop, const struct loop_event *event)
{
    metrics_leading(true);
    report_everything(loop);
    atomic_store(&loop->ledger, event->ledger);
    loop->ledger_is_new = event->ledger_is_new;
    loop->may_lead = true;
    /* What was seen as a follower may be behind what the last leader wrote: decide on new lists. */
    loop->synced_kinds = loop->synced_jobs = 0;
    loop->is_fresh = false;
}

static void begin_leading(struct loop *loop)
{
    loop->is_fresh = true;
    intents_recover(loop);
    mark_everything(loop);
}

static void handle_synced(struct loop *loop, const struct loop_event *event)
{
    if (event->synced_kind == EVENT_JOB || event->synced_kind == EVENT_OWNER)
        snapshot_owner_kind_listed(loop->parts.snapshot, event->synced_job);
    if (event->synced_kind == EVENT_JOB)
        loop->synced_jobs |= 1u << event->synced_job;
    else if (event->synced_kind != EVENT_OWNER && event->synced_kind != EVENT_POD)
        loop->synced_kinds |= 1u << event->synced_kind;
    if ((loop->synced_kinds & loop->wanted_kinds) != loop->wanted_kinds ||
        (loop->synced_jobs & loop->wanted_jobs) != loop->wanted_jobs)
        return;
    devices_settle(loop); /* before anybody is told that they are missing */
    if (loop->may_lead && !loop->is_fresh)
        begin_leading(loop);
    if (atomic_exchange(&loop->is_synced, true))
        return;
    LOG(LOG_INFO, "caches are synced", KI("workloads", map_count(loop->workloads)),
        KI("jobs", map_count(loop->jobs)));
}

static void handle(struct loop *loop, struct loop_event *event)
{
    loop->has_news = true;
    switch (event->kind) {
    case EVENT_WORKLOAD:
        handle_workload(loop, event);
        return;
    case EVENT_JOB:
        handle_job(loop, event);
        return;
    case EVENT_POD:
        handle_pod(loop, event);
        return;
    case EVENT_OWNER:
        handle_owner(loop, event);
        return;
    case EVENT_WRITE_DONE:
        handle_write(loop, (struct write_op *)event);
        return;
    case EVENT_LEDGER_DONE:
        intent_committed(loop, (struct write_op *)event);
        return;
    case EVENT_SYNCED:
        handle_synced(loop, event);
        break;
    case EVENT_LEADING:
        handle_leading(loop, event);
        break;
    case EVENT_CALL:
        event->call(loop, event->call_context);
        break;
    case EVENT_STOP:
        atomic_store(&loop->is_stopping, true);
        break;
    default:
        handle_object(loop, event);
        return;
    }
    event_destroy(event);
}

/* ---- the thread ---- */

static void take_news(struct loop *loop)
{
    struct message *m = queue_take(loop->queue);

    while (m) {
        struct message *next = m->next;

        handle(loop, (struct loop_event *)m);
        m = next;
    }
}

/* The next record, unless too many writes wait already: each has a deadline, and what is said later
 * is said with fresher words. Answers wake the loop. */
static struct dirty_link *next_dirty(struct dirty_list *list, unsigned writes, unsigned most)
{
    return writes < most ? dirty_pop(list) : NULL;
}

static void step_dirty(struct loop *loop)
{
    struct dirty_link *link;

    if (!loop->is_leading)
        return;
    while ((link = next_dirty(&loop->dirty_jobs, loop->other_writes, OTHER_WRITES_MOST)) != NULL)
        step_job(loop, (struct job_record *)link);
    while ((link = next_dirty(&loop->dirty_workloads, loop->other_writes, OTHER_WRITES_MOST)) !=
           NULL)
        step_workload(loop, (struct workload_record *)link);
    while ((link = next_dirty(&loop->dirty_chains, loop->other_writes, OTHER_WRITES_MOST)) != NULL)
        step_chain(loop, link);
    while ((link = next_dirty(&loop->dirty_objects, loop->object_writes, OBJECT_WRITES_MOST)) !=
           NULL)
        step_object(loop, (struct object_record *)link);
}

/* Is there a record that could be stepped now? */
static bool is_dirty(const struct loop *loop)
{
    bool others = loop->dirty_jobs.first || loop->dirty_workloads.first || loop->dirty_chains.first;

    return loop->is_leading &&
           ((others && loop->other_writes < OTHER_WRITES_MOST) ||
            (loop->dirty_objects.first && loop->object_writes < OBJECT_WRITES_MOST));
}

static int64_t sooner(int64_t a, int64_t b)
{
    if (a == TIME_NONE)
        return b;
    return b == TIME_NONE || a < b ? a : b;
}

static int wait_ms(int64_t until)
{
    int64_t ms;

    if (until == TIME_NONE)
        return WAIT_AT_MOST_MS;
    ms = (until - loop_now() + NANOSECONDS_PER_MILLISECOND - 1) / NANOSECONDS_PER_MILLISECOND;
    return ms < 0 ? 0 : ms > WAIT_AT_MOST_MS ? WAIT_AT_MOST_MS : (int)ms;
}

static void *run(void *context)
{
    struct loop *loop = context;
    int64_t due = TIME_NONE;

    log_thread_name("engine");
    while (!atomic_load(&loop->is_stopping)) {
        int64_t now;

        queue_wait(loop->queue, wait_ms(due));
        take_news(loop);
        loop->is_leading = loop->may_lead && loop->is_fresh;
        now = loop_now();
        looks_run(loop, now);
        step_dirty(loop);
        if (engine_next_due(loop->engine) != TIME_NONE && engine_next_due(loop->engine) <= now)
            loop->has_news = true;
        engine_advance(loop->engine, now);
        due = sooner(run_cycles(loop),
                     sooner(looks_run(loop, loop_now()), engine_next_due(loop->engine)));
        due = sooner(due, refresh_statuses(loop));
        if (is_dirty(loop))
            due = 0;
    }
    return NULL;
}

void loop_start(struct loop *loop)
{
    loop->is_started = true;
    if (pthread_create(&loop->thread, NULL, run, loop) != 0) {
        LOG(LOG_ERROR, "cannot start the engine thread");
        exit(1);
    }
}

void loop_stop(struct loop *loop)
{
    if (!loop->is_started)
        return;
    loop_push(loop, event_create(EVENT_STOP));
    pthread_join(loop->thread, NULL);
    loop->is_started = false;
}
