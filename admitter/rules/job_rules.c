#include "admitter/rules/job_rules.h"

#include <string.h>
#include "admitter/jobs/job_facts.h"
#include "admitter/objects/json_read.h"
#include "admitter/rules/check_list.h"
#include "admitter/objects/condition.h"
#include "admitter/rules/eviction.h"
#include "admitter/rules/job_step_private.h"
#include "admitter/rules/workload_rules.h"
#include "admitter/objects/names.h"
#include "quota/base/mem.h"

/* ---- choices ---- */

bool job_choose(struct job_rule *s, enum job_action action, const struct workload_facts *workload)
{
    s->choice->action = action;
    s->choice->workload = workload;
    return true;
}

void job_report(struct job_rule *s, const char *reason, const char *note)
{
    s->choice->event_reason = reason;
    s->choice->event_note = note;
}

const char *job_workload_key(struct job_rule *s, const struct workload_facts *workload)
{
    return arena_format(s->arena, "%s/%s",
                        json_string_at(json_object_get(workload->object, "metadata"), "namespace"),
                        workload->name);
}

bool job_stop(struct job_rule *s, const struct workload_facts *workload, const char *message)
{
    job_report(s, "Stopped", message);
    return job_choose(s, JOB_STOP, workload);
}

static bool job_write_tree(struct job_rule *s, const struct workload_facts *workload, json_t *tree)
{
    s->choice->tree = tree;
    return job_choose(s, JOB_WRITE_WORKLOAD, workload);
}

static int64_t facts_generation(const struct workload_facts *workload)
{
    return json_integer_at(json_object_get(workload->object, "metadata"), "generation", 0);
}

bool facts_finished(const struct workload_facts *workload)
{
    return condition_true(workload->object, "Finished");
}

bool facts_reserving(const struct workload_facts *workload)
{
    return condition_true(workload->object, "QuotaReserved");
}

bool facts_deleting(const struct workload_facts *workload)
{
    return json_at(workload->object, "metadata", "deletionTimestamp", NULL) != NULL;
}

bool facts_have_finalizer(const struct workload_facts *workload)
{
    json_t *name;
    size_t i;

    json_array_foreach(json_at(workload->object, "metadata", "finalizers", NULL), i, name)
        if (json_is_string(name) && strcmp(json_string_value(name), FINALIZER_RESOURCE_IN_USE) == 0)
            return true;
    return false;
}

bool job_finish_workload(struct job_rule *s, const struct workload_facts *workload,
                         const char *reason, const char *message)
{
    json_t *tree = json_deep_copy(workload->object);

    condition_put(tree,
                  &(struct condition_change){ "Finished", "True", reason, message,
                                              facts_generation(workload) },
                  s->now);
    return job_write_tree(s, workload, tree);
}

/* ---- R2: the job is gone ---- */

static bool step_finalize(struct job_rule *s)
{
    for (size_t i = 0; i < s->facts->workload_count; i++) {
        const struct workload_facts *workload = &s->facts->workloads[i];

        if (s->settings->finish_orphaned && !facts_deleting(workload) &&
            object_controller(workload->object) && !facts_finished(workload))
            return job_finish_workload(s, workload, "OwnerNotFound",
                                       "The workload's owner no longer exists");
        if (facts_have_finalizer(workload))
            return job_choose(s, JOB_REMOVE_FINALIZER, workload);
    }
    return true;
}

/* ---- R3 - R6 ---- */

static bool step_not_ours(struct job_rule *s)
{
    const struct job_facts *facts = s->facts;

    if (!facts->namespace_exists || !facts->namespace_managed)
        return true;
    if (facts->ancestor_problem)
        return job_choose(s, JOB_ANCESTOR_PROBLEM, NULL);
    if (!s->settings->jobs.manage_without_queue_name && !*s->job->queue_name)
        return facts->is_top_level || !facts->ancestor_has_queue;
    return false;
}

static bool step_child(struct job_rule *s)
{
    if (s->facts->is_top_level)
        return false;
    if (s->job->is_finished || s->job->is_suspended || s->facts->ancestor_lets_run)
        return true;
    job_report(s, "Suspended", "Kueue managed child job suspended");
    return job_choose(s, JOB_SUSPEND_CHILD, NULL);
}

/* ---- R10 - R13 ---- */

static void report_finished(struct job_rule *s, const struct workload_facts *workload)
{
    job_report(s, "FinishedWorkload",
               arena_format(s->arena, "Workload '%s' is declared finished",
                            job_workload_key(s, workload)));
}

static bool step_finished_workload(struct job_rule *s, const struct workload_facts *workload)
{
    if (!workload || !facts_finished(workload))
        return false;
    if (facts_have_finalizer(workload)) {
        report_finished(s, workload);
        job_choose(s, JOB_REMOVE_FINALIZER, workload);
    }
    return true;
}

static bool step_deleting_workload(struct job_rule *s, const struct workload_facts *workload)
{
    if (!workload || !facts_deleting(workload))
        return false;
    /* Stopping is idempotent; job_step_stopped lets the Workload go once nothing is left to
     * stop. */
    if (!s->job->is_finished)
        return job_stop(s, workload, "Workload is deleted");
    if (facts_have_finalizer(workload))
        job_choose(s, JOB_REMOVE_FINALIZER, workload);
    return true;
}

