#include "admitter/simulate/status.h"

#include <stdlib.h>

#include "quota/base/mem.h"

/* ---- conditions ---- */

static struct condition *condition_at(const struct workload *workload, const char *type)
{
    for (size_t i = 0; i < workload->condition_count; i++)
        if (strcmp(workload->conditions[i].type, type) == 0)
            return &workload->conditions[i];
    return NULL;
}

const struct condition *status_condition(const struct workload *workload, const char *type)
{
    return condition_at(workload, type);
}

bool status_is_true(const struct workload *workload, const char *type)
{
    const struct condition *condition = condition_at(workload, type);

    return condition && condition->status == CONDITION_TRUE;
}

static void condition_texts(struct condition *condition, const char *reason, const char *message)
{
    char *new_reason = mem_dup(reason ? reason : ""),
         *new_message = mem_dup(message ? message : "");

    free((char *)condition->reason);
    free((char *)condition->message);
    condition->reason = new_reason;
    condition->message = new_message;
}

void status_own_conditions(struct simulate_workload *workload)
{
    struct workload *facts = &workload->facts;
    struct condition *own;

    workload->condition_capacity = facts->condition_count + 6;
    own = mem_array(workload->condition_capacity, sizeof(*own));
    for (size_t i = 0; i < facts->condition_count; i++) {
        own[i] = facts->conditions[i];
        own[i].reason = own[i].message = NULL;
        condition_texts(&own[i], facts->conditions[i].reason, facts->conditions[i].message);
    }
    facts->conditions = own;
}

void status_finish(struct simulate_workload *workload)
{
    for (size_t i = 0; i < workload->facts.condition_count; i++) {
        free((char *)workload->facts.conditions[i].reason);
        free((char *)workload->facts.conditions[i].message);
    }
    free(workload->facts.conditions);
    free(workload->admission);
}

static int64_t whole_seconds(int64_t now)
{
    int64_t rest = now % NANOSECONDS_PER_SECOND;

    return now - (rest < 0 ? rest + NANOSECONDS_PER_SECOND : rest);
}

void status_set(struct simulate_workload *workload, const char *type, enum condition_status status,
                const char *reason, const char *message, int64_t now)
{
    struct workload *facts = &workload->facts;
    struct condition *condition = condition_at(facts, type);

    if (!condition) {
        facts->conditions = mem_grow(facts->conditions, facts->condition_count,
                                     &workload->condition_capacity, sizeof(*condition));
        condition = &facts->conditions[facts->condition_count++];
        *condition = (struct condition){ .type = type };
    }
    if (condition->status != status)
        condition->transition = whole_seconds(now);
    condition->status = status;
    condition->observed_generation = facts->generation;
    condition_texts(condition, reason, message);
}

/* What an eviction left behind is over. */
static void condition_settle(struct simulate_workload *workload, const char *type, int64_t now)
{
    const struct condition *condition = condition_at(&workload->facts, type);
    AUTO_FREE char *message = NULL;

    if (!condition || condition->status != CONDITION_TRUE)
        return;
    message = mem_format("Previously: %s", condition->message);
    status_set(workload, type, CONDITION_FALSE, "QuotaReserved", message, now);
}

/* ---- the admission, in one piece of memory ---- */

struct bytes {
    char *at; /* NULL: count only */
    size_t used;
};

static void *bytes_take(struct bytes *b, size_t size)
{
    size_t from = b->used;

    b->used += (size + 15) & ~(size_t)15;
    return b->at ? b->at + from : NULL;
}

static const char *bytes_text(struct bytes *b, const char *text)
{
    size_t size = text ? strlen(text) + 1 : 0;
    char *copy = text ? bytes_take(b, size) : NULL;

    return copy ? memcpy(copy, text, size) : NULL;
}

static struct resource_flavor_use *bytes_uses(struct bytes *b,
                                              const struct pod_set_assignment *from)
{
    struct resource_flavor_use *to = bytes_take(b, from->use_count * sizeof(*to));

    for (size_t i = 0; i < from->use_count; i++) {
        struct resource_flavor_use copy = from->uses[i];

        copy.resource = bytes_text(b, copy.resource);
        copy.flavor = bytes_text(b, copy.flavor);
        if (to)
            to[i] = copy;
    }
    return to;
}

static void bytes_admission(struct bytes *b, const struct admission *from, struct admission *to)
{
    struct pod_set_assignment *pod_sets = bytes_take(b, from->pod_set_count * sizeof(*pod_sets));
    const char *cluster_queue = bytes_text(b, from->cluster_queue);

    for (size_t i = 0; i < from->pod_set_count; i++) {
        struct pod_set_assignment copy = from->pod_sets[i];

        copy.pod_set = bytes_text(b, copy.pod_set);
        copy.uses = bytes_uses(b, &from->pod_sets[i]);
        copy.topology_assignment = bytes_text(b, copy.topology_assignment);
        copy.delayed_topology = bytes_text(b, copy.delayed_topology);
        if (pod_sets)
            pod_sets[i] = copy;
    }
    *to = (struct admission){ cluster_queue, pod_sets, from->pod_set_count };
}

