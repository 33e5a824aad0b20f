/* The life of a Workload, one step at a time: spec/admission-checks.md 5 - 7, spec/lifecycle.md. */
#include "tests/unit/admitter/rules/support_workload.h"

#include <string.h>
#include "admitter/rules/life_cycle.h"

#define FINALIZER "'finalizers':['kueue.x-k8s.io/resource-in-use']"

/* The same, and each change is one that the table has and the rule names. */
static void settle_by_the_table(json_t *object)
{
    bool was_sound = life_flaw(object) == NULL;

    for (int writes = 0;; writes++) {
        json_t *before = json_deep_copy(object);
        enum step_write write = step(object);
        enum life_event event = life_event_between(before, object);
        struct err e = { 0 };

        assert_int_not_equal(event, LIFE_IMPOSSIBLE);
        if (write == STEP_STATUS)
            assert_true(result.may_cause & LIFE_BIT(event));
        else
            assert_int_equal(event, LIFE_TELL);
        assert_int_equal(life_check(before, object, &e), 0);
        if (was_sound)
            assert_null(life_flaw(object));
        json_decref(before);
        if (write == STEP_NOTHING)
            return;
        assert_true(writes < 10);
    }
}

/* ---- finished, orphaned ---- */

static void orphans_end(void **state)
{
    json_t *object = workload(FINALIZER ",'labels':{'kueue.x-k8s.io/job-uid':'u'}", "", "");

    (void)state;
    assert_int_equal(step(object), STEP_STATUS);
    assert_string_equal(condition_text(&arena, object, "Finished"),
                        "True/OwnerNotFound/The workload's owner no longer exists");
    assert_int_equal(step(object), STEP_FINALIZER);
    json_object_del(member(object, "metadata"), "finalizers");
    assert_int_equal(step(object), STEP_NOTHING);
    json_decref(object);
    object = workload(FINALIZER ",'deletionTimestamp':'" NOW_TEXT "'", "", "");
    assert_int_equal(step(object), STEP_FINALIZER);
    json_decref(object);
    object = workload(FINALIZER, "", "");
    assert_int_equal(step(object), STEP_NOTHING);
    json_decref(object);
    settings.finish_orphaned = false;
    object = workload(FINALIZER ",'labels':{'kueue.x-k8s.io/job-uid':'u'}", "", "");
    assert_int_equal(step(object), STEP_NOTHING);
    json_decref(object);
}