static bool step_finished_job(struct job_rule *s, const struct workload_facts *workload)
{
    if (!s->job->is_finished)
        return false;
    if (!workload)
        return true;
    if (!facts_have_finalizer(workload)) /* otherwise told when that is taken off: once is enough */
        report_finished(s, workload);
    return job_finish_workload(s, workload, s->job->is_success ? "Succeeded" : "Failed",
                               s->job->finish_message);
}

static bool step_no_workload(struct job_rule *s)
{
    if (*s->job->prebuilt_name) {
        if (!s->job->is_suspended)
            return job_stop(s, NULL, "missing workload");
        return true;
    }
    if (s->job->is_active && !s->job->is_elastic)
        return true;
    if (!s->facts->priority_known)
        return job_choose(s, JOB_MISSING_CLASS, NULL);
    return job_choose(s, JOB_CREATE_WORKLOAD, s->replaced);
}

/* ---- R15, R16 ---- */

static int64_t reclaimed(const json_t *workload, const char *pod_set)
{
    json_t *entry;
    size_t i;

    json_array_foreach(json_at(workload, "status", "reclaimablePods", NULL), i, entry)
        if (strcmp(json_string_at(entry, "name"), pod_set) == 0)
            return json_integer_at(entry, "count", 0);
    return -1;
}

static json_t *reclaimable_json(const struct job *job, const struct workload_facts *workload,
                                bool *differs)
{
    json_t *list = json_array();

    for (size_t i = 0; i < job->reclaimable_count; i++) {
        int64_t count = job->reclaimable[i].count;

        for (size_t k = 0; k < workload->pod_set_count; k++)
            if (strcmp(workload->pod_sets[k].name, job->reclaimable[i].pod_set) == 0 &&
                count > workload->pod_sets[k].count)
                count = workload->pod_sets[k].count;
        json_array_append_new(list, json_pack("{s:s, s:I}", "name", job->reclaimable[i].pod_set,
                                              "count", (json_int_t)count));
        if (reclaimed(workload->object, job->reclaimable[i].pod_set) != count)
            *differs = true;
    }
    if (json_array_size(json_at(workload->object, "status", "reclaimablePods", NULL)) !=
        job->reclaimable_count)
        *differs = true;
    return list;
}

static bool step_reclaimable(struct job_rule *s, const struct workload_facts *workload)
{
    bool differs = false;
    json_t *list, *tree;

    if (!s->job->has_reclaimable || !s->settings->jobs.reclaimable_pods)
        return false;
    list = reclaimable_json(s->job, workload, &differs);
    if (!differs) {
        json_decref(list);
        return false;
    }
    tree = json_deep_copy(workload->object);
    json_object_set_new(object_status(tree), "reclaimablePods", list);
    return job_write_tree(s, workload, tree);
}

/* Pods that the job itself asks for now; under partial admission that is the admitted count. */
static int64_t pods_wanted(const struct job *job)
{
    int64_t total = 0;

    for (size_t i = 0; i < job->pod_set_count; i++)
        total += job->pod_sets[i].count;
    return total;
}

static bool step_pods_ready(struct job_rule *s, const struct workload_facts *workload)
{
    const json_t *present = condition_find(workload->object, "PodsReady");
    const char *reason = condition_reason(workload->object, "PodsReady"), *status = "False";
    const char *wanted = "WaitForStart", *message = "Not all pods are ready or succeeded";
    bool admitted = condition_true(workload->object, "Admitted");
    json_t *tree;

    if (!s->settings->wait_for_pods_ready)
        return false;
    if (admitted && s->job->ready_pods >= pods_wanted(s->job)) {
        bool recovered = strcmp(reason, "WaitForRecovery") == 0 || strcmp(reason, "Recovered") == 0;

        status = "True";
        wanted = recovered ? "Recovered" : "Started";
        message = "All pods reached readiness and the workload is running";
    } else if (admitted && present &&
               (condition_true(workload->object, "PodsReady") ||
                strcmp(reason, "WaitForRecovery") == 0)) {
        wanted = "WaitForRecovery";
        message = "At least one pod has failed, waiting for recovery";
    }
    if (present && condition_is(workload->object, "PodsReady", status) &&
        strcmp(reason, wanted) == 0)
        return false;
    tree = json_deep_copy(workload->object);
    condition_put(tree,
                  &(struct condition_change){ "PodsReady", status, wanted, message,
                                              facts_generation(workload) },
                  s->now);
    return job_write_tree(s, workload, tree);
}

/* ---- R17: eviction ---- */

static bool requeues_at_once(const char *reason)
{
    return strcmp(reason, "Preempted") == 0 || strcmp(reason, "NodeFailures") == 0;
}

