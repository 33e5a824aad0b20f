#include "admitter/jobs/batch_job.h"

#include <string.h>
#include "admitter/jobs/completed_indexes.h"
#include "admitter/jobs/equivalence.h"
#include "admitter/jobs/job_facts.h"
#include "admitter/jobs/job_webhook.h"
#include "admitter/objects/json_read.h"
#include "admitter/jobs/pod_set_info.h"
#include "admitter/jobs/topology_annotations.h"
#include "admitter/objects/field_error.h"
#include "admitter/objects/names.h"
#include "quota/base/mem.h"

#define POD_SET_MAIN "main"
#define INDEX_LABEL "batch.kubernetes.io/job-completion-index"

/* Labels that the job controller puts on the template; a restore leaves them alone. */
static const char *const controller_labels[] = { "job-name", "controller-uid",
                                                 "batch.kubernetes.io/job-name",
                                                 "batch.kubernetes.io/controller-uid", NULL };

static const json_t *template_of(const json_t *object)
{
    return json_at(object, "spec", "template", NULL);
}

static int64_t parallelism_of(const json_t *object)
{
    return json_integer_at(json_object_get(object, "spec"), "parallelism", 1);
}

static int64_t completions_of(const json_t *object, int64_t otherwise)
{
    return json_integer_at(json_object_get(object, "spec"), "completions", otherwise);
}

static int32_t count_of(const json_t *object)
{
    int64_t parallelism = parallelism_of(object);
    int64_t completions = completions_of(object, parallelism);

    return (int32_t)(completions < parallelism ? completions : parallelism);
}

static int32_t min_count_of(const json_t *object)
{
    const char *text = object_annotation(object, ANNOTATION_JOB_MIN_PARALLELISM);
    int64_t value;

    return *text && str_to_int64(str_of(text), &value) && value >= 0 && value <= INT32_MAX
               ? (int32_t)value
               : -1;
}

static bool is_completions_synced(const json_t *object)
{
    bool synced = false;

    return str_to_bool(
               str_of(object_annotation(object, ANNOTATION_JOB_COMPLETIONS_EQUAL_PARALLELISM)),
               &synced) &&
           synced;
}

static bool is_stopping(const json_t *object)
{
    return strcmp(object_annotation(object, ANNOTATION_STOPPING), "true") == 0;
}

static bool spec_suspend(const json_t *object)
{
    return json_is_true(json_at(object, "spec", "suspend", NULL));
}

static bool batch_job_is_suspended(const json_t *object)
{
    return spec_suspend(object) && !is_stopping(object);
}

static void read_finish(const json_t *object, struct arena *arena, struct job *job)
{
    json_t *condition;
    size_t i;

    json_array_foreach(json_at(object, "status", "conditions", NULL), i, condition) {
        const char *type = json_string_at(condition, "type");

        if ((strcmp(type, "Complete") != 0 && strcmp(type, "Failed") != 0) ||
            strcmp(json_string_at(condition, "status"), "True") != 0)
            continue;
        job->is_finished = true;
        job->is_success = strcmp(type, "Failed") != 0;
        job->finish_message = arena_strdup(arena, json_string_at(condition, "message"));
        return;
    }
}

/* Pods that have ended for good: by count, or by distinct index below the completions. */
static int64_t terminal_pods(const json_t *object, int64_t completions)
{
    const json_t *status = json_object_get(object, "status");

    if (strcmp(json_string_at(json_object_get(object, "spec"), "completionMode"), "Indexed") != 0)
        return json_integer_at(status, "succeeded", 0);
    return completed_indexes_count(json_string_at(status, "completedIndexes"),
                                   json_string_at(status, "failedIndexes"), completions);
}

