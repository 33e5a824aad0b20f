#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "quota/base/mem.h"
#include "quota/engine/decimal.h"
#include "tests/unit/quota/engine/support_facts.h"

static const struct engine_options plain;

static const char *one_pod(const struct pod_template *pod, const struct engine_options *options)
{
    return amounts_text(pod_requests(pod, options, NULL, &facts));
}

static const char *scaled(const struct pod_template *pod, const struct engine_options *options,
                          int32_t count)
{
    return amounts_text(amounts_scale(pod_requests(pod, options, NULL, &facts), count, &facts));
}

/* ---- 0.3 ---- */

static void resources_are_looked_at_in_hash_order(void **state)
{
    static const char *const names[] = { "ephemeral-storage",
                                         "amd.com/gpu",
                                         "memory",
                                         "nvidia.com/gpu",
                                         "pods",
                                         "example.com/gpu",
                                         "hugepages-2Mi",
                                         "google.com/tpu",
                                         "storage",
                                         "gpu",
                                         "cpu" };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        for (size_t j = 0; j < ARRAY_COUNT(names); j++)
            assert_int_equal((resource_order(names[i], names[j]) > 0) -
                                 (resource_order(names[i], names[j]) < 0),
                             (i > j) - (i < j));
    assert_true(resource_hash("") == UINT64_C(0xcbf29ce484222325));
    assert_true(resource_hash("a") == UINT64_C(0xaf63dc4c8601ec8c));
}

/* ---- 9.1 ---- */

static void r1_init_containers_sidecar_and_overhead(void **state)
{
    struct container regular[] = { { .requests = resources("cpu", "500m", NULL) },
                                   { .requests = resources("cpu", "1", NULL) } };
    struct container init[] = { { .requests = resources("cpu", "2", NULL) },
                                { .requests = resources("cpu", "300m", NULL), .is_sidecar = true },
                                { .requests = resources("cpu", "1500m", NULL) } };
    struct pod_template pod = { .containers = regular,
                                .container_count = 2,
                                .init_containers = init,
                                .init_container_count = 3,
                                .overhead = resources("cpu", "100m", NULL) };

    (void)state;
    assert_string_equal(one_pod(&pod, &plain), "cpu=2100");
    assert_string_equal(scaled(&pod, &plain, 4), "cpu=8400");
}

static struct limit_range_item container_limits(struct resource_list defaults,
                                                struct resource_list default_requests)
{
    return (struct limit_range_item){ .type = LIMIT_CONTAINER,
                                      .defaults = defaults,
                                      .default_requests = default_requests };
}

static struct limit_summary summary_of(size_t count, const struct limit_range *ranges)
{
    const struct limit_range *list[8];
    struct limit_summary summary;

    for (size_t i = 0; i < count; i++)
        list[i] = &ranges[i];
    limits_merge(list, count, &facts, &summary);
    return summary;
}

static void r2_limit_range_goes_before_limits_as_requests(void **state)
{
    struct limit_range_item item =
        container_limits(resources("cpu", "8", "memory", "1Gi", NULL), resources("cpu", "1", NULL));
    struct limit_range range = { .items = &item, .item_count = 1 };
    struct limit_summary summary = summary_of(1, &range);
    struct container one = { .limits = resources("cpu", "4", NULL) };
    struct pod_template pod = { .containers = &one, .container_count = 1 };

    (void)state;
    assert_string_equal(one_pod(pod_adjust(&pod, &summary, NULL, &facts), &plain),
                        "memory=1073741824 cpu=1000");
    assert_int_equal(pod.containers[0].requests.count, 0); /* the original is left alone */
}

static void r3_rounding_per_pod_then_scaling(void **state)
{
    struct pod_template pod = pod_of(resources("cpu", "1500u", "memory", "1500m", NULL));

    (void)state;
    assert_string_equal(scaled(&pod, &plain, 3), "memory=6 cpu=6");
}

