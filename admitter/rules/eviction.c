#include "admitter/rules/eviction.h"

#include <stdio.h>
#include <string.h>
#include "admitter/objects/json_read.h"
#include "admitter/objects/condition.h"
#include "quota/base/clock.h"

static int64_t generation_of(const json_t *workload)
{
    return json_integer_at(json_object_get(workload, "metadata"), "generation", 0);
}

const char *eviction_condition_reason(const struct eviction *eviction, char *buffer, size_t size)
{
    if (strcmp(eviction->reason, "Deactivated") == 0 && *eviction->underlying_cause)
        snprintf(buffer, size, "%sDueTo%s", eviction->reason, eviction->underlying_cause);
    else
        snprintf(buffer, size, "%s", eviction->reason);
    return buffer;
}

static void reset_check(json_t *check, int64_t now)
{
    const char *state = json_string_at(check, "state");
    int64_t retries = json_integer_at(check, "retryCount", 0);
    char message[128];

    if (strcmp(state, "Pending") == 0)
        return;
    if (strcmp(state, "Retry") == 0)
        json_object_set_new(check, "retryCount", json_integer(retries + 1));
    else
        json_object_del(check, "retryCount");
    snprintf(message, sizeof(message), "Reset to Pending after eviction. Previously: %s", state);
    json_object_set_new(check, "state", json_string("Pending"));
    json_object_set_new(check, "message", json_string(message));
    json_time_put(check, "lastTransitionTime", now);
    json_object_del(check, "podSetUpdates");
}

static void close_gates(json_t *status, int64_t now)
{
    json_t *gate;
    size_t i;

    json_array_foreach(json_object_get(status, "preemptionGates"), i, gate) {
        json_object_set_new(gate, "position", json_string("Closed"));
        json_time_put(gate, "lastTransitionTime", now);
    }
}

static json_t *member_make(json_t *parent, const char *key, json_t *fresh)
{
    json_t *value = json_object_get(parent, key);

    if (value && json_typeof(value) == json_typeof(fresh)) {
        json_decref(fresh);
        return value;
    }
    json_object_set_new(parent, key, fresh);
    return fresh;
}

static void count_eviction(json_t *status, const struct eviction *eviction)
{
    json_t *evictions = member_make(member_make(status, "schedulingStats", json_object()),
                                    "evictions", json_array());
    json_t *entry;
    size_t i;

    json_array_foreach(evictions, i, entry) {
        if (strcmp(json_string_at(entry, "reason"), eviction->reason) == 0 &&
            strcmp(json_string_at(entry, "underlyingCause"), eviction->underlying_cause) == 0) {
            json_object_set_new(entry, "count",
                                json_integer(json_integer_at(entry, "count", 0) + 1));
            return;
        }
    }
    json_array_append_new(evictions,
                          json_pack("{s:s, s:s, s:i}", "reason", eviction->reason,
                                    "underlyingCause", eviction->underlying_cause, "count", 1));
}

void workload_evict(json_t *workload, const struct eviction *eviction, int64_t now,
                    bool *had_admission)
{
    json_t *status = object_status(workload);
    int64_t generation = generation_of(workload);
    char reason[160];
    json_t *check;
    size_t i;

    *had_admission = json_object_get(status, "admission") != NULL;
    eviction_condition_reason(eviction, reason, sizeof(reason));
    condition_put(
        workload,
        &(struct condition_change){ "Evicted", "True", reason, eviction->message, generation },
        now);
    json_object_del(status, "clusterName");
    json_object_del(status, "nominatedClusterNames");
    json_array_foreach(json_object_get(status, "admissionChecks"), i, check)
        reset_check(check, now);
    json_object_del(status, "unhealthyNodes");
    if (condition_true(workload, "BlockedOnPreemptionGates"))
        condition_put(workload,
                      &(struct condition_change){ "BlockedOnPreemptionGates", "False", reason,
                                                  eviction->message, generation },
                      now);
    close_gates(status, now);
    count_eviction(status, eviction);
}

