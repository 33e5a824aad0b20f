#include "admitter/loop/workload_rules.h"

#include <stdlib.h>
#include <string.h>
#include "admitter/jobs/json_read.h"
#include "admitter/loop/check_list.h"
#include "admitter/loop/condition.h"
#include "admitter/loop/eviction.h"
#include "quota/base/mem.h"

#define GATED_BY "Admission is gated by: "

struct step {
    json_t *workload;
    const struct loop_settings *settings;
    const struct workload_surroundings *around;
    int64_t now;
    uint64_t random;
    struct arena *arena;
    struct step_result *result;
};

bool workload_is_finished(const json_t *workload)
{
    return condition_true(workload, "Finished");
}

bool workload_is_active(const json_t *workload)
{
    return !json_is_false(json_at(workload, "spec", "active", NULL));
}

static int64_t generation_of(const struct step *s)
{
    return json_integer_at(json_object_get(s->workload, "metadata"), "generation", 0);
}

static bool put(struct step *s, const char *type, const char *status, const char *reason,
                const char *message)
{
    return condition_put(
        s->workload, &(struct condition_change){ type, status, reason, message, generation_of(s) },
        s->now);
}

static bool write_status(struct step *s)
{
    s->result->write = STEP_STATUS;
    return true;
}

static void event(struct step *s, bool warning, const char *reason, const char *note)
{
    struct step_result *r = s->result;

    if (r->event_count < STEP_EVENTS)
        r->events[r->event_count++] = (struct step_event){ warning, arena_strdup(s->arena, reason),
                                                           arena_strdup(s->arena, note) };
}

static void look_again(struct step *s, int64_t at)
{
    if (s->result->next == TIME_NONE || at < s->result->next)
        s->result->next = at;
}

static bool evict(struct step *s, const char *reason, const char *cause, const char *message)
{
    struct eviction eviction = { reason, cause, message };
    char joined[160];
    bool had_admission;

    workload_evict(s->workload, &eviction, s->now, &had_admission);
    s->result->evicts = had_admission;
    s->result->eviction_reason = arena_strdup(s->arena, reason);
    s->result->eviction_cause = arena_strdup(s->arena, cause);
    if (had_admission) {
        eviction_condition_reason(&eviction, joined, sizeof(joined));
        event(s, false, arena_format(s->arena, "EvictedDueTo%s", joined), message);
    }
    return write_status(s);
}

/* ---- finished, orphaned ---- */

static bool has_owner(const json_t *workload)
{
    return json_array_size(json_at(workload, "metadata", "ownerReferences", NULL)) > 0;
}

static bool has_finalizer(const json_t *workload)
{
    json_t *name;
    size_t i;

    json_array_foreach(json_at(workload, "metadata", "finalizers", NULL), i,
                       name) if (json_is_string(name) &&
                                 strcmp(json_string_value(name),
                                        "kueue.x-k8s.io/resource-in-use") == 0) return true;
    return false;
}

static bool is_deleting(const json_t *workload)
{
    return json_at(workload, "metadata", "deletionTimestamp", NULL) != NULL;
}

static bool step_orphan(struct step *s)
{
    if (has_owner(s->workload))
        return false;
    if (is_deleting(s->workload) && has_finalizer(s->workload)) {
        s->result->write = STEP_FINALIZER;
        return true;
    }
    if (!s->settings->finish_orphaned || !*object_label(s->workload, "kueue.x-k8s.io/job-uid"))
        return false;
    if (!workload_is_finished(s->workload)) {
        put(s, "Finished", "True", "OwnerNotFound", "The workload's owner no longer exists");
        return write_status(s);
    }
    if (has_finalizer(s->workload))
        s->result->write = STEP_FINALIZER;
    return has_finalizer(s->workload);
}

static bool step_finished(struct step *s)
{
    int64_t since = condition_transition(s->workload, "Finished");

    if (!workload_is_finished(s->workload))
        return false;
    if (s->settings->retain_finished < 0 || since == TIME_NONE || is_deleting(s->workload))
        return true;
    if (since + s->settings->retain_finished > s->now) {
        look_again(s, since + s->settings->retain_finished);
    } else {
        s->result->write = has_finalizer(s->workload) ? STEP_FINALIZER : STEP_DELETE;
        if (s->result->write == STEP_DELETE)
            event(s, false, "Deleted", "Deleted finished workload due to elapsed retention");
    }
    return true;
}

/* ---- retry delay, back-off, activation ---- */

static int64_t requeue_at(const json_t *workload)
{
    return json_time_at(json_at(workload, "status", "requeueState", NULL), "requeueAt");
}

static json_t *requeue_state(struct step *s)
{
    json_t *status = object_status(s->workload);
    json_t *state = json_object_get(status, "requeueState");

    if (!json_is_object(state)) {
        state = json_object();
        json_object_set_new(status, "requeueState", state);
    }
    return state;
}