static void r4_transformations(void **state)
{
    struct resource_transformation rules[] = {
        { "nvidia.com/mig-1g.5gb", true, NULL,
          resources("example.com/mem", "5Gi", "example.com/credits", "10", NULL) },
        { "cpu", false, NULL, resources("example.com/credits", "1", NULL) },
    };
    struct engine_options options = { .transformations = rules, .transformation_count = 2 };
    struct pod_template pod = pod_of(resources("nvidia.com/mig-1g.5gb", "2", "cpu", "4", NULL));
    struct amounts got = pod_requests(&pod, &options, NULL, &facts);

    (void)state;
    assert_int_equal(got.count, 3);
    assert_int_equal(amounts_get(got, "cpu"), 4000);
    assert_int_equal(amounts_get(got, "example.com/mem"), INT64_C(10) << 30);
    assert_int_equal(amounts_get(got, "example.com/credits"), 24);
}

static void r5_multiply_by_reaches_outputs_only(void **state)
{
    struct resource_transformation rule = { "nvidia.com/gpu", false, "example.com/hours",
                                            resources("example.com/credits", "3", NULL) };
    struct engine_options options = { .transformations = &rule, .transformation_count = 1 };
    struct pod_template pod =
        pod_of(resources("nvidia.com/gpu", "2", "example.com/hours", "4", NULL));
    struct amounts got = pod_requests(&pod, &options, NULL, &facts);

    (void)state;
    assert_int_equal(amounts_get(got, "nvidia.com/gpu"), 2);
    assert_int_equal(amounts_get(got, "example.com/hours"), 4);
    assert_int_equal(amounts_get(got, "example.com/credits"), 24);
    pod = pod_of(resources("nvidia.com/gpu", "2", NULL)); /* absent: ignored */
    got = pod_requests(&pod, &options, NULL, &facts);
    assert_int_equal(amounts_get(got, "example.com/credits"), 6);
}

static void cancelling_options(struct engine_options *options)
{
    static struct resource_transformation rules[2];

    rules[0] = (struct resource_transformation){ "cpu", false, NULL,
                                                 resources("example.com/credits", "10", NULL) };
    rules[1] = (struct resource_transformation){ "nvidia.com/gpu", false, NULL,
                                                 resources("example.com/credits", "-30", NULL) };
    *options = (struct engine_options){ .transformations = rules, .transformation_count = 2 };
}

static void r6_negative_outputs_cancel_only_generated_amounts(void **state)
{
    struct engine_options options;
    struct pod_template pod =
        pod_of(resources("cpu", "2", "nvidia.com/gpu", "1", "example.com/credits", "5", NULL));
    struct amounts got;

    (void)state;
    cancelling_options(&options);
    got = pod_requests(&pod, &options, NULL, &facts);
    assert_int_equal(got.count, 3);
    assert_int_equal(amounts_get(got, "cpu"), 2000);
    assert_int_equal(amounts_get(got, "nvidia.com/gpu"), 1);
    assert_int_equal(amounts_get(got, "example.com/credits"), 5);
}

static void r7_exclusion_wins_over_transformation(void **state)
{
    struct engine_options options;
    const char *prefixes[] = { "nvidia.com/" };
    struct pod_template pod = pod_of(resources("cpu", "1", "nvidia.com/gpu", "1", NULL));
    struct amounts got;

    (void)state;
    cancelling_options(&options);
    options.exclude_prefixes = prefixes;
    options.exclude_prefix_count = 1;
    got = pod_requests(&pod, &options, NULL, &facts);
    assert_int_equal(got.count, 2);
    assert_int_equal(amounts_get(got, "cpu"), 1000);
    assert_int_equal(amounts_get(got, "example.com/credits"), 10);
}

static struct workload admitted(struct pod_set *pod_set, struct pod_set_assignment *assignment,
                                struct pod_count *reclaimable)
{
    return (struct workload){ .pod_sets = pod_set,
                              .pod_set_count = 1,
                              .admission = { "cq", assignment, 1 },
                              .reclaimable = reclaimable,
                              .reclaimable_count = reclaimable ? 1 : 0 };
}