static void read_reclaimable(const json_t *object, struct arena *arena, struct job *job)
{
    int64_t parallelism = parallelism_of(object);
    int64_t completions = completions_of(object, parallelism);
    int64_t terminal = terminal_pods(object, completions);
    int64_t remaining = completions > terminal ? completions - terminal : 0;

    job->has_reclaimable = true;
    if (parallelism <= 1 || terminal <= 0 || remaining >= parallelism)
        return;
    job->reclaimable = ARENA_NEW(arena, struct pod_count);
    job->reclaimable->pod_set = POD_SET_MAIN;
    job->reclaimable->count = (int32_t)(parallelism - remaining);
    job->reclaimable_count = 1;
}

static char *detail_text(const json_t *object, struct arena *arena)
{
    json_t *detail = json_pack(
        "{s:b, s:b, s:b, s:I, s:I, s:b}", "suspend", spec_suspend(object), "stopping",
        is_stopping(object), "started", json_at(object, "status", "startTime", NULL) != NULL,
        "parallelism", (json_int_t)parallelism_of(object), "completions",
        (json_int_t)completions_of(object, -1), "synced", is_completions_synced(object));
    AUTO_FREE char *text = json_dumps(detail, JSON_COMPACT);

    json_decref(detail);
    return arena_strdup(arena, text);
}

static bool has_elastic_gate(const json_t *object)
{
    json_t *gate;
    size_t i;

    json_array_foreach(json_at(template_of(object), "spec", "schedulingGates", NULL), i, gate)
        if (strcmp(json_string_at(gate, "name"), SCHEDULING_GATE_ELASTIC) == 0)
            return true;
    return false;
}

static int batch_job_decode(const json_t *object, const struct job_options *options,
                            struct arena *arena, struct job *job, struct err *e)
{
    const json_t *pod_template = template_of(object);
    const json_t *status = json_object_get(object, "status");
    struct job_pod_set *pods = ARENA_NEW(arena, struct job_pod_set);
    AUTO_FREE char *injected = NULL;

    if (job_facts_read(object, &batch_job_kind, options, arena, job, e) < 0)
        return -1;
    injected = pod_template_injected(pod_template);
    pods->name = POD_SET_MAIN;
    pods->count = count_of(object);
    pods->min_count = options->partial_admission ? min_count_of(object) : -1;
    pods->containers = digest_containers(json_object_get(pod_template, "spec"));
    pods->tolerations = digest_tolerations(json_object_get(pod_template, "spec"));
    pods->injected = arena_strdup(arena, injected);
    job->pod_sets = pods;
    job->pod_set_count = 1;
    job->is_suspended = batch_job_is_suspended(object);
    job->is_stopping = spec_suspend(object) && is_stopping(object);
    job->is_gated = job->is_elastic && has_elastic_gate(object);
    job->pod_priority_class = arena_strdup(
        arena, json_string_at(json_object_get(pod_template, "spec"), "priorityClassName"));
    /* A pod that is going away still holds its machine, so it keeps the gang's quota
     * (DEVIATIONS.md). */
    job->active_pods =
        json_integer_at(status, "active", 0) + json_integer_at(status, "terminating", 0);
    job->is_active = job->active_pods != 0;
    job->ready_pods =
        json_integer_at(status, "succeeded", 0) + json_integer_at(status, "ready", 0) +
        (int64_t)json_array_size(json_at(status, "uncountedTerminatedPods", "succeeded", NULL));
    job->detail = detail_text(object, arena);
    read_finish(object, arena, job);
    read_reclaimable(object, arena, job);
    return 0;
}

static json_t *batch_job_pod_sets(const json_t *object, const struct job_options *options,
                                  struct err *e)
{
    json_t *pod_template = json_deep_copy(template_of(object));
    json_t *labels = json_at(pod_template, "metadata", "labels", NULL);
    json_t *pod_set;
    int32_t min_count = options->partial_admission ? min_count_of(object) : -1;

