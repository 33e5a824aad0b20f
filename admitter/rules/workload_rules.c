#include "admitter/rules/workload_rules.h"

#include <stdlib.h>
#include <string.h>
#include "admitter/objects/json_read.h"
#include "admitter/rules/check_list.h"
#include "admitter/objects/condition.h"
#include "admitter/rules/eviction.h"
#include "admitter/rules/life_cycle.h"
#include "admitter/rules/workload_step.h"
#include "admitter/objects/names.h"
#include "quota/base/mem.h"

#define GATED_BY "Admission is gated by: "

static bool workload_is_finished(const json_t *workload)
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

bool step_put(struct step *s, const char *type, const char *status, const char *reason,
              const char *message)
{
    return condition_put(
        s->workload, &(struct condition_change){ type, status, reason, message, generation_of(s) },
        s->now);
}

bool step_write_status(struct step *s)
{
    s->result->write = STEP_STATUS;
    return true;
}

void step_event(struct step *s, bool warning, const char *reason, const char *note)
{
    struct step_result *r = s->result;

    if (r->event_count < STEP_EVENTS)
        r->events[r->event_count++] = (struct step_event){ warning, arena_strdup(s->arena, reason),
                                                           arena_strdup(s->arena, note) };
}

void step_look_again(struct step *s, int64_t at)
{
    if (s->result->next == TIME_NONE || at < s->result->next)
        s->result->next = at;
}

bool step_evict(struct step *s, const char *reason, const char *cause, const char *message)
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
        step_event(s, false, arena_format(s->arena, "EvictedDueTo%s", joined), message);
    }
    return step_write_status(s);
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

    json_array_foreach(json_at(workload, "metadata", "finalizers", NULL), i, name)
        if (json_is_string(name) && strcmp(json_string_value(name), FINALIZER_RESOURCE_IN_USE) == 0)
            return true;
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
    if (!s->settings->finish_orphaned || !*object_label(s->workload, LABEL_JOB_UID))
        return false;
    if (!workload_is_finished(s->workload)) {
        step_put(s, "Finished", "True", "OwnerNotFound", "The workload's owner no longer exists");
        return step_write_status(s);
    }
    if (has_finalizer(s->workload))
        s->result->write = STEP_FINALIZER;
    return has_finalizer(s->workload);
}

static bool step_finished(struct step *s)
{
    int64_t since = condition_transition(s->workload, "Finished");

    if (s->settings->retain_finished < 0 || since == TIME_NONE || is_deleting(s->workload))
        return true;
    if (since + s->settings->retain_finished > s->now) {
        step_look_again(s, since + s->settings->retain_finished);
    } else {
        s->result->write = has_finalizer(s->workload) ? STEP_FINALIZER : STEP_DELETE;
        if (s->result->write == STEP_DELETE)
            step_event(s, false, "Deleted", "Deleted finished workload due to elapsed retention");
    }
    return true;
}

/* ---- preemption gates ---- */

static json_t *gate_named(json_t *gates, const char *name)
{
    json_t *gate;
    size_t i;

    json_array_foreach(gates, i, gate)
        if (strcmp(json_string_at(gate, "name"), name) == 0)
            return gate;
    return NULL;
}

/* The status mirrors the gates of the spec: new ones are closed, stale ones go (spec/api.md
 * 5.7). */
static bool step_preemption_gates(struct step *s)
{
    json_t *wanted = json_at(s->workload, "spec", "preemptionGates", NULL), *gate;
    json_t *old = json_at(s->workload, "status", "preemptionGates", NULL), *fresh;
    bool changed = json_array_size(wanted) != json_array_size(old);
    size_t i;

    if (!s->settings->engine.gates.orchestrated_preemption)
        return false;
    fresh = json_array();
    json_array_foreach(wanted, i, gate) {
        const char *name = json_string_at(gate, "name");
        json_t *present = gate_named(old, name);

        changed |= !present;
        present = present ? json_incref(present)
                          : json_pack("{s:s, s:s}", "name", name, "position", "Closed");
        if (!json_object_get(present, "lastTransitionTime"))
            json_time_put(present, "lastTransitionTime", s->now);
        json_array_append_new(fresh, present);
    }
    if (changed)
        json_object_set(object_status(s->workload), "preemptionGates", fresh);
    json_decref(fresh);
    return changed && step_write_status(s);
}

/* ---- retry delay, back-off, activation ---- */

int64_t requeue_at(const json_t *workload)
{
    return json_time_at(json_at(workload, "status", "requeueState", NULL), "requeueAt");
}

json_t *step_requeue_state(struct step *s)
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
    json_time_put(step_requeue_state(s), "requeueAt", latest);
    return step_write_status(s);
}

/* Without a count nothing is left of the block (spec/api.md 5.9: written only when not empty). */
static bool drop_requeue_at(struct step *s)
{
    json_t *state = json_at(s->workload, "status", "requeueState", NULL);

    if (json_object_del(state, "requeueAt") < 0)
        return false;
    if (json_object_size(state) == 0)
        json_object_del(object_status(s->workload), "requeueState");
    return true;
}

