/* Workloads: their events and their rules. The answers to their writes: workload_answers.c. */
#include <string.h>
#include "admitter/jobs/job_facts.h"
#include "admitter/objects/json_read.h"
#include "admitter/rules/check_list.h"
#include "admitter/objects/condition.h"
#include "admitter/loop/elastic.h"
#include "admitter/loop/intents.h"
#include "admitter/loop/owners.h"
#include "admitter/loop/report.h"
#include "admitter/loop/workload_writes.h"
#include "admitter/loop/writes.h"
#include "quota/base/log.h"
#include "quota/base/mem.h"

#define RESOLVE_AGAIN (10 * NANOSECONDS_PER_SECOND)

void mark_workload(struct loop *loop, struct workload_record *record)
{
    dirty_push(&loop->dirty_workloads, &record->dirty);
}

/* The job that owns a Workload, or wants it. */
static struct job_record *owner_of(struct loop *loop, const struct workload_record *record)
{
    const char *key = record->owner_key ? record->owner_key
                                        : map_get(loop->wanted_workloads, str_of(record->key));

    return key ? map_get(loop->jobs, str_of(key)) : NULL;
}

void mark_owner(struct loop *loop, struct workload_record *record)
{
    struct job_record *owner = owner_of(loop, record);

    if (owner)
        mark_job(loop, owner);
}

/* News of a Workload ends its job's waiting for it. */
static void wake_owner(struct loop *loop, struct workload_record *record)
{
    struct job_record *owner = owner_of(loop, record);

    if (!owner)
        return;
    owner->failures = 0;
    look_at(loop, &owner->look, TIME_NONE);
    mark_job(loop, owner);
}

void mark_queue_workloads(struct loop *loop, const char *queue_key)
{
    struct queue_entry *entry = map_get(loop->queues, str_of(queue_key));

    for (struct workload_record *r = entry ? entry->workloads : NULL; r; r = r->queue_next)
        mark_workload(loop, r);
}

/* ---- events ---- */

void workload_settled(struct loop *loop, struct workload_record *record)
{
    loop->admissions--;
    if (record->is_recovering)
        loop->recovering--;
    record->is_recovering = false;
    record->is_resolving = record->is_admitting = record->is_writing = false;
}

static void mark_children_of_workload(struct loop *loop, const struct workload_record *record)
{
    json_t *tree = workload_tree(record);

    mark_children(loop, json_string_at(object_controller(tree), "uid"));
    json_decref(tree);
}

static void keep_held(struct loop *loop, const struct workload_record *record)
{
    int64_t now = loop_now();

    if (record->not_before > now)
        engine_workload_hold(loop->engine, record->namespace, record->name, record->not_before,
                             now);
}

void workload_unreserved(struct loop *loop, struct workload_record *record, bool gone)
{
    engine_admission_failed(loop->engine, record->namespace, record->name, gone, loop_now());
    keep_held(loop, record);
}

static void workload_gone(struct loop *loop, struct workload_record *record)
{
    if (record->is_admitting)
        workload_settled(loop, record);
    engine_workload_remove(loop->engine, record->namespace, record->name, loop_now());
    intents_workload_gone(loop, record);
    mark_owner(loop, record);
    mark_children_of_workload(loop, record);
    chain_of_workload_changed(loop, record);
    workload_forget(loop, record);
}

/* The object as it is now reaches the record and the engine. */
static void workload_take(struct loop *loop, struct workload_record *record,
                          struct loop_event *event)
{
    mark_owner(loop, record);
    workload_learn(loop, record, event);
    record->failures = 0; /* a new state: what was refused before may pass now */
    look_at(loop, &record->look, TIME_NONE);
    engine_workload_put(loop->engine, event->workload, loop_now());
    keep_held(loop, record);
    intents_workload_seen(loop, record);
    mark_workload(loop, record);
    wake_owner(loop, record);
    mark_children(loop, event->owner_uid);
    chain_of_workload_changed(loop, record);
}

static void stash(struct workload_record *record, struct loop_event *event)
{
    if (record->stash && record->stash->resource_version > event->resource_version) {
        event_destroy(event);
        return;
    }
    event_destroy(record->stash);
    record->stash = event;
}

void workload_unstash(struct loop *loop, struct workload_record *record)
{
    struct loop_event *event = record->stash;

    record->stash = NULL;
    if (event)
        handle_workload(loop, event);
}

static bool reserved_in(const struct loop_event *event)
{
    const struct workload *w = event->workload;

    for (size_t i = 0; i < w->condition_count; i++)
        if (strcmp(w->conditions[i].type, "QuotaReserved") == 0)
            return w->conditions[i].status == CONDITION_TRUE && w->admission.cluster_queue;
    return false;
}