static void r8_reclaimable_pods_in_both_views(void **state)
{
    struct engine_gates gates = { .reclaimable_pods = true };
    struct pod_set pod_set = pod_set_of("main", 5, resources("cpu", "1", NULL));
    struct resource_flavor_use use = { "cpu", "f", true, quantity("7001m") };
    struct pod_set_assignment assignment = {
        .pod_set = "main", .uses = &use, .use_count = 1, .count = -1
    };
    struct pod_count reclaimable = { "main", 2 };
    struct workload workload = admitted(&pod_set, &assignment, &reclaimable);
    struct pod_set_amounts *got;
    size_t count;

    (void)state;
    assert_int_equal(effective_count(&workload, &pod_set, &gates), 3);
    assert_string_equal(scaled(&pod_set.pod, &plain, 3), "cpu=3000");
    got = reserved_view(&workload, &gates, &facts, &count);
    assert_int_equal(count, 1);
    assert_int_equal(got[0].count, 3);
    assert_string_equal(amounts_text(got[0].amounts), "cpu@f=4200");
    gates.reclaimable_pods = false;
    got = reserved_view(&workload, &gates, &facts, &count);
    assert_int_equal(got[0].count, 5);
    assert_string_equal(amounts_text(got[0].amounts), "cpu@f=7001");
}

static void r8_partial_admission_with_reclaimable_pods_stays(void **state)
{
    struct engine_gates gates = { .reclaimable_pods = true };
    struct pod_set pod_set = pod_set_of("main", 10, resources("cpu", "1", NULL));
    struct resource_flavor_use use = { "cpu", "f", true, quantity("4") };
    struct pod_set_assignment assignment = {
        .pod_set = "main", .uses = &use, .use_count = 1, .count = 4
    };
    struct pod_count reclaimable = { "main", 3 };
    struct workload workload = admitted(&pod_set, &assignment, &reclaimable);
    struct pod_set_amounts *got;
    size_t count;

    (void)state;
    got = reserved_view(&workload, &gates, &facts, &count);
    assert_int_equal(got[0].count, 4);
    assert_string_equal(amounts_text(got[0].amounts), "cpu@f=4000");
}

static void r9_saturation_and_how_it_reads(void **state)
{
    struct pod_template pod = pod_of(resources("cpu", "9223372036854775807", NULL));
    char text[QUANTITY_TEXT];

    (void)state;
    assert_int_equal(amounts_get(pod_requests(&pod, &plain, NULL, &facts), "cpu"), INT64_MAX);
    assert_int_equal(amount_scale(INT64_MAX, 3), INT64_MAX);
    assert_string_equal(amount_print(STR("cpu"), INT64_MAX, true, text), "9223372036854775807m");
}

/* ---- 1.2 ---- */

static void limit_ranges_merge_to_the_tightest(void **state)
{
    struct limit_range_item items[] = {
        { .type = LIMIT_CONTAINER,
          .max = resources("cpu", "4", "memory", "1Gi", NULL),
          .min = resources("cpu", "100m", NULL),
          .defaults = resources("cpu", "2", NULL),
          .max_ratio = resources("cpu", "4", NULL) },
        { .type = LIMIT_CONTAINER,
          .max = resources("cpu", "2", "memory", "2Gi", NULL),
          .min = resources("cpu", "200m", "memory", "1Mi", NULL),
          .defaults = resources("cpu", "1", "memory", "64Mi", NULL),
          .max_ratio = resources("cpu", "8", NULL) },
        { .type = LIMIT_POD, .max = resources("cpu", "16", NULL) },
    };
    struct limit_range ranges[] = { { .items = &items[0], .item_count = 1 },
                                    { .items = &items[1], .item_count = 2 } };
    struct limit_summary summary = summary_of(2, ranges);

    (void)state;
    assert_true(summary.has_container && summary.has_pod);
    assert_int_equal(summary.container.max.count, 2);
    assert_int_equal(quantity_compare(summary.container.max.items[0].quantity, quantity("2")), 0);
    assert_int_equal(quantity_compare(summary.container.max.items[1].quantity, quantity("1Gi")), 0);
    assert_int_equal(quantity_compare(summary.container.min.items[0].quantity, quantity("200m")),
                     0);
    assert_int_equal(summary.container.min.count, 2);
    assert_int_equal(quantity_compare(summary.container.defaults.items[0].quantity, quantity("2")),
                     0);
    assert_int_equal(summary.container.defaults.count, 2);
    assert_int_equal(quantity_compare(summary.container.max_ratio.items[0].quantity, quantity("4")),
                     0);
    assert_int_equal(quantity_compare(summary.pod.max.items[0].quantity, quantity("16")), 0);
}

