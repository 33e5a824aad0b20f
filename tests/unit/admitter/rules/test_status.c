/* Conditions, check lists, evictions and decisions as they change the tree of a Workload:
 * spec/api.md 5.2 - 5.7, spec/admission-checks.md 2 - 8. */
#include "tests/unit/admitter/rules/support.h"

#include <stdlib.h>
#include <string.h>
#include "admitter/rules/check_list.h"
#include "admitter/rules/decision_write.h"
#include "admitter/rules/eviction.h"
#include "admitter/rules/merge_patch.h"

static json_t *with_conditions(const char *conditions, const char *rest)
{
    return workload(
        "", "", arena_format(&arena, "'conditions':[%s]%s%s", conditions, *rest ? "," : "", rest));
}

static void patches_say_what_changed(void **state)
{
    static const struct {
        const char *before, *after, *expected; /* NULL: equal */
    } cases[] = {
        { "{'a':1}", "{'a':1}", NULL },
        { "{'a':1,'b':2}", "{'a':1}", "{'b':null}" },
        { "{'a':{'x':1,'y':2}}", "{'a':{'x':1,'y':3}}", "{'a':{'y':3}}" },
        { "{'a':[1,2]}", "{'a':[1]}", "{'a':[1]}" },
        { "{'a':1}", "{'a':{'b':1}}", "{'a':{'b':1}}" },
        { "{}", "{'a':{}}", "{'a':{}}" },
        { "{'a':{'x':1}}", "{'a':{}}", "{'a':{'x':null}}" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        json_t *before = tree(cases[i].before), *after = tree(cases[i].after);
        json_t *patch = merge_patch_between(before, after);

        if (cases[i].expected)
            assert_json(patch, cases[i].expected);
        else
            assert_null(patch);
        json_decref(patch);
        json_decref(before);
        json_decref(after);
    }
}

/* ---- admission checks ---- */

#define CHECK(name, state, rest) "{'name':'" name "','state':'" state "'" rest "}"

static void the_list_follows_the_required_checks(void **state)
{
    static const struct {
        const char *present, *required[3];
        size_t count;
        const char *expected; /* names and states; NULL: unchanged */
    } cases[] = {
        { "", { "b", "a" }, 2, "a:Pending b:Pending " },
        { CHECK("b", "Ready", ""), { "b", "a" }, 2, "a:Pending b:Ready " },
        { CHECK("b", "Ready", "") "," CHECK("a", "Retry", ""), { "a", "b" }, 2, NULL },
        { CHECK("old", "Ready", ""), { "new" }, 1, "new:Pending " },
        { CHECK("a", "Ready", "") "," CHECK("b", "Ready", ""), { "b" }, 1, "b:Ready " },
        { CHECK("a", "Ready", ""), { NULL }, 0, "" },
        { "", { NULL }, 0, NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        json_t *object =
            workload("", "", arena_format(&arena, "'admissionChecks':[%s]", cases[i].present));
        const char *required[3], *text = "";
        json_t *entry;
        size_t k;

        memcpy(required, cases[i].required, sizeof(required));
        assert_int_equal(check_list_sync(object, required, cases[i].count, now_time()),
                         cases[i].expected != NULL);
        json_array_foreach(json_object_get(object_status(object), "admissionChecks"), k, entry)
            text = arena_format(&arena, "%s%s:%s ", text, member_text(entry, "name"),
                                member_text(entry, "state"));
        if (cases[i].expected)
            assert_string_equal(text, cases[i].expected);
        json_decref(object);
    }
}

static void check_states_are_described(void **state)
{
    static const struct {
        const char *checks, *expected;
    } cases[] = {
        { CHECK("a", "Retry", ""), "AdmissionCheck in Retry state: \"a\"" },
        { CHECK("a", "Retry", ",'message':'msg'"), "AdmissionCheck in Retry state: \"a\" (msg)" },
        { CHECK("b", "Retry", "") "," CHECK("c", "Ready", "") "," CHECK("a", "Retry",
                                                                        ",'message':'m'"),
          "AdmissionChecks in Retry state: \"a\" (m); \"b\"" },
        { CHECK("a", "Ready", ""), NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        json_t *object =
            workload("", "", arena_format(&arena, "'admissionChecks':[%s]", cases[i].checks));
        const char *text = check_list_describe(object, "Retry", &arena);

        if (cases[i].expected)
            assert_string_equal(text, cases[i].expected);
        else
            assert_null(text);
        json_decref(object);
    }
}

static void pending_checks_speak_in_status_order(void **state)
{
    json_t *object = workload(
        "", "",
        "'admissionChecks':[" CHECK("b", "Pending", ",'message':'two'") "," CHECK(
            "c", "Pending", "") "," CHECK("d", "Ready",
                                          ",'message':'x'") "," CHECK("a", "Pending",
                                                                      ",'message':'one'") "]");

    (void)state;
    assert_string_equal(check_list_pending_messages(object, &arena), "b: two; a: one");
    json_decref(object);
}

static void the_latest_retry_counts(void **state)
{
    json_t *object = workload(
        "", "",
        arena_format(&arena,
                     "'admissionChecks':[" CHECK(
                         "a", "Retry",
                         ",'requeueAfterSeconds':30,"
                         "'lastTransitionTime':'%s'") "," CHECK("b", "Retry",
                                                                ",'requeueAfterSeconds':"
                                                                "90,'lastTransitionTime':'"
                                                                "%s'") "," CHECK("c", "Ready",
                                                                                 ",'"
                                                                                 "requeueA"
                                                                                 "fterSeco"
                                                                                 "nds':"
                                                                                 "900,'"
                                                                                 "lastTran"
                                                                                 "sitionTi"
                                                                                 "me':'%"
                                                                                 "s'") "]",
                     NOW_TEXT, NOW_TEXT, NOW_TEXT));

    (void)state;
    assert_int_equal(check_list_retry_time(object), now_time() + SECONDS(90));
    json_object_set_new(member(object, "status.admissionChecks.1"), "requeueAfterSeconds",
                        json_integer(INT64_MAX));
    assert_true(check_list_retry_time(object) > now_time());
    json_decref(object);
}

/* ---- evictions ---- */

static void an_eviction_resets(void **state)
{
    json_t *object = with_conditions(
        condition(&arena, "BlockedOnPreemptionGates", "True", "PreemptionGated", "m", 60),
        "'admission':{'clusterQueue':'cq'},'clusterName':'c','nominatedClusterNames':['"
        "c'],"
        "'unhealthyNodes':[{'name':'n'}],'preemptionGates':[{'name':'g','position':'"
        "Open'}],"
        "'admissionChecks':[" CHECK(
            "a", "Retry",
            ",'retryCount':1,'requeueAfterSeconds':5,"
            "'podSetUpdates':[{'name':'main'}]") "," CHECK("b", "Ready",
                                                           ",'retryCount':3,'message':'"
                                                           "x'") "," CHECK("c", "Pending",
                                                                           ",'"
                                                                           "retryCount'"
                                                                           ":2,'"
                                                                           "message':'"
                                                                           "y'") "]");
    struct eviction eviction = { "Deactivated", "AdmissionCheck", "text" };
    bool had_admission = false;

    (void)state;
    workload_evict(object, &eviction, now_time(), &had_admission);
    workload_evict(object, &eviction, now_time(), &had_admission);
    assert_true(had_admission);
    assert_string_equal(condition_text(&arena, object, "Evicted"),
                        "True/DeactivatedDueToAdmissionCheck/text");
    assert_string_equal(condition_text(&arena, object, "BlockedOnPreemptionGates"),
                        "False/DeactivatedDueToAdmissionCheck/text");
    assert_false(has_member(object, "status.clusterName"));
    assert_false(has_member(object, "status.nominatedClusterNames"));
    assert_false(has_member(object, "status.unhealthyNodes"));
    assert_true(has_member(object, "status.admission"));
    assert_string_equal(member_text(object, "status.preemptionGates.0.position"), "Closed");
    assert_json(
        member(object, "status.admissionChecks"),
        "[{'lastTransitionTime':'" NOW_TEXT
        "','message':'Reset to Pending after eviction. Previously: Retry','name':'a',"
        "'requeueAfterSeconds':5,'retryCount':2,'state':'Pending'},{'lastTransitionTime':'" NOW_TEXT
        "','message':'Reset to Pending after eviction. Previously: Ready','name':'b',"
        "'state':'Pending'},{'message':'y','name':'c','retryCount':2,'state':'Pending'}]");
    assert_json(member(object, "status.schedulingStats.evictions"),
                "[{'count':2,'reason':'Deactivated','underlyingCause':'AdmissionCheck'}]");
    json_decref(object);
}

static void only_deactivation_joins_its_cause(void **state)
{
    struct eviction eviction = { "PodsReadyTimeout", "WaitForStart", "" };
    char buffer[100];

    (void)state;
    assert_string_equal(eviction_condition_reason(&eviction, buffer, sizeof(buffer)),
                        "PodsReadyTimeout");
}

#define RESERVED condition(&arena, "QuotaReserved", "True", "QuotaReserved", "m", 100)
#define READY "'admissionChecks':[" CHECK("a", "Ready", "") "]"
#define UNREADY "'admissionChecks':[" CHECK("a", "Pending", "") "]"
#define TOPOLOGY(rest)                                                                             \
    "'admission':{'podSetAssignments':[{'name':'main','delayedTopologyRequest':'Pending'" rest "}" \
    "]"                                                                                            \
    "}"

static void admitted_is_computed(void **state)
{
    static const struct {
        bool reserved;
        const char *rest;
        bool observability;
        const char *expected;
    } cases[] = {
        { true, "", true, "True/Admitted/The workload is admitted" },
        { true, READY, true, "True/Admitted/The workload is admitted" },
        { true, READY, false, "True/Admitted/The workload is admitted" },
        { false, READY, true, "False/NoReservation/The workload has no reservation" },
        { false, UNREADY, true, "False/NoReservation/The workload has no reservation" },
        { true, UNREADY, true,
          "False/UnsatisfiedAdmissionChecks/The workload has not all checks ready" },
        { true, TOPOLOGY(""), true,
          "False/PendingDelayedTopologyRequests/There are pending delayed topology requests" },
        { true, TOPOLOGY(",'topologyAssignment':{}"), true,
          "True/Admitted/The workload is admitted" },
        { true, UNREADY, false, "" }, /* the truth did not change */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        json_t *object = with_conditions(
            cases[i].reserved ? RESERVED : condition(&arena, "QuotaReserved", "False", "r", "", 9),
            cases[i].rest);

        workload_sync_admitted(object, cases[i].observability, false, now_time());
        assert_string_equal(condition_text(&arena, object, "Admitted"), cases[i].expected);
        assert_false(workload_sync_admitted(object, cases[i].observability, false, now_time()));
        json_decref(object);
    }
}

static void legacy_reasons_of_losing_admission(void **state)
{
    static const struct {
        bool reserved;
        const char *rest, *expected;
    } cases[] = {
        { false, UNREADY,
          "False/NoReservationUnsatisfiedChecks/The workload has no reservation and not all checks "
          "ready" },
        { false, READY, "False/NoReservation/The workload has no reservation" },
        { true, UNREADY, "False/UnsatisfiedChecks/The workload has not all checks ready" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        json_t *object = with_conditions(
            arena_format(&arena, "%s,%s", condition(&arena, "Admitted", "True", "Admitted", "", 65),
                         cases[i].reserved
                             ? RESERVED
                             : condition(&arena, "QuotaReserved", "False", "r", "", 9)),
            cases[i].rest);

        assert_true(workload_sync_admitted(object, false, false, now_time()));
        assert_string_equal(condition_text(&arena, object, "Admitted"), cases[i].expected);
        json_decref(object);
    }
}

static void fresh_workloads_get_no_conditions(void **state)
{
    json_t *object = workload("", "", "");

    (void)state;
    assert_false(workload_sync_admitted(object, true, false, now_time()));
    assert_false(workload_sync_admitted(object, false, false, now_time()));
    assert_false(has_member(object, "status.conditions"));
    assert_true(workload_sync_admitted(object, true, true, now_time()));
    json_decref(object);
}

static void execution_time_adds_up(void **state)
{
    static const struct {
        const char *evicted;
        int expected;
    } cases[] = { { "Preempted", 165 }, { "DeactivatedDueToMaximumExecutionTimeExceeded", 100 } };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        json_t *object = with_conditions(
            arena_format(&arena, "%s,%s,%s", RESERVED,
                         condition(&arena, "Admitted", "True", "Admitted", "", 65),
                         condition(&arena, "Evicted", "True", cases[i].evicted, "", 1)),
            "'admission':{'clusterQueue':'cq'},'accumulatedPastExecutionTimeSeconds':100");

        assert_true(workload_release(object, "PendingEvaluation", "m", true, now_time()));
        assert_string_equal(condition_text(&arena, object, "QuotaReserved"),
                            "False/PendingEvaluation/m");
        assert_string_equal(condition_text(&arena, object, "Admitted"),
                            "False/NoReservation/The workload has no reservation");
        assert_false(has_member(object, "status.admission"));
        assert_int_equal(
            json_integer_value(member(object, "status.accumulatedPastExecutionTimeSeconds")),
            cases[i].expected);
        assert_false(workload_release(object, "PendingEvaluation", "m", true, now_time()));
        json_decref(object);
    }
}

/* ---- decisions ---- */

static void admission_of(struct decision *decision, struct pod_set_assignment *pod_set,
                         struct resource_flavor_use *use)
{
    *use = (struct resource_flavor_use){ .resource = "cpu", .flavor = "spot", .has_usage = true };
    assert_int_equal(quantity_parse(str_of("3"), &use->usage, NULL), 0);
    *pod_set =
        (struct pod_set_assignment){ .pod_set = "main", .count = 3, .uses = use, .use_count = 1 };
    *decision = (struct decision){ .cluster_queue = "cq", .outcome = OUTCOME_RESERVED };
    decision->admission =
        (struct admission){ .cluster_queue = "cq", .pod_sets = pod_set, .pod_set_count = 1 };
    decision->requests = pod_set;
    decision->request_count = 1;
}

static void a_reservation_is_written(void **state)
{
    static const char *required[] = { "a" };
    struct decision decision;
    struct pod_set_assignment pod_set;
    struct resource_flavor_use use;

    (void)state;
    loop_settings_default(&settings);
    admission_of(&decision, &pod_set, &use);
    for (int checks = 0; checks < 2; checks++) {
        json_t *object = with_conditions(
            arena_format(&arena, "%s,%s",
                         condition(&arena, "Evicted", "True", "Preempted", "old", 9),
                         condition(&arena, "Preempted", "True", "InClusterQueue", "older", 9)),
            "'resourceRequests':[]");

        decision.required_checks = required;
        decision.required_check_count = (size_t)checks;
        assert_int_equal(decision_reserve(object, &decision, &settings, now_time()), !checks);
        assert_string_equal(condition_text(&arena, object, "QuotaReserved"),
                            "True/QuotaReserved/Quota reserved in ClusterQueue cq");
        assert_string_equal(condition_text(&arena, object, "Evicted"),
                            "False/QuotaReserved/Previously: old");
        assert_string_equal(condition_text(&arena, object, "Preempted"),
                            "False/QuotaReserved/Previously: older");
        assert_string_equal(condition_text(&arena, object, "Admitted"),
                            checks ? "" : "True/Admitted/The workload is admitted");
        assert_false(has_member(object, "status.resourceRequests"));
        assert_json(member(object, "status.admission"),
                    "{'clusterQueue':'cq','podSetAssignments':[{'count':3,'flavors':{'cpu':'spot'},"
                    "'name':'main','resourceUsage':{'cpu':'3'}}]}");
        json_decref(object);
    }
}

static void a_wait_is_written_once(void **state)
{
    json_t *object = workload("", "", ""), *refusal;
    struct decision decision;
    struct pod_set_assignment pod_set;
    struct resource_flavor_use use;

    (void)state;
    loop_settings_default(&settings);
    admission_of(&decision, &pod_set, &use);
    decision.reason = "WaitingForQuota";
    decision.message = "couldn't";
    refusal = decision_refusal(&decision);
    assert_true(decision_wait(object, refusal, &settings, now_time()));
    assert_false(decision_wait(object, refusal, &settings, now_time() + SECONDS(5)));
    json_decref(refusal);
    assert_string_equal(condition_text(&arena, object, "QuotaReserved"),
                        "False/WaitingForQuota/couldn't");
    assert_string_equal(condition_text(&arena, object, "Admitted"),
                        "False/NoReservation/The workload has no reservation");
    assert_json(member(object, "status.resourceRequests"),
                "[{'name':'main','resources':{'cpu':'3'}}]");
    decision.gated_by_preemption_gate = true;
    refusal = decision_refusal(&decision);
    assert_true(decision_wait(object, refusal, &settings, now_time()));
    json_decref(refusal);
    assert_string_equal(condition_text(&arena, object, "BlockedOnPreemptionGates"),
                        "True/PreemptionGated/couldn't");
    json_decref(object);
}

static void a_victim_is_marked(void **state)
{
    json_t *object = with_conditions(RESERVED, "'admission':{'clusterQueue':'cq'}");
    struct victim victim = { .reason = "InClusterQueue", .message = "Preempted to accommodate" };

    (void)state;
    decision_preempt(object, &victim, now_time());
    assert_string_equal(condition_text(&arena, object, "Preempted"),
                        "True/InClusterQueue/Preempted to accommodate");
    assert_string_equal(condition_text(&arena, object, "Evicted"),
                        "True/Preempted/Preempted to accommodate");
    assert_null(json_object_get(condition_find(object, "Preempted"), "observedGeneration"));
    assert_int_equal(json_integer_value(
                         json_object_get(condition_find(object, "Evicted"), "observedGeneration")),
                     2);
    assert_true(condition_true(object, "QuotaReserved"));
    json_decref(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_ARENA(patches_say_what_changed),
        TEST_WITH_ARENA(the_list_follows_the_required_checks),
        TEST_WITH_ARENA(check_states_are_described),
        TEST_WITH_ARENA(pending_checks_speak_in_status_order),
        TEST_WITH_ARENA(the_latest_retry_counts),
        TEST_WITH_ARENA(an_eviction_resets),
        TEST_WITH_ARENA(only_deactivation_joins_its_cause),
        TEST_WITH_ARENA(admitted_is_computed),
        TEST_WITH_ARENA(legacy_reasons_of_losing_admission),
        TEST_WITH_ARENA(fresh_workloads_get_no_conditions),
        TEST_WITH_ARENA(execution_time_adds_up),
        TEST_WITH_ARENA(a_reservation_is_written),
        TEST_WITH_ARENA(a_wait_is_written_once),
        TEST_WITH_ARENA(a_victim_is_marked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