/* The outcome of a reservation was in doubt; this is the object as the server has it. */
static void workload_resolve(struct loop *loop, struct workload_record *record,
                             struct loop_event *event)
{
    if (event->resource_version <
        0) { /* the read failed as well: the quota stays counted, ask again */
        look_at(loop, &record->look, loop_now() + retry_delay(++record->failures));
        event_destroy(event);
        return;
    }
    workload_settled(loop, record);
    if (!reserved_in(event))
        workload_unreserved(loop, record, false);
    intent_resolved(loop, record, reserved_in(event));
    if (reserved_in(event))
        record->refused = 0;
    workload_take(loop, record, event);
    event_destroy(event);
    workload_unstash(loop, record);
}

/* Older than what the record holds, or the very state that the engine has been told of. The state
 * that an answer to our own write has put into the record is still to be told once. */
static bool is_stale(const struct workload_record *record, const struct loop_event *event)
{
    return strcmp(record->uid, event->uid) == 0 &&
           (event->resource_version < record->resource_version ||
            event->resource_version <= record->taken_version);
}

/* A read of ours that is about another incarnation of the name, or of one the watch saw go. */
static bool is_outdated_read(const struct workload_record *record, const struct loop_event *event)
{
    if (!event->fetched)
        return false;
    if (!record)
        return true;
    return *event->uid && strcmp(record->uid, event->uid) != 0 &&
           (event->deleted || event->resource_version < record->resource_version);
}

/* Events that end something, or say nothing; they are used up. */
static bool is_handled(struct loop *loop, struct workload_record *record, struct loop_event *event)
{
    bool failed_read = event->resource_version < 0 && !(record && record->is_resolving);

    if (!is_outdated_read(record, event) && !event->deleted && !failed_read)
        return false;
    /* Names are unique: whichever incarnation was deleted, there is none now. */
    if (event->deleted && record && !is_outdated_read(record, event))
        workload_gone(loop, record);
    event_destroy(event);
    return true;
}

static bool is_another_incarnation(const struct workload_record *record,
                                   const struct loop_event *event)
{
    return *record->uid && event->resource_version >= 0 && strcmp(record->uid, event->uid) != 0;
}

static void workload_decide_again(struct loop *loop, struct workload_record *record)
{
    mark_workload(loop, record);
    mark_owner(loop, record);
}

void handle_workload(struct loop *loop, struct loop_event *event)
{
    struct workload_record *record = workload_find(loop, event->namespace, event->name);

    if (is_handled(loop, record, event))
        return;
    if (record && is_another_incarnation(record, event)) {
        workload_gone(loop, record); /* deleted and made again under the same name */
        record = NULL;
    }
    if (!record)
        record = workload_get(loop, event);
    if (record->is_resolving && event->fetched) {
        workload_resolve(loop, record, event);
    } else if (record->is_admitting) {
        stash(record, event);
    } else {
        if (!is_stale(record, event))
            workload_take(loop, record, event);
        else if (event->fetched) /* after a conflict with a change that the watch had shown
                                  * already */
            workload_decide_again(loop, record);
        event_destroy(event);
    }
}

/* ---- the rules ---- */

static const struct object_record *queue_of(struct loop *loop, const struct workload_record *record)
{
    return record->queue_key ? map_get(loop->objects[OBJECT_LOCAL_QUEUE], str_of(record->queue_key))
                             : NULL;
}

static void read_checks(struct loop *loop, const json_t *tree, struct workload_surroundings *around)
{
    struct admission admission = { 0 };
    const json_t *stored = json_at(tree, "status", "admission", NULL);

    admission.cluster_queue =
        stored ? json_string_at(stored, "clusterQueue") : around->cluster_queue;
    if (stored)
        admission_read(stored, &loop->arena, &admission);
    around->know_required_checks =
        object_find(loop, OBJECT_CLUSTER_QUEUE, "", admission.cluster_queue) != NULL;
    if (around->know_required_checks)
        around->required_checks = engine_required_checks(loop->engine, &admission, &loop->arena,
                                                         &around->required_check_count);
}

static void look_around(struct loop *loop, const struct workload_record *record, const json_t *tree,
                        struct workload_surroundings *around)
{
    const struct object_record *local = queue_of(loop, record), *cluster = NULL;
    struct wait_reason why = { "", "", "" };

    *around = (struct workload_surroundings){ .local_queue = json_string_at(
                                                  json_object_get(tree, "spec"), "queueName"),
                                              .cluster_queue = "",
                                              .wait_reason = "",
                                              .wait_message = "",
                                              .not_requeued = "" };
    if (local) {
        around->local_queue_exists = true;
        around->local_queue_deleting = local->deleting;
        around->local_queue_stop = local->stop_policy;
        around->cluster_queue = local->cluster_queue ? local->cluster_queue : "";
        cluster = object_find(loop, OBJECT_CLUSTER_QUEUE, "", around->cluster_queue);
    }
    if (cluster) {
        around->cluster_queue_exists = true;
        around->cluster_queue_deleting = cluster->deleting;
        around->cluster_queue_stop = cluster->stop_policy;
    }
    read_checks(loop, tree, around);
    if (!record->is_reserved &&
        engine_wait_reason(loop->engine, record->namespace, record->name, &loop->arena, &why)) {
        around->wait_reason = why.reason;
        around->wait_message = why.message;
        around->not_requeued = why.not_requeued;
    }
}