static void finished_workloads_are_retained(void **state)
{
    static const struct {
        int64_t retain, seconds_ago;
        enum step_write expected;
        int64_t next; /* seconds from now; -1 none */
    } cases[] = {
        { -1, 9999, STEP_NOTHING, -1 },
        { 100, 60, STEP_NOTHING, 40 },
        { 100, 100, STEP_DELETE, -1 },
        { 0, 0, STEP_DELETE, -1 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        json_t *object = held_workload(
            "", 0, condition(&arena, "Finished", "True", "Succeeded", "", cases[i].seconds_ago), "",
            "");

        settings.retain_finished = cases[i].retain < 0 ? -1 : SECONDS(cases[i].retain);
        assert_int_equal(step(object), cases[i].expected);
        assert_int_equal(result.next,
                         cases[i].next < 0 ? TIME_NONE : now_time() + SECONDS(cases[i].next));
        if (cases[i].expected == STEP_DELETE)
            assert_step_event(0, false, "Deleted",
                              "Deleted finished workload due to elapsed retention");
        json_object_set_new(member(object, "metadata"), "finalizers",
                            tree("['kueue.x-k8s.io/resource-in-use']"));
        if (cases[i].expected == STEP_DELETE)
            assert_int_equal(step(object), STEP_FINALIZER);
        json_decref(object);
    }
}

/* ---- deactivation (lifecycle 7, checks 7) ---- */

static void a_user_deactivates(void **state)
{
    json_t *object = held_workload("QA", 60, "", "'active':false", "'requeueState':{'count':2}");

    (void)state;
    assert_int_equal(step(object), STEP_STATUS);
    assert_true(result.evicts);
    assert_step_event(0, false, "EvictedDueToDeactivated", "The workload is deactivated");
    assert_string_equal(condition_text(&arena, object, "Evicted"),
                        "True/Deactivated/The workload is deactivated");
    assert_false(has_member(object, "status.requeueState"));
    assert_true(condition_true(object, "QuotaReserved"));
    assert_int_equal(step(object), STEP_NOTHING);
    json_decref(object);
}

static void a_pending_workload_is_deactivated_silently(void **state)
{
    json_t *object = held_workload("", 0, "", "'active':false", "");

    (void)state;
    assert_int_equal(step(object), STEP_STATUS);
    assert_false(result.evicts);
    assert_int_equal(result.event_count, 0);
    assert_true(condition_true(object, "Evicted"));
    json_decref(object);
}

static void a_rejected_check_deactivates_in_three_writes(void **state)
{
    json_t *object = held_workload(
        "Q", 60, "", "", "'admissionChecks':[{'name':'prov','state':'Rejected','message':'no'}]");
    static const char *required[] = { "prov" };

    (void)state;
    around.required_checks = required;
    around.required_check_count = 1;
    assert_int_equal(step(object), STEP_STATUS); /* Admitted=False first */
    assert_int_equal(step(object), STEP_STATUS);
    assert_string_equal(condition_text(&arena, object, "DeactivationTarget"),
                        "True/AdmissionCheck/AdmissionCheck in Rejected state: \"prov\" (no)");
    assert_step_event(0, true, "AdmissionCheckRejected",
                      "Deactivated due to AdmissionCheck in Rejected state: \"prov\" (no)");
    assert_int_equal(step(object), STEP_SPEC);
    assert_true(json_is_false(member(object, "spec.active")));
    assert_int_equal(step(object), STEP_STATUS);
    assert_step_event(
        0, false, "EvictedDueToDeactivatedDueToAdmissionCheck",
        "The workload is deactivated due to AdmissionCheck in Rejected state: \"prov\" (no)");
    assert_string_equal(result.eviction_reason, "Deactivated");
    assert_string_equal(result.eviction_cause, "AdmissionCheck");
    assert_string_equal(condition_reason(object, "Evicted"), "DeactivatedDueToAdmissionCheck");
    assert_null(condition_find(object, "DeactivationTarget"));
    assert_string_equal(member_text(object, "status.admissionChecks.0.state"), "Pending");
    assert_int_equal(step(object), STEP_NOTHING);
    json_decref(object);
}

static void activating_again_queues_again(void **state)
{
    static const char *const reasons[] = { "Deactivated",
                                           "DeactivatedDueToRequeuingLimitExceeded" };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(reasons); i++) {
        json_t *object = held_workload(
            "", 0, condition(&arena, "Requeued", "False", reasons[i], "", 60), "", "");

        assert_int_equal(step(object), STEP_STATUS);
        assert_string_equal(condition_text(&arena, object, "Requeued"),
                            "True/Reactivated/The workload was reactivated");
        assert_int_equal(step(object), STEP_NOTHING);
        json_decref(object);
    }
}

/* ---- back-off ---- */

static void back_off_ends(void **state)
{
    static const char *const reasons[] = { "PodsReadyTimeout", "AdmissionCheck" };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(reasons); i++) {
        json_t *object = held_workload(
            "", 0, condition(&arena, "Requeued", "False", reasons[i], "", 60), "",
            arena_format(&arena, "'requeueState':{'count':1,'requeueAt':'%s'}", ago(&arena, -30)));

        assert_int_equal(step(object), STEP_NOTHING);
        assert_int_equal(result.next, now_time() + SECONDS(30));
        json_object_set_new(member(object, "status.requeueState"), "requeueAt",
                            json_string(ago(&arena, 0)));
        assert_int_equal(step(object), STEP_STATUS);
        assert_string_equal(condition_text(&arena, object, "Requeued"),
                            "True/BackoffFinished/The workload backoff was finished");
        assert_json(member(object, "status.requeueState"), "{'count':1}");
        assert_int_equal(step(object), STEP_NOTHING);
        json_decref(object);
    }
}

static void a_retry_delay_moves_requeue_at_later_only(void **state)
{
    static const struct {
        int64_t after, present; /* seconds from now; present 0: none */
        bool moves;
    } cases[] = { { 60, 0, true }, { 60, 30, true }, { 60, 90, false } };
    static const char *required[] = { "a" };

    (void)state;
    around.required_checks = required;
    around.required_check_count = 1;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const char *state_text = cases[i].present
                                     ? arena_format(&arena, ",'requeueState':{'requeueAt':'%s'}",
                                                    ago(&arena, -cases[i].present))
                                     : "";
        json_t *object =
            held_workload("Q", 60, "", "",
                          arena_format(&arena,
                                       "'admissionChecks':[{'name':'a','state':'Retry',"
                                       "'requeueAfterSeconds':60,'lastTransitionTime':'%s'}]%s",
                                       NOW_TEXT, state_text));

        assert_int_equal(step(object), cases[i].moves ? STEP_STATUS : STEP_NOTHING);
        if (cases[i].moves)
            assert_string_equal(member_text(object, "status.requeueState.requeueAt"),
                                ago(&arena, -60));
        /* The quota stays until the delay is over. */
        assert_false(condition_true(object, "Evicted"));
        json_decref(object);
    }
}

