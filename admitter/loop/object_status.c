#include "admitter/loop/object_status.h"

#include <string.h>
#include "admitter/objects/json_read.h"
#include "admitter/objects/condition.h"
#include "admitter/rules/merge_patch.h"
#include "admitter/loop/report.h"
#include "admitter/objects/queue_status.h"
#include "quota/base/mem.h"

const char *object_kind_name(enum object_kind kind)
{
    static const char *const names[] = { "ClusterQueue",   "LocalQueue",     "Cohort",
                                         "ResourceFlavor", "AdmissionCheck", "Topology" };

    return names[kind];
}

/* ---- the status as it should be; NULL when the kind has none or the engine does not know it
 * ---- */

static json_t *build_cluster_queue(struct loop *loop, const struct object_record *record,
                                   const json_t *before)
{
    struct queue_status now;

    if (!engine_cluster_queue_status(loop->engine, record->name, &loop->arena, &now))
        return NULL;
    return cluster_queue_status_build(before, &now, record->has_cohort, record->generation,
                                      loop_now());
}

static json_t *build_local_queue(struct loop *loop, const struct object_record *record,
                                 const json_t *before)
{
    struct queue_status now, cluster;
    struct local_queue_facts facts = { .stopped = record->stop_policy != STOP_NONE };
    bool known = engine_local_queue_status(loop->engine, record->namespace, record->name,
                                           &loop->arena, &now);

    facts.has_fair_sharing =
        engine_local_queue_consumed(loop->engine, record->namespace, record->name, &loop->arena,
                                    &facts.consumed, &facts.consumed_updated);
    facts.cluster_queue_exists =
        engine_cluster_queue_status(loop->engine, record->cluster_queue, &loop->arena, &cluster);
    facts.cluster_queue_active = facts.cluster_queue_exists && cluster.activity.active;
    return local_queue_status_build(before, known ? &now : NULL, &facts, record->generation,
                                    loop_now());
}

static json_t *build_cohort(struct loop *loop, const struct object_record *record,
                            const json_t *before)
{
    struct queue_status now;

    if (!engine_cohort_status(loop->engine, record->name, &loop->arena, &now))
        return NULL;
    return cohort_status_build(before, &now);
}

static json_t *build(struct loop *loop, const struct object_record *record, const json_t *before)
{
    switch (record->kind) {
    case OBJECT_CLUSTER_QUEUE:
        return build_cluster_queue(loop, record, before);
    case OBJECT_LOCAL_QUEUE:
        return build_local_queue(loop, record, before);
    case OBJECT_COHORT:
        return build_cohort(loop, record, before);
    default:
        return NULL;
    }
}

/* Conditions are one list that others may write to as well: only on the version it was made
 * from. */
static json_t *patch_body(const struct object_record *record, json_t *change)
{
    json_t *metadata = json_pack("{s:s}", "uid", record->uid);

    if (json_object_get(change, "conditions"))
        json_object_set_new(metadata, "resourceVersion",
                            json_sprintf("%lld", (long long)record->resource_version));
    return json_pack("{s:o, s:O}", "metadata", metadata, "status", change);
}

static void send(struct loop *loop, struct object_record *record, json_t *after, json_t *change)
{
    struct write_op *op = write_op_create(loop, WRITE_OBJECT_STATUS, record->key, record->uid);

    op->kind = record->kind;
    op->tree = json_incref(after);
    write_op_request(op, KUBE_MERGE_PATCH,
                     object_path(record->kind, record->namespace, record->name, "status"),
                     patch_body(record, change), "fieldManager=kueue");
    record->is_writing = true;
    record->sent_version = record->resource_version;
    status_pace_note(&record->pace, loop->settings->queue_status_interval, loop_now());
    write_op_send(op);
}

/* What depends on a ClusterQueue being active hears of a change. */
static void follow_activity(struct loop *loop, struct object_record *record, json_t *after)
{
    json_t *object = json_pack("{s:O}", "status", after);
    bool active = condition_true(object, "Active");

    json_decref(object);
    if (record->kind != OBJECT_CLUSTER_QUEUE || record->was_active == active)
        return;
    record->was_active = active;
    mark_cluster_queue_workloads(loop, record->name);
}

/* Now, or when its turn comes. */
static void send_in_time(struct loop *loop, struct object_record *record, json_t *after,
                         json_t *change)
{
    bool urgent = json_object_get(change, "conditions") != NULL;
    int64_t next = status_pace_next(&record->pace, loop->settings->queue_status_interval, urgent);

    if (next != TIME_NONE && next > loop_now())
        look_at(loop, &record->look, next);
    else
        send(loop, record, after, change);
}

void object_status_send(struct loop *loop, struct object_record *record)
{
    json_t *stored = record->text ? json_loads(record->text, JSON_DECODE_ANY, NULL) : NULL;
    json_t *before = json_is_object(stored) ? json_incref(stored) : json_object();
    json_t *after = build(loop, record, before), *change = NULL;

    if (after) {
        follow_activity(loop, record, after);
        change = status_differs(before, after) ? merge_patch_between(before, after) : NULL;
    }
    if (change)
        send_in_time(loop, record, after, change);
    json_decref(change);
    json_decref(after);
    json_decref(before);
    json_decref(stored);
}

/* ---- what the engine says has changed ---- */

static void mark_named(struct loop *loop, enum object_kind kind, const char *key)
{
    struct object_record *record = map_get(loop->objects[kind], str_of(key));

    if (record)
        mark_object(loop, record);
}

static void mark_cluster_scoped(struct loop *loop, enum object_kind kind, const char **names,
                                size_t count)
{
    for (size_t i = 0; i < count; i++) {
        AUTO_FREE char *key = mem_format("/%s", names[i]);

        mark_named(loop, kind, key);
    }
}

static void mark_keyed_workload(struct loop *loop, const char *key)
{
    struct workload_record *record = map_get(loop->workloads, str_of(key));

    if (record)
        mark_workload(loop, record);
}

int64_t refresh_statuses(struct loop *loop)
{
    struct changed_names changed;

    arena_reset(&loop->arena);
    engine_take_changed(loop->engine, &loop->arena, &changed);
    report_changed(loop, &changed);
    mark_cluster_scoped(loop, OBJECT_CLUSTER_QUEUE, changed.cluster_queues,
                        changed.cluster_queue_count);
    mark_cluster_scoped(loop, OBJECT_COHORT, changed.cohorts, changed.cohort_count);
    for (size_t i = 0; i < changed.local_queue_count; i++)
        mark_named(loop, OBJECT_LOCAL_QUEUE, changed.local_queues[i]);
    for (size_t i = 0; i < changed.workload_count; i++)
        mark_keyed_workload(loop, changed.workloads[i]);
    return TIME_NONE;
}
