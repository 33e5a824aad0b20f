#include "admitter/loop/job_rules.h"

#include <string.h>
#include "admitter/jobs/job_facts.h"
#include "admitter/jobs/json_read.h"
#include "admitter/loop/check_list.h"
#include "admitter/loop/condition.h"
#include "admitter/loop/eviction.h"
#include "admitter/loop/job_slices.h"
#include "admitter/loop/workload_rules.h"
#include "quota/base/mem.h"

#define FINALIZER "kueue.x-k8s.io/resource-in-use"

struct step {
    const struct job_facts *facts;
    const struct job *job;
    const struct loop_settings *settings;
    int64_t now;
    struct arena *arena;
    struct job_choice *choice;
    const struct workload_facts *replaced; /* by the slice that is to be made; NULL */
};

static bool choose(struct step *s, enum job_action action, const struct workload_facts *workload)
{
    s->choice->action = action;
    s->choice->workload = workload;
    return true;
}

static void report(struct step *s, const char *reason, const char *note)
{
    s->choice->event_reason = reason;
    s->choice->event_note = note;
}

static const char *key_of(struct step *s, const struct workload_facts *workload)
{
    return arena_format(s->arena, "%s/%s",
                        json_string_at(json_object_get(workload->object, "metadata"), "namespace"),
                        workload->name);
}

static bool stop(struct step *s, const struct workload_facts *workload, const char *message)
{
    report(s, "Stopped", message);
    return choose(s, JOB_STOP, workload);
}

static bool write_tree(struct step *s, const struct workload_facts *workload, json_t *tree)
{
    s->choice->tree = tree;
    return choose(s, JOB_WRITE_WORKLOAD, workload);
}

static int64_t generation_of(const struct workload_facts *workload)
{
    return json_integer_at(json_object_get(workload->object, "metadata"), "generation", 0);
}

static bool is_finished(const struct workload_facts *workload)
{
    return condition_true(workload->object, "Finished");
}

static bool is_reserving(const struct workload_facts *workload)
{
    return condition_true(workload->object, "QuotaReserved");
}

static bool is_deleting(const struct workload_facts *workload)
{
    return json_at(workload->object, "metadata", "deletionTimestamp", NULL) != NULL;
}

static bool has_finalizer(const struct workload_facts *workload)
{
    json_t *name;
    size_t i;

    json_array_foreach(json_at(workload->object, "metadata", "finalizers", NULL), i,
                       name) if (json_is_string(name) &&
                                 strcmp(json_string_value(name), FINALIZER) == 0) return true;
    return false;
}

static bool finish(struct step *s, const struct workload_facts *workload, const char *reason,
                   const char *message)
{
    json_t *tree = json_deep_copy(workload->object);

    condition_put(
        tree,
        &(struct condition_change){ "Finished", "True", reason, message, generation_of(workload) },
        s->now);
    return write_tree(s, workload, tree);
}

/* ---- R2: the job is gone ---- */

static bool step_finalize(struct step *s)
{
    for (size_t i = 0; i < s->facts->workload_count; i++) {
        const struct workload_facts *workload = &s->facts->workloads[i];

        if (s->settings->finish_orphaned && !is_deleting(workload) &&
            object_controller(workload->object) && !is_finished(workload))
            return finish(s, workload, "OwnerNotFound", "The workload's owner no longer exists");
        if (has_finalizer(workload))
            return choose(s, JOB_REMOVE_FINALIZER, workload);
    }
    return true;
}

/* ---- R3 - R6 ---- */

static bool step_not_ours(struct step *s)
{
    const struct job_facts *facts = s->facts;

    if (!facts->namespace_exists || !facts->namespace_managed)
        return true;
    if (facts->ancestor_problem)
        return choose(s, JOB_ANCESTOR_PROBLEM, NULL);
    if (!s->settings->jobs.manage_without_queue_name && !*s->job->queue_name)
        return facts->is_top_level || !facts->ancestor_has_queue;
    return false;
}

static bool step_child(struct step *s)
{
    if (s->facts->is_top_level)
        return false;
    if (s->job->is_finished || s->job->is_suspended || s->facts->ancestor_lets_run)
        return true;
    report(s, "Suspended", "Kueue managed child job suspended");
    return choose(s, JOB_SUSPEND_CHILD, NULL);
}

/* ---- R7: ensureOneWorkload (1.12) ---- */

static bool prebuilt_workload(struct step *s, const struct workload_facts **match)
{
    const struct workload_facts *workload = s->facts->prebuilt;
    const json_t *owner = workload ? object_controller(workload->object) : NULL;

    *match = NULL;
    if (!workload)
        return false;
    if (owner && strcmp(json_string_at(owner, "uid"), s->job->uid) != 0)
        return false;
    if (!owner)
        return choose(s, JOB_ADOPT_WORKLOAD, workload);
    if (!job_matches_workload(s->job, workload, s->settings)) {
        if (is_finished(workload))
            return false;
        return finish(s, workload, "OutOfSync",
                      "The prebuilt workload is out of sync with its user job");
    }
    *match = workload;
    return false;
}

