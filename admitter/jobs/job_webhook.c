#include "admitter/jobs/job_webhook.h"

#include <string.h>
#include "admitter/jobs/job_facts.h"
#include "admitter/objects/json_read.h"
#include "admitter/objects/admission_gates.h"
#include "admitter/objects/field_error.h"
#include "admitter/objects/names.h"
#include "quota/base/mem.h"

/* ---- mutation (1.3) ---- */

static bool owner_is_managed(const json_t *object, const struct job_environment *environment)
{
    const struct owner_kinds *kinds = environment->ancestors.kinds;
    struct job_owner owner;
    int kind;

    object_owner(object, &owner);
    kind = owner.name ? owner_kinds_find(kinds, owner.api_version, owner.kind) : -1;
    return kind >= 0 && kinds->items[kind].is_managed;
}

static int default_queue(json_t *object, const char *namespace,
                         const struct job_environment *environment, struct err *e)
{
    int managed;

    if (*object_label(object, LABEL_QUEUE_NAME) ||
        !environment->local_queue_exists(environment->context, namespace, DEFAULT_NAME) ||
        owner_is_managed(object, environment))
        return 0;
    managed = environment->namespace_is_managed(environment->context, namespace, e);
    if (managed < 0)
        return err_wrap(e, "failed to get namespace");
    if (managed)
        json_object_set_new(object_labels_make(object), LABEL_QUEUE_NAME,
                            json_string(DEFAULT_NAME));
    return 0;
}

static void default_priority_class(json_t *object, const struct job_environment *environment)
{
    if (!environment->options->priority_class_defaulting ||
        *object_label(object, LABEL_PRIORITY_CLASS) || owner_is_managed(object, environment) ||
        !environment->priority_class_exists(environment->context, DEFAULT_NAME))
        return;
    json_object_set_new(object_labels_make(object), LABEL_PRIORITY_CLASS,
                        json_string(DEFAULT_NAME));
}

/* 1: the job has to wait for its Workload; 0: not ours; -1: denied. */
static int should_suspend(const json_t *object, const char *namespace,
                          const struct job_environment *environment, struct arena *arena,
                          struct err *e)
{
    struct job_owner owner;
    struct ancestor top;
    int found;

    if (environment->options->skip_ancestor_check_for_deleted &&
        json_at(object, "metadata", "deletionTimestamp", NULL))
        return 0;
    object_owner(object, &owner);
    found = ancestor_find(&environment->ancestors, &owner,
                          json_string_at(json_object_get(object, "metadata"), "uid"), namespace,
                          arena, &top, e);
    if (found != 0)
        return found < 0 ? -1 : 0;
    if (*object_label(object, LABEL_QUEUE_NAME))
        return 1;
    if (!environment->options->manage_without_queue_name)
        return 0;
    return environment->namespace_is_managed(environment->context, namespace, e);
}

static void default_managed_by(json_t *object, const char *namespace, const struct job_kind *kind,
                               const struct job_environment *environment)
{
    json_t *spec = json_object_get(object, "spec");
    const char *now = json_string_at(spec, "managedBy");

    if (!kind->managed_by || !environment->options->multikueue ||
        (*now && strcmp(now, kind->managed_by) != 0) || !object_has_label(object, LABEL_QUEUE_NAME))
        return;
    if (environment->queue_uses_multikueue(environment->context, namespace,
                                           object_label(object, LABEL_QUEUE_NAME)))
        json_object_set_new(spec, "managedBy", json_string(CONTROLLER_MULTIKUEUE));
}

int job_mutate_create(json_t *object, const char *namespace, const struct job_kind *kind,
                      const struct job_environment *environment, struct arena *arena, struct err *e)
{
    int suspend;

    if (!json_is_object(json_object_get(object, "spec")))
        return err_set(e, ERR_INVALID, "spec: Required value");
    if (default_queue(object, namespace, environment, e) < 0)
        return -1;
    default_priority_class(object, environment);
    suspend = should_suspend(object, namespace, environment, arena, e);
    if (suspend < 0)
        return -1;
    if (suspend && !kind->is_suspended(object))
        kind->suspend(object);
    default_managed_by(object, namespace, kind, environment);
    return kind->mutate ? kind->mutate(object, environment->options, e) : 0;
}