/* What the delay sets and the deactivation clears must not chase each other. */
static void preemption_gates_are_mirrored(void **state)
{
    json_t *object =
        held_workload("", 0, "", "'preemptionGates':[{'name':'a'},{'name':'b'}]",
                      arena_format(&arena,
                                   "'preemptionGates':[{'name':'b','position':'Open',"
                                   "'lastTransitionTime':'%s'},{'name':'c','position':'Open',"
                                   "'lastTransitionTime':'%s'}]",
                                   ago(&arena, 9), ago(&arena, 9)));
    const char *expected =
        arena_format(&arena,
                     "[{'lastTransitionTime':'" NOW_TEXT "','name':'a','position':'Closed'},"
                     "{'lastTransitionTime':'%s','name':'b','position':'Open'}]",
                     ago(&arena, 9));

    (void)state;
    assert_int_equal(step(object), STEP_NOTHING); /* the gate of the feature is off */
    settings.engine.gates.orchestrated_preemption = true;
    assert_int_equal(step(object), STEP_STATUS);
    assert_json(member(object, "status.preemptionGates"), expected);
    assert_int_equal(step(object), STEP_NOTHING);
    json_decref(object);
}

static void an_inactive_one_has_no_retry_delay(void **state)
{
    json_t *object = held_workload(
        "", 0, condition(&arena, "Evicted", "True", "Deactivated", "", 5), "'active':false",
        arena_format(&arena,
                     "'admissionChecks':[{'name':'a','state':'Retry','requeueAfterSeconds':60,"
                     "'lastTransitionTime':'%s'}],'requeueState':{'requeueAt':'%s'}",
                     NOW_TEXT, ago(&arena, -30)));
    static const char *required[] = { "a" };

    (void)state;
    around.required_checks = required;
    around.required_check_count = 1;
    assert_int_equal(settle(object), 1);
    assert_false(has_member(object, "status.requeueState"));
    json_decref(object);
}

static void a_passed_delay_leaves_nothing(void **state)
{
    json_t *object = held_workload(
        "", 0, "", "", arena_format(&arena, "'requeueState':{'requeueAt':'%s'}", ago(&arena, 1)));

    (void)state;
    assert_int_equal(step(object), STEP_STATUS);
    assert_false(has_member(object, "status.requeueState"));
    assert_int_equal(step(object), STEP_NOTHING);
    json_decref(object);
}

static void a_retry_without_delay_evicts(void **state)
{
    json_t *object =
        held_workload("QA", 60, "", "", "'admissionChecks':[{'name':'a','state':'Retry'}]");
    static const char *required[] = { "a" };

    (void)state;
    around.required_checks = required;
    around.required_check_count = 1;
    assert_int_equal(step(object), STEP_STATUS);
    assert_step_event(0, false, "EvictedDueToAdmissionCheck",
                      "Evicted due to AdmissionCheck in Retry state: \"a\"");
    assert_string_equal(condition_reason(object, "Evicted"), "AdmissionCheck");
    assert_false(has_member(object, "status.requeueState"));
    assert_int_equal(step(object), STEP_NOTHING);
    json_decref(object);
}

/* ---- admission ---- */

static void ready_checks_admit(void **state)
{
    json_t *object = held_workload("Q", 42, "", "", "");
    static const char *required[] = { "a" };

    (void)state;
    around.required_checks = required;
    around.required_check_count = 1;
    assert_int_equal(step(object), STEP_STATUS);
    assert_string_equal(member_text(object, "status.admissionChecks.0.state"), "Pending");
    assert_int_equal(step(object), STEP_STATUS);
    assert_string_equal(condition_reason(object, "Admitted"), "UnsatisfiedAdmissionChecks");
    assert_int_equal(step(object), STEP_NOTHING);
    json_object_set_new(member(object, "status.admissionChecks.0"), "state", json_string("Ready"));
    assert_int_equal(step(object), STEP_STATUS);
    assert_step_event(0, false, "Admitted",
                      "Admitted by ClusterQueue cq, wait time since reservation was 42s");
    json_object_set_new(member(object, "status.admissionChecks.0"), "state",
                        json_string("Pending"));
    assert_int_equal(step(object), STEP_NOTHING); /* never un-admitted by a check */
    json_decref(object);
}

