#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "quota/base/mem.h"
#include "quota/engine/eligibility.h"
#include "tests/unit/quota/engine/support_facts.h"

static const char *refusal(const struct resource_flavor *flavor, const struct pod_template *pod,
                           enum eligibility expected)
{
    const char *reason = NULL;

    assert_int_equal(
        flavor_eligible(flavor ? flavor->name : "gone", flavor, &pod, 1, NULL, &facts, &reason),
        expected);
    return reason;
}

static struct resource_flavor flavor_with(const char *key, const char *value)
{
    struct resource_flavor flavor = { .name = "f1" };

    flavor.node_labels = labels(&flavor.node_label_count, key, value, NULL);
    return flavor;
}

static void a_missing_flavor_says_so(void **state)
{
    struct pod_template pod = { 0 };

    (void)state;
    assert_string_equal(refusal(NULL, &pod, INELIGIBLE), "flavor gone not found");
}

/* ---- F5 ---- */

static void f5_taints_print_like_a_struct(void **state)
{
    struct taint taints[] = { { "x", "", "PreferNoSchedule", NULL },
                              { "gpu", "", "NoSchedule", NULL } };
    struct toleration exists = { "gpu", "Exists", "", "", NULL };
    struct resource_flavor flavor = { .name = "t", .taints = taints, .taint_count = 2 };
    struct pod_template pod = { 0 };

    (void)state;
    assert_string_equal(refusal(&flavor, &pod, INELIGIBLE),
                        "untolerated taint {gpu  NoSchedule <nil>} in flavor t");
    taints[1] = (struct taint){ "key", "val", "NoExecute", "2026-01-01T00:00:00Z" };
    assert_string_equal(
        refusal(&flavor, &pod, INELIGIBLE),
        "untolerated taint {key val NoExecute 2026-01-01 00:00:00 +0000 UTC} in flavor t");
    taints[1] = (struct taint){ "gpu", "", "NoSchedule", NULL };
    flavor.tolerations = &exists;
    flavor.toleration_count = 1;
    refusal(&flavor, &pod, ELIGIBLE);
    flavor.toleration_count = 0;
    pod.tolerations = &exists;
    pod.toleration_count = 1;
    refusal(&flavor, &pod, ELIGIBLE);
}

static void the_first_untolerated_taint_is_named(void **state)
{
    struct taint taints[] = { { "a", "1", "NoSchedule", NULL }, { "b", "2", "NoExecute", NULL } };
    struct toleration a = { "a", "", "1", "", NULL };
    struct resource_flavor flavor = { .name = "t", .taints = taints, .taint_count = 2 };
    struct pod_template pod = { 0 };

    (void)state;
    assert_string_equal(refusal(&flavor, &pod, INELIGIBLE),
                        "untolerated taint {a 1 NoSchedule <nil>} in flavor t");
    pod.tolerations = &a;
    pod.toleration_count = 1;
    assert_string_equal(refusal(&flavor, &pod, INELIGIBLE),
                        "untolerated taint {b 2 NoExecute <nil>} in flavor t");
}