static bool step_retry_delay(struct step *s)
{
    int64_t latest = check_list_retry_time(s->workload);
    int64_t present = requeue_at(s->workload);

    if (latest == TIME_NONE || latest <= s->now || (present != TIME_NONE && present >= latest))
        return false;
    json_time_put(requeue_state(s), "requeueAt", latest);
    return write_status(s);
}

static bool drop_requeue_at(struct step *s)
{
    json_t *state = json_at(s->workload, "status", "requeueState", NULL);

    return json_object_del(state, "requeueAt") == 0;
}

static bool is_backoff_reason(const char *reason)
{
    return strcmp(reason, "PodsReadyTimeout") == 0 || strcmp(reason, "AdmissionCheck") == 0;
}

/* "Deactivated" by a user or "DeactivatedDueTo..." by us: activating it again queues it either way. */
static bool is_deactivation(const char *reason)
{
    return strncmp(reason, "Deactivated", strlen("Deactivated")) == 0;
}

static bool step_active(struct step *s)
{
    int64_t at = requeue_at(s->workload);
    const char *reason = condition_reason(s->workload, "Requeued");

    if (condition_true(s->workload, "DeactivationTarget")) {
        json_object_set_new(json_object_get(s->workload, "spec"), "active", json_false());
        s->result->write = STEP_SPEC;
        return true;
    }
    if (at != TIME_NONE && at > s->now) {
        look_again(s, at);
        return true;
    }
    if (condition_is(s->workload, "Requeued", "False")) {
        if (is_deactivation(reason)) {
            put(s, "Requeued", "True", "Reactivated", "The workload was reactivated");
            return write_status(s);
        }
        if (is_backoff_reason(reason)) {
            drop_requeue_at(s);
            put(s, "Requeued", "True", "BackoffFinished", "The workload backoff was finished");
            return write_status(s);
        }
    }
    if (at != TIME_NONE && !condition_true(s->workload, "QuotaReserved") && drop_requeue_at(s))
        return write_status(s);
    return false;
}

static bool step_inactive(struct step *s)
{
    json_t *status = object_status(s->workload);
    bool changed = false;

    if (!condition_true(s->workload, "Evicted")) {
        const char *cause = condition_true(s->workload, "DeactivationTarget")
                                ? condition_reason(s->workload, "DeactivationTarget")
                                : "";
        const char *message =
            *cause ? arena_format(s->arena, "The workload is deactivated due to %s",
                                  condition_message(s->workload, "DeactivationTarget"))
                   : "The workload is deactivated";

        cause = arena_strdup(s->arena, cause);
        changed = evict(s, "Deactivated", cause, message);
    }
    changed = condition_drop(s->workload, "DeactivationTarget") || changed;
    changed = json_object_del(status, "requeueState") == 0 || changed;
    return changed && write_status(s);
}

/* ---- queues restarting, admission gates, checks ---- */

static bool step_restart(struct step *s)
{
    const struct workload_surroundings *around = s->around;
    const char *reason = condition_reason(s->workload, "Requeued");

    if (!condition_is(s->workload, "Requeued", "False"))
        return false;
    if (strcmp(reason, "LocalQueueStopped") == 0 && around->local_queue_exists &&
        around->local_queue_stop == STOP_NONE) {
        put(s, "Requeued", "True", "LocalQueueRestarted",
            "The LocalQueue was restarted after being stopped");
        return write_status(s);
    }
    if (strcmp(reason, "ClusterQueueStopped") == 0 && around->cluster_queue_exists &&
        around->cluster_queue_stop == STOP_NONE) {
        put(s, "Requeued", "True", "ClusterQueueRestarted",
            "The ClusterQueue was restarted after being stopped");
        return write_status(s);
    }
    return false;
}

/* Closed by the annotation; a closed preemption gate uses the same reason with another message. */
static bool is_gated(const json_t *workload)
{
    return strcmp(condition_reason(workload, "QuotaReserved"), "AdmissionGated") == 0 &&
           strncmp(condition_message(workload, "QuotaReserved"), GATED_BY, strlen(GATED_BY)) == 0;
}

