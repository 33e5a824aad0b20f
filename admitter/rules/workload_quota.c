/* The rules of a Workload that holds quota: what evicts it, and what takes a mere reservation
 * away. */
#include <string.h>
#include "admitter/objects/json_read.h"
#include "admitter/rules/check_list.h"
#include "admitter/objects/condition.h"
#include "admitter/rules/eviction.h"
#include "admitter/rules/workload_step.h"

bool step_check_states(struct step *s)
{
    const char *text = check_list_describe(s->workload, "Rejected", s->arena);

    if (text) {
        if (condition_true(s->workload, "DeactivationTarget"))
            return true;
        step_put(s, "DeactivationTarget", "True", "AdmissionCheck", text);
        step_event(s, true, "AdmissionCheckRejected",
                   arena_format(s->arena, "Deactivated due to %s", text));
        return step_write_status(s);
    }
    text = check_list_describe(s->workload, "Retry", s->arena);
    return text &&
           step_evict(s, "AdmissionCheck", "", arena_format(s->arena, "Evicted due to %s", text));
}

static bool lose_reservation(struct step *s, const char *reason, const char *message)
{
    workload_release(s->workload, s->settings->unadmitted_observability ? reason : "Inadmissible",
                     message, s->settings->unadmitted_observability, s->now);
    return step_write_status(s);
}

static bool queue_stops(struct step *s, const char *kind, const char *name, bool exists,
                        bool deleting, enum stop_policy stop)
{
    bool admitted = condition_true(s->workload, "Admitted");

    if (admitted) {
        if (!exists || stop != STOP_HOLD_AND_DRAIN)
            return false;
        return step_evict(s, arena_format(s->arena, "%sStopped", kind), "",
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

bool step_local_queue(struct step *s)
{
    const struct workload_surroundings *around = s->around;

    return queue_stops(s, "LocalQueue", around->local_queue, around->local_queue_exists,
                       around->local_queue_deleting, around->local_queue_stop);
}

bool step_cluster_queue(struct step *s)
{
    const struct workload_surroundings *around = s->around;

    return queue_stops(s, "ClusterQueue", around->cluster_queue, around->cluster_queue_exists,
                       around->cluster_queue_deleting, around->cluster_queue_stop);
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
        step_put(s, "DeactivationTarget", "True", "RequeuingLimitExceeded",
                 "exceeding the maximum number of re-queuing retries");
        return step_write_status(s);
    }
    json_object_set_new(step_requeue_state(s), "count", json_integer(count));
    if (present == TIME_NONE || at > present)
        json_time_put(step_requeue_state(s), "requeueAt", at);
    return step_evict(
        s, "PodsReadyTimeout", cause,
        arena_format(s->arena, "Exceeded the PodsReady timeout %s/%s", namespace, name));
}

bool step_pods_ready(struct step *s)
{
    const char *reason = condition_reason(s->workload, "PodsReady");
    int64_t timeout = s->settings->pods_ready_timeout,
            since = condition_transition(s->workload, "Admitted");
    const char *cause = "WaitForStart";

    if (!s->settings->wait_for_pods_ready || condition_true(s->workload, "PodsReady"))
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
        step_look_again(s, since + timeout);
        return false;
    }
    return pods_ready_timeout(s, cause);
}

bool step_execution_time(struct step *s)
{
    json_t *status = object_status(s->workload);
    int64_t maximum =
        json_integer_at(json_object_get(s->workload, "spec"), "maximumExecutionTimeSeconds", 0);
    int64_t past = json_integer_at(status, "accumulatedPastExecutionTimeSeconds", 0);
    int64_t since = condition_transition(s->workload, "Admitted"), end;

    if (maximum <= 0 || since == TIME_NONE || condition_true(s->workload, "DeactivationTarget"))
        return false;
    end = since + (maximum - past) * NANOSECONDS_PER_SECOND;
    if (end > s->now) {
        step_look_again(s, end);
        return false;
    }
    step_put(s, "DeactivationTarget", "True", "MaximumExecutionTimeExceeded",
             "exceeding the maximum execution time");
    json_object_del(status, "accumulatedPastExecutionTimeSeconds");
    step_event(
        s, true, "MaximumExecutionTimeExceeded",
        arena_format(s->arena, "The maximum execution time (%llds) exceeded", (long long)maximum));
    return step_write_status(s);
}