static void waiting_has_a_reason(void **state)
{
    json_t *object = held_workload("", 0, "", "", "");

    (void)state;
    assert_int_equal(step(object), STEP_NOTHING);
    around.wait_reason = "Misconfigured";
    around.wait_message = "LocalQueue lq doesn't exist";
    assert_int_equal(settle(object), 1);
    assert_string_equal(condition_text(&arena, object, "QuotaReserved"),
                        "False/Misconfigured/LocalQueue lq doesn't exist");
    assert_string_equal(condition_reason(object, "Admitted"), "NoReservation");
    json_decref(object);
}

static void devices_that_cannot_be_charged_hold(void **state)
{
    json_t *object = held_workload("", 0, "", "", "");

    (void)state;
    around.wait_reason = "Misconfigured";
    around.wait_message = "no such device";
    around.not_requeued = "no device";
    assert_int_equal(settle(object), 2);
    assert_string_equal(condition_text(&arena, object, "QuotaReserved"),
                        "False/Misconfigured/no such device");
    assert_string_equal(condition_text(&arena, object, "Requeued"), "False/Inadmissible/no device");
    around.wait_reason = "PendingEvaluation";
    around.wait_message = "soon";
    around.not_requeued = "";
    assert_int_equal(settle(object), 2);
    assert_null(condition_find(object, "Requeued"));
    assert_string_equal(condition_reason(object, "QuotaReserved"), "PendingEvaluation");
    json_decref(object);
}

static void devices_leave_a_backoff_alone(void **state)
{
    json_t *object =
        held_workload("", 0, condition(&arena, "Requeued", "False", "PodsReadyTimeout", "late", 10),
                      "", "'requeueState':{'requeueAt':'2026-01-01T02:00:00Z'}");

    (void)state;
    around.wait_reason = "Misconfigured";
    around.wait_message = around.not_requeued = "no such device";
    assert_int_equal(step(object), STEP_STATUS);
    assert_string_equal(condition_reason(object, "QuotaReserved"), "Misconfigured");
    assert_string_equal(condition_reason(object, "Requeued"), "PodsReadyTimeout");
    json_decref(object);
}

static void admission_gates_hold(void **state)
{
    json_t *object =
        workload(OWNER ",'annotations':{'kueue.x-k8s.io/admission-gated-by':'a.io/g'}", "", "");

    (void)state;
    around.wait_reason = "AdmissionGated"; /* what the engine says of such a workload */
    around.wait_message = "Admission is gated by: a.io/g";
    assert_int_equal(step(object), STEP_STATUS);
    assert_step_event(0, false, "AdmissionGated", "Workload admission is gated by: a.io/g");
    assert_string_equal(condition_text(&arena, object, "QuotaReserved"),
                        "False/AdmissionGated/Admission is gated by: a.io/g");
    assert_int_equal(step(object), STEP_NOTHING);
    json_object_del(member(object, "metadata"), "annotations");
    around.wait_reason = around.wait_message = "";
    assert_int_equal(step(object), STEP_STATUS);
    assert_step_event(0, false, "AdmissionGateCleared",
                      "Admission gate cleared, workload is now admissible");
    assert_string_equal(
        condition_text(&arena, object, "QuotaReserved"),
        "False/PendingEvaluation/AdmissionGatedBy cleared, waiting for quota reservation");
    assert_int_equal(step(object), STEP_NOTHING);
    json_decref(object);
}

static void a_gate_and_a_missing_queue_do_not_fight(void **state)
{
    json_t *object =
        workload(OWNER ",'annotations':{'kueue.x-k8s.io/admission-gated-by':'a.io/g'}", "", "");

    (void)state;
    around.wait_reason = "Misconfigured";
    around.wait_message = "LocalQueue lq doesn't exist";
    assert_int_equal(settle(object), 1);
    assert_string_equal(condition_reason(object, "QuotaReserved"), "Misconfigured");
    json_decref(object);
}

static void a_preemption_gate_is_not_an_admission_gate(void **state)
{
    json_t *object = held_workload("", 0,
                                   condition(&arena, "QuotaReserved", "False", "AdmissionGated",
                                             "Workload requires preemption", 5),
                                   "", "");

    (void)state;
    settle(object);
    assert_string_equal(condition_text(&arena, object, "QuotaReserved"),
                        "False/AdmissionGated/Workload requires preemption");
    json_decref(object);
}

