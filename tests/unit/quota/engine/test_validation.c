#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "quota/base/mem.h"
#include "quota/engine/validation.h"
#include "tests/unit/quota/engine/support_facts.h"

static struct container sized(struct resource_list requests, struct resource_list limits)
{
    return (struct container){ .requests = requests, .limits = limits };
}

static void requests_may_equal_their_limits(void **state)
{
    struct container one =
        sized(resources("cpu", "1", "gpu", "2", NULL), resources("cpu", "1000m", NULL));
    struct pod_template pod = { .containers = &one, .container_count = 1 };
    const struct pod_template *pods[] = { &pod };

    (void)state;
    assert_false(pod_exceeds_limits(&pod));
    assert_null(validation_resources(pods, 1, &facts));
}

static void the_names_above_their_limits_are_listed_sorted(void **state)
{
    struct container one = sized(resources("memory", "2", "cpu", "2", "gpu", "1", NULL),
                                 resources("cpu", "1", "memory", "1", "gpu", "1", NULL));
    struct pod_template fine = { 0 }, pod = { .containers = &one, .container_count = 1 };
    const struct pod_template *pods[] = { &fine, &pod };

    (void)state;
    assert_true(pod_exceeds_limits(&pod));
    assert_string_equal(validation_resources(pods, 2, &facts),
                        "resources validation failed: "
                        "spec.podSets[1].template.spec.containers[0]: Invalid value: "
                        "[\"cpu\",\"memory\"]: requests must not exceed its limits");
}

static void init_containers_containers_and_pod_level_follow_each_other(void **state)
{
    struct container fine = sized(resources("cpu", "1", NULL), resources("cpu", "1", NULL));
    struct container over = sized(resources("cpu", "2", NULL), resources("cpu", "1", NULL));
    struct container pair[] = { fine, over };
    struct pod_template pod = { .containers = pair,
                                .container_count = 2,
                                .init_containers = &over,
                                .init_container_count = 1,
                                .has_pod_resources = true };
    const struct pod_template *pods[] = { &pod };

    (void)state;
    pod.pod_requests = resources("memory", "3Gi", NULL);
    pod.pod_limits = resources("memory", "1Gi", NULL);
    assert_string_equal(
        validation_resources(pods, 1, &facts),
        "resources validation failed: ["
        "spec.podSets[0].template.spec.initContainers[0]: Invalid value: [\"cpu\"]: requests must "
        "not exceed its limits, "
        "spec.podSets[0].template.spec.containers[1]: Invalid value: [\"cpu\"]: requests must not "
        "exceed its limits, "
        "spec.podSets[0].template.spec.resources: Invalid value: [\"memory\"]: requests must not "
        "exceed its limits]");
}

static void limits_are_compared_as_integers(void **state)
{
    struct container one =
        sized(resources("memory", "1900m", NULL), resources("memory", "1100m", NULL));
    struct pod_template pod = { .containers = &one, .container_count = 1 };

    (void)state;
    assert_false(pod_exceeds_limits(&pod)); /* both round up to 2 */
    one.requests = resources("memory", "2100m", NULL);
    assert_true(pod_exceeds_limits(&pod));
}

static struct limit_summary container_bounds(struct resource_list min, struct resource_list max)
{
    struct limit_summary summary = { .has_container = true };

    summary.container.min = min;
    summary.container.max = max;
    return summary;
}

