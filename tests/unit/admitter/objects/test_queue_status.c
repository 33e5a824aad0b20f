#include "tests/unit/admitter/objects/support.h"

#include <stdio.h>
#include <string.h>
#include "admitter/objects/condition.h"
#include "admitter/objects/queue_status.h"
#include "quota/base/mem.h"

#define NOW (INT64_C(1767323045) * NANOSECONDS_PER_SECOND) /* 2026-01-02T03:04:05Z */

static struct flavor_resource_usage usage[] = {
    { "spot", "memory", 0, INT64_C(2) << 30, INT64_C(1) << 30, 0, 0, 0 },
    { "spot", "cpu", 0, 1500, 500, 1000, 0, 0 },
    { "old", "gpu", 0, 0, 0, 0, 0, 0 },
};

static const struct queue_status busy = {
    .activity = { true, "Ready", "Can admit new workloads" },
    .pending = 5,
    .reserving = 3,
    .admitted = 2,
    .usage = usage,
    .usage_count = ARRAY_COUNT(usage),
};

#define ACTIVE                                                                                     \
    "{'type':'Active','status':'True','reason':'Ready','message':'Can admit new workloads',"       \
    "'observedGeneration':4,'lastTransitionTime':'2026-01-02T03:04:05Z'}"

static void a_cluster_queue_lists_its_usage(void **state)
{
    json_t *status = cluster_queue_status_build(NULL, &busy, true, 4, NOW);

    (void)state;
    assert_json(status,
                "{'conditions':[" ACTIVE "],'pendingWorkloads':5,'reservingWorkloads':3,"
                "'admittedWorkloads':2,'flavorsReservation':[{'name':'spot','resources':["
                "{'name':'cpu','total':'1500m','borrowed':'500m'},"
                "{'name':'memory','total':'2Gi','borrowed':'1Gi'}]},{'name':'old','resources':["
                "{'name':'gpu','total':'0','borrowed':'0'}]}],"
                "'flavorsUsage':[{'name':'spot','resources':[{'name':'cpu','total':'1',"
                "'borrowed':'0'},{'name':'memory','total':'0','borrowed':'0'}]},{'name':'old',"
                "'resources':[{'name':'gpu','total':'0','borrowed':'0'}]}]}");
    json_decref(status);
    status = cluster_queue_status_build(NULL, &busy, false, 4, NOW);
    assert_string_equal(member_text(status, "flavorsReservation.0.resources.0.borrowed"), "0");
    json_decref(status);
}

static void removed_flavors_are_not_listed(void **state)
{
    struct queue_status removed = busy;
    struct local_queue_facts facts = { .cluster_queue_exists = true };
    json_t *status;

    (void)state;
    removed.removed_count = 1;
    status = cluster_queue_status_build(NULL, &removed, true, 4, NOW);
    assert_int_equal(json_array_size(member(status, "flavorsReservation")), 1);
    assert_int_equal(json_array_size(member(status, "flavorsUsage")), 1);
    json_decref(status);
    removed.removed_count = 2;
    status = local_queue_status_build(NULL, &removed, &facts, 4, NOW);
    assert_json(member(status, "flavorsReservation"),
                "[{'name':'spot','resources':[{'name':'memory','total':'2Gi'}]}]");
    json_decref(status);
}

static void no_more_flavors_are_listed_than_the_schema_takes(void **state)
{
    struct flavor_resource_usage many[70] = { 0 };
    struct queue_status status = { .activity = busy.activity, .usage = many };
    char names[ARRAY_COUNT(many)][8];
    json_t *built;

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(many); i++) {
        snprintf(names[i], sizeof(names[i]), "f%02zu", i);
        many[i].flavor = names[i];
        many[i].resource = "cpu";
    }
    status.usage_count = ARRAY_COUNT(many);
    built = cluster_queue_status_build(NULL, &status, false, 1, NOW);
    assert_int_equal(json_array_size(member(built, "flavorsUsage")), 64);
    assert_string_equal(member_text(built, "flavorsUsage.63.name"), "f63");
    json_decref(built);
}

static void nothing_new_is_no_difference(void **state)
{
    json_t *first = cluster_queue_status_build(NULL, &busy, true, 4, NOW);
    json_t *again = cluster_queue_status_build(first, &busy, true, 4, NOW + 1000000000);
    struct queue_status shared = busy;
    json_t *later;

    (void)state;
    assert_false(status_differs(first, again));
    assert_true(json_equal(first, again));
    shared.has_weighted_share = true;
    shared.weighted_share = INT64_MAX;
    later = cluster_queue_status_build(first, &shared, true, 4, NOW);
    assert_true(status_differs(first, later));
    assert_int_equal(json_integer_value(member(later, "fairSharing.weightedShare")), INT64_MAX);
    json_decref(again);
    again = cluster_queue_status_build(later, &busy, true, 4, NOW);
    assert_false(has_member(again, "fairSharing"));
    json_decref(first);
    json_decref(again);
    json_decref(later);
}