static bool is_backoff_reason(const char *reason)
{
    return strcmp(reason, "PodsReadyTimeout") == 0 || strcmp(reason, "AdmissionCheck") == 0;
}

/* "Deactivated" by a user or "DeactivatedDueTo..." by us: activating it again queues it either
 * way. */
static bool is_deactivation(const char *reason)
{
    return strncmp(reason, "Deactivated", strlen("Deactivated")) == 0;
}

/* Devices that cannot be charged keep a Workload out of its queue (spec/lifecycle.md 14); a backoff
 * or a stop that Requeued tells of is not touched. */
static bool step_devices(struct step *s)
{
    const struct workload_surroundings *around = s->around;
    bool refused = *around->not_requeued != 0, changed = false;
    const char *reason = condition_reason(s->workload, "Requeued");
    bool is_ours = strcmp(reason, "Inadmissible") == 0;

    if (refused) {
        changed = step_put(s, "QuotaReserved", "False", around->wait_reason, around->wait_message);
        if (!*reason || is_ours || condition_true(s->workload, "Requeued"))
            changed |= step_put(s, "Requeued", "False", "Inadmissible", around->not_requeued);
    } else if (is_ours) {
        condition_drop(s->workload, "Requeued");
        changed = true;
    }
    return changed && step_write_status(s);
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
        step_look_again(s, at);
        return true;
    }
    if (condition_is(s->workload, "Requeued", "False")) {
        if (is_deactivation(reason)) {
            step_put(s, "Requeued", "True", "Reactivated", "The workload was reactivated");
            return step_write_status(s);
        }
        if (is_backoff_reason(reason)) {
            drop_requeue_at(s);
            step_put(s, "Requeued", "True", "BackoffFinished", "The workload backoff was finished");
            return step_write_status(s);
        }
    }
    if (at != TIME_NONE && !condition_true(s->workload, "QuotaReserved") && drop_requeue_at(s))
        return step_write_status(s);
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
        changed = step_evict(s, "Deactivated", cause, message);
    }
    changed = condition_drop(s->workload, "DeactivationTarget") || changed;
    changed = json_object_del(status, "requeueState") == 0 || changed;
    return changed && step_write_status(s);
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
        step_put(s, "Requeued", "True", "LocalQueueRestarted",
                 "The LocalQueue was restarted after being stopped");
        return step_write_status(s);
    }
    if (strcmp(reason, "ClusterQueueStopped") == 0 && around->cluster_queue_exists &&
        around->cluster_queue_stop == STOP_NONE) {
        step_put(s, "Requeued", "True", "ClusterQueueRestarted",
                 "The ClusterQueue was restarted after being stopped");
        return step_write_status(s);
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
    const char *gates = object_annotation(s->workload, ANNOTATION_ADMISSION_GATED_BY);
    bool gated = is_gated(s->workload);
    /* A missing or stopped queue is told first (spec/api.md 5.3); step_waiting writes that. */
    bool other_trouble =
        *s->around->wait_reason && strcmp(s->around->wait_reason, "AdmissionGated") != 0;

    if (!s->settings->admission_gated_by)
        return false;
    if (*gates && !gated && !other_trouble) {
        workload_release(s->workload, "AdmissionGated",
                         arena_format(s->arena, GATED_BY "%s", gates),
                         s->settings->unadmitted_observability, s->now);
        step_event(s, false, "AdmissionGated",
                   arena_format(s->arena, "Workload admission is gated by: %s", gates));
        return step_write_status(s);
    }
    if (!*gates && gated) {
        workload_release(s->workload,
                         s->settings->unadmitted_observability ? "PendingEvaluation" : "Pending",
                         "AdmissionGatedBy cleared, waiting for quota reservation",
                         s->settings->unadmitted_observability, s->now);
        step_event(s, false, "AdmissionGateCleared",
                   "Admission gate cleared, workload is now admissible");
        return step_write_status(s);
    }
    return false;
}

static bool step_checks(struct step *s)
{
    if (!s->around->know_required_checks ||
        !check_list_sync(s->workload, s->around->required_checks, s->around->required_check_count,
                         s->now))
        return false;
    return step_write_status(s);
}

/* ---- what its conditions say about waiting and admission ---- */

/* Whoever takes the quota away may leave the rest standing: server-side apply keeps what other
 * managers own. */
static bool drop_leftovers(struct step *s)
{
    json_t *status = object_status(s->workload);
    bool dropped;

    if (!condition_is(s->workload, "QuotaReserved", "False"))
        return false;
    dropped = json_object_del(status, "admission") == 0;
    return condition_true(s->workload, "Admitted") || dropped;
}

static bool tell_reason(struct step *s)
{
    const struct workload_surroundings *around = s->around;

    if (!*around->wait_reason || condition_true(s->workload, "QuotaReserved") ||
        (strcmp(condition_reason(s->workload, "QuotaReserved"), around->wait_reason) == 0 &&
         strcmp(condition_message(s->workload, "QuotaReserved"), around->wait_message) == 0 &&
         condition_is(s->workload, "QuotaReserved", "False")))
        return false;
    return step_put(s, "QuotaReserved", "False", around->wait_reason, around->wait_message);
}

