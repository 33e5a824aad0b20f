#include "admitter/loop/object_status.h"

#include <string.h>
#include "admitter/jobs/json_read.h"
#include "admitter/loop/condition.h"
#include "admitter/loop/merge_patch.h"
#include "quota/base/mem.h"

const char *object_kind_name(enum object_kind kind)
{
    static const char *const names[] = { "ClusterQueue", "LocalQueue", "Cohort", "ResourceFlavor", "AdmissionCheck",
                                         "Topology" };

    return names[kind];
}

/* ---- usage tables ---- */

static json_t *resource_json(const struct flavor_resource_usage *usage, bool admitted, bool with_borrowed)
{
    char text[QUANTITY_TEXT];
    json_t *out = json_pack("{s:s, s:s}", "name", usage->resource, "total",
                            amount_print(str_of(usage->resource), admitted ? usage->admitted : usage->total, true, text));

    if (with_borrowed)
        json_object_set_new(out, "borrowed",
                            json_string(amount_print(str_of(usage->resource),
                                                     admitted ? usage->admitted_borrowed : usage->borrowed, true, text)));
    return out;
}

/* Rows come flavor by flavor, in the order of the spec. */
static json_t *usage_json(const struct queue_status *status, bool admitted, bool with_borrowed)
{
    json_t *flavors = json_array(), *resources = NULL;
    const char *flavor = "";

    for (size_t i = 0; i < status->usage_count; i++) {
        if (!resources || strcmp(status->usage[i].flavor, flavor) != 0) {
            flavor = status->usage[i].flavor;
            resources = json_array();
            json_array_append_new(flavors, json_pack("{s:s, s:o}", "name", flavor, "resources", resources));
        }
        json_array_append_new(resources, resource_json(&status->usage[i], admitted, with_borrowed));
    }
    return flavors;
}

static void put_counts(json_t *status, const struct queue_status *now)
{
    json_object_set_new(status, "pendingWorkloads", json_integer(now->pending));
    json_object_set_new(status, "reservingWorkloads", json_integer(now->reserving));
    json_object_set_new(status, "admittedWorkloads", json_integer(now->admitted));
}

static void put_share(const struct loop *loop, json_t *status, const struct queue_status *now)
{
    json_t *sharing = json_object_get(status, "fairSharing");

    if (!loop->settings->fair_sharing_status || !now->has_weighted_share) {
        json_object_del(status, "fairSharing");
        return;
    }
    if (!json_is_object(sharing)) {
        sharing = json_object();
        json_object_set_new(status, "fairSharing", sharing);
    }
    json_object_set_new(sharing, "weightedShare", json_integer(now->weighted_share));
}

/* ---- per kind: true when the tree holds a status that is to be stored ---- */

static bool build_cluster_queue(struct loop *loop, const struct object_record *record, json_t *object)
{
    struct queue_status now;
    json_t *status = object_status(object);

    if (!engine_cluster_queue_status(loop->engine, record->name, &loop->arena, &now))
        return false;
    condition_put(object,
                  &(struct condition_change){ "Active", now.activity.active ? "True" : "False", now.activity.reason,
                                              now.activity.message, record->generation },
                  loop_now());
    put_counts(status, &now);
    json_object_set_new(status, "flavorsReservation", usage_json(&now, false, true));
    json_object_set_new(status, "flavorsUsage", usage_json(&now, true, true));
    put_share(loop, status, &now);
    metrics_cluster_queue_status(record->name, &now);
    return true;
}

static void local_queue_condition(struct loop *loop, const struct object_record *record, json_t *object)
{
    struct condition_change change = { "Active", "True", "Ready", "Can submit new workloads to localQueue",
                                       record->generation };
    struct queue_status cluster;

    if (record->stop_policy != STOP_NONE) {
        change.reason = "Stopped";
        change.message = "LocalQueue is stopped";
    } else if (!engine_cluster_queue_status(loop->engine, record->cluster_queue, &loop->arena, &cluster)) {
        change.reason = "ClusterQueueDoesNotExist";
        change.message = "Can't submit new workloads to clusterQueue";
    } else if (!cluster.activity.active) {
        change.reason = "ClusterQueueIsInactive";
        change.message = "Can't submit new workloads to clusterQueue";
    }
    if (strcmp(change.reason, "Ready") != 0)
        change.status = "False";
    condition_put(object, &change, loop_now());
}