    if (!json_is_object(pod_template)) {
        json_decref(pod_template);
        err_set(e, ERR_INVALID, "spec.template: Required value");
        return NULL;
    }
    json_object_del(labels, "job-name");
    json_object_del(labels, "controller-uid");
    json_object_del(labels, "batch.kubernetes.io/controller-uid");
    pod_spec_sanitise(json_object_get(pod_template, "spec"));
    pod_set = json_pack("{s:s, s:I, s:o}", "name", POD_SET_MAIN, "count",
                        (json_int_t)count_of(object), "template", pod_template);
    if (min_count >= 0)
        json_object_set_new(pod_set, "minCount", json_integer(min_count));
    if (options->topology_aware && topology_request_add(pod_set, INDEX_LABEL, options, e) < 0) {
        json_decref(pod_set);
        return NULL;
    }
    return json_pack("[o]", pod_set);
}

/* {"metadata": {"resourceVersion": …}}: a concurrent change makes the patch fail (1.22). */
static json_t *patch_begin(const struct job *job)
{
    return json_pack("{s:{s:o}}", "metadata", "resourceVersion",
                     json_sprintf("%lld", (long long)job->resource_version));
}

static json_t *patch_spec(json_t *patch)
{
    json_t *spec = json_object_get(patch, "spec");

    if (!spec) {
        spec = json_object();
        json_object_set_new(patch, "spec", spec);
    }
    return spec;
}

static void patch_counts(json_t *patch, const json_t *detail, int32_t count)
{
    json_object_set_new(patch_spec(patch), "parallelism", json_integer(count));
    if (json_is_true(json_object_get(detail, "synced")))
        json_object_set_new(patch_spec(patch), "completions", json_integer(count));
}

static int infos_check(const struct job *job, size_t count, struct err *e)
{
    if (count == job->pod_set_count)
        return 0;
    return err_set(e, ERR_INVALID, "invalid podset infos: expecting %zu podset, got %zu",
                   job->pod_set_count, count);
}

static int batch_job_start(const struct job *job, const struct pod_set_info *infos, size_t count,
                           struct job_patch *patch, struct err *e)
{
    json_t *detail, *merged;

    *patch = (struct job_patch){ 0 };
    if (infos_check(job, count, e) < 0)
        return -1;
    merged = pod_set_merge_patch(job->pod_sets[0].injected, &infos[0], e);
    if (!merged)
        return -1;
    detail = json_loads(job->detail, 0, NULL);
    patch->body = patch_begin(job);
    json_object_set_new(patch_spec(patch->body), "suspend", json_false());
    if (job->pod_sets[0].min_count >= 0)
        patch_counts(patch->body, detail, infos[0].count);
    if (json_object_size(merged) > 0)
        json_object_set(patch_spec(patch->body), "template", merged);
    json_decref(merged);
    json_decref(detail);
    return 0;
}

static json_t *stop_step_suspend(const struct job *job)
{
    json_t *patch = patch_begin(job);

    json_object_set_new(patch_spec(patch), "suspend", json_true());
    json_object_set_new(json_object_get(patch, "metadata"), "annotations",
                        json_pack("{s:s}", ANNOTATION_STOPPING, "true"));
    return patch;
}

static json_t *stop_step_start_time(const struct job *job)
{
    json_t *patch = patch_begin(job);

    json_object_set_new(patch, "status", json_pack("{s:n}", "startTime"));
    return patch;
}

/* Template, counts and marker back to how they were; NULL when they are. */
static json_t *stop_step_restore(const struct job *job, const json_t *detail,
                                 const struct pod_set_info *infos, size_t count)
{
    bool matches = infos && count == job->pod_set_count;
    json_t *restored =
        matches ? pod_set_restore_patch(job->pod_sets[0].injected, &infos[0], controller_labels)
                : NULL;
    bool counts = matches && job->pod_sets[0].min_count >= 0 &&
                  json_integer_at(detail, "parallelism", 1) != infos[0].count;
    bool stopping = json_is_true(json_object_get(detail, "stopping"));
    json_t *patch;

    if (!restored && !counts && !stopping)
        return NULL;
    patch = patch_begin(job);
    if (restored)
        json_object_set_new(patch_spec(patch), "template", restored);
    if (counts)
        patch_counts(patch, detail, infos[0].count);
    if (stopping)
        json_object_set_new(json_object_get(patch, "metadata"), "annotations",
                            json_pack("{s:n}", ANNOTATION_STOPPING));
    return patch;
}

