#include "admitter/simulate/jobs.h"

#include <stdlib.h>

#include "admitter/jobs/job.h"
#include "admitter/jobs/workload_name.h"
#include "admitter/objects/names.h"
#include "quota/base/mem.h"

bool simulate_job_is_known(const struct simulate_document *document)
{
    return job_kind_by_type(document->api_version, document->kind) != NULL;
}

/* ---- priority (1.10) ---- */

struct chosen_priority {
    const char *group, *kind, *name; /* name NULL: no class */
    int32_t value;
};

static const struct priority_class *class_named(const struct priority_class *classes, size_t count,
                                                const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(classes[i].name, name) == 0)
            return &classes[i];
    return NULL;
}

static const struct priority_class *class_default(const struct simulate_classes *classes)
{
    const struct priority_class *best = NULL;

    for (size_t i = 0; i < classes->pod_class_count; i++)
        if (classes->pod_classes[i].global_default &&
            (!best || classes->pod_classes[i].value < best->value))
            best = &classes->pod_classes[i];
    return best;
}

static int priority_choose(const struct job *job, const struct simulate_classes *classes,
                           struct chosen_priority *chosen, struct err *e)
{
    bool own = *job->priority_class;
    const char *name = own ? job->priority_class : job->pod_priority_class;
    const struct priority_class *found =
        own     ? class_named(classes->workload_classes, classes->workload_class_count, name)
        : *name ? class_named(classes->pod_classes, classes->pod_class_count, name)
                : class_default(classes);

    *chosen = (struct chosen_priority){ NULL, NULL, NULL, 0 };
    if (!found && *name)
        return err_set(e, ERR_INVALID, "%s \"%s\" not found",
                       own ? PRIORITY_KIND_WORKLOAD : PRIORITY_KIND_POD, name);
    if (found)
        *chosen = (struct chosen_priority){ own ? PRIORITY_GROUP_WORKLOAD : PRIORITY_GROUP_POD,
                                            own ? PRIORITY_KIND_WORKLOAD : PRIORITY_KIND_POD,
                                            found->name, found->value };
    return 0;
}

/* ---- the Workload (1.8, 1.9) ---- */

static void put_text(json_t *object, const char *key, const char *text)
{
    if (text && *text)
        json_object_set_new(object, key, json_string(text));
}

static json_t *workload_metadata(const struct job *job, int64_t created,
                                 const struct loop_settings *settings, struct arena *a)
{
    json_t *metadata = json_object(), *labels = json_object(), *annotations = json_object();
    char time[TIME_TEXT];

    put_text(metadata, "namespace", job->namespace);
    put_text(metadata, "name",
             workload_name(a, job->kind->kind, job->kind->group, job->name, job->uid, NULL,
                           settings->jobs.short_workload_names));
    put_text(metadata, "creationTimestamp", time_print_nano(created, time));
    put_text(labels, LABEL_JOB_UID, job->uid);
    put_text(annotations, ANNOTATION_ADMISSION_GATED_BY, job->admission_gated_by);
    json_object_set_new(metadata, "labels", labels);
    json_object_set_new(metadata, "annotations", annotations);
    return metadata;
}

static json_t *workload_spec(const struct job *job, const struct chosen_priority *priority,
                             json_t *pod_sets)
{
    json_t *spec = json_object();

    put_text(spec, "queueName", job->queue_name);
    json_object_set_new(spec, "podSets", pod_sets);
    json_object_set_new(spec, "priority", json_integer(priority->value));
    if (priority->name) {
        json_t *reference = json_object();

        put_text(reference, "group", priority->group);
        put_text(reference, "kind", priority->kind);
        put_text(reference, "name", priority->name);
        json_object_set_new(spec, "priorityClassRef", reference);
    }
    if (job->maximum_execution_seconds > 0)
        json_object_set_new(spec, "maximumExecutionTimeSeconds",
                            json_integer(job->maximum_execution_seconds));
    return spec;
}

/* Pods that the job has no more use for; the controller writes them in its next look at the job. */
static json_t *workload_status(const struct job *job)
{
    json_t *status = json_object(), *reclaimable = json_array();

    for (size_t i = 0; i < job->reclaimable_count; i++) {
        json_t *entry = json_object();

        put_text(entry, "name", job->reclaimable[i].pod_set);
        json_object_set_new(entry, "count", json_integer(job->reclaimable[i].count));
        json_array_append_new(reclaimable, entry);
    }
    json_object_set_new(status, "reclaimablePods", reclaimable);
    return status;
}

/* 'pod_sets' is stolen. */
static struct str workload_build(const struct job *job, int64_t created,
                                 const struct chosen_priority *priority, json_t *pod_sets,
                                 const struct loop_settings *settings, struct arena *a)
{
    AUTO_STRBUF struct strbuf text = { 0 };
    AUTO_JSON json_t *workload = json_object();

    put_text(workload, "apiVersion", KUEUE_V1BETA2);
    put_text(workload, "kind", "Workload");
    json_object_set_new(workload, "metadata", workload_metadata(job, created, settings, a));
    json_object_set_new(workload, "spec", workload_spec(job, priority, pod_sets));
    if (settings->jobs.reclaimable_pods && job->reclaimable_count > 0)
        json_object_set_new(workload, "status", workload_status(job));
    yaml_json(workload, &text);
    return str_of(arena_dup(a, strbuf_view(&text)));
}

/* What the API server would have filled in. */
static void object_complete(json_t *object, const struct simulate_job *given)
{
    json_t *metadata = json_object_get(object, "metadata");
    char time[TIME_TEXT];

    json_object_set_new(metadata, "namespace", json_string(given->namespace));
    json_object_set_new(metadata, "uid", json_string(given->uid));
    json_object_set_new(metadata, "creationTimestamp",
                        json_string(time_print(given->created, time)));
}

int simulate_job_workload(const struct simulate_job *given, const struct loop_settings *settings,
                          const struct simulate_classes *classes, struct arena *a, struct str *json,
                          struct err *e)
{
    const struct simulate_document *document = given->document;
    const struct job_kind *kind = job_kind_by_type(document->api_version, document->kind);
    AUTO_JSON json_t *object = json_loadb(document->json.text, document->json.length, 0, NULL);
    struct chosen_priority priority;
    struct job job;
    json_t *pod_sets;

    *json = (struct str){ NULL, 0 };
    if (!json_is_object(json_object_get(object, "metadata")))
        return err_set(e, ERR_INVALID, "metadata: expected an object");
    object_complete(object, given);
    if (kind->decode(object, &settings->jobs, a, &job, e) < 0)
        return -1;
    if (!*job.queue_name || job.is_finished)
        return 0;
    if (priority_choose(&job, classes, &priority, e) < 0)
        return -1;
    pod_sets = kind->pod_sets(object, &settings->jobs, e);
    if (!pod_sets)
        return -1;
    *json = workload_build(&job, given->created, &priority, pod_sets, settings, a);
    return 0;
}