static bool release_quota(struct job_rule *s, const struct workload_facts *workload)
{
    json_t *tree = json_deep_copy(workload->object);
    const char *reason = condition_reason(workload->object, "Evicted");
    const char *message = condition_message(workload->object, "Evicted");

    condition_put(tree,
                  &(struct condition_change){ "Requeued",
                                              requeues_at_once(reason) ? "True" : "False", reason,
                                              message, facts_generation(workload) },
                  s->now);
    workload_release(tree, s->settings->unadmitted_observability ? "PendingEvaluation" : "Pending",
                     message, s->settings->unadmitted_observability, s->now);
    return job_write_tree(s, workload, tree);
}

static bool step_retention(struct job_rule *s, const struct workload_facts *workload)
{
    int64_t since = condition_transition(workload->object, "Evicted");

    if (s->settings->retain_deactivated < 0 || workload_is_active(workload->object) ||
        since == TIME_NONE ||
        strncmp(condition_reason(workload->object, "Evicted"), "DeactivatedDueTo",
                strlen("DeactivatedDueTo")) != 0)
        return false;
    if (since + s->settings->retain_deactivated > s->now) {
        s->choice->next = since + s->settings->retain_deactivated;
        return false;
    }
    job_report(s, "Deleted", "Deleted job: deactivation retention period expired");
    return job_choose(s, JOB_DELETE_JOB, workload);
}

static bool step_evicted(struct job_rule *s, const struct workload_facts *workload)
{
    if (!condition_true(workload->object, "Evicted"))
        return false;
    /* Stopping is idempotent: the caller asks the kind whether anything is left to do. */
    job_stop(s, workload, arena_strdup(s->arena, condition_message(workload->object, "Evicted")));
    return true;
}

/* 1.18: a changed queue-name label reaches a Workload that holds no quota. */
static bool sync_queue(struct job_rule *s, const struct workload_facts *workload)
{
    const char *queue = json_string_at(json_object_get(workload->object, "spec"), "queueName");

    if (facts_reserving(workload) || strcmp(queue, s->job->queue_name) == 0)
        return false;
    s->choice->patch = json_pack("{s:{s:s}}", "spec", "queueName", s->job->queue_name);
    return job_choose(s, JOB_PATCH_WORKLOAD, workload);
}

/* After the kind said that nothing is left to stop. */
static bool step_after_stop(struct job_rule *s, const struct workload_facts *workload)
{
    if (facts_reserving(workload) && !s->job->is_active)
        return release_quota(s, workload);
    return step_retention(s, workload) || sync_queue(s, workload);
}

/* ---- R18 - R20 ---- */

static bool step_suspended(struct job_rule *s, const struct workload_facts *workload)
{
    const char *cluster_queue =
        json_string_at(json_at(workload->object, "status", "admission", NULL), "clusterQueue");

    if (!s->job->is_suspended)
        return false;
    if (condition_true(workload->object, "Admitted")) {
        job_report(s, "Started",
                   arena_format(s->arena, "Admitted by clusterQueue %s", cluster_queue));
        return job_choose(s, JOB_START, workload);
    }
    if (facts_reserving(workload)) {
        const char *note = check_list_pending_messages(workload->object, s->arena);

        if (note)
            job_report(s, "UpdatedAdmissionCheck", note);
        return true;
    }
    sync_queue(s, workload);
    return true;
}

/* A stop that has begun is brought to its end, also when the Workload was admitted (again) while
 * the pods were still going: only then can the job be started. */
static bool step_running(struct job_rule *s, const struct workload_facts *workload)
{
    if (!s->job->is_stopping && (condition_true(workload->object, "Admitted") || s->job->is_gated))
        return true;
    return job_stop(s, workload, "Not admitted by cluster queue");
}

static bool step_live(struct job_rule *s, const struct workload_facts *workload)
{
    if (step_finished_workload(s, workload) || step_deleting_workload(s, workload) ||
        step_finished_job(s, workload))
        return true;
    if (!workload)
        return step_no_workload(s);
    return step_reclaimable(s, workload) || step_pods_ready(s, workload) ||
           step_evicted(s, workload) || step_suspended(s, workload) || step_running(s, workload);
}

void job_step(const struct job_facts *facts, const struct loop_settings *settings, int64_t now,
              struct arena *arena, struct job_choice *choice)
{
    struct job_rule s = { facts, facts->job, settings, now, arena, choice, NULL };
    const struct workload_facts *match = NULL;

    *choice = (struct job_choice){ .next = TIME_NONE };
    if (!facts->job || facts->job->deleting) {
        step_finalize(&s);
        return;
    }
    if (step_not_ours(&s) || step_child(&s))
        return;
    if (job_find_workload(&s, &match))
        return;
    step_live(&s, match);
}

void job_step_stopped(const struct job_facts *facts, const struct loop_settings *settings,
                      const struct workload_facts *workload, int64_t now, struct arena *arena,
                      struct job_choice *choice)
{
    struct job_rule s = { facts, facts->job, settings, now, arena, choice, NULL };

    *choice = (struct job_choice){ .next = TIME_NONE };
    if (!workload)
        return;
    if (facts_deleting(workload)) {
        if (facts_have_finalizer(workload) && !facts->job->is_active)
            job_choose(&s, JOB_REMOVE_FINALIZER, workload);
    } else if (condition_true(workload->object, "Evicted")) {
        step_after_stop(&s, workload);
    }
}