static void runtime_class_overhead_fills_an_empty_one_only(void **state)
{
    struct runtime_class kata = { "kata", resources("cpu", "250m", NULL) };
    struct pod_template pod = pod_of(resources("cpu", "1", NULL));

    (void)state;
    assert_ptr_equal(pod_adjust(&pod, NULL, &kata, &facts), &pod); /* names no class */
    pod.runtime_class = "kata";
    assert_string_equal(one_pod(pod_adjust(&pod, NULL, &kata, &facts), &plain), "cpu=1250");
    assert_ptr_equal(pod_adjust(&pod, NULL, NULL, &facts), &pod); /* no such class */
    pod.overhead = resources("memory", "1Mi", NULL);
    assert_string_equal(one_pod(pod_adjust(&pod, NULL, &kata, &facts), &plain),
                        "memory=1048576 cpu=1000");
}

static void limits_stand_in_for_requests_everywhere(void **state)
{
    struct container init = { .limits = resources("memory", "3", NULL) };
    struct pod_template pod = { .init_containers = &init,
                                .init_container_count = 1,
                                .has_pod_resources = true,
                                .pod_limits = resources("cpu", "2", NULL) };
    struct container regular = { .requests = resources("cpu", "1", NULL),
                                 .limits = resources("cpu", "4", "memory", "2", NULL) };

    (void)state;
    pod.containers = &regular;
    pod.container_count = 1;
    assert_string_equal(one_pod(pod_adjust(&pod, NULL, NULL, &facts), &plain), "memory=3 cpu=2000");
}

static void pod_defaults_reach_pod_level_lists_only(void **state)
{
    struct limit_range_item item = { .type = LIMIT_POD,
                                     .default_requests = resources("cpu", "3", NULL) };
    struct limit_range range = { .items = &item, .item_count = 1 };
    struct limit_summary summary = summary_of(1, &range);
    struct pod_template pod = pod_of(resources("cpu", "1", NULL));

    (void)state;
    assert_ptr_equal(pod_adjust(&pod, &summary, NULL, &facts), &pod);
    pod.has_pod_resources = true;
    assert_string_equal(one_pod(pod_adjust(&pod, &summary, NULL, &facts), &plain), "cpu=3000");
}

/* ---- 1.3 ---- */

static void pod_level_requests_replace_supported_names_and_overhead_adds(void **state)
{
    struct pod_template pod =
        pod_of(resources("cpu", "1", "nvidia.com/gpu", "2", "hugepages-2Mi", "4Mi", NULL));

    (void)state;
    pod.has_pod_resources = true;
    pod.pod_requests = resources("cpu", "500m", "nvidia.com/gpu", "9", "memory", "7", NULL);
    pod.overhead = resources("cpu", "100m", "storage", "1", NULL);
    assert_string_equal(one_pod(&pod, &plain),
                        "memory=7 nvidia.com/gpu=2 hugepages-2Mi=4194304 storage=1 cpu=600");
}

static void a_name_with_zero_exists(void **state)
{
    struct container init = { .requests = resources("gpu", "0", NULL) };
    struct pod_template pod = pod_of(resources("cpu", "0", NULL));

    (void)state;
    pod.init_containers = &init;
    pod.init_container_count = 1;
    assert_string_equal(one_pod(&pod, &plain), "gpu=0 cpu=0");
    pod = (struct pod_template){ 0 };
    assert_string_equal(one_pod(&pod, &plain), "");
}