static bool sync_gates(struct step *s, const struct workload_facts *match)
{
    const char *wanted = s->job->admission_gated_by;
    const char *present = object_annotation(match->object, "kueue.x-k8s.io/admission-gated-by");

    if (!s->settings->admission_gated_by || strcmp(wanted, present) == 0)
        return false;
    s->choice->patch =
        json_pack("{s:{s:{s:o}}}", "metadata", "annotations", "kueue.x-k8s.io/admission-gated-by",
                  *wanted ? json_string(wanted) : json_null());
    report(s, "UpdatedWorkload",
           arena_format(s->arena, "Updated workload AdmissionGatedBy to \"%s\"", wanted));
    return choose(s, JOB_PATCH_WORKLOAD, match);
}

/* 1.10: a changed priority-class label reaches the Workload. */
static bool sync_priority(struct step *s, const struct workload_facts *match)
{
    const json_t *spec = json_object_get(match->object, "spec");
    const json_t *reference = json_object_get(spec, "priorityClassRef");

    if (!*s->job->priority_class ||
        strcmp(json_string_at(reference, "name"), s->job->priority_class) == 0 ||
        is_finished(match))
        return false;
    if ((is_reserving(match) && !reference) ||
        strcmp(json_string_at(reference, "group"), "scheduling.k8s.io") == 0)
        return false;
    if (!s->facts->priority_known)
        return choose(s, JOB_MISSING_CLASS, match);
    s->choice->patch =
        json_pack("{s:{s:i, s:{s:s, s:s, s:s}}}", "spec", "priority", (int)s->facts->priority,
                  "priorityClassRef", "group", s->facts->priority_group, "kind",
                  s->facts->priority_kind, "name", s->facts->priority_name);
    report(s, "UpdatedWorkload",
           arena_format(s->arena, "Updated workload priority class: %s", key_of(s, match)));
    return choose(s, JOB_PATCH_WORKLOAD, match);
}

/* The first Workload that describes the job; of the 'others', the first and the last one. */
static const struct workload_facts *first_match(struct step *s, const struct workload_facts **other,
                                                const struct workload_facts **last, size_t *others)
{
    const struct workload_facts *match = NULL;

    *other = *last = NULL;
    *others = 0;
    for (size_t i = 0; i < s->facts->workload_count; i++) {
        const struct workload_facts *workload = &s->facts->workloads[i];

        if (!match && job_matches_workload(s->job, workload, s->settings)) {
            match = workload;
        } else {
            if (*others == 0)
                *other = workload;
            *last = workload;
            (*others)++;
        }
    }
    return match;
}

static bool delete_surplus(struct step *s, const struct workload_facts *workload)
{
    if (!is_deleting(workload))
        report(s, "DeletedWorkload",
               arena_format(s->arena, "Deleted not matching Workload: %s", key_of(s, workload)));
    return choose(s, JOB_DELETE_WORKLOAD, workload);
}

/* Left over from a job of the same name: nothing that is written to it makes it match. */
static bool is_of_another_job(const struct step *s, const struct workload_facts *workload)
{
    return s->settings->finish_orphaned &&
           strcmp(json_string_at(object_controller(workload->object), "uid"), s->job->uid) != 0;
}

/* May this Workload be rewritten in place for a suspended job (1.12 step 2)? */
static bool is_rewritable(const struct step *s, const struct workload_facts *workload)
{
    return !is_reserving(workload) && !is_finished(workload) && !is_deleting(workload) &&
           !is_of_another_job(s, workload);
}

/* Slices that have ended are not let go by anyone else. */
static bool let_finished_go(struct step *s)
{
    for (size_t i = 0; i < s->facts->workload_count; i++) {
        const struct workload_facts *workload = &s->facts->workloads[i];

        if (is_finished(workload) && has_finalizer(workload))
            return choose(s, JOB_REMOVE_FINALIZER, workload);
    }
    return false;
}

static bool own_workload(struct step *s, const struct workload_facts **match)
{
    const struct workload_facts *other, *last;
    size_t others;

    *match = first_match(s, &other, &last, &others);
    if (!*match && others > 0 && s->job->is_suspended && is_rewritable(s, other)) {
        if (others > 1)
            return delete_surplus(s, last);
        report(s, "UpdatedWorkload",
               arena_format(s->arena, "Updated not matching Workload for suspended job: %s",
                            key_of(s, other)));
        return choose(s, JOB_UPDATE_WORKLOAD, other);
    }
    if (!*match && !s->job->is_suspended && !s->job->is_finished)
        return stop(
            s, others == 1 ? other : NULL,
            others == 1
                ? "No matching Workload; restoring pod templates according to existent Workload"
                : "Missing Workload; unable to restore pod templates");
    if (others > 0)
        return delete_surplus(s, other);
    return *match && (sync_gates(s, *match) || sync_priority(s, *match));
}

