#include "admitter/loop/workload_writes.h"

#include <string.h>
#include "admitter/objects/json_read.h"
#include "admitter/rules/life_cycle.h"
#include "admitter/rules/merge_patch.h"
#include "admitter/loop/report.h"
#include "admitter/objects/names.h"
#include "quota/base/log.h"
#include "quota/base/mem.h"

#define MANAGER_QUERY "fieldManager=kueue-admission"
#define PLAIN_QUERY "fieldManager=kueue"

static json_t *version_of(const struct workload_record *record)
{
    return json_sprintf("%lld", (long long)record->resource_version);
}

static void guard(json_t *patch, const struct workload_record *record)
{
    json_t *metadata = json_object_get(patch, "metadata");

    if (!metadata) {
        metadata = json_object();
        json_object_set_new(patch, "metadata", metadata);
    }
    json_object_set_new(metadata, "resourceVersion", version_of(record));
    json_object_set_new(metadata, "uid", json_string(record->uid));
}

struct write_op *workload_status_op(struct loop *loop, const struct workload_record *record,
                                    enum write_purpose purpose, json_t *before, json_t *after)
{
    json_t *empty = json_object();
    json_t *old = json_object_get(before, "status"), *fresh = json_object_get(after, "status");
    json_t *change = merge_patch_between(old ? old : empty, fresh ? fresh : empty), *patch;
    struct write_op *op;
    struct err e = { 0 };

    json_decref(empty);
    if (!change)
        return NULL;
    if (life_check(before, after, &e) < 0) {
        LOG(LOG_ERROR, "a status is not written, it would break the life cycle",
            KS("workload", record->key), KS("error", e.text));
        metrics_write_failed("Workload", err_name(e.code));
        json_decref(change);
        return NULL;
    }
    patch = json_pack("{s:o}", "status", change);
    guard(patch, record);
    op = write_op_create(loop, purpose, record->key, record->uid);
    op->tree = json_incref(after);
    op->news = report_news(before, after);
    write_op_request(op, KUBE_MERGE_PATCH, workload_path(record->namespace, record->name, "status"),
                     patch, MANAGER_QUERY);
    return op;
}

struct write_op *workload_patch_op(struct loop *loop, const struct workload_record *record,
                                   json_t *patch)
{
    struct write_op *op = write_op_create(loop, WRITE_WORKLOAD_OTHER, record->key, record->uid);

    guard(patch, record);
    write_op_request(op, KUBE_MERGE_PATCH, workload_path(record->namespace, record->name, NULL),
                     patch, PLAIN_QUERY);
    return op;
}

struct write_op *workload_json_patch_op(struct loop *loop, const struct workload_record *record,
                                        json_t *patch)
{
    struct write_op *op = write_op_create(loop, WRITE_WORKLOAD_OTHER, record->key, record->uid);

    write_op_request(op, KUBE_JSON_PATCH, workload_path(record->namespace, record->name, NULL),
                     patch, PLAIN_QUERY);
    return op;
}

struct write_op *workload_finalizer_op(struct loop *loop, const struct workload_record *record,
                                       const json_t *tree)
{
    json_t *left = json_array(), *name;
    size_t i;

    json_array_foreach(json_at(tree, "metadata", "finalizers", NULL), i, name)
        if (strcmp(json_string_value(name), FINALIZER_RESOURCE_IN_USE) != 0)
            json_array_append(left, name);
    if (json_array_size(left) == json_array_size(json_at(tree, "metadata", "finalizers", NULL))) {
        json_decref(left);
        return NULL;
    }
    return workload_patch_op(loop, record, json_pack("{s:{s:o}}", "metadata", "finalizers", left));
}

struct write_op *workload_delete_op(struct loop *loop, const struct workload_record *record)
{
    struct write_op *op = write_op_create(loop, WRITE_WORKLOAD_OTHER, record->key, record->uid);

    write_op_request(op, KUBE_DELETE, workload_path(record->namespace, record->name, NULL),
                     json_pack("{s:s, s:s, s:{s:s}}", "kind", "DeleteOptions", "apiVersion", "v1",
                               "preconditions", "uid", record->uid),
                     NULL);
    return op;
}

void workload_note(struct write_op *op, const struct workload_record *record, bool warning,
                   const char *reason, const char *note, const char *controller)
{
    struct kube_note n = { .api_version = KUEUE_V1BETA2,
                           .kind = "Workload",
                           .namespace = record->namespace,
                           .name = record->name,
                           .uid = record->uid,
                           .warning = warning,
                           .reason = reason,
                           .note = note,
                           .controller = controller };

    write_op_note(op, &n);
}

const char *workload_cluster_queue(const json_t *tree)
{
    return json_string_at(json_at(tree, "status", "admission", NULL), "clusterQueue");
}

static void assignment_read(const json_t *stored, struct arena *arena,
                            struct pod_set_assignment *out)
{
    json_t *flavors = json_object_get(stored, "flavors"), *flavor;
    const char *resource;

    out->pod_set = json_string_at(stored, "name");
    out->count = (int32_t)json_integer_at(stored, "count", -1);
    out->uses = ARENA_ARRAY(arena, json_object_size(flavors) + 1, struct resource_flavor_use);
    json_object_foreach(flavors, resource, flavor) {
        out->uses[out->use_count].resource = resource;
        out->uses[out->use_count++].flavor = json_string_value(flavor);
    }
}

void admission_read(const json_t *stored, struct arena *arena, struct admission *admission)
{
    json_t *list = json_object_get(stored, "podSetAssignments"), *entry;
    size_t i;

    admission->cluster_queue = json_string_at(stored, "clusterQueue");
    admission->pod_set_count = json_array_size(list);
    admission->pod_sets =
        ARENA_ARRAY(arena, admission->pod_set_count + 1, struct pod_set_assignment);
    json_array_foreach(list, i, entry)
        assignment_read(entry, arena, &admission->pod_sets[i]);
}