static void note_events(struct write_op *op, const struct workload_record *record,
                        const struct step_result *result)
{
    for (unsigned i = 0; i < result->event_count; i++)
        workload_note(op, record, result->events[i].warning, result->events[i].reason,
                      result->events[i].note, "kueue-workload-controller");
}

static void write_step(struct loop *loop, struct workload_record *record, json_t *before,
                       json_t *after, const struct step_result *result)
{
    struct write_op *op;

    switch (result->write) {
    case STEP_STATUS:
        op = workload_status_op(loop, record, WRITE_WORKLOAD_STATUS, before, after);
        break;
    case STEP_SPEC:
        op = workload_patch_op(loop, record, json_pack("{s:{s:b}}", "spec", "active", 0));
        break;
    case STEP_FINALIZER:
        op = workload_finalizer_op(loop, record, before);
        break;
    case STEP_DELETE:
        op = workload_delete_op(loop, record);
        break;
    default:
        return;
    }
    if (!op)
        return;
    if (!pace_allows(&record->pace, loop_now())) {
        LOG(LOG_WARN, "a workload does not keep what is written to it",
            KS("workload", record->key));
        write_op_destroy(op);
        look_at(loop, &record->look, pace_next(&record->pace));
        return;
    }
    note_events(op, record, result);
    if (result->evicts) {
        op->eviction_reason = arena_strdup(&op->event.arena, result->eviction_reason);
        op->eviction_cause = arena_strdup(&op->event.arena, result->eviction_cause);
    }
    record->is_writing = true;
    write_op_send(op);
}

/* The result of the last write is not known here until the watch shows it. */
bool workload_is_awaited(struct loop *loop, struct workload_record *record)
{
    if (record->awaited_version == 0 || record->resource_version >= record->awaited_version)
        return false;
    if (loop_now() >= record->awaited_until) {
        record->awaited_version = 0;
        return false;
    }
    look_at(loop, &record->look, record->awaited_until);
    return true;
}

/* A new value of a WorkloadPriorityClass reaches every Workload that names it (spec/api.md 4.8); a
 * priority that somebody gave a Workload himself stays until then. */
static void step_class(struct loop *loop, struct workload_record *record, const json_t *tree)
{
    const struct priority_record *class =
        record->class_name ? map_get(loop->workload_priority_classes, str_of(record->class_name))
                           : NULL;
    struct write_op *op;

    if (!record->is_class_news)
        return;
    if (!class || json_integer_at(json_object_get(tree, "spec"), "priority", 0) == class->value) {
        record->is_class_news = false;
        return;
    }
    op = workload_patch_op(loop, record,
                           json_pack("{s:{s:i}}", "spec", "priority", (int)class->value));
    record->is_writing = true;
    write_op_send(op);
}

/* Pending as the scheduler knew it: what it said still holds. */
static bool may_be_told(const struct workload_record *record)
{
    return !record->is_reserved && !record->is_finished && !record->is_deleting &&
           record->is_active;
}

static void follow_rules(struct loop *loop, struct workload_record *record)
{
    struct workload_surroundings around;
    struct step_result result;
    json_t *before, *after;

    arena_reset(&loop->arena);
    before = workload_tree(record);
    after = json_deep_copy(before);
    look_around(loop, record, before, &around);
    loop->random = loop->random * 6364136223846793005u + 1442695040888963407u;
    workload_step(after, loop->settings, &around, loop_now(), loop->random >> 33, &loop->arena,
                  &result);
    if (result.write == STEP_NOTHING)
        record->failures = 0;
    look_at(loop, &record->look, result.next);
    if (result.write == STEP_NOTHING)
        step_class(loop, record, before);
    else
        write_step(loop, record, before, after, &result);
    json_decref(before);
    json_decref(after);
}

void step_workload(struct loop *loop, struct workload_record *record)
{
    if (record->is_resolving) { /* woken to read again; other marks are for later */
        if (record->look.at == TIME_NONE && loop->is_leading) {
            look_at(loop, &record->look, loop_now() + RESOLVE_AGAIN);
            fetch_object(loop, EVENT_WORKLOAD, 0, record->namespace, record->name, record->uid);
        }
        return;
    }
    if (!loop->is_leading || record->is_writing ||
        (record->failures > 0 && record->look.at != TIME_NONE) || workload_is_awaited(loop, record))
        return;
    if (record->owed && may_be_told(record))
        workload_say_owed(loop, record);
    if (!record->is_writing && (loop->settings->components & COMPONENT_CORE))
        follow_rules(loop, record);
}