static bool step_gate(struct step *s)
{
    const char *gates = object_annotation(s->workload, "kueue.x-k8s.io/admission-gated-by");
    bool gated = is_gated(s->workload);
    /* A missing or stopped queue is told first (spec/api.md 5.3); step_waiting writes that. */
    bool other_trouble =
        *s->around->wait_reason && strcmp(s->around->wait_reason, "AdmissionGated") != 0;

    if (!s->settings->admission_gated_by || condition_true(s->workload, "QuotaReserved") ||
        !workload_is_active(s->workload))
        return false;
    if (*gates && !gated && !other_trouble) {
        workload_release(s->workload, "AdmissionGated",
                         arena_format(s->arena, GATED_BY "%s", gates),
                         s->settings->unadmitted_observability, s->now);
        event(s, false, "AdmissionGated",
              arena_format(s->arena, "Workload admission is gated by: %s", gates));
        return write_status(s);
    }
    if (!*gates && gated) {
        workload_release(s->workload,
                         s->settings->unadmitted_observability ? "PendingEvaluation" : "Pending",
                         "AdmissionGatedBy cleared, waiting for quota reservation",
                         s->settings->unadmitted_observability, s->now);
        event(s, false, "AdmissionGateCleared",
              "Admission gate cleared, workload is now admissible");
        return write_status(s);
    }
    return false;
}

static bool step_checks(struct step *s)
{
    if (!s->around->know_required_checks ||
        !check_list_sync(s->workload, s->around->required_checks, s->around->required_check_count,
                         s->now))
        return false;
    return write_status(s);
}

/* ---- without quota: why it waits ---- */

static bool step_waiting(struct step *s)
{
    const struct workload_surroundings *around = s->around;
    bool changed = false;

    if (condition_true(s->workload, "QuotaReserved"))
        return false;
    if (*around->wait_reason &&
        (strcmp(condition_reason(s->workload, "QuotaReserved"), around->wait_reason) != 0 ||
         strcmp(condition_message(s->workload, "QuotaReserved"), around->wait_message) != 0 ||
         !condition_is(s->workload, "QuotaReserved", "False")))
        changed = put(s, "QuotaReserved", "False", around->wait_reason, around->wait_message);
    return changed;
}

static bool step_admitted(struct step *s)
{
    bool was = condition_true(s->workload, "Admitted");
    int64_t reserved_at = condition_transition(s->workload, "QuotaReserved");
    const char *queue =
        json_string_at(json_at(s->workload, "status", "admission", NULL), "clusterQueue");

    if (was)
        return false;
    if (!workload_sync_admitted(s->workload, s->settings->unadmitted_observability,
                                s->settings->unadmitted_explicit_status, s->now))
        return false;
    if (condition_true(s->workload, "Admitted"))
        event(s, false, "Admitted",
              arena_format(s->arena,
                           "Admitted by ClusterQueue %s, wait time since reservation was %llds",
                           queue,
                           (long long)(reserved_at == TIME_NONE
                                           ? 0
                                           : (s->now - reserved_at) / NANOSECONDS_PER_SECOND)));
    return true;
}

/* ---- with quota: evictions ---- */

static bool step_check_states(struct step *s)
{
    const char *text = check_list_describe(s->workload, "Rejected", s->arena);

    if (text) {
        if (condition_true(s->workload, "DeactivationTarget"))
            return true;
        put(s, "DeactivationTarget", "True", "AdmissionCheck", text);
        event(s, true, "AdmissionCheckRejected",
              arena_format(s->arena, "Deactivated due to %s", text));
        return write_status(s);
    }
    text = check_list_describe(s->workload, "Retry", s->arena);
    return text &&
           evict(s, "AdmissionCheck", "", arena_format(s->arena, "Evicted due to %s", text));
}

static bool lose_reservation(struct step *s, const char *reason, const char *message)
{
    workload_release(s->workload, s->settings->unadmitted_observability ? reason : "Inadmissible",
                     message, s->settings->unadmitted_observability, s->now);
    return write_status(s);
}

static bool step_queue(struct step *s, const char *kind, const char *name, bool exists,
                       bool deleting, enum stop_policy stop)
{
    bool admitted = condition_true(s->workload, "Admitted");

    if (admitted) {
        if (!exists || stop != STOP_HOLD_AND_DRAIN)
            return false;
        return evict(s, arena_format(s->arena, "%sStopped", kind), "",
                     arena_format(s->arena, "The %s is stopped", kind));
    }
    if (!exists || deleting)
        return lose_reservation(
            s, "Misconfigured",
            arena_format(s->arena, "%s %s is terminating or missing", kind, name));
    if (stop != STOP_NONE)
        return lose_reservation(s, "Suspended",
                                arena_format(s->arena, "%s %s is stopped", kind, name));
    return false;
}

/* base * 2^(count-1), at most max, stretched by up to 0.01 % (3.5). */
static int64_t backoff_delay(const struct loop_settings *settings, int64_t count, uint64_t random)
{
    int64_t delay = settings->backoff_base;

    for (int64_t i = 1; i < count && delay > 0 && delay < settings->backoff_max; i++)
        delay = delay > settings->backoff_max / 2 ? settings->backoff_max : delay * 2;
    if (count > 1 && delay > settings->backoff_max)
        delay = settings->backoff_max;
    return delay + (int64_t)(random % (uint64_t)(delay / 10000 + 1));
}

