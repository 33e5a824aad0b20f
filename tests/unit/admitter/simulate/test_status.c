#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "admitter/simulate/status.h"
#include "quota/base/mem.h"

#define SECOND NANOSECONDS_PER_SECOND

static struct simulate_workload workload;

static int begin(void **state)
{
    (void)state;
    workload = (struct simulate_workload){ .facts = { .namespace = "ns", .name = "w" } };
    status_own_conditions(&workload);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    status_finish(&workload);
    return 0;
}

static const struct condition *get(const char *type)
{
    return status_condition(&workload.facts, type);
}

static void times_move_with_the_status_only_and_are_whole_seconds(void **state)
{
    (void)state;
    status_set(&workload, "QuotaReserved", CONDITION_FALSE, "A", "one", 5 * SECOND + 7);
    assert_true(get("QuotaReserved")->transition == 5 * SECOND);
    status_set(&workload, "QuotaReserved", CONDITION_FALSE, "B", "two", 9 * SECOND);
    assert_true(get("QuotaReserved")->transition == 5 * SECOND);
    assert_string_equal(get("QuotaReserved")->reason, "B");
    status_set(&workload, "QuotaReserved", CONDITION_TRUE, "C", "three", 9 * SECOND);
    assert_true(get("QuotaReserved")->transition == 9 * SECOND);
    assert_int_equal(workload.facts.condition_count, 1);
    status_set(&workload, "Admitted", CONDITION_TRUE, "C", NULL, -1);
    assert_true(get("Admitted")->transition == -SECOND);
    assert_string_equal(get("Admitted")->message, "");
}

static void many_conditions_have_room(void **state)
{
    static const char *const types[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j" };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(types); i++)
        status_set(&workload, types[i], CONDITION_TRUE, "R", "m", 0);
    assert_int_equal(workload.facts.condition_count, ARRAY_COUNT(types));
    assert_true(status_is_true(&workload.facts, "j"));
}

static void reserve(enum outcome outcome)
{
    struct resource_flavor_use use = { "cpu", "f", true, { 1000000000, QUANTITY_DECIMAL } };
    struct pod_set_assignment pod_set = { "main", &use, 1, 1, NULL, NULL };
    struct decision decision = { .cluster_queue = "cq",
                                 .outcome = outcome,
                                 .admission = { "cq", &pod_set, 1 } };

    status_reserve(&workload, &decision, 10 * SECOND);
    if (outcome == OUTCOME_ADMITTED)
        status_admit(&workload, 10 * SECOND);
}

static void an_admission_is_kept_after_its_cycle(void **state)
{
    (void)state;
    reserve(OUTCOME_ADMITTED);
    assert_string_equal(get("QuotaReserved")->message, "Quota reserved in ClusterQueue cq");
    assert_true(status_is_true(&workload.facts, "Admitted"));
    assert_string_equal(workload.facts.admission.pod_sets[0].uses[0].flavor, "f");
    assert_string_equal(workload.facts.admission.pod_sets[0].pod_set, "main");
    reserve(OUTCOME_ADMITTED); /* again: the old copy is given back */
    assert_int_equal(workload.facts.admission.pod_sets[0].uses[0].usage.nano, 1000000000);
}

static void a_reservation_with_checks_is_not_admitted(void **state)
{
    (void)state;
    reserve(OUTCOME_RESERVED);
    assert_true(status_is_true(&workload.facts, "QuotaReserved"));
    assert_null(get("Admitted"));
}

static void a_preempted_workload_holds_its_quota_until_released(void **state)
{
    (void)state;
    reserve(OUTCOME_ADMITTED);
    status_preempt(&workload, "InClusterQueue", "Preempted to ...", 20 * SECOND);
    assert_true(status_is_true(&workload.facts, "QuotaReserved"));
    assert_string_equal(get("Preempted")->reason, "InClusterQueue");
    assert_string_equal(get("Evicted")->reason, "Preempted");
    status_release(&workload, true, 20 * SECOND);
    assert_null(workload.facts.admission.cluster_queue);
    assert_string_equal(get("QuotaReserved")->reason, "PendingEvaluation");
    assert_string_equal(get("QuotaReserved")->message, "Preempted to ...");
    assert_string_equal(get("Admitted")->reason, "NoReservation");
    assert_true(status_is_true(&workload.facts, "Requeued"));
    reserve(OUTCOME_ADMITTED);
    assert_string_equal(get("Evicted")->message, "Previously: Preempted to ...");
    assert_false(status_is_true(&workload.facts, "Preempted"));
}

static void other_evictions_wait_for_somebody_to_requeue_them(void **state)
{
    (void)state;
    status_set(&workload, "Evicted", CONDITION_TRUE, "PodsReadyTimeout", "late", 0);
    status_release(&workload, false, SECOND);
    assert_string_equal(get("QuotaReserved")->reason, "Pending");
    assert_int_equal(get("Requeued")->status, CONDITION_FALSE);
    assert_string_equal(get("Requeued")->reason, "PodsReadyTimeout");
}

static void a_failed_attempt_tells_why(void **state)
{
    struct decision decision = { .reason = "WaitingForQuota",
                                 .message = "1 more needed",
                                 .gated_by_preemption_gate = true };

    (void)state;
    status_wait(&workload, &decision, 0);
    assert_string_equal(get("QuotaReserved")->message, "1 more needed");
    assert_string_equal(get("BlockedOnPreemptionGates")->reason, "PreemptionGated");
    assert_null(get("Admitted"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(times_move_with_the_status_only_and_are_whole_seconds),
        T(many_conditions_have_room),
        T(an_admission_is_kept_after_its_cycle),
        T(a_reservation_with_checks_is_not_admitted),
        T(a_preempted_workload_holds_its_quota_until_released),
        T(other_evictions_wait_for_somebody_to_requeue_them),
        T(a_failed_attempt_tells_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