/* Another program ends a reservation and leaves the rest standing. */
static void what_a_lost_reservation_leaves_is_cleared(void **state)
{
    json_t *object =
        held_workload("A", 60, condition(&arena, "QuotaReserved", "False", "Pending", "", 5), "",
                      "'admission':{'clusterQueue':'cq'}");

    (void)state;
    assert_int_equal(step(object), STEP_STATUS);
    assert_false(has_member(object, "status.admission"));
    assert_string_equal(condition_text(&arena, object, "Admitted"),
                        "False/NoReservation/The workload has no reservation");
    assert_string_equal(condition_text(&arena, object, "QuotaReserved"), "False/Pending/");
    assert_int_equal(step(object), STEP_NOTHING);
    json_decref(object);
}

static void an_evicted_one_is_not_admitted(void **state)
{
    json_t *object =
        held_workload("Q", 60, condition(&arena, "Evicted", "True", "Deactivated", "", 5), "", "");

    (void)state;
    assert_int_equal(step(object), STEP_NOTHING);
    assert_false(condition_true(object, "Admitted"));
    json_decref(object);
}

/* From any mix of conditions the steps come to rest, never turn a reservation on, and each write
 * does what its rule and the table of states allow. */
static void every_mix_settles(void **state)
{
    static const char *const types[] = { "QuotaReserved",      "Admitted",  "Evicted", "Requeued",
                                         "DeactivationTarget", "PodsReady", "Finished" };
    static const char *const reasons[] = { "Deactivated", "PodsReadyTimeout", "LocalQueueStopped",
                                           "AdmissionGated", "WaitForRecovery" };
    static const char *required[] = { "a" };
    static const char *const checks[] = { "Pending", "Ready", "Retry", "Rejected" };
    uint64_t seed = 12345;

    (void)state;
    for (int round = 0; round < 4000; round++) {
        const char *list = "";
        json_t *object;
        bool reserved = false;

        for (size_t t = 0; t < ARRAY_COUNT(types); t++) {
            unsigned pick;

            seed = seed * 6364136223846793005u + 1442695040888963407u;
            pick = (unsigned)(seed >> 40);
            if (pick % 3 == 0)
                continue;
            reserved = reserved || (t == 0 && pick % 3 == 1);
            list = arena_format(&arena, "%s%s%s", list, *list ? "," : "",
                                condition(&arena, types[t], pick % 3 == 1 ? "True" : "False",
                                          reasons[pick / 3 % ARRAY_COUNT(reasons)], "m",
                                          (int64_t)(pick / 17 % 1000)));
        }
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        around.required_checks = required;
        around.required_check_count = seed >> 63;
        around.local_queue_stop = (enum stop_policy)((seed >> 40) % 3);
        around.cluster_queue_exists = seed >> 50 & 1;
        object = workload(
            OWNER, seed >> 45 & 1 ? "'active':true" : "'active':false",
            arena_format(&arena, "'conditions':[%s],'admissionChecks':[{'name':'a','state':'%s'}]",
                         list, checks[seed >> 52 & 3]));
        settle_by_the_table(object);
        if (!reserved)
            assert_false(condition_true(object, "QuotaReserved"));
        json_decref(object);
        arena_reset(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(orphans_end),
        TEST(finished_workloads_are_retained),
        TEST(a_user_deactivates),
        TEST(a_passed_delay_leaves_nothing),
        TEST(devices_that_cannot_be_charged_hold),
        TEST(devices_leave_a_backoff_alone),
        TEST(a_pending_workload_is_deactivated_silently),
        TEST(a_rejected_check_deactivates_in_three_writes),
        TEST(activating_again_queues_again),
        TEST(back_off_ends),
        TEST(a_retry_delay_moves_requeue_at_later_only),
        TEST(preemption_gates_are_mirrored),
        TEST(an_inactive_one_has_no_retry_delay),
        TEST(a_retry_without_delay_evicts),
        TEST(ready_checks_admit),
        TEST(waiting_has_a_reason),
        TEST(admission_gates_hold),
        TEST(a_gate_and_a_missing_queue_do_not_fight),
        TEST(a_preemption_gate_is_not_an_admission_gate),
        TEST(what_a_lost_reservation_leaves_is_cleared),
        TEST(an_evicted_one_is_not_admitted),
        TEST(every_mix_settles),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
