/* Queues, cohorts, flavors, checks and topologies: what has to be written to them. */
#include <string.h>
#include "admitter/objects/json_read.h"
#include "admitter/loop/object_status.h"
#include "admitter/loop/workload_writes.h"
#include "admitter/objects/names.h"
#include "quota/base/log.h"
#include "quota/base/mem.h"

/* ---- in use? ---- */

static bool list_has(char **list, const char *name)
{
    for (size_t i = 0; list && list[i]; i++)
        if (strcmp(list[i], name) == 0)
            return true;
    return false;
}

static bool queue_is_used(struct loop *loop, const struct object_record *record)
{
    struct queue_status status;

    return engine_cluster_queue_status(loop->engine, record->name, &loop->arena, &status) &&
           status.reserving > 0;
}

static bool topology_is_used(struct loop *loop, const char *name)
{
    struct map_entry entry;

    for (size_t at = 0; map_next(loop->objects[OBJECT_FLAVOR], &at, &entry);) {
        const struct object_record *flavor = entry.value;

        if (flavor->topology && strcmp(flavor->topology, name) == 0)
            return true;
    }
    return false;
}

/* Is an object that is being deleted still named by another one? */
static bool is_used(struct loop *loop, const struct object_record *record)
{
    struct map_entry entry;

    if (record->kind == OBJECT_CLUSTER_QUEUE)
        return queue_is_used(loop, record);
    if (record->kind == OBJECT_TOPOLOGY)
        return topology_is_used(loop, record->name);
    for (size_t at = 0; map_next(loop->objects[OBJECT_CLUSTER_QUEUE], &at, &entry);) {
        const struct object_record *queue = entry.value;

        if (list_has(record->kind == OBJECT_FLAVOR ? queue->flavors : queue->checks, record->name))
            return true;
    }
    return false;
}

/* ---- finalizers and statuses ---- */

static bool wants_finalizer(const struct loop *loop, const struct object_record *record)
{
    switch (record->kind) {
    case OBJECT_CLUSTER_QUEUE:
    case OBJECT_FLAVOR:
    case OBJECT_CHECK:
        return true;
    case OBJECT_TOPOLOGY:
        return loop->settings->jobs.topology_aware;
    default:
        return false;
    }
}

/* The whole list with the resourceVersion: somebody else's finalizer added meanwhile is a
 * conflict. */
static void finalizer_send(struct loop *loop, struct object_record *record, bool add)
{
    struct write_op *op = write_op_create(loop, WRITE_OBJECT_FINALIZER, record->key, record->uid);
    json_t *list = record->finalizers ? json_loads(record->finalizers, 0, NULL) : NULL,
           *left = json_array(), *name;
    size_t i;

    json_array_foreach(list, i, name)
        if (json_is_string(name) && strcmp(json_string_value(name), FINALIZER_RESOURCE_IN_USE) != 0)
            json_array_append(left, name);
    if (add)
        json_array_append_new(left, json_string(FINALIZER_RESOURCE_IN_USE));
    json_decref(list);
    op->kind = record->kind;
    write_op_request(op, KUBE_MERGE_PATCH,
                     object_path(record->kind, record->namespace, record->name, NULL),
                     json_pack("{s:{s:o, s:s, s:o}}", "metadata", "resourceVersion",
                               json_sprintf("%lld", (long long)record->resource_version), "uid",
                               record->uid, "finalizers", left),
                     "fieldManager=kueue");
    record->is_writing = true;
    record->sent_version = record->resource_version;
    write_op_send(op);
}

/* The watch has not shown yet what a write of ours made of it. */
static bool is_awaited(struct loop *loop, struct object_record *record)
{
    if (record->awaited_version <= record->resource_version || record->awaited_until <= loop_now())
        return false;
    look_at(loop, &record->look, record->awaited_until);
    return true;
}

static bool is_held_back(const struct object_record *record)
{
    return record->failures > 0 && record->look.at != TIME_NONE && record->look.at > loop_now();
}

void step_object(struct loop *loop, struct object_record *record)
{
    if (!loop->is_leading || record->is_writing || !(loop->settings->components & COMPONENT_CORE) ||
        is_held_back(record) || is_awaited(loop, record))
        return;
    arena_reset(&loop->arena);
    if (!record->deleting && wants_finalizer(loop, record) && !record->has_finalizer)
        finalizer_send(loop, record, true);
    else if (record->deleting && record->has_finalizer && !is_used(loop, record))
        finalizer_send(loop, record, false);
    else
        object_status_send(loop, record);
}

/* ---- answers ---- */

static void write_succeeded(struct loop *loop, struct object_record *record, struct write_op *op)
{
    record->failures = 0;
    if (op->purpose == WRITE_OBJECT_FINALIZER) {
        record->awaited_version = op->resource_version;
        record->awaited_until = loop_now() + AWAIT_AT_MOST;
    } else if (op->resource_version > record->resource_version) {
        free(record->text);
        record->text = json_dumps(op->tree, JSON_COMPACT);
        record->resource_version = op->resource_version;
    }
    mark_object(loop, record);
}

/* What the server will not take is told to people once. */
static void complain(struct loop *loop, const struct object_record *record,
                     const struct write_op *op)
{
    struct kube_note note = { .api_version = KUEUE_V1BETA2,
                              .kind = object_kind_name(record->kind),
                              .namespace = record->namespace,
                              .name = record->name,
                              .uid = record->uid,
                              .warning = true,
                              .reason = "UpdateRefused",
                              .note = op->error.text,
                              .controller = "kueue" };

    LOG(LOG_ERROR, "the API server refused a change of an object",
        KS("kind", object_kind_name(record->kind)), KS("object", record->key),
        KS("error", op->error.text));
    kube_recorder_post(loop->parts.recorder, &note);
}

static void write_failed(struct loop *loop, struct object_record *record, const struct write_op *op)
{
    enum err_code code = op->error.code;

    metrics_write_failed(object_kind_name(record->kind), err_name(code));
    if (code == ERR_CONFLICT && record->resource_version > record->sent_version) {
        mark_object(loop, record); /* the newer object is here already */
        return;
    }
    record->failures++;
    if ((code == ERR_INVALID || code == ERR_FORBIDDEN) && record->failures == 1)
        complain(loop, record, op);
    else if (code != ERR_NOT_FOUND && code != ERR_CONFLICT)
        LOG(LOG_WARN, "a change of an object failed", KS("object", record->key),
            KS("error", op->error.text));
    look_at(loop, &record->look, loop_now() + retry_delay(record->failures));
}

void object_write_done(struct loop *loop, struct write_op *op)
{
    struct object_record *record = map_get(loop->objects[op->kind], str_of(op->key));

    if (!record || strcmp(record->uid, op->uid) != 0)
        return;
    record->is_writing = false;
    if (op->error.code == ERR_NONE)
        write_succeeded(loop, record, op);
    else
        write_failed(loop, record, op);
}
