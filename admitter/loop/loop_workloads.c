/* Workloads: their events, their rules, and the answers to their writes. */
#include <string.h>
#include "admitter/jobs/json_read.h"
#include "admitter/loop/check_list.h"
#include "admitter/loop/condition.h"
#include "admitter/loop/intents.h"
#include "admitter/loop/merge_patch.h"
#include "admitter/loop/workload_writes.h"
#include "admitter/loop/writes.h"
#include "quota/base/log.h"
#include "quota/base/mem.h"

void mark_workload(struct loop *loop, struct workload_record *record)
{
    dirty_push(&loop->dirty_workloads, &record->dirty);
}

void mark_owner(struct loop *loop, struct workload_record *record)
{
    struct job_record *owner = record->owner_key ? map_get(loop->jobs, str_of(record->owner_key)) : NULL;

    if (owner)
        mark_job(loop, owner);
}

/* News of a Workload ends its job's waiting for it. */
static void wake_owner(struct loop *loop, struct workload_record *record)
{
    struct job_record *owner = record->owner_key ? map_get(loop->jobs, str_of(record->owner_key)) : NULL;

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

static void workload_gone(struct loop *loop, struct workload_record *record)
{
    if (record->is_admitting) {
        loop->admissions--;
        record->is_admitting = false;
    }
    engine_workload_remove(loop->engine, record->namespace, record->name, loop_now());
    intents_workload_gone(loop, record);
    mark_owner(loop, record);
    workload_forget(loop, record);
}

/* The object as it is now reaches the record and the engine. */
static void workload_take(struct loop *loop, struct workload_record *record, struct loop_event *event)
{
    mark_owner(loop, record);
    workload_learn(loop, record, event);
    record->failures = 0; /* a new state: what was refused before may pass now */
    look_at(loop, &record->look, TIME_NONE);
    engine_workload_put(loop->engine, event->workload, loop_now());
    intents_workload_seen(loop, record);
    mark_workload(loop, record);
    wake_owner(loop, record);
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

static void unstash(struct loop *loop, struct workload_record *record)
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
static void workload_resolve(struct loop *loop, struct workload_record *record, struct loop_event *event)
{
    if (event->resource_version < 0) { /* the read failed as well: the quota stays counted, ask again */
        look_at(loop, &record->look, loop_now() + retry_delay(++record->failures));
        event_destroy(event);
        return;
    }
    record->is_resolving = record->is_admitting = record->is_writing = false;
    loop->admissions--;
    if (!reserved_in(event))
        engine_admission_failed(loop->engine, record->namespace, record->name, false, loop_now());
    intent_resolved(loop, record, reserved_in(event));
    workload_take(loop, record, event);
    event_destroy(event);
    unstash(loop, record);
}

static bool is_stale(const struct workload_record *record, const struct loop_event *event)
{
    return strcmp(record->uid, event->uid) == 0 && event->resource_version <= record->resource_version &&
           record->resource_version != 0;
}

void handle_workload(struct loop *loop, struct loop_event *event)
{
    struct workload_record *record = workload_find(loop, event->namespace, event->name);

    if (event->deleted) {
        if (record && (!*event->uid || strcmp(record->uid, event->uid) == 0))
            workload_gone(loop, record);
        event_destroy(event);
        return;
    }
    if (event->resource_version < 0 && !(record && record->is_resolving)) {
        event_destroy(event);
        return;
    }
    if (record && *record->uid && event->resource_version >= 0 && strcmp(record->uid, event->uid) != 0) {
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
        event_destroy(event);
    }
}

/* ---- the rules ---- */

static const struct object_record *queue_of(struct loop *loop, const struct workload_record *record)
{
    return record->queue_key ? map_get(loop->objects[OBJECT_LOCAL_QUEUE], str_of(record->queue_key)) : NULL;
}

static void read_checks(struct loop *loop, const json_t *tree, struct workload_surroundings *around)
{
    struct admission admission = { 0 };
    const json_t *stored = json_at(tree, "status", "admission", NULL);

    admission.cluster_queue = stored ? json_string_at(stored, "clusterQueue") : around->cluster_queue;
    if (stored)
        admission_read(stored, &loop->arena, &admission);
    around->know_required_checks = object_find(loop, OBJECT_CLUSTER_QUEUE, "", admission.cluster_queue) != NULL;
    if (around->know_required_checks)
        around->required_checks =
            engine_required_checks(loop->engine, &admission, &loop->arena, &around->required_check_count);
}

static void look_around(struct loop *loop, const struct workload_record *record, const json_t *tree,
                        struct workload_surroundings *around)
{
    const struct object_record *local = queue_of(loop, record), *cluster = NULL;
    struct wait_reason why = { "", "" };

    *around = (struct workload_surroundings){ .local_queue = json_string_at(json_object_get(tree, "spec"), "queueName"),
                                              .cluster_queue = "",
                                              .wait_reason = "",
                                              .wait_message = "" };
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
    if (!record->is_reserved && engine_wait_reason(loop->engine, record->namespace, record->name, &loop->arena, &why)) {
        around->wait_reason = why.reason;
        around->wait_message = why.message;
    }
}

static void note_events(struct write_op *op, const struct workload_record *record, const struct step_result *result)
{
    for (unsigned i = 0; i < result->event_count; i++)
        workload_note(op, record, result->events[i].warning, result->events[i].reason, result->events[i].note,
                      "kueue-workload-controller");
}

static void write_step(struct loop *loop, struct workload_record *record, json_t *before, json_t *after,
                       const struct step_result *result)
{
    struct write_op *op;

    switch (result->write) {
    case STEP_STATUS:
        op = workload_status_op(loop, record, WRITE_WORKLOAD_STATUS, before, after, NULL);
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
        LOG(LOG_WARN, "a workload does not keep what is written to it", KS("workload", record->key));
        write_op_destroy(op);
        look_at(loop, &record->look, pace_next(&record->pace));
        return;
    }
    note_events(op, record, result);
    if (result->evicts)
        metrics_evicted(workload_cluster_queue(before), result->eviction_reason, result->eviction_cause);
    record->is_writing = true;
    write_op_send(op);
}

void step_workload(struct loop *loop, struct workload_record *record)
{
    struct workload_surroundings around;
    struct step_result result;
    json_t *before, *after;

    if (record->is_resolving) { /* woken to read again */
        fetch_object(loop, EVENT_WORKLOAD, 0, record->namespace, record->name);
        return;
    }
    if (!loop->is_leading || record->is_writing || !(loop->settings->components & COMPONENT_CORE) ||
        (record->failures > 0 && record->look.at != TIME_NONE))
        return;
    arena_reset(&loop->arena);
    before = workload_tree(record);
    after = json_deep_copy(before);
    look_around(loop, record, before, &around);
    loop->random = loop->random * 6364136223846793005u + 1442695040888963407u;
    workload_step(after, loop->settings, &around, loop_now(), loop->random >> 33, &loop->arena, &result);
    look_at(loop, &record->look, result.next);
    write_step(loop, record, before, after, &result);
    json_decref(before);
    json_decref(after);
}

/* ---- answers ---- */

/* A refusal that will not change by itself is told to people once. */
static void complain(struct loop *loop, const struct workload_record *record, const struct write_op *op)
{
    struct kube_note note = { .api_version = "kueue.x-k8s.io/v1beta2", .kind = "Workload", .namespace = record->namespace,
                              .name = record->name, .uid = record->uid, .warning = true, .reason = "UpdateRefused",
                              .note = op->error.text, .controller = "kueue-workload-controller" };

    kube_recorder_post(loop->parts.recorder, &note);
}

static void write_failed(struct loop *loop, struct workload_record *record, struct write_op *op)
{
    record->failures++;
    metrics_write_failed(err_name(op->error.code));
    if (op->error.code == ERR_INVALID || op->error.code == ERR_FORBIDDEN) {
        LOG(LOG_ERROR, "the API server refused a change of a workload", KS("workload", record->key), KS("error", op->error.text));
        if (record->failures == 1)
            complain(loop, record, op);
    } else if (op->error.code != ERR_CONFLICT) {
        LOG(LOG_WARN, "a change of a workload failed", KS("workload", record->key), KS("error", op->error.text));
    }
    if (op->error.code == ERR_CONFLICT || op->outcome_unknown)
        fetch_object(loop, EVENT_WORKLOAD, 0, record->namespace, record->name);
    look_at(loop, &record->look, loop_now() + retry_delay(record->failures));
}

static void reservation_failed(struct loop *loop, struct workload_record *record, struct write_op *op)
{
    metrics_write_failed(err_name(op->error.code));
    if (op->error.code == ERR_NOT_FOUND) {
        loop->admissions--;
        record->is_admitting = record->is_writing = false;
        engine_admission_failed(loop->engine, record->namespace, record->name, true, loop_now());
        intent_resolved(loop, record, false);
        unstash(loop, record);
        return;
    }
    LOG(LOG_WARN, "a reservation was not written, reading the workload again", KS("workload", record->key),
        KS("error", op->error.text));
    record->is_resolving = true;
    fetch_object(loop, EVENT_WORKLOAD, 0, record->namespace, record->name);
}

static void reservation_done(struct loop *loop, struct workload_record *record, struct write_op *op)
{
    loop->admissions--;
    record->is_admitting = record->is_writing = false;
    workload_replace(loop, record, op->tree, op->resource_version);
    intent_resolved(loop, record, true);
    post_notes(op);
    mark_workload(loop, record);
    mark_owner(loop, record);
    unstash(loop, record);
}

void workload_write_done(struct loop *loop, struct write_op *op)
{
    struct workload_record *record = map_get(loop->workloads, str_of(op->key));

    if (!record || strcmp(record->uid, op->uid) != 0)
        return;
    if (op->purpose == WRITE_RESERVATION) {
        if (op->error.code == ERR_NONE)
            reservation_done(loop, record, op);
        else
            reservation_failed(loop, record, op);
        return;
    }
    record->is_writing = false;
    if (op->error.code != ERR_NONE) {
        if (op->purpose == WRITE_PREEMPTION)
            engine_eviction_failed(loop->engine, record->namespace, record->name, loop_now());
        write_failed(loop, record, op);
        return;
    }
    record->failures = 0;
    look_at(loop, &record->look, TIME_NONE);
    /* A newer state may have been watched meanwhile: it wins. */
    if (op->tree && op->resource_version > record->resource_version)
        workload_replace(loop, record, op->tree, op->resource_version);
    post_notes(op);
    mark_workload(loop, record);
    mark_owner(loop, record);
}