static int batch_job_stop(const struct job *job, const struct pod_set_info *infos, size_t count,
                          struct job_patch *patch, struct err *e)
{
    json_t *detail = json_loads(job->detail, 0, NULL);

    (void)e;
    *patch = (struct job_patch){ 0 };
    if (!json_is_true(json_object_get(detail, "suspend"))) {
        patch->body = stop_step_suspend(job);
        patch->suspends = true;
    } else if (json_is_true(json_object_get(detail, "started"))) {
        patch->body = stop_step_start_time(job);
        patch->subresource = "status";
    } else if (!job->is_active) {
        /* The API server takes changes of the template only once the pods are gone. */
        patch->body = stop_step_restore(job, detail, infos, count);
    }
    json_decref(detail);
    return 0;
}

static void batch_job_suspend(json_t *object)
{
    json_object_set_new(json_object_get(object, "spec"), "suspend", json_true());
}

/* The pods of an elastic job wait until the slice that counts them is admitted (1.20). */
static int batch_job_mutate(json_t *object, const struct job_options *options, struct err *e)
{
    json_t *spec = json_at(object, "spec", "template", "spec", NULL);
    json_t *gates = json_object_get(spec, "schedulingGates");

    (void)e;
    if (!options->elastic_slices || !job_object_is_elastic(object) || has_elastic_gate(object) ||
        !json_is_object(spec))
        return 0;
    if (!json_is_array(gates)) {
        gates = json_array();
        json_object_set_new(spec, "schedulingGates", gates);
    }
    json_array_append_new(gates, json_pack("{s:s}", "name", SCHEDULING_GATE_ELASTIC));
    return 0;
}

static void check_min_parallelism(const json_t *object, const struct job_options *options,
                                  struct field_errors *errors)
{
    const char *path = "metadata.annotations[" ANNOTATION_JOB_MIN_PARALLELISM "]";
    const char *text = object_annotation(object, ANNOTATION_JOB_MIN_PARALLELISM);
    int64_t value, count = count_of(object);

    if (!json_at(object, "metadata", "annotations", ANNOTATION_JOB_MIN_PARALLELISM, NULL))
        return;
    if (!str_to_int64(str_of(text), &value))
        job_error_not_int(errors, path, text);
    else if (value >= count || value <= 0)
        field_error_invalid_int(errors, path, value, "should be between 0 and %lld",
                                (long long)(count - 1));
    if (options->elastic_slices && job_object_is_elastic(object))
        field_error_invalid_text(errors, path, text,
                                 "partial admission and elastic job cannot be used together");
}

static void check_completions_sync(const json_t *object, struct field_errors *errors)
{
    const char *path = "metadata.annotations[" ANNOTATION_JOB_COMPLETIONS_EQUAL_PARALLELISM "]";
    const char *text = object_annotation(object, ANNOTATION_JOB_COMPLETIONS_EQUAL_PARALLELISM);
    const char *mode = json_string_at(json_object_get(object, "spec"), "completionMode");
    bool synced;

    if (!json_at(object, "metadata", "annotations", ANNOTATION_JOB_COMPLETIONS_EQUAL_PARALLELISM,
                 NULL))
        return;
    if (!str_to_bool(str_of(text), &synced)) {
        field_error_invalid_text(errors, path, text,
                                 "strconv.ParseBool: parsing \"%s\": invalid syntax", text);
        return;
    }
    if (!synced)
        return;
    if (*mode == '\0' || strcmp(mode, "NonIndexed") == 0)
        field_error_invalid_text(errors, path, text, "should not be enabled for NonIndexed jobs");
    if (completions_of(object, 1) != parallelism_of(object))
        field_error_invalid_int(errors, "spec.completions", completions_of(object, 1),
                                "should be equal to parallelism when %s annotation is true",
                                ANNOTATION_JOB_COMPLETIONS_EQUAL_PARALLELISM);
}

