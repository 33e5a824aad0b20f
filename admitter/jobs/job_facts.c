#include "admitter/jobs/job_facts.h"

#include <string.h>
#include "admitter/objects/json_read.h"
#include "admitter/objects/names.h"

#define LABEL_VALUE_LIMIT 63

bool job_object_is_elastic(const json_t *object)
{
    return strcmp(object_annotation(object, ANNOTATION_ELASTIC_JOB), "true") == 0;
}

const char *job_prebuilt_name(const json_t *object, const struct job_options *options,
                              bool *from_annotation)
{
    const char *annotation = object_annotation(object, PREBUILT_WORKLOAD_NAME);
    const char *label = object_label(object, PREBUILT_WORKLOAD_NAME);

    if (options->identifier_annotations) {
        *from_annotation = *annotation != '\0';
        return *annotation ? annotation : label;
    }
    *from_annotation = !*label && strlen(annotation) > LABEL_VALUE_LIMIT;
    return *from_annotation ? annotation : label;
}

const json_t *object_controller(const json_t *object)
{
    json_t *owner;
    size_t i;

    json_array_foreach(json_at(object, "metadata", "ownerReferences", NULL), i, owner)
        if (json_is_true(json_object_get(owner, "controller")))
            return owner;
    return NULL;
}

void object_owner(const json_t *object, struct job_owner *owner)
{
    const json_t *reference = object_controller(object);

    *owner = (struct job_owner){ 0 };
    if (!reference)
        return;
    owner->api_version = json_string_at(reference, "apiVersion");
    owner->kind = json_string_at(reference, "kind");
    owner->name = json_string_at(reference, "name");
    owner->uid = json_string_at(reference, "uid");
}

static char *text_of(struct arena *arena, const json_t *object, const char *key)
{
    return arena_strdup(arena, json_string_at(object, key));
}

void object_owner_copy(const json_t *object, struct arena *arena, struct job_owner *owner)
{
    object_owner(object, owner);
    *owner = (struct job_owner){ arena_strdup(arena, owner->api_version),
                                 arena_strdup(arena, owner->kind), arena_strdup(arena, owner->name),
                                 arena_strdup(arena, owner->uid) };
}

static int32_t maximum_execution(const json_t *object)
{
    int64_t seconds;

    if (str_to_int64(str_of(object_label(object, LABEL_MAX_EXEC_TIME_SECONDS)), &seconds) &&
        seconds > 0 && seconds <= INT32_MAX)
        return (int32_t)seconds;
    return -1;
}

int job_facts_read(const json_t *object, const struct job_kind *kind,
                   const struct job_options *options, struct arena *arena, struct job *job,
                   struct err *e)
{
    const json_t *metadata = json_object_get(object, "metadata");
    int64_t version = 0;
    bool from_annotation;

    *job = (struct job){ .kind = kind };
    if (!json_is_object(metadata) || !*json_string_at(metadata, "name"))
        return err_set(e, ERR_INVALID, "%s: metadata.name: Required value", kind->kind);
    str_to_int64(str_of(json_string_at(metadata, "resourceVersion")), &version);
    job->namespace = text_of(arena, metadata, "namespace");
    job->name = text_of(arena, metadata, "name");
    job->uid = text_of(arena, metadata, "uid");
    job->resource_version = version;
    job->generation = json_integer_at(metadata, "generation", 0);
    if (time_parse(str_of(json_string_at(metadata, "creationTimestamp")), &job->created, NULL) < 0)
        job->created = TIME_NONE;
    job->deleting = json_object_get(metadata, "deletionTimestamp") != NULL;
    object_owner_copy(object, arena, &job->owner);
    job->queue_name = arena_strdup(arena, object_label(object, LABEL_QUEUE_NAME));
    job->priority_class = arena_strdup(arena, object_label(object, LABEL_PRIORITY_CLASS));
    job->pod_priority_class = "";
    job->prebuilt_name = arena_strdup(arena, job_prebuilt_name(object, options, &from_annotation));
    job->admission_gated_by =
        options->admission_gated_by
            ? arena_strdup(arena, object_annotation(object, ANNOTATION_ADMISSION_GATED_BY))
            : "";
    job->maximum_execution_seconds = maximum_execution(object);
    job->is_elastic = options->elastic_slices && job_object_is_elastic(object);
    job->finish_message = "";
    return 0;
}