static bool build_local_queue(struct loop *loop, const struct object_record *record, json_t *object)
{
    struct queue_status now;
    json_t *status = object_status(object);

    if (!engine_local_queue_status(loop->engine, record->namespace, record->name, &loop->arena, &now))
        return false;
    local_queue_condition(loop, record, object);
    put_counts(status, &now);
    json_object_set_new(status, "flavorsReservation", usage_json(&now, false, false));
    json_object_set_new(status, "flavorsUsage", usage_json(&now, true, false));
    metrics_local_queue_status(record->namespace, record->name, &now);
    return true;
}

static bool build_cohort(struct loop *loop, const struct object_record *record, json_t *object)
{
    struct queue_status now;

    if (!engine_cohort_status(loop->engine, record->name, &loop->arena, &now))
        return false;
    put_share(loop, object_status(object), &now);
    metrics_cohort_status(record->name, &now);
    return true;
}

static bool build(struct loop *loop, const struct object_record *record, json_t *object)
{
    switch (record->kind) {
    case OBJECT_CLUSTER_QUEUE:
        return build_cluster_queue(loop, record, object);
    case OBJECT_LOCAL_QUEUE:
        return build_local_queue(loop, record, object);
    case OBJECT_COHORT:
        return build_cohort(loop, record, object);
    default:
        return false;
    }
}

static void send(struct loop *loop, struct object_record *record, json_t *after, json_t *change)
{
    struct write_op *op = write_op_create(loop, WRITE_OBJECT_STATUS, record->key, record->uid);

    op->kind = record->kind;
    op->tree = json_incref(json_object_get(after, "status"));
    write_op_request(op, KUBE_MERGE_PATCH, object_path(record->kind, record->namespace, record->name, "status"),
                     json_pack("{s:{s:s}, s:o}", "metadata", "uid", record->uid, "status", change), "fieldManager=kueue");
    record->is_writing = true;
    record->written = loop_now();
    write_op_send(op);
}

/* What depends on a ClusterQueue being active hears of a change. */
static void follow_activity(struct loop *loop, struct object_record *record, const json_t *after)
{
    bool active = condition_true(after, "Active");

    if (record->kind != OBJECT_CLUSTER_QUEUE || record->was_active == active)
        return;
    record->was_active = active;
    mark_cluster_queue_workloads(loop, record->name);
}

void object_status_send(struct loop *loop, struct object_record *record)
{
    json_t *stored = record->text ? json_loads(record->text, JSON_DECODE_ANY, NULL) : NULL;
    json_t *before = json_is_object(stored) ? stored : json_object(), *after, *change;
    int64_t next = record->written == TIME_NONE ? TIME_NONE : record->written + loop->settings->queue_status_interval;

    if (stored && before != stored)
        json_decref(stored);
    after = json_pack("{s:o}", "status", json_deep_copy(before));
    if (build(loop, record, after)) {
        follow_activity(loop, record, after);
        change = merge_patch_between(before, json_object_get(after, "status"));
        if (change && next != TIME_NONE && next > loop_now())
            look_at(loop, &record->look, next);
        else if (change)
            send(loop, record, after, json_incref(change));
        json_decref(change);
    }
    json_decref(before);
    json_decref(after);
}

/* ---- what the engine says has changed ---- */

static void mark_named(struct loop *loop, enum object_kind kind, const char *key)
{
    struct object_record *record = map_get(loop->objects[kind], str_of(key));

    if (record)
        mark_object(loop, record);
}

static void mark_cluster_scoped(struct loop *loop, enum object_kind kind, const char **names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        AUTO_FREE char *key = mem_format("/%s", names[i]);

        mark_named(loop, kind, key);
    }
}

int64_t refresh_statuses(struct loop *loop)
{
    struct changed_names changed;

    arena_reset(&loop->arena);
    engine_take_changed(loop->engine, &loop->arena, &changed);
    mark_cluster_scoped(loop, OBJECT_CLUSTER_QUEUE, changed.cluster_queues, changed.cluster_queue_count);
    mark_cluster_scoped(loop, OBJECT_COHORT, changed.cohorts, changed.cohort_count);
    for (size_t i = 0; i < changed.local_queue_count; i++)
        mark_named(loop, OBJECT_LOCAL_QUEUE, changed.local_queues[i]);
    return TIME_NONE;
}
