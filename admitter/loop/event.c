#include "admitter/loop/event.h"

#include <stdio.h>
#include <string.h>
#include "admitter/jobs/equivalence.h"
#include "admitter/jobs/job_facts.h"
#include "admitter/objects/json_read.h"
#include "admitter/jobs/pod_set_info.h"
#include "admitter/loop/elastic.h"
#include "admitter/objects/decode.h"
#include "admitter/objects/names.h"
#include "quota/base/mem.h"

static void drop(struct message *m)
{
    event_destroy((struct loop_event *)m);
}

struct loop_event *event_create(enum event_kind kind)
{
    struct loop_event *event = mem_alloc(sizeof(*event));

    event->message.drop = drop;
    event->kind = kind;
    event->namespace = event->name = event->uid = "";
    arena_init(&event->arena);
    return event;
}

void event_destroy(struct loop_event *event)
{
    if (!event)
        return;
    arena_finish(&event->arena);
    free(event);
}

static void set_key(struct loop_event *event)
{
    event->message.key = arena_format(&event->arena, "%u/%u/%s/%s", (unsigned)event->kind,
                                      event->job_kind, event->namespace, event->name);
}

struct loop_event *event_gone(enum event_kind kind, unsigned job_kind, struct str namespace,
                              struct str name, struct str uid)
{
    struct loop_event *event = event_create(kind);

    event->job_kind = job_kind;
    event->deleted = true;
    event->namespace = arena_dup(&event->arena, namespace);
    event->name = arena_dup(&event->arena, name);
    event->uid = arena_dup(&event->arena, uid);
    set_key(event);
    return event;
}

static const char *dump(struct loop_event *event, const json_t *value)
{
    AUTO_FREE char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

    return arena_strdup(&event->arena, text ? text : "{}");
}

static void read_meta(struct loop_event *event, const json_t *object)
{
    const json_t *metadata = json_object_get(object, "metadata");
    json_t *finalizer;
    size_t i;

    event->namespace = arena_strdup(&event->arena, json_string_at(metadata, "namespace"));
    event->name = arena_strdup(&event->arena, json_string_at(metadata, "name"));
    event->uid = arena_strdup(&event->arena, json_string_at(metadata, "uid"));
    event->generation = json_integer_at(metadata, "generation", 0);
    event->deleting = json_object_get(metadata, "deletionTimestamp") != NULL;
    str_to_int64(str_of(json_string_at(metadata, "resourceVersion")), &event->resource_version);
    json_array_foreach(json_object_get(metadata, "finalizers"), i, finalizer)
        if (json_is_string(finalizer) &&
            strcmp(json_string_value(finalizer), FINALIZER_RESOURCE_IN_USE) == 0)
            event->has_finalizer = true;
    if (json_object_get(metadata, "finalizers"))
        event->finalizers = dump(event, json_object_get(metadata, "finalizers"));
    set_key(event);
}

/* ---- Workload ---- */

static void read_pod_sets(struct loop_event *event, const json_t *object)
{
    const json_t *list = json_at(object, "spec", "podSets", NULL);
    json_t *entry;
    size_t i;

    event->pod_set_count = json_array_size(list);
    event->pod_sets = ARENA_ARRAY(&event->arena, event->pod_set_count + 1, struct workload_pod_set);
    json_array_foreach(list, i, entry) {
        struct workload_pod_set *out = &event->pod_sets[i];
        const json_t *pod_template = json_object_get(entry, "template");
        AUTO_FREE char *injected = pod_template_injected(pod_template);

        out->name = arena_strdup(
            &event->arena, *json_string_at(entry, "name") ? json_string_at(entry, "name") : "main");
        out->count = (int32_t)json_integer_at(entry, "count", 1);
        out->min_count = (int32_t)json_integer_at(entry, "minCount", -1);
        out->containers = digest_containers(json_object_get(pod_template, "spec"));
        out->tolerations = digest_tolerations(json_object_get(pod_template, "spec"));
        out->injected = arena_strdup(&event->arena, injected);
    }
}

/* The controller; without one the first of those that own it in another way (1.11 R2: any owner
 * reference). */
static const json_t *first_owner(const json_t *object)
{
    const json_t *controller = object_controller(object);

    return controller ? controller
                      : json_array_get(json_at(object, "metadata", "ownerReferences", NULL), 0);
}

static void read_owner(struct loop_event *event, const json_t *object)
{
    const json_t *owner = first_owner(object);

    event->owner_api_version = arena_strdup(&event->arena, json_string_at(owner, "apiVersion"));
    event->owner_kind = arena_strdup(&event->arena, json_string_at(owner, "kind"));
    event->owner_name = arena_strdup(&event->arena, json_string_at(owner, "name"));
    event->owner_uid = arena_strdup(&event->arena, json_string_at(owner, "uid"));
}

/* What the rules never look at is not kept. */
static void strip_workload(json_t *object)
{
    json_t *entry;
    size_t i;

    json_object_del(json_object_get(object, "metadata"), "managedFields");
    json_object_del(object, "apiVersion");
    json_object_del(object, "kind");
    json_array_foreach(json_at(object, "spec", "podSets", NULL), i, entry)
        json_object_del(entry, "template");
}