/* ---- validation (1.5) ---- */

void job_error_not_int(struct field_errors *errors, const char *path, const char *text)
{
    size_t sign = *text == '-' || *text == '+';
    size_t digits = strspn(text + sign, "0123456789");
    bool is_number = digits > 0 && text[sign + digits] == '\0';

    field_error_invalid_text(errors, path, text, "strconv.Atoi: parsing \"%s\": %s", text,
                             is_number ? "value out of range" : "invalid syntax");
}

static void check_queue_name(const json_t *object, struct field_errors *errors)
{
    if (object_has_label(object, LABEL_QUEUE_NAME))
        field_check_dns_subdomain(errors, "metadata.labels[" LABEL_QUEUE_NAME "]",
                                  object_label(object, LABEL_QUEUE_NAME));
}

static bool supports_prebuilt(const struct job_kind *kind)
{
    static const char *const unsupported[] = { "JAXJob", "SparkApplication" };

    for (size_t i = 0; i < ARRAY_COUNT(unsupported); i++)
        if (strcmp(kind->kind, unsupported[i]) == 0)
            return false;
    return true;
}

static void check_prebuilt(const json_t *object, const struct job_kind *kind,
                           const struct job_options *options, struct field_errors *errors)
{
    const char *annotation = object_annotation(object, PREBUILT_WORKLOAD_NAME);
    bool by_annotation =
        (options->identifier_annotations || strlen(annotation) > 63) && *annotation;
    bool from_annotation;
    const char *name = job_prebuilt_name(object, options, &from_annotation);

    if (by_annotation)
        field_check_dns_subdomain(errors, "metadata.annotations[" PREBUILT_WORKLOAD_NAME "]",
                                  annotation);
    else if (object_has_label(object, PREBUILT_WORKLOAD_NAME))
        field_check_dns_subdomain(errors, "metadata.labels[" PREBUILT_WORKLOAD_NAME "]",
                                  object_label(object, PREBUILT_WORKLOAD_NAME));
    if (*name && !supports_prebuilt(kind))
        field_error_forbidden(errors,
                              from_annotation ? "metadata.annotations[" PREBUILT_WORKLOAD_NAME "]"
                                              : "metadata.labels[" PREBUILT_WORKLOAD_NAME "]",
                              "Is not supported for \"%s/%s, Kind=%s\"", kind->group, kind->version,
                              kind->kind);
}

static void check_maximum_execution(const json_t *object, struct field_errors *errors)
{
    const char *path = "metadata.labels[" LABEL_MAX_EXEC_TIME_SECONDS "]";
    const char *text = object_label(object, LABEL_MAX_EXEC_TIME_SECONDS);
    int64_t seconds;

    if (!object_has_label(object, LABEL_MAX_EXEC_TIME_SECONDS))
        return;
    if (!str_to_int64(str_of(text), &seconds))
        job_error_not_int(errors, path, text);
    else if (seconds <= 0)
        field_error_invalid_int(errors, path, seconds, "should be greater than 0");
}

static void check_elastic(const json_t *object, const struct job_kind *kind,
                          const struct job_options *options, struct field_errors *errors)
{
    static const char *const supported[] = { "Job", "RayCluster", "RayJob", "RayService" };

    if (!options->elastic_slices || !job_object_is_elastic(object))
        return;
    for (size_t i = 0; i < ARRAY_COUNT(supported); i++)
        if (strcmp(kind->kind, supported[i]) == 0)
            return;
    field_error_forbidden(errors, "metadata.annotations[" ANNOTATION_ELASTIC_JOB "]",
                          "elastic job is not supported for \"%s/%s, Kind=%s\"", kind->group,
                          kind->version, kind->kind);
}