static void note_admitted(struct step *s)
{
    const char *queue =
        json_string_at(json_at(s->workload, "status", "admission", NULL), "clusterQueue");
    int64_t since = condition_transition(s->workload, "QuotaReserved");
    int64_t waited = since == TIME_NONE ? 0 : (s->now - since) / NANOSECONDS_PER_SECOND;

    step_event(s, false, "Admitted",
               arena_format(s->arena,
                            "Admitted by ClusterQueue %s, wait time since reservation was %llds",
                            queue, (long long)waited));
}

static bool step_tell(struct step *s)
{
    bool leftovers = drop_leftovers(s), told = tell_reason(s), synced = false;

    if (leftovers || !condition_true(s->workload, "Admitted"))
        synced = workload_sync_admitted(s->workload, s->settings->unadmitted_observability,
                                        s->settings->unadmitted_explicit_status, s->now);
    if (synced && condition_true(s->workload, "Admitted"))
        note_admitted(s);
    return (leftovers || told || synced) && step_write_status(s);
}

/* ---- the table ---- */

static bool step_leaving(struct step *s)
{
    return is_deleting(s->workload);
}

enum activity_needed { EITHER, ACTIVE, INACTIVE };

/* Tried in this order until one has something to do: the states it applies to, whether spec.active
 * matters, and what its writes may do to the state. */
static const struct rule {
    bool (*step)(struct step *s);
    unsigned states; /* bits of enum life_state */
    enum activity_needed activity;
    unsigned events; /* bits of enum life_event */
} rules[] = {
    { step_orphan, LIFE_ANY_STATE, EITHER, LIFE_BIT(LIFE_FINISH) },
    { step_finished, LIFE_BIT(LIFE_FINISHED), EITHER, 0 },
    { step_leaving, LIFE_ANY_STATE, EITHER, 0 },
    { step_preemption_gates, LIFE_ANY_STATE, EITHER, LIFE_BIT(LIFE_TELL) },
    /* Not for inactive ones: step_inactive would take away what this one sets, for ever. */
    { step_retry_delay, LIFE_ANY_STATE, ACTIVE, LIFE_BIT(LIFE_TELL) },
    { step_devices, LIFE_BIT(LIFE_PENDING), ACTIVE, LIFE_BIT(LIFE_TELL) },
    { step_active, LIFE_ANY_STATE, ACTIVE, LIFE_BIT(LIFE_TELL) },
    { step_inactive, LIFE_ANY_STATE, INACTIVE, LIFE_BIT(LIFE_EVICT) | LIFE_BIT(LIFE_TELL) },
    { step_restart, LIFE_ANY_STATE, EITHER, LIFE_BIT(LIFE_TELL) },
    { step_gate, LIFE_BIT(LIFE_PENDING), ACTIVE, LIFE_BIT(LIFE_TELL) },
    { step_checks, LIFE_ANY_STATE, EITHER, LIFE_BIT(LIFE_TELL) },
    /* Evicted ones are not admitted any more: their pods have to stop first. */
    { step_tell, LIFE_BIT(LIFE_PENDING) | LIFE_BIT(LIFE_RESERVED), EITHER,
      LIFE_BIT(LIFE_TELL) | LIFE_BIT(LIFE_ADMIT) },
    { step_check_states, LIFE_BIT(LIFE_RESERVED) | LIFE_BIT(LIFE_ADMITTED), EITHER,
      LIFE_BIT(LIFE_TELL) | LIFE_BIT(LIFE_EVICT) },
    { step_local_queue, LIFE_BIT(LIFE_RESERVED) | LIFE_BIT(LIFE_ADMITTED), EITHER,
      LIFE_BIT(LIFE_RELEASE) | LIFE_BIT(LIFE_EVICT) },
    { step_cluster_queue, LIFE_BIT(LIFE_RESERVED) | LIFE_BIT(LIFE_ADMITTED), EITHER,
      LIFE_BIT(LIFE_RELEASE) | LIFE_BIT(LIFE_EVICT) },
    { step_pods_ready, LIFE_BIT(LIFE_ADMITTED), ACTIVE,
      LIFE_BIT(LIFE_TELL) | LIFE_BIT(LIFE_EVICT) },
    { step_execution_time, LIFE_BIT(LIFE_ADMITTED), ACTIVE, LIFE_BIT(LIFE_TELL) },
};

static bool rule_applies(const struct rule *rule, enum life_state state, bool active)
{
    return (rule->states & LIFE_BIT(state)) &&
           (rule->activity == EITHER || (rule->activity == ACTIVE) == active);
}

void workload_step(json_t *workload, const struct loop_settings *settings,
                   const struct workload_surroundings *around, int64_t now, uint64_t random,
                   struct arena *arena, struct step_result *result)
{
    struct step s = { workload, settings, around, now, random, arena, result };
    enum life_state state = life_state_of(workload);
    bool active = workload_is_active(workload);

    *result = (struct step_result){ .next = TIME_NONE };
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (!rule_applies(&rules[i], state, active) || !rules[i].step(&s))
            continue;
        result->may_cause = rules[i].events;
        return;
    }
}