static void other_conditions_of_a_queue_stay(void **state)
{
    json_t *old = tree("{'conditions':[{'type':'Mine','status':'True'}],'extra':{'a':1}}");
    json_t *status = cluster_queue_status_build(old, &busy, true, 4, NOW);

    (void)state;
    assert_string_equal(member_text(status, "conditions.0.type"), "Mine");
    assert_string_equal(member_text(status, "conditions.1.type"), "Active");
    assert_true(has_member(status, "extra.a"));
    assert_int_equal(json_array_size(member(old, "conditions")), 1);
    json_decref(old);
    json_decref(status);
}

static const struct {
    struct local_queue_facts facts;
    const char *status, *reason, *message;
} activities[] = {
    { { .stopped = true }, "False", "Stopped", "LocalQueue is stopped" },
    { { .stopped = false },
      "False",
      "ClusterQueueDoesNotExist",
      "Can't submit new workloads to clusterQueue" },
    { { .cluster_queue_exists = true },
      "False",
      "ClusterQueueIsInactive",
      "Can't submit new workloads to clusterQueue" },
    { { .cluster_queue_exists = true, .cluster_queue_active = true },
      "True",
      "Ready",
      "Can submit new workloads to localQueue" },
};

static void a_local_queue_says_why_it_is_inactive(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(activities); i++) {
        json_t *status = local_queue_status_build(NULL, &busy, &activities[i].facts, 2, NOW);

        assert_string_equal(member_text(status, "conditions.0.status"), activities[i].status);
        assert_string_equal(member_text(status, "conditions.0.reason"), activities[i].reason);
        assert_string_equal(member_text(status, "conditions.0.message"), activities[i].message);
        assert_int_equal(json_integer_value(member(status, "pendingWorkloads")),
                         activities[i].facts.stopped ? 0 : 5);
        assert_int_equal(json_array_size(member(status, "flavorsUsage")),
                         activities[i].facts.cluster_queue_exists ? 2 : 0);
        json_decref(status);
    }
}

static void a_local_queue_reports_what_it_consumed(void **state)
{
    struct resource_quantity items[] = { { "cpu", quantity_milli(1500) } };
    struct local_queue_facts facts = { .cluster_queue_exists = true,
                                       .cluster_queue_active = true,
                                       .has_fair_sharing = true,
                                       .consumed = { items, 1 },
                                       .consumed_updated = NOW };
    json_t *status = local_queue_status_build(NULL, &busy, &facts, 2, NOW), *without;

    (void)state;
    assert_json(member(status, "fairSharing"),
                "{'weightedShare':0,'admissionFairSharingStatus':{'consumedResources':{'cpu':"
                "'1500m'},'lastUpdate':'2026-01-02T03:04:05Z'}}");
    assert_json(member(status, "flavorsUsage.0.resources.0"), "{'name':'cpu','total':'1'}");
    facts.has_fair_sharing = false;
    without = local_queue_status_build(status, NULL, &facts, 2, NOW);
    assert_int_equal(json_integer_value(member(without, "reservingWorkloads")), 0);
    assert_false(has_member(without, "fairSharing"));
    json_decref(status);
    json_decref(without);
}

static void a_cohort_has_a_share_only_under_fair_sharing(void **state)
{
    struct queue_status shared = { .has_weighted_share = true, .weighted_share = 12 };
    json_t *status = cohort_status_build(NULL, &shared), *without;

    (void)state;
    assert_json(status, "{'fairSharing':{'weightedShare':12}}");
    without = cohort_status_build(status, &busy);
    assert_json(without, "{}");
    assert_false(status_differs(NULL, without));
    json_decref(status);
    json_decref(without);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cluster_queue_lists_its_usage),
        cmocka_unit_test(removed_flavors_are_not_listed),
        cmocka_unit_test(no_more_flavors_are_listed_than_the_schema_takes),
        cmocka_unit_test(nothing_new_is_no_difference),
        cmocka_unit_test(other_conditions_of_a_queue_stay),
        cmocka_unit_test(a_local_queue_says_why_it_is_inactive),
        cmocka_unit_test(a_local_queue_reports_what_it_consumed),
        cmocka_unit_test(a_cohort_has_a_share_only_under_fair_sharing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