static void a_limit_range_bounds_each_container(void **state)
{
    struct limit_summary summary = container_bounds(resources("cpu", "500m", NULL),
                                                    resources("cpu", "2", "memory", "1Gi", NULL));
    struct container one = sized(resources("cpu", "1", NULL), resources("cpu", "3", NULL));
    struct pod_template pod = { .containers = &one, .container_count = 1 };
    const struct pod_template *pods[] = { &pod };

    (void)state;
    assert_string_equal(validation_limit_range(pods, 1, &summary, &facts),
                        "resources didn't satisfy LimitRange constraints: "
                        "spec.podSets[0].template.spec.containers[0]: Invalid value: [\"cpu\"]: "
                        "requests must not be above the limitRange max");
    one = sized(resources("cpu", "499m", NULL), resources("cpu", "2", NULL));
    assert_string_equal(validation_limit_range(pods, 1, &summary, &facts),
                        "resources didn't satisfy LimitRange constraints: "
                        "spec.podSets[0].template.spec.containers[0]: Invalid value: [\"cpu\"]: "
                        "requests must not be below the limitRange min");
    one = sized(resources("cpu", "500m", "gpu", "9", NULL), resources("memory", "1Gi", NULL));
    assert_null(validation_limit_range(pods, 1, &summary, &facts));
    assert_false(pod_violates_limit_range(&pod, &summary, &facts));
}

static void a_missing_name_is_not_below_the_minimum(void **state)
{
    struct limit_summary summary =
        container_bounds(resources("memory", "1Gi", NULL), (struct resource_list){ NULL, 0 });
    struct pod_template pod = pod_of(resources("cpu", "1", NULL));

    (void)state;
    assert_false(pod_violates_limit_range(&pod, &summary, &facts));
}

static void limit_ranges_compare_exactly(void **state)
{
    struct limit_summary summary =
        container_bounds((struct resource_list){ NULL, 0 }, resources("memory", "1100m", NULL));
    struct pod_template pod = pod_of(resources("memory", "1900m", NULL));

    (void)state;
    assert_true(pod_violates_limit_range(&pod, &summary, &facts));
}

static void a_pod_limit_looks_at_the_pod_total(void **state)
{
    struct limit_summary summary = { .has_pod = true };
    struct container two[] = { { .requests = resources("cpu", "1", NULL) },
                               { .requests = resources("cpu", "1", NULL) } };
    struct pod_template pod = { .containers = two, .container_count = 2 };
    const struct pod_template *pods[] = { &pod };

    (void)state;
    summary.pod.max = resources("cpu", "2", NULL);
    summary.pod.min = resources("cpu", "2", NULL);
    assert_null(validation_limit_range(pods, 1, &summary, &facts));
    pod.overhead = resources("cpu", "100m", NULL);
    assert_string_equal(validation_limit_range(pods, 1, &summary, &facts),
                        "resources didn't satisfy LimitRange constraints: "
                        "spec.podSets[0].template.spec: Invalid value: [\"cpu\"]: requests must "
                        "not be above the limitRange max");
    pod.container_count = 1;
    assert_string_equal(validation_limit_range(pods, 1, &summary, &facts),
                        "resources didn't satisfy LimitRange constraints: "
                        "spec.podSets[0].template.spec: Invalid value: [\"cpu\"]: requests must "
                        "not be below the limitRange min");
}

static void the_ratio_is_not_checked(void **state)
{
    struct limit_summary summary = { .has_container = true };
    struct container one = sized(resources("cpu", "1", NULL), resources("cpu", "100", NULL));
    struct pod_template pod = { .containers = &one, .container_count = 1 };

    (void)state;
    summary.container.max_ratio = resources("cpu", "2", NULL);
    assert_false(pod_violates_limit_range(&pod, &summary, &facts));
    assert_false(pod_violates_limit_range(&pod, NULL, &facts));
}

#define T(f) cmocka_unit_test_teardown(f, facts_finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(requests_may_equal_their_limits),
        T(the_names_above_their_limits_are_listed_sorted),
        T(init_containers_containers_and_pod_level_follow_each_other),
        T(limits_are_compared_as_integers),
        T(a_limit_range_bounds_each_container),
        T(a_missing_name_is_not_below_the_minimum),
        T(limit_ranges_compare_exactly),
        T(a_pod_limit_looks_at_the_pod_total),
        T(the_ratio_is_not_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
