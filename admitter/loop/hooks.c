#include "admitter/loop/hooks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "admitter/loop/hooks_private.h"
#include "admitter/loop/owners.h"
#include "admitter/objects/field_error.h"
#include "admitter/objects/names.h"
#include "quota/base/mem.h"
#include "webhook/patch.h"

#define NEWS_STEP_MS 5
#define OWNER_WAIT_MS 200
#define NAMESPACE_WAIT_MS 1000 /* the API server has seen it, so the news does come */

/* ---- questions of the job kinds, answered from the snapshot ---- */

static bool local_queue_exists(void *context, const char *namespace, const char *name)
{
    return snapshot_has_local_queue(((struct hooks *)context)->snapshot, namespace, name);
}

static bool priority_class_exists(void *context, const char *name)
{
    return snapshot_has_priority_class(((struct hooks *)context)->snapshot, name);
}

/* What was made a moment ago may be on its way to the snapshot. False: waited long enough. */
static bool wait_for_news(unsigned *waited_ms, unsigned limit_ms)
{
    const struct timespec step = { .tv_nsec = NEWS_STEP_MS * NANOSECONDS_PER_MILLISECOND };

    if (*waited_ms >= limit_ms)
        return false;
    nanosleep(&step, NULL);
    *waited_ms += NEWS_STEP_MS;
    return true;
}

static int namespace_is_managed(void *context, const char *namespace, struct err *e)
{
    const struct hooks *hooks = context;
    unsigned waited_ms = 0;
    int managed;

    do
        managed = snapshot_namespace_managed(hooks->snapshot, namespace);
    while (managed < 0 && wait_for_news(&waited_ms, NAMESPACE_WAIT_MS));
    if (managed >= 0)
        return managed;
    return err_set(e, ERR_NOT_FOUND, "namespaces \"%s\" not found", namespace);
}

static bool queue_uses_multikueue(void *context, const char *namespace, const char *queue)
{
    return snapshot_queue_has_controller(((struct hooks *)context)->snapshot, namespace, queue,
                                         CONTROLLER_MULTIKUEUE);
}

static int owner_find(void *context, unsigned kind, const char *namespace, const char *name,
                      struct arena *arena, struct owner_facts *facts, struct err *e)
{
    const struct hooks *hooks = context;
    unsigned waited_ms = 0;
    int answer;

    (void)e;
    do
        answer = owner_look_up(&hooks->settings->owners, hooks->snapshot, kind, namespace, name,
                               arena, facts);
    while (answer < 0 && wait_for_news(&waited_ms, OWNER_WAIT_MS));
    return answer;
}

/* ---- job kinds ---- */

static json_t *load(struct str object, const char *what, struct err *e)
{
    json_error_t problem;
    json_t *tree =
        json_loadb(object.text ? object.text : "", object.length, JSON_REJECT_DUPLICATES, &problem);

    if (!json_is_object(tree)) {
        err_set(e, ERR_INVALID, "%s: %s", what, tree ? "not an object" : problem.text);
        json_decref(tree);
        return NULL;
    }
    return tree;
}

void hook_answer_errors(struct review_answer *answer, const struct field_errors *errors,
                        struct arena *arena)
{
    if (errors->count == 0)
        return;
    review_deny(answer, arena, "%s", field_errors_text(errors));
    for (size_t i = 0; i < errors->count; i++)
        review_cause(answer, arena, field_error_reason(errors->items[i].kind),
                     errors->items[i].path, errors->items[i].body);
}

void hook_answer_patch(struct review_answer *answer, const json_t *before, const json_t *after,
                       struct arena *arena)
{
    struct patch patch = PATCH_INIT;

    patch_difference(&patch, before, after);
    review_patch(answer, patch_end(&patch, arena));
}

json_t *hook_object(const struct review *review, struct err *e)
{
    return load(review->object, "object", e);
}

json_t *hook_old_object(const struct review *review, struct err *e)
{
    return load(review->old_object, "oldObject", e);
}

static int mutate_job(void *context, const struct review *review, struct review_answer *answer,
                      struct arena *arena, struct err *e)
{
    const struct job_hook *hook = context;
    json_t *before, *after;
    int result;

    if (review->operation != REVIEW_CREATE || *review->sub_resource)
        return 0;
    before = hook_object(review, e);
    if (!before)
        return -1;
    after = json_deep_copy(before);
    result = job_mutate_create(after, review->namespace_name, hook->kind, &hook->hooks->environment,
                               arena, e);
    if (result == 0)
        hook_answer_patch(answer, before, after, arena);
    else if (e->code == ERR_CONFLICT || e->code == ERR_INVALID)
        review_deny(answer, arena, "%s", e->text);
    json_decref(before);
    json_decref(after);
    return result < 0 && answer->allowed ? -1 : 0;
}

static int validate_job(void *context, const struct review *review, struct review_answer *answer,
                        struct arena *arena, struct err *e)
{
    const struct job_hook *hook = context;
    struct field_errors errors;
    json_t *object, *old_object = NULL;