static void tolerations_match_by_effect_key_and_operator(void **state)
{
    static const struct {
        struct toleration toleration;
        const char *value; /* of taint k, NoSchedule */
        bool covers;
    } cases[] = {
        { { "k", "Equal", "v", "NoSchedule", NULL }, "v", true },
        { { "k", "", "v", "", NULL }, "v", true },
        { { "k", "", "w", "", NULL }, "v", false },
        { { "k", "Equal", "v", "NoExecute", NULL }, "v", false },
        { { "j", "Exists", "", "", NULL }, "v", false },
        { { "", "Exists", "", "", NULL }, "v", true },
        { { "", "", "v", "", NULL }, "v", true },
        { { "k", "Near", "v", "", NULL }, "v", false },
        { { "k", "Lt", "10", "", NULL }, "9", true },
        { { "k", "Lt", "10", "", NULL }, "10", false },
        { { "k", "Gt", "10", "", NULL }, "11", true },
        { { "k", "Gt", "10", "", NULL }, "-11", false },
        { { "k", "Gt", "ten", "", NULL }, "11", false },
        { { "k", "Gt", "10", "", NULL }, "eleven", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct taint taint = { "k", cases[i].value, "NoSchedule", NULL };

        if (toleration_matches(&cases[i].toleration, &taint) != cases[i].covers)
            fail_msg("case %zu", i);
    }
}

/* ---- F3, F4 ---- */

static void f3_only_this_flavors_label_keys_matter(void **state)
{
    struct resource_flavor f1 = flavor_with("type", "a"), f2 = { .name = "f2" };
    struct pod_template pod = { 0 };

    (void)state;
    pod.node_selector = labels(&pod.node_selector_count, "type", "b", "zone", "z1", NULL);
    assert_string_equal(refusal(&f1, &pod, INELIGIBLE), "flavor f1 doesn't match node affinity");
    refusal(&f2, &pod, ELIGIBLE);
    pod.node_selector[0].value = "a";
    refusal(&f1, &pod, ELIGIBLE);
}

static struct pod_template pod_with_terms(size_t count, const struct label_requirement *each)
{
    struct pod_template pod = { .has_required_affinity = true, .affinity_term_count = count };

    pod.affinity_terms = ARENA_ARRAY(&facts, count, struct node_selector_term);
    for (size_t i = 0; i < count; i++) {
        pod.affinity_terms[i].expressions = ARENA_NEW(&facts, struct label_requirement);
        pod.affinity_terms[i].expressions[0] = each[i];
        pod.affinity_terms[i].expression_count = 1;
    }
    return pod;
}

static void f4_a_term_without_relevant_keys_disables_the_affinity(void **state)
{
    const char *const b[] = { "b" }, *const z1[] = { "z1" };
    struct label_requirement each[] = { requirement("type", SELECTOR_IN, 1, b),
                                        requirement("zone", SELECTOR_IN, 1, z1) };
    struct resource_flavor f1 = flavor_with("type", "a");
    struct pod_template pod = pod_with_terms(2, each);

    (void)state;
    refusal(&f1, &pod, ELIGIBLE);
    pod.affinity_term_count = 1;
    assert_string_equal(refusal(&f1, &pod, INELIGIBLE), "flavor f1 doesn't match node affinity");
    pod.affinity_terms[0].expression_count = 0; /* only matchFields were there */
    refusal(&f1, &pod, ELIGIBLE);
}

static void one_matching_term_is_enough(void **state)
{
    const char *const a[] = { "a" }, *const b[] = { "b" };
    struct label_requirement each[] = { requirement("type", SELECTOR_IN, 1, b),
                                        requirement("type", SELECTOR_IN, 1, a) };
    struct resource_flavor f1 = flavor_with("type", "a");
    struct pod_template pod = pod_with_terms(2, each);

    (void)state;
    refusal(&f1, &pod, ELIGIBLE);
}

static void expressions_of_a_term_are_anded_after_filtering(void **state)
{
    const char *const a[] = { "a" }, *const five[] = { "5" }, *const any[] = { "x" };
    struct label_requirement three[] = { requirement("type", SELECTOR_IN, 1, a),
                                         requirement("zone", SELECTOR_IN, 1, any),
                                         requirement("size", SELECTOR_GT, 1, five) };
    struct node_selector_term term = { three, 3 };
    struct pod_template pod = { .has_required_affinity = true,
                                .affinity_terms = &term,
                                .affinity_term_count = 1 };
    struct resource_flavor flavor = { .name = "f" };

    (void)state;
    flavor.node_labels = labels(&flavor.node_label_count, "type", "a", "size", "6", NULL);
    refusal(&flavor, &pod, ELIGIBLE);
    flavor.node_labels[1].value = "5";
    refusal(&flavor, &pod, INELIGIBLE);
    three[2].operator= SELECTOR_LT;
    flavor.node_labels[1].value = "4";
    refusal(&flavor, &pod, ELIGIBLE);
    flavor.node_labels[1].value = "four";
    refusal(&flavor, &pod, INELIGIBLE);
}

static void a_malformed_expression_is_an_error_only_if_no_term_matches(void **state)
{
    const char *const a[] = { "a" }, *const b[] = { "b" };
    struct label_requirement each[] = { requirement("type", SELECTOR_IN, 0, NULL),
                                        requirement("type", SELECTOR_IN, 1, a) };
    struct resource_flavor f1 = flavor_with("type", "a");
    struct pod_template pod = pod_with_terms(2, each);

    (void)state;
    refusal(&f1, &pod, ELIGIBLE);
    each[1] = requirement("type", SELECTOR_IN, 1, b);
    pod = pod_with_terms(2, each);
    assert_string_equal(refusal(&f1, &pod, ELIGIBILITY_ERROR),
                        "nodeSelectorTerms[0].matchExpressions[0].values: Invalid value: null: for "
                        "'in', 'notin' operators, values set can't be empty");
    pod.node_selector = labels(&pod.node_selector_count, "type", "b", NULL);
    refusal(&f1, &pod, INELIGIBLE); /* the node selector refuses first */
}

static void malformed_gt_counts_positions_among_relevant_expressions(void **state)
{
    const char *const word[] = { "five" }, *const any[] = { "x" };
    struct label_requirement two[] = { requirement("zone", SELECTOR_IN, 1, any),
                                       requirement("type", SELECTOR_GT, 1, word) };
    struct node_selector_term term = { two, 2 };
    struct pod_template pod = { .has_required_affinity = true,
                                .affinity_terms = &term,
                                .affinity_term_count = 1 };
    struct resource_flavor f1 = flavor_with("type", "6");

    (void)state;
    assert_string_equal(refusal(&f1, &pod, ELIGIBILITY_ERROR),
                        "nodeSelectorTerms[0].matchExpressions[0].values[0]: Invalid value: "
                        "\"five\": for 'Gt', 'Lt' operators, the value must be an integer");
    two[1].operator= SELECTOR_INVALID;
    two[1].operator_text = "Around";
    assert_string_equal(refusal(&f1, &pod, ELIGIBILITY_ERROR),
                        "nodeSelectorTerms[0].matchExpressions[0].operator: Unsupported value: "
                        "\"Around\": supported values: \"In\", \"NotIn\", \"Exists\", "
                        "\"DoesNotExist\", \"Gt\", \"Lt\"");
}

static void every_pod_set_of_a_group_must_pass(void **state)
{
    struct resource_flavor f1 = flavor_with("type", "a");
    struct pod_template fine = { 0 }, picky = { 0 };
    const struct pod_template *pods[] = { &fine, &picky };
    const char *reason = NULL;

    (void)state;
    picky.node_selector = labels(&picky.node_selector_count, "type", "b", NULL);
    assert_int_equal(flavor_eligible("f1", &f1, pods, 1, NULL, &facts, &reason), ELIGIBLE);
    assert_int_equal(flavor_eligible("f1", &f1, pods, 2, NULL, &facts, &reason), INELIGIBLE);
}

/* ---- row 2 ---- */

static void topology_comes_before_taints(void **state)
{
    static const struct {
        enum topology_match match;
        const char *reason;
    } cases[] = {
        { TOPOLOGY_UNSUPPORTED, "Flavor \"t\" does not support TopologyAwareScheduling" },
        { TOPOLOGY_UNKNOWN, "Flavor \"t\" information missing in TAS cache" },
        { TOPOLOGY_LEVEL_MISSING, "Flavor \"t\" does not contain the requested level" },
        { TOPOLOGY_ONLY, "Flavor \"t\" supports only TopologyAwareScheduling" },
    };
    struct taint taint = { "x", "", "NoSchedule", NULL };
    struct resource_flavor flavor = { .name = "t", .taints = &taint, .taint_count = 1 };
    struct pod_template pod = { 0 };
    const struct pod_template *pods[] = { &pod };
    const char *reason = NULL;

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        assert_int_equal(flavor_eligible("t", &flavor, pods, 1, &cases[i].match, &facts, &reason),
                         INELIGIBLE);
        assert_string_equal(reason, cases[i].reason);
    }
}