static void check_topology(const json_t *object, const struct job_options *options,
                           struct field_errors *errors)
{
    const json_t *metadata = json_at(object, "spec", "template", "metadata", NULL);
    size_t before = field_errors_count(errors);

    if (!options->topology_aware)
        return;
    topology_annotations_check("spec.template.metadata", metadata, options, errors);
    if (field_errors_count(errors) != before)
        return;
    if (options->elastic_slices && job_object_is_elastic(object)) {
        if (json_at(metadata, "annotations", ANNOTATION_POD_SET_REQUIRED_TOPOLOGY, NULL))
            field_error_forbidden(
                errors, "spec.template.metadata.annotations." ANNOTATION_POD_SET_REQUIRED_TOPOLOGY,
                "required topology is not supported with elastic jobs");
        if (json_at(metadata, "annotations", ANNOTATION_POD_SET_PREFERRED_TOPOLOGY, NULL))
            field_error_forbidden(
                errors, "spec.template.metadata.annotations." ANNOTATION_POD_SET_PREFERRED_TOPOLOGY,
                "preferred topology is not supported with elastic jobs");
        return;
    }
    topology_slice_bound_check("spec.template.metadata", metadata, count_of(object), options,
                               errors);
}

static void batch_job_validate_create(const json_t *object,
                                      const struct job_environment *environment,
                                      struct field_errors *errors)
{
    const struct job_options *options = environment->options;

    job_common_create_checks(object, &batch_job_kind, environment, errors);
    check_min_parallelism(object, options, errors);
    check_completions_sync(object, errors);
    check_topology(object, options, errors);
}

static void check_update_counts(const json_t *old_object, const json_t *object,
                                struct field_errors *errors)
{
    if (json_at(old_object, "metadata", "annotations", ANNOTATION_JOB_MIN_PARALLELISM, NULL) &&
        !spec_suspend(old_object) && parallelism_of(old_object) != parallelism_of(object))
        field_error_forbidden(
            errors, "spec.parallelism",
            "cannot change when partial admission is enabled and the job is not suspended");
    if (!batch_job_is_suspended(old_object) && !batch_job_is_suspended(object) &&
        is_completions_synced(old_object) != is_completions_synced(object))
        field_error_forbidden(
            errors, "metadata.annotations[" ANNOTATION_JOB_COMPLETIONS_EQUAL_PARALLELISM "]",
            "field is immutable while the job is not suspended");
}

static void batch_job_validate_update(const json_t *old_object, const json_t *object,
                                      const struct job_environment *environment,
                                      struct field_errors *errors)
{
    const struct job_options *options = environment->options;

    job_common_create_checks(object, &batch_job_kind, environment, errors);
    if (strcmp(object_annotation(old_object, ANNOTATION_JOB_MIN_PARALLELISM),
               object_annotation(object, ANNOTATION_JOB_MIN_PARALLELISM)) != 0)
        check_min_parallelism(object, options, errors);
    check_completions_sync(object, errors);
    job_common_update_checks(old_object, object, &batch_job_kind, environment, errors);
    check_update_counts(old_object, object, errors);
    check_topology(object, options, errors);
}

const struct job_kind batch_job_kind = {
    .framework = "batch/job",
    .group = "batch",
    .version = "v1",
    .kind = "Job",
    .resource = "jobs",
    .managed_by = "kubernetes.io/job-controller",
    .pod_index_label = INDEX_LABEL,
    .decode = batch_job_decode,
    .is_suspended = batch_job_is_suspended,
    .pod_sets = batch_job_pod_sets,
    .start = batch_job_start,
    .stop = batch_job_stop,
    .suspend = batch_job_suspend,
    .mutate = batch_job_mutate,
    .validate_create = batch_job_validate_create,
    .validate_update = batch_job_validate_update,
};