static void a_sidecar_counts_for_later_init_containers_only(void **state)
{
    struct container init[] = { { .requests = resources("cpu", "5", NULL) },
                                { .requests = resources("cpu", "2", NULL), .is_sidecar = true },
                                { .requests = resources("cpu", "2", NULL), .is_sidecar = true },
                                { .requests = resources("cpu", "3", NULL) } };
    struct pod_template pod = pod_of(resources("cpu", "1", NULL));

    (void)state;
    pod.init_containers = init;
    pod.init_container_count = 4;
    assert_string_equal(one_pod(&pod, &plain), "cpu=7000"); /* 3 + 2 + 2 beats 5 and 1 + 2 + 2 */
}

/* ---- 1.4 ---- */

static void transformations_do_not_chain(void **state)
{
    struct resource_transformation rules[] = {
        { "a", true, NULL, resources("b", "2", NULL) },
        { "b", true, NULL, resources("c", "3", NULL) },
    };
    struct engine_options options = { .transformations = rules, .transformation_count = 2 };
    struct pod_template pod = pod_of(resources("a", "1", "b", "1", NULL));
    struct amounts got = pod_requests(&pod, &options, NULL, &facts);

    (void)state;
    assert_int_equal(got.count, 2);
    assert_int_equal(amounts_get(got, "b"), 2); /* replaced, then generated */
    assert_int_equal(amounts_get(got, "c"), 3);
}

static void a_replaced_resource_without_outputs_is_ignored(void **state)
{
    struct resource_transformation rule = { "gpu", true, NULL, { NULL, 0 } };
    struct engine_options options = { .transformations = &rule, .transformation_count = 1 };
    struct pod_template pod = pod_of(resources("gpu", "1", "cpu", "1", NULL));

    (void)state;
    assert_string_equal(one_pod(&pod, &options), "cpu=1000");
}

static void an_excluded_resource_cannot_multiply(void **state)
{
    const char *prefixes[] = { "example.com/" };
    struct resource_transformation rule = { "gpu", false, "example.com/hours",
                                            resources("credits", "3", NULL) };
    struct engine_options options = { .transformations = &rule,
                                      .transformation_count = 1,
                                      .exclude_prefixes = prefixes,
                                      .exclude_prefix_count = 1 };
    struct pod_template pod = pod_of(resources("gpu", "2", "example.com/hours", "4", NULL));

    (void)state;
    assert_int_equal(amounts_get(pod_requests(&pod, &options, NULL, &facts), "credits"), 6);
}

static void fractions_of_outputs_are_exact_until_the_sum_is_rounded(void **state)
{
    struct resource_transformation rules[] = {
        { "cpu", false, NULL, resources("credits", "0.1", NULL) },
        { "gpu", false, NULL, resources("credits", "0.2", NULL) },
    };
    struct engine_options options = { .transformations = rules, .transformation_count = 2 };
    struct pod_template pod = pod_of(resources("cpu", "1", "gpu", "1", "credits", "700m", NULL));

    (void)state;
    assert_int_equal(amounts_get(pod_requests(&pod, &options, NULL, &facts), "credits"), 1);
}

static void products_wider_than_128_bits_are_exact(void **state)
{
    struct resource_transformation rule = {
        "a", true, "b", resources("credits", "0.000000001", "huge", "4000000000", NULL)
    };
    struct engine_options options = { .transformations = &rule, .transformation_count = 1 };
    struct pod_template pod = pod_of(resources("a", "3000000000", "b", "3000000000.5", NULL));
    struct amounts got = pod_requests(&pod, &options, NULL, &facts);

    (void)state;
    assert_true(amounts_get(got, "credits") == INT64_C(9000000002)); /* 9000000001.5 up */
    assert_true(amounts_get(got, "huge") == INT64_MAX);
}

static void devices_replace_extended_resources(void **state)
{
    const char *replaced[] = { "nvidia.com/gpu" };
    struct device_requests devices = { replaced, 1, resources("dra/gpu", "2", "cpu", "1", NULL) };
    struct pod_template pod = pod_of(resources("nvidia.com/gpu", "2", "cpu", "1", NULL));
    struct amounts got = pod_requests(&pod, &plain, &devices, &facts);

    (void)state;
    assert_int_equal(got.count, 2);
    assert_int_equal(amounts_get(got, "dra/gpu"), 2);
    assert_int_equal(amounts_get(got, "cpu"), 2000);
}