void job_common_create_checks(const json_t *object, const struct job_kind *kind,
                              const struct job_environment *environment,
                              struct field_errors *errors)
{
    check_queue_name(object, errors);
    check_prebuilt(object, kind, environment->options, errors);
    check_maximum_execution(object, errors);
    check_elastic(object, kind, environment->options, errors);
    if (environment->options->admission_gated_by)
        admission_gates_check(object_annotation(object, ANNOTATION_ADMISSION_GATED_BY), errors);
}

static void check_immutable(const char *path, const char *before, const char *after,
                            struct field_errors *errors)
{
    if (strcmp(before, after) != 0)
        field_error_invalid_text(errors, path, after, "field is immutable");
}

static void update_queue_name(const json_t *old_object, const json_t *object, bool suspended,
                              const struct job_environment *environment,
                              struct field_errors *errors)
{
    const char *path = "metadata.labels[" LABEL_QUEUE_NAME "]";
    const char *before = object_label(old_object, LABEL_QUEUE_NAME),
               *after = object_label(object, LABEL_QUEUE_NAME);
    const char *namespace = json_string_at(json_object_get(object, "metadata"), "namespace");

    if (!suspended)
        check_immutable(path, before, after, errors);
    if (!*after && *before &&
        environment->local_queue_exists(environment->context, namespace, DEFAULT_NAME))
        field_error_invalid_text(errors, path, "",
                                 "queue-name must not be empty in namespace with default queue");
}

static void update_prebuilt(const json_t *old_object, const json_t *object, bool suspended,
                            const struct job_kind *kind, const struct job_options *options,
                            struct field_errors *errors)
{
    bool from_annotation, old_from_annotation;
    const char *after = job_prebuilt_name(object, options, &from_annotation);
    const char *before = job_prebuilt_name(old_object, options, &old_from_annotation);

    if (suspended || (options->elastic_slices && job_object_is_elastic(old_object)))
        check_prebuilt(object, kind, options, errors);
    else
        check_immutable(from_annotation ? "metadata.annotations[" PREBUILT_WORKLOAD_NAME "]"
                                        : "metadata.labels[" PREBUILT_WORKLOAD_NAME "]",
                        before, after, errors);
}

static void update_priority_class(const json_t *old_object, const json_t *object, bool suspended,
                                  struct field_errors *errors)
{
    const char *path = "metadata.labels[" LABEL_PRIORITY_CLASS "]";
    const char *before = object_label(old_object, LABEL_PRIORITY_CLASS);
    const char *after = object_label(object, LABEL_PRIORITY_CLASS);

    if (!suspended && !*before && *after)
        field_error_invalid_text(
            errors, path, after,
            "WorkloadPriorityClass cannot be added to a non-suspended workload");
    if (*before && !*after)
        field_error_invalid_text(errors, path, "",
                                 "WorkloadPriorityClass cannot be removed from a workload");
}

void job_common_update_checks(const json_t *old_object, const json_t *object,
                              const struct job_kind *kind,
                              const struct job_environment *environment,
                              struct field_errors *errors)
{
    const struct job_options *options = environment->options;
    bool suspended = kind->is_suspended(object), was_suspended = kind->is_suspended(old_object);
    bool elastic = job_object_is_elastic(object);

    update_queue_name(old_object, object, suspended, environment, errors);
    update_prebuilt(old_object, object, suspended, kind, options, errors);
    if (!suspended || !was_suspended)
        check_immutable("metadata.labels[" LABEL_MAX_EXEC_TIME_SECONDS "]",
                        object_label(old_object, LABEL_MAX_EXEC_TIME_SECONDS),
                        object_label(object, LABEL_MAX_EXEC_TIME_SECONDS), errors);
    update_priority_class(old_object, object, suspended, errors);
    if (options->elastic_slices && elastic != job_object_is_elastic(old_object))
        field_error_invalid_bool(errors, "metadata.annotations[" ANNOTATION_ELASTIC_JOB "]",
                                 elastic, "field is immutable");
    if (options->admission_gated_by)
        admission_gates_check_update(object_annotation(old_object, ANNOTATION_ADMISSION_GATED_BY),
                                     object_annotation(object, ANNOTATION_ADMISSION_GATED_BY),
                                     errors);
}