static void who_wants_topology_gets_topology(void **state)
{
    const char *levels[] = { "block", "rack" };
    struct topology topology = { "t", levels, 2 };
    struct resource_flavor with = { .name = "with", .topology = "t" },
                           without = { .name = "without" };
    struct topology_request none = { 0 }, rack = { .present = true, .required = "rack" },
                            host = { .present = true, .preferred = "host" },
                            grouped = { .present = true, .pod_set_group = "g" };
    struct topology_facts f = { .enabled = true, .requests_covered = true, .topology = &topology };

    (void)state;
    assert_int_equal(topology_match(&rack, &with, &f), TOPOLOGY_COMPATIBLE);
    assert_int_equal(topology_match(&host, &with, &f), TOPOLOGY_LEVEL_MISSING);
    assert_int_equal(topology_match(&rack, &without, &f), TOPOLOGY_UNSUPPORTED);
    assert_int_equal(topology_match(&none, &with, &f), TOPOLOGY_ONLY);
    assert_int_equal(topology_match(&grouped, &with, &f), TOPOLOGY_ONLY);
    assert_int_equal(topology_match(&none, &without, &f), TOPOLOGY_COMPATIBLE);
    f.implied = true;
    assert_int_equal(topology_match(&none, &with, &f), TOPOLOGY_COMPATIBLE);
    f.requests_covered = false;
    assert_int_equal(topology_match(&rack, &without, &f), TOPOLOGY_COMPATIBLE);
    f.topology = NULL;
    assert_int_equal(topology_match(&rack, &with, &f), TOPOLOGY_UNKNOWN);
    f.enabled = false;
    assert_int_equal(topology_match(&none, &with, &f), TOPOLOGY_COMPATIBLE);
}

#define T(f) cmocka_unit_test_teardown(f, facts_finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_missing_flavor_says_so),
        T(f5_taints_print_like_a_struct),
        T(the_first_untolerated_taint_is_named),
        T(tolerations_match_by_effect_key_and_operator),
        T(f3_only_this_flavors_label_keys_matter),
        T(f4_a_term_without_relevant_keys_disables_the_affinity),
        T(one_matching_term_is_enough),
        T(expressions_of_a_term_are_anded_after_filtering),
        T(a_malformed_expression_is_an_error_only_if_no_term_matches),
        T(malformed_gt_counts_positions_among_relevant_expressions),
        T(every_pod_set_of_a_group_must_pass),
        T(topology_comes_before_taints),
        T(who_wants_topology_gets_topology),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