static void negative_amounts_become_zero(void **state)
{
    struct pod_template pod = pod_of(resources("cpu", "-3", "memory", "-0.5", NULL));

    (void)state;
    assert_string_equal(one_pod(&pod, &plain), "memory=0 cpu=0");
}

/* ---- decimals ---- */

static void decimals_round_up_and_clamp(void **state)
{
    const __int128 one = 1000000000;
    static const struct {
        int64_t a_nano;
        int digits;
        int64_t want;
    } cases[] = {
        { 0, 0, 0 },          { 1, 0, 1 },
        { -1, 0, 0 },         { 1000000000, 0, 1 },
        { 1000000001, 0, 2 }, { -1000000001, 0, -1 },
        { 1500000, 3, 2 },    { 1000000, 3, 1 },
        { -1500000, 3, -1 },  { -2000000000, 0, -2 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        assert_int_equal(
            decimal_round_up(decimal_product(cases[i].a_nano, one, one), cases[i].digits),
            cases[i].want);
    assert_true(decimal_round_up(decimal_product((__int128)1 << 90, one * 1000000, one), 0) ==
                INT64_MAX);
    assert_true(decimal_round_up(decimal_product(-((__int128)1 << 90), one * 1000000, one), 0) ==
                INT64_MIN);
    assert_true(decimal_round_up(decimal_product(INT64_MAX * one, one, one), 0) == INT64_MAX);
    assert_true(decimal_round_up(decimal_product((INT64_MAX - 1) * one + 1, one, one), 0) ==
                INT64_MAX);
}

static void decimal_sums_cancel(void **state)
{
    const __int128 big = (__int128)1 << 100;
    struct decimal plus = decimal_product(big, big, 7), minus = decimal_product(-big, big, 7);

    (void)state;
    assert_true(decimal_is_negative(minus));
    assert_false(decimal_is_negative(plus));
    assert_int_equal(decimal_round_up(decimal_add(plus, minus), 0), 0);
}

/* ---- counts, reserved view, priority ---- */

static void reclaimable_pods_stay_within_the_count(void **state)
{
    struct engine_gates gates = { .reclaimable_pods = true };
    struct pod_set pod_set = pod_set_of("main", 3, resources("cpu", "1", NULL));
    struct pod_count reclaimable = { "main", 7 };
    struct workload workload = { .pod_sets = &pod_set,
                                 .pod_set_count = 1,
                                 .reclaimable = &reclaimable,
                                 .reclaimable_count = 1 };

    (void)state;
    assert_int_equal(effective_count(&workload, &pod_set, &gates), 0);
    reclaimable.count = -4;
    assert_int_equal(effective_count(&workload, &pod_set, &gates), 3);
    reclaimable = (struct pod_count){ "other", 2 };
    assert_int_equal(effective_count(&workload, &pod_set, &gates), 3);
}

static void resources_without_a_flavor_are_unassigned(void **state)
{
    struct engine_gates gates = { .reclaimable_pods = true };
    struct pod_set pod_set = pod_set_of("main", 1, resources("cpu", "1", NULL));
    struct resource_flavor_use uses[] = { { "cpu", "f", true, quantity("1") },
                                          { "gpu", NULL, true, quantity("2") },
                                          { "memory", "f", false, { 0, QUANTITY_DECIMAL } } };
    struct pod_set_assignment assignment = {
        .pod_set = "main", .uses = uses, .use_count = 3, .count = 1
    };
    struct workload workload = admitted(&pod_set, &assignment, NULL);
    size_t count;

    (void)state;
    assert_string_equal(amounts_text(reserved_view(&workload, &gates, &facts, &count)[0].amounts),
                        "gpu=2 cpu@f=1000");
    workload.pod_set_count = 0; /* the pod set is gone: stored numbers stand */
    assert_string_equal(amounts_text(reserved_view(&workload, &gates, &facts, &count)[0].amounts),
                        "gpu=2 cpu@f=1000");
}

static void totals_rescale_by_dividing_first(void **state)
{
    (void)state;
    assert_int_equal(amount_rescale(7001, 5, 3), 4200);
    assert_int_equal(amount_rescale(-7, 2, 2), -6);
    assert_int_equal(amount_rescale(7, 0, 2), 14);
    assert_int_equal(amount_rescale(INT64_MAX, 1, 2), INT64_MAX);
    assert_int_equal(amount_scale(5, -1), 0);
}

static void amounts_read_as_the_api_shows_them(void **state)
{
    static const struct {
        const char *resource;
        int64_t amount;
        const char *text;
    } cases[] = {
        { "cpu", 500, "500m" },
        { "cpu", 2000, "2" },
        { "memory", 5 << 20, "5Mi" },
        { "memory", 1024, "1Ki" },
        { "memory", 1536, "1536" },
        { "memory", 1000, "1k" },
        { "memory", 2000000, "2M" },
        { "hugepages-1Gi", 1 << 30, "1Gi" },
        { "nvidia.com/gpu", 3, "3" },
        { "nvidia.com/gpu", 1024, "1024" },
        { "example.com/x", 10000, "10k" },
        { "ephemeral-storage", 0, "0" },
    };
    char text[QUANTITY_TEXT];

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        assert_string_equal(
            quantity_print(amount_quantity(cases[i].resource, cases[i].amount), text),
            cases[i].text);
}

static void the_boost_counts_only_with_its_gate(void **state)
{
    static const struct {
        const char *boost;
        int64_t want;
    } cases[] = { { "5", 105 },   { "-200", -100 },
                  { "", 100 },    { "x", 100 },
                  { "1.5", 100 }, { "2147483648", 100 },
                  { NULL, 100 },  { "2147483647", INT64_C(2147483747) } };
    struct engine_gates gates = { .priority_boost = true };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct workload workload = { .has_priority = true,
                                     .priority = 100,
                                     .priority_boost = cases[i].boost };

        assert_true(effective_priority(&workload, &gates) == cases[i].want);
        assert_true(effective_priority(&workload, &(struct engine_gates){ 0 }) == 100);
    }
    assert_true(effective_priority(&(struct workload){ .priority = 7 }, &gates) == 0);
}

#define T(f) cmocka_unit_test_teardown(f, facts_finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(resources_are_looked_at_in_hash_order),
        T(r1_init_containers_sidecar_and_overhead),
        T(r2_limit_range_goes_before_limits_as_requests),
        T(r3_rounding_per_pod_then_scaling),
        T(r4_transformations),
        T(r5_multiply_by_reaches_outputs_only),
        T(r6_negative_outputs_cancel_only_generated_amounts),
        T(r7_exclusion_wins_over_transformation),
        T(r8_reclaimable_pods_in_both_views),
        T(r8_partial_admission_with_reclaimable_pods_stays),
        T(r9_saturation_and_how_it_reads),
        T(limit_ranges_merge_to_the_tightest),
        T(runtime_class_overhead_fills_an_empty_one_only),
        T(limits_stand_in_for_requests_everywhere),
        T(pod_defaults_reach_pod_level_lists_only),
        T(pod_level_requests_replace_supported_names_and_overhead_adds),
        T(a_name_with_zero_exists),
        T(a_sidecar_counts_for_later_init_containers_only),
        T(transformations_do_not_chain),
        T(a_replaced_resource_without_outputs_is_ignored),
        T(an_excluded_resource_cannot_multiply),
        T(fractions_of_outputs_are_exact_until_the_sum_is_rounded),
        T(products_wider_than_128_bits_are_exact),
        T(devices_replace_extended_resources),
        T(negative_amounts_become_zero),
        T(decimals_round_up_and_clamp),
        T(decimal_sums_cancel),
        T(reclaimable_pods_stay_within_the_count),
        T(resources_without_a_flavor_are_unassigned),
        T(totals_rescale_by_dividing_first),
        T(amounts_read_as_the_api_shows_them),
        T(the_boost_counts_only_with_its_gate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