static void admission_set(struct simulate_workload *workload, const struct admission *admission)
{
    struct bytes b = { NULL, 0 };
    void *old = workload->admission;

    bytes_admission(&b, admission, &workload->facts.admission);
    workload->admission = mem_alloc(b.used + 1);
    b = (struct bytes){ workload->admission, 0 };
    bytes_admission(&b, admission, &workload->facts.admission);
    free(old);
}

static void admission_clear(struct simulate_workload *workload)
{
    workload->facts.admission = (struct admission){ 0 };
    free(workload->admission);
    workload->admission = NULL;
}

/* ---- what happens to a workload ---- */

void status_reserve(struct simulate_workload *workload, const struct decision *decision,
                    int64_t now)
{
    AUTO_FREE char *message =
        mem_format("Quota reserved in ClusterQueue %s", decision->cluster_queue);

    admission_set(workload, &decision->admission);
    status_set(workload, "QuotaReserved", CONDITION_TRUE, "QuotaReserved", message, now);
    condition_settle(workload, "Evicted", now);
    condition_settle(workload, "Preempted", now);
    condition_settle(workload, "BlockedOnPreemptionGates", now);
}

void status_admit(struct simulate_workload *workload, int64_t now)
{
    status_set(workload, "Admitted", CONDITION_TRUE, "Admitted", "The workload is admitted", now);
}

static const struct admission_check_state *check_state(const struct workload *workload,
                                                       const char *name)
{
    for (size_t i = 0; i < workload->check_count; i++)
        if (strcmp(workload->checks[i].name, name) == 0)
            return &workload->checks[i];
    return NULL;
}

void status_checks_sync(struct workload *workload, const char *const *required, size_t count,
                        int64_t now, struct arena *a)
{
    struct admission_check_state *list;

    if (count == 0 && workload->check_count == 0)
        return;
    list = ARENA_ARRAY(a, count + 1, struct admission_check_state);
    for (size_t i = 0; i < count; i++) {
        const struct admission_check_state *old = check_state(workload, required[i]);

        list[i] = old ? *old
                      : (struct admission_check_state){ .name = arena_strdup(a, required[i]),
                                                        .state = CHECK_PENDING,
                                                        .message = "",
                                                        .transition = now,
                                                        .requeue_after_seconds = -1,
                                                        .retry_count = -1 };
    }
    workload->checks = list;
    workload->check_count = count;
}

bool status_checks_ready(const struct workload *workload)
{
    for (size_t i = 0; i < workload->check_count; i++)
        if (workload->checks[i].state != CHECK_READY)
            return false;
    return true;
}

static void reservation_lost(struct simulate_workload *workload, const char *reason,
                             const char *message, int64_t now)
{
    admission_clear(workload);
    status_set(workload, "QuotaReserved", CONDITION_FALSE, reason, message, now);
    if (status_is_true(&workload->facts, "Admitted"))
        status_set(workload, "Admitted", CONDITION_FALSE, "NoReservation",
                   "The workload has no reservation", now);
}

void status_wait(struct simulate_workload *workload, const struct decision *decision, int64_t now)
{
    reservation_lost(workload, decision->reason, decision->message, now);
    if (decision->gated_by_preemption_gate)
        status_set(workload, "BlockedOnPreemptionGates", CONDITION_TRUE, "PreemptionGated",
                   decision->message, now);
}

void status_preempt(struct simulate_workload *workload, const char *reason, const char *message,
                    int64_t now)
{
    status_set(workload, "Preempted", CONDITION_TRUE, reason, message, now);
    status_set(workload, "Evicted", CONDITION_TRUE, "Preempted", message, now);
    for (size_t i = 0; i < workload->facts.check_count; i++) {
        struct admission_check_state *check = &workload->facts.checks[i];

        if (check->state == CHECK_PENDING)
            continue;
        check->state = CHECK_PENDING;
        check->transition = whole_seconds(now);
    }
}

void status_release(struct simulate_workload *workload, bool observability, int64_t now)
{
    const struct condition *evicted = condition_at(&workload->facts, "Evicted");
    AUTO_FREE char *reason = mem_dup(evicted ? evicted->reason : "");
    AUTO_FREE char *message = mem_dup(evicted ? evicted->message : "");
    bool again = strcmp(reason, "Preempted") == 0 || strcmp(reason, "NodeFailures") == 0;

    reservation_lost(workload, observability ? "PendingEvaluation" : "Pending", message, now);
    status_set(workload, "Requeued", again ? CONDITION_TRUE : CONDITION_FALSE, reason, message,
               now);
}