    if (*review->sub_resource ||
        (review->operation != REVIEW_CREATE && review->operation != REVIEW_UPDATE))
        return 0;
    object = hook_object(review, e);
    if (!object)
        return -1;
    field_errors_init(&errors, arena);
    if (review->operation == REVIEW_CREATE) {
        hook->kind->validate_create(object, &hook->hooks->environment, &errors);
    } else {
        old_object = hook_old_object(review, e);
        if (old_object)
            hook->kind->validate_update(old_object, object, &hook->hooks->environment, &errors);
    }
    hook_answer_errors(answer, &errors, arena);
    json_decref(object);
    json_decref(old_object);
    return review->operation == REVIEW_UPDATE && !old_object ? -1 : 0;
}

/* ---- paths ---- */

/* Kinds of jobs whose paths webhook configurations name (spec/integrations.md 4). */
static const char *const job_paths[] = {
    "workload-codeflare-dev-v1beta2-appwrapper",
    "apps-v1-deployment",
    "kubeflow-org-v1-jaxjob",
    "batch-v1-job",
    "jobset-x-k8s-io-v1alpha2-jobset",
    "leaderworkerset-x-k8s-io-v1-leaderworkerset",
    "kubeflow-org-v2beta1-mpijob",
    "kubeflow-org-v1-paddlejob",
    "-v1-pod",
    "kubeflow-org-v1-pytorchjob",
    "ray-io-v1-raycluster",
    "ray-io-v1-rayjob",
    "ray-io-v1-rayservice",
    "sparkoperator-k8s-io-v1beta2-sparkapplication",
    "apps-v1-statefulset",
    "kubeflow-org-v1-tfjob",
    "trainer-kubeflow-org-v1alpha1-trainjob",
    "kubeflow-org-v1-xgboostjob",
};

static void path_of_kind(const struct job_kind *kind, char *buffer, size_t size)
{
    size_t length =
        (size_t)snprintf(buffer, size, "%s-%s-%s", kind->group, kind->version, kind->kind);

    for (size_t i = 0; i < length && i < size; i++) {
        if (buffer[i] == '.')
            buffer[i] = '-';
        else if (buffer[i] >= 'A' && buffer[i] <= 'Z')
            buffer[i] = (char)(buffer[i] + ('a' - 'A'));
    }
}

static struct job_hook *hook_of_path(struct hooks *hooks, const char *suffix)
{
    char path[200];

    for (unsigned i = 0; job_kinds()[i]; i++) {
        path_of_kind(job_kinds()[i], path, sizeof(path));
        if (strcmp(path, suffix) == 0 && (hooks->settings->job_webhooks & (1u << i)))
            return &hooks->jobs[i];
    }
    return NULL;
}

/* Register /mutate-<suffix> and /validate-<suffix>; NULL functions allow everything. */
static int add_pair(struct route_table *routes, const char *suffix, review_function *mutate,
                    review_function *validate, void *context, struct err *e)
{
    char path[240];

    snprintf(path, sizeof(path), "/mutate-%s", suffix);
    if (review_route_add(routes, path, mutate ? mutate : review_allow, context, e) < 0)
        return -1;
    snprintf(path, sizeof(path), "/validate-%s", suffix);
    return review_route_add(routes, path, validate ? validate : review_allow, context, e);
}

static int register_jobs(struct hooks *hooks, struct route_table *routes, struct err *e)
{
    for (size_t i = 0; i < ARRAY_COUNT(job_paths); i++) {
        struct job_hook *hook = hook_of_path(hooks, job_paths[i]);

        if (add_pair(routes, job_paths[i], hook ? mutate_job : NULL, hook ? validate_job : NULL,
                     hook, e) < 0)
            return -1;
    }
    return 0;
}

int hooks_register(struct hooks *hooks, struct route_table *routes, struct err *e)
{
    if (register_jobs(hooks, routes, e) < 0 || hooks_register_objects(hooks, routes, e) < 0)
        return -1;
    return 0;
}

struct hooks *hooks_create(const struct loop_settings *settings, struct snapshot *snapshot)
{
    struct hooks *hooks = mem_alloc(sizeof(*hooks));
    size_t count = 0;

    hooks->settings = settings;
    hooks->snapshot = snapshot;
    hooks->environment = (struct job_environment){
        .options = &settings->jobs,
        .context = hooks,
        .local_queue_exists = local_queue_exists,
        .priority_class_exists = priority_class_exists,
        .namespace_is_managed = namespace_is_managed,
        .queue_uses_multikueue = queue_uses_multikueue,
        .ancestors = { &settings->owners, settings->jobs.manage_without_queue_name, hooks,
                       owner_find },
    };
    while (job_kinds()[count])
        count++;
    hooks->jobs = mem_array(count, sizeof(*hooks->jobs));
    for (size_t i = 0; i < count; i++)
        hooks->jobs[i] = (struct job_hook){ hooks, job_kinds()[i] };
    return hooks;
}

void hooks_destroy(struct hooks *hooks)
{
    if (!hooks)
        return;
    hooks_objects_finish(hooks);
    free(hooks->jobs);
    free(hooks);
}