/* 1.20. A job whose pods are not held back by a gate may not grow while it runs. */
static bool own_slice(struct step *s, const struct workload_facts **match)
{
    bool runs_free = !s->job->is_suspended && !s->job->is_gated;
    struct slice_choice slices;

    switch (slice_choose(s->job, s->facts->workloads, s->facts->workload_count, &slices)) {
    case SLICE_FINISH:
        return finish(s, slices.slice, slices.reason, slices.message);
    case SLICE_RESIZE:
        s->choice->patch = slice_resize_patch(s->job, slices.slice);
        return choose(s, JOB_RESIZE_WORKLOAD, slices.slice);
    case SLICE_USE:
        *match = slices.slice;
        return sync_priority(s, slices.slice) ||
               (slices.holder && slices.holder != slices.slice &&
                sync_priority(s, slices.holder)) ||
               let_finished_go(s);
    case SLICE_CREATE:
        if (s->job->is_finished || runs_free)
            break;
        s->replaced = slices.slice;
        *match = NULL;
        return false;
    default:
        break;
    }
    return own_workload(s, match);
}

/* ---- R10 - R13 ---- */

static void report_finished(struct step *s, const struct workload_facts *workload)
{
    report(s, "FinishedWorkload",
           arena_format(s->arena, "Workload '%s' is declared finished", key_of(s, workload)));
}

static bool step_finished_workload(struct step *s, const struct workload_facts *workload)
{
    if (!workload || !is_finished(workload))
        return false;
    if (has_finalizer(workload)) {
        report_finished(s, workload);
        choose(s, JOB_REMOVE_FINALIZER, workload);
    }
    return true;
}

static bool step_deleting_workload(struct step *s, const struct workload_facts *workload)
{
    if (!workload || !is_deleting(workload))
        return false;
    /* Stopping is idempotent; job_step_stopped lets the Workload go once nothing is left to stop. */
    if (!s->job->is_finished)
        return stop(s, workload, "Workload is deleted");
    if (has_finalizer(workload))
        choose(s, JOB_REMOVE_FINALIZER, workload);
    return true;
}

static bool step_finished_job(struct step *s, const struct workload_facts *workload)
{
    if (!s->job->is_finished)
        return false;
    if (!workload)
        return true;
    if (!has_finalizer(workload)) /* otherwise told when that is taken off: once is enough */
        report_finished(s, workload);
    return finish(s, workload, s->job->is_success ? "Succeeded" : "Failed", s->job->finish_message);
}

static bool step_no_workload(struct step *s)
{
    if (*s->job->prebuilt_name) {
        if (!s->job->is_suspended)
            return stop(s, NULL, "missing workload");
        return true;
    }
    if (s->job->is_active && !s->job->is_elastic)
        return true;
    if (!s->facts->priority_known)
        return choose(s, JOB_MISSING_CLASS, NULL);
    return choose(s, JOB_CREATE_WORKLOAD, s->replaced);
}

/* ---- R15, R16 ---- */

static int64_t reclaimed(const json_t *workload, const char *pod_set)
{
    json_t *entry;
    size_t i;

    json_array_foreach(json_at(workload, "status", "reclaimablePods", NULL), i,
                       entry) if (strcmp(json_string_at(entry, "name"), pod_set) ==
                                  0) return json_integer_at(entry, "count", 0);
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

static bool step_reclaimable(struct step *s, const struct workload_facts *workload)
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
    return write_tree(s, workload, tree);
}

/* Pods that the job itself asks for now; under partial admission that is the admitted count. */
static int64_t pods_wanted(const struct job *job)
{
    int64_t total = 0;

    for (size_t i = 0; i < job->pod_set_count; i++)
        total += job->pod_sets[i].count;
    return total;
}

static bool step_pods_ready(struct step *s, const struct workload_facts *workload)
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
    condition_put(
        tree,
        &(struct condition_change){ "PodsReady", status, wanted, message, generation_of(workload) },
        s->now);
    return write_tree(s, workload, tree);
}

/* ---- R17: eviction ---- */

static bool requeues_at_once(const char *reason)
{
    return strcmp(reason, "Preempted") == 0 || strcmp(reason, "NodeFailures") == 0;
}