/* Is every listed check Ready? An empty list is. */
static bool workload_checks_ready(const json_t *workload)
{
    json_t *entry;
    size_t i;

    json_array_foreach(json_at(workload, "status", "admissionChecks", NULL), i, entry)
        if (strcmp(json_string_at(entry, "state"), "Ready") != 0)
            return false;
    return true;
}

static bool topology_pending(const json_t *workload)
{
    json_t *entry;
    size_t i;

    json_array_foreach(json_at(workload, "status", "admission", "podSetAssignments", NULL), i,
                       entry)
        if (strcmp(json_string_at(entry, "delayedTopologyRequest"), "Pending") == 0 &&
            !json_object_get(entry, "topologyAssignment"))
            return true;
    return false;
}

static void accumulate(json_t *workload, int64_t since, int64_t now)
{
    json_t *status = object_status(workload);
    int64_t seconds =
        since == TIME_NONE || now < since ? 0 : (now - since) / NANOSECONDS_PER_SECOND;
    int64_t before = json_integer_at(status, "accumulatedPastExecutionTimeSeconds", 0);

    json_object_set_new(status, "accumulatedPastExecutionTimeSeconds",
                        json_integer(before + seconds));
}

static bool put_admitted(json_t *workload, const char *status, const char *reason,
                         const char *message, int64_t now)
{
    bool was = condition_true(workload, "Admitted");

    /* Who used up the maximum starts from zero when activated again. */
    if (was && strcmp(status, "False") == 0 &&
        strcmp(condition_reason(workload, "Evicted"),
               "DeactivatedDueToMaximumExecutionTimeExceeded") != 0)
        accumulate(workload, condition_transition(workload, "Admitted"), now);
    return condition_put(
        workload,
        &(struct condition_change){ "Admitted", status, reason, message, generation_of(workload) },
        now);
}

/* The first thing that is missing. */
static bool put_not_admitted(json_t *workload, bool reserved, bool ready, bool observability,
                             int64_t now)
{
    if (!reserved && !ready && !observability)
        return put_admitted(workload, "False", "NoReservationUnsatisfiedChecks",
                            "The workload has no reservation and not all checks ready", now);
    if (!reserved)
        return put_admitted(workload, "False", "NoReservation", "The workload has no reservation",
                            now);
    if (!ready)
        return put_admitted(workload, "False",
                            observability ? "UnsatisfiedAdmissionChecks" : "UnsatisfiedChecks",
                            "The workload has not all checks ready", now);
    return put_admitted(workload, "False", "PendingDelayedTopologyRequests",
                        "There are pending delayed topology requests", now);
}

bool workload_sync_admitted(json_t *workload, bool observability, bool explicit_status, int64_t now)
{
    bool reserved = condition_true(workload, "QuotaReserved"),
         ready = workload_checks_ready(workload);
    bool pending = topology_pending(workload);

    if (!condition_find(workload, "QuotaReserved") && !condition_find(workload, "Admitted") &&
        observability && !explicit_status)
        return false;
    if (!observability && condition_true(workload, "Admitted") == (reserved && ready && !pending))
        return false;
    if (reserved && ready && !pending)
        return put_admitted(workload, "True", "Admitted", "The workload is admitted", now);
    return put_not_admitted(workload, reserved, ready, observability, now);
}

bool workload_release(json_t *workload, const char *reason, const char *message, bool observability,
                      int64_t now)
{
    bool changed = condition_put(workload,
                                 &(struct condition_change){ "QuotaReserved", "False", reason,
                                                             message, generation_of(workload) },
                                 now);

    if (json_object_get(object_status(workload), "admission")) {
        json_object_del(object_status(workload), "admission");
        changed = true;
    }
    return workload_sync_admitted(workload, observability, false, now) || changed;
}