static int decode_workload(struct loop_event *event, json_t *object, struct str bytes,
                           struct err *e)
{
    event->workload = ARENA_NEW(&event->arena, struct workload);
    if (workload_decode(bytes, &event->arena, event->workload, NULL, e) < 0)
        return -1;
    read_pod_sets(event, object);
    read_owner(event, object);
    strip_workload(object);
    event->text = dump(event, object);
    return 0;
}

static int decode_job(struct loop_event *event, const json_t *object, struct str bytes,
                      const struct job_options *options, struct err *e)
{
    event->job = ARENA_NEW(&event->arena, struct job);
    event->raw = (struct str){ arena_dup(&event->arena, bytes), bytes.length };
    return job_kinds()[event->job_kind]->decode(object, options, &event->arena, event->job, e);
}

static int decode_owner(struct loop_event *event, const json_t *object,
                        const struct job_options *options)
{
    event->owner = ARENA_NEW(&event->arena, struct owner_facts);
    event->owner->uid = event->uid;
    event->owner->queue_name = arena_strdup(&event->arena, object_label(object, LABEL_QUEUE_NAME));
    event->owner->is_elastic = options->elastic_slices && job_object_is_elastic(object);
    object_owner_copy(object, &event->arena, &event->owner->owner);
    return 0;
}

static int decode_object(struct loop_event *event, json_t *object, struct str bytes,
                         const struct job_options *options, struct err *e)
{
    struct arena *a = &event->arena;

    switch (event->kind) {
    case EVENT_WORKLOAD:
        return decode_workload(event, object, bytes, e);
    case EVENT_JOB:
        return decode_job(event, object, bytes, options, e);
    case EVENT_CLUSTER_QUEUE:
        event->text = dump(event, json_object_get(object, "status"));
        return cluster_queue_decode(
            bytes, a, event->cluster_queue = ARENA_NEW(a, struct cluster_queue), &event->meta, e);
    case EVENT_LOCAL_QUEUE:
        event->text = dump(event, json_object_get(object, "status"));
        return local_queue_decode(bytes, a, event->local_queue = ARENA_NEW(a, struct local_queue),
                                  &event->meta, e);
    case EVENT_COHORT:
        event->text = dump(event, json_object_get(object, "status"));
        return cohort_decode(bytes, a, event->cohort = ARENA_NEW(a, struct cohort), &event->meta,
                             e);
    case EVENT_FLAVOR:
        event->text = dump(event, json_object_get(object, "spec"));
        return resource_flavor_decode(
            bytes, a, event->flavor = ARENA_NEW(a, struct resource_flavor), NULL, e);
    case EVENT_CHECK:
        return admission_check_decode(bytes, a, event->check = ARENA_NEW(a, struct admission_check),
                                      NULL, e);
    case EVENT_TOPOLOGY:
        return topology_decode(bytes, a, event->topology = ARENA_NEW(a, struct topology), NULL, e);
    case EVENT_NAMESPACE:
        return namespace_decode(bytes, a, event->labels = ARENA_NEW(a, struct namespace_labels),
                                NULL, e);
    case EVENT_LIMIT_RANGE:
        return limit_range_decode(bytes, a, event->limits = ARENA_NEW(a, struct limit_range), NULL,
                                  e);
    case EVENT_RUNTIME_CLASS:
        return runtime_class_decode(
            bytes, a, event->runtime_class = ARENA_NEW(a, struct runtime_class), NULL, e);
    case EVENT_DEVICE_CLASS:
        return device_class_decode(
            bytes, a, event->device_class = ARENA_NEW(a, struct device_class), NULL, e);
    case EVENT_CLAIM_TEMPLATE:
        return claim_template_decode(
            bytes, a, event->claim_template = ARENA_NEW(a, struct claim_template), NULL, e);
    case EVENT_DEVICE_SLICE:
        return device_slice_decode(
            bytes, a, event->device_slice = ARENA_NEW(a, struct device_slice), NULL, e);
    case EVENT_PRIORITY_CLASS:
    case EVENT_WORKLOAD_PRIORITY_CLASS:
        event->priority_value = (int32_t)json_integer_at(object, "value", 0);
        event->global_default = json_is_true(json_object_get(object, "globalDefault"));
        return 0;
    case EVENT_OWNER:
        return decode_owner(event, object, options);
    case EVENT_POD:
        event->pod = ARENA_NEW(&event->arena, struct pod_facts);
        pod_facts_read(object, &event->arena, event->pod);
        return 0;
    default:
        return err_set(e, ERR_INVALID, "no such kind of event");
    }
}

struct loop_event *event_decode(enum event_kind kind, unsigned job_kind,
                                const struct job_options *options, struct str object, struct err *e)
{
    struct loop_event *event = event_create(kind);
    json_error_t problem;
    json_t *tree = json_loadb(object.text, object.length, 0, &problem);
    int result;

    event->job_kind = job_kind;
    if (!tree) {
        event_destroy(event);
        err_set(e, ERR_INVALID, "object: %s at byte %d", problem.text, problem.position);
        return NULL;
    }
    read_meta(event, tree);
    result = decode_object(event, tree, object, options, e);
    json_decref(tree);
    if (result == 0)
        return event;
    event_destroy(event);
    return NULL;
}