static bool release_quota(struct step *s, const struct workload_facts *workload)
{
    json_t *tree = json_deep_copy(workload->object);
    const char *reason = condition_reason(workload->object, "Evicted");
    const char *message = condition_message(workload->object, "Evicted");

    condition_put(tree,
                  &(struct condition_change){ "Requeued",
                                              requeues_at_once(reason) ? "True" : "False", reason,
                                              message, generation_of(workload) },
                  s->now);
    workload_release(tree, s->settings->unadmitted_observability ? "PendingEvaluation" : "Pending",
                     message, s->settings->unadmitted_observability, s->now);
    return write_tree(s, workload, tree);
}

static bool step_retention(struct step *s, const struct workload_facts *workload)
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
    report(s, "Deleted", "Deleted job: deactivation retention period expired");
    return choose(s, JOB_DELETE_JOB, workload);
}

static bool step_evicted(struct step *s, const struct workload_facts *workload)
{
    if (!condition_true(workload->object, "Evicted"))
        return false;
    /* Stopping is idempotent: the caller asks the kind whether anything is left to do. */
    stop(s, workload, arena_strdup(s->arena, condition_message(workload->object, "Evicted")));
    return true;
}

/* 1.18: a changed queue-name label reaches a Workload that holds no quota. */
static bool sync_queue(struct step *s, const struct workload_facts *workload)
{
    const char *queue = json_string_at(json_object_get(workload->object, "spec"), "queueName");

    if (is_reserving(workload) || strcmp(queue, s->job->queue_name) == 0)
        return false;
    s->choice->patch = json_pack("{s:{s:s}}", "spec", "queueName", s->job->queue_name);
    return choose(s, JOB_PATCH_WORKLOAD, workload);
}

/* After the kind said that nothing is left to stop. */
static bool step_after_stop(struct step *s, const struct workload_facts *workload)
{
    if (is_reserving(workload) && !s->job->is_active)
        return release_quota(s, workload);
    return step_retention(s, workload) || sync_queue(s, workload);
}

/* ---- R18 - R20 ---- */

static bool step_suspended(struct step *s, const struct workload_facts *workload)
{
    const char *cluster_queue =
        json_string_at(json_at(workload->object, "status", "admission", NULL), "clusterQueue");

    if (!s->job->is_suspended)
        return false;
    if (condition_true(workload->object, "Admitted")) {
        report(s, "Started", arena_format(s->arena, "Admitted by clusterQueue %s", cluster_queue));
        return choose(s, JOB_START, workload);
    }
    if (is_reserving(workload)) {
        const char *note = check_list_pending_messages(workload->object, s->arena);

        if (note)
            report(s, "UpdatedAdmissionCheck", note);
        return true;
    }
    sync_queue(s, workload);
    return true;
}

static bool step_running(struct step *s, const struct workload_facts *workload)
{
    if (condition_true(workload->object, "Admitted") || s->job->is_gated)
        return true;
    return stop(s, workload, "Not admitted by cluster queue");
}

static bool step_live(struct step *s, const struct workload_facts *workload)
{
    if (step_finished_workload(s, workload) || step_deleting_workload(s, workload) ||
        step_finished_job(s, workload))
        return true;
    if (!workload)
        return step_no_workload(s);
    return step_reclaimable(s, workload) || step_pods_ready(s, workload) ||
           step_evicted(s, workload) || step_suspended(s, workload) || step_running(s, workload);
}

static bool find_workload(struct step *s, const struct workload_facts **match)
{
    if (*s->job->prebuilt_name)
        return prebuilt_workload(s, match);
    return s->job->is_elastic ? own_slice(s, match) : own_workload(s, match);
}

void job_step(const struct job_facts *facts, const struct loop_settings *settings, int64_t now,
              struct arena *arena, struct job_choice *choice)
{
    struct step s = { facts, facts->job, settings, now, arena, choice, NULL };
    const struct workload_facts *match = NULL;

    *choice = (struct job_choice){ .next = TIME_NONE };
    if (!facts->job || facts->job->deleting) {
        step_finalize(&s);
        return;
    }
    if (step_not_ours(&s) || step_child(&s))
        return;
    if (find_workload(&s, &match))
        return;
    step_live(&s, match);
}

void job_step_stopped(const struct job_facts *facts, const struct loop_settings *settings,
                      const struct workload_facts *workload, int64_t now, struct arena *arena,
                      struct job_choice *choice)
{
    struct step s = { facts, facts->job, settings, now, arena, choice, NULL };

    *choice = (struct job_choice){ .next = TIME_NONE };
    if (!workload)
        return;
    if (is_deleting(workload)) {
        if (has_finalizer(workload) && !facts->job->is_active)
            choose(&s, JOB_REMOVE_FINALIZER, workload);
    } else if (condition_true(workload->object, "Evicted")) {
        step_after_stop(&s, workload);
    }
}