static bool pods_ready_timeout(struct step *s, const char *cause)
{
    const char *namespace = json_string_at(json_object_get(s->workload, "metadata"), "namespace");
    const char *name = json_string_at(json_object_get(s->workload, "metadata"), "name");
    int64_t count =
        json_integer_at(json_at(s->workload, "status", "requeueState", NULL), "count", 0) + 1;
    int64_t at = s->now + backoff_delay(s->settings, count, s->random),
            present = requeue_at(s->workload);

    if (s->settings->backoff_limit_count >= 0 && count > s->settings->backoff_limit_count) {
        put(s, "DeactivationTarget", "True", "RequeuingLimitExceeded",
            "exceeding the maximum number of re-queuing retries");
        return write_status(s);
    }
    json_object_set_new(requeue_state(s), "count", json_integer(count));
    if (present == TIME_NONE || at > present)
        json_time_put(requeue_state(s), "requeueAt", at);
    return evict(s, "PodsReadyTimeout", cause,
                 arena_format(s->arena, "Exceeded the PodsReady timeout %s/%s", namespace, name));
}

static bool step_pods_ready(struct step *s)
{
    const char *reason = condition_reason(s->workload, "PodsReady");
    int64_t timeout = s->settings->pods_ready_timeout,
            since = condition_transition(s->workload, "Admitted");
    const char *cause = "WaitForStart";

    if (!s->settings->wait_for_pods_ready || !condition_true(s->workload, "Admitted") ||
        condition_true(s->workload, "PodsReady"))
        return false;
    if (strcmp(reason, "WaitForRecovery") == 0) {
        timeout = s->settings->pods_ready_recovery_timeout;
        since = condition_transition(s->workload, "PodsReady");
        cause = "WaitForRecovery";
    } else if (*reason && strcmp(reason, "WaitForStart") != 0 && strcmp(reason, "PodsReady") != 0) {
        return false;
    }
    if (timeout <= 0 || since == TIME_NONE)
        return false;
    if (since + timeout > s->now) {
        look_again(s, since + timeout);
        return false;
    }
    return pods_ready_timeout(s, cause);
}

static bool step_execution_time(struct step *s)
{
    json_t *status = object_status(s->workload);
    int64_t maximum =
        json_integer_at(json_object_get(s->workload, "spec"), "maximumExecutionTimeSeconds", 0);
    int64_t past = json_integer_at(status, "accumulatedPastExecutionTimeSeconds", 0);
    int64_t since = condition_transition(s->workload, "Admitted"), end;

    if (maximum <= 0 || !condition_true(s->workload, "Admitted") || since == TIME_NONE ||
        condition_true(s->workload, "DeactivationTarget"))
        return false;
    end = since + (maximum - past) * NANOSECONDS_PER_SECOND;
    if (end > s->now) {
        look_again(s, end);
        return false;
    }
    put(s, "DeactivationTarget", "True", "MaximumExecutionTimeExceeded",
        "exceeding the maximum execution time");
    json_object_del(status, "accumulatedPastExecutionTimeSeconds");
    event(
        s, true, "MaximumExecutionTimeExceeded",
        arena_format(s->arena, "The maximum execution time (%llds) exceeded", (long long)maximum));
    return write_status(s);
}

static bool step_with_quota(struct step *s)
{
    const struct workload_surroundings *around = s->around;

    if (!condition_true(s->workload, "QuotaReserved") || condition_true(s->workload, "Evicted"))
        return false;
    return step_check_states(s) ||
           step_queue(s, "LocalQueue", around->local_queue, around->local_queue_exists,
                      around->local_queue_deleting, around->local_queue_stop) ||
           step_queue(s, "ClusterQueue", around->cluster_queue, around->cluster_queue_exists,
                      around->cluster_queue_deleting, around->cluster_queue_stop) ||
           step_pods_ready(s) || step_execution_time(s);
}

void workload_step(json_t *workload, const struct loop_settings *settings,
                   const struct workload_surroundings *around, int64_t now, uint64_t random,
                   struct arena *arena, struct step_result *result)
{
    struct step s = { workload, settings, around, now, random, arena, result };
    bool waiting;

    *result = (struct step_result){ .next = TIME_NONE };
    if (step_orphan(&s) || step_finished(&s) || is_deleting(workload) || step_retry_delay(&s))
        return;
    if (workload_is_active(workload) ? step_active(&s) : step_inactive(&s))
        return;
    if (step_restart(&s) || step_gate(&s) || step_checks(&s))
        return;
    waiting = step_waiting(&s);
    if (step_admitted(&s) || waiting) {
        write_status(&s);
        return;
    }
    step_with_quota(&s);
}
