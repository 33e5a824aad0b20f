/* Devices of waiting workloads: what follows when templates and classes come, change and go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support_facts.h"
#include "support_world.h"

static int begin(void **state)
{
    static const char *classes[] = { "gpu" };
    static struct device_mapping mapping = { .resource = "gpus",
                                             .classes = classes,
                                             .class_count = 1 };
    static struct world world;

    world_options(&world);
    world.options.device_mappings = &mapping;
    world.options.device_mapping_count = 1;
    world_begin(&world);
    world_queue(&world, "A", "", "f/cpu=9,-,- f/gpus=4,-,-", "");
    *state = &world;
    return 0;
}

static int end(void **state)
{
    world_end(*state);
    return facts_finish(state);
}

static void template_is(struct world *w, const char *name, int64_t count)
{
    struct device_request request = {
        .is_exact = true, .device_class = "gpu", .allocation_mode = "ExactCount", .count = count
    };
    struct claim_template claim_template = { "ns", name, &request, 1 };

    engine_claim_template_put(w->engine, &claim_template, w->now);
}

static void class_is(struct world *w, const char *name, const char *extended, int64_t created)
{
    struct device_class class_ = { .name = name,
                                   .extended_resource = extended,
                                   .created = at(created) };

    engine_device_class_put(w->engine, &class_, w->now);
}

static struct workload *claims(struct world *w, const char *name, const char *claim_template)
{
    static struct pod_claim claim;
    struct workload *workload = world_workload(w, "A", name, 0, "cpu=1");
    struct pod_template *pod = &workload->pod_sets[0].pod;

    claim = (struct pod_claim){ NULL, claim_template };
    pod->claims = &claim;
    pod->claim_count = 1;
    pod->resource_claims = claim_template;
    engine_workload_put(w->engine, workload, w->now);
    return workload;
}

static const char *why(struct world *w, const char *name)
{
    struct wait_reason reason;

    assert_true(engine_wait_reason(w->engine, "ns", name, &w->answer, &reason));
    return *reason.not_requeued ? reason.not_requeued : "queued";
}

static void a_template_brings_its_workloads_into_the_queue(void **state)
{
    struct world *w = *state;

    claims(w, "p", "t");
    assert_string_equal(world_pending(w, "A"), "heap:; parked:");
    assert_non_null(strstr(why(w, "p"), "\"t\" not found"));
    template_is(w, "other", 1);
    assert_string_equal(world_pending(w, "A"), "heap:; parked:");
    template_is(w, "t", 1);
    assert_string_equal(world_pending(w, "A"), "heap: p; parked:");
    assert_string_equal(why(w, "p"), "queued");
    engine_claim_template_remove(w->engine, "ns", "t", w->now);
    assert_string_equal(world_pending(w, "A"), "heap:; parked:");
}

static void a_changed_template_is_looked_at_anew(void **state)
{
    struct world *w = *state;

    template_is(w, "t", 5);
    claims(w, "p", "t");
    assert_string_equal(world_cycle(w), "p Pending");
    assert_string_equal(world_pending(w, "A"), "heap:; parked: p");
    template_is(w, "t", 5);
    assert_string_equal(world_pending(w, "A"), "heap:; parked: p");
    template_is(w, "t", 4);
    assert_string_equal(world_cycle(w), "p Admitted");
}

static void who_holds_quota_is_not_asked_again(void **state)
{
    struct world *w = *state;

    template_is(w, "t", 4);
    claims(w, "p", "t");
    assert_string_equal(world_cycle(w), "p Admitted");
    engine_claim_template_remove(w->engine, "ns", "t", w->now);
    assert_string_equal(why(w, "p"), "queued");
    claims(w, "q", "gone");
    assert_string_equal(world_cycle(w), "");
}

static void a_class_takes_over_the_resource_it_stands_for(void **state)
{
    struct world *w = *state;

    world_waits(w, "A", "p", 0, "example.com/gpu=2", 10);
    assert_string_equal(world_cycle(w), "p Pending");
    class_is(w, "gpu", "example.com/gpu", 10);
    assert_string_equal(world_pending(w, "A"), "heap: p; parked:");
    class_is(w, "new", "example.com/gpu", 20); /* not mapped */
    assert_string_equal(world_cycle(w), "p Pending");
    class_is(w, "new", NULL, 20);
    assert_string_equal(world_cycle(w), "p Admitted");
    engine_device_class_remove(w->engine, "gpu", w->now);
    engine_device_class_remove(w->engine, "gpu", w->now);
}

static void slice_is(struct world *w, const char *name, const char *model, int64_t slice_count)
{
    struct device_attribute attribute = {
        .domain = "d.io", .name = "model", .type = ATTRIBUTE_TEXT, .text = model
    };
    struct device device = { .driver = "d.io", .attributes = &attribute, .attribute_count = 1 };
    struct device_slice slice = { .name = name,
                                  .driver = "d.io",
                                  .pool = "pool",
                                  .slice_count = slice_count,
                                  .devices = &device,
                                  .device_count = 1 };

    engine_device_slice_put(w->engine, &slice, w->now);
}

static void slices_count_once_all_of_them_were_told(void **state)
{
    static const char *selectors[] = { "device.attributes['d.io'].model == 'a'" };
    struct device_request request = { .is_exact = true,
                                      .device_class = "gpu",
                                      .allocation_mode = "ExactCount",
                                      .count = 2,
                                      .selectors = selectors,
                                      .selector_count = 1 };
    struct claim_template claim_template = { "ns", "t", &request, 1 };
    struct world *w = *state;

    engine_claim_template_put(w->engine, &claim_template, w->now);
    claims(w, "p", "t");
    assert_non_null(strstr(why(w, "p"), "0 device(s) match"));
    slice_is(w, "one", "a", 2);
    slice_is(w, "two", "b", 2);
    assert_non_null(strstr(why(w, "p"), "0 device(s) match"));
    engine_devices_changed(w->engine, w->now);
    assert_non_null(strstr(why(w, "p"), "1 device(s) match"));
    slice_is(w, "two", "a", 2);
    engine_devices_changed(w->engine, w->now);
    assert_string_equal(world_pending(w, "A"), "heap: p; parked:");
    engine_device_slice_remove(w->engine, "one", w->now);
    engine_device_slice_remove(w->engine, "one", w->now);
    engine_devices_changed(w->engine, w->now);
    assert_string_equal(world_pending(w, "A"), "heap:; parked:");
}

static void counts_saturate(void **state)
{
    struct world *w = *state;
    struct workload *workload;

    template_is(w, "t", INT64_MAX);
    workload = claims(w, "p", "t");
    workload->pod_sets[0].count = 2;
    engine_workload_put(w->engine, workload, w->now);
    assert_string_equal(world_cycle(w), "p Pending");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_template_brings_its_workloads_into_the_queue, begin, end),
        cmocka_unit_test_setup_teardown(a_changed_template_is_looked_at_anew, begin, end),
        cmocka_unit_test_setup_teardown(who_holds_quota_is_not_asked_again, begin, end),
        cmocka_unit_test_setup_teardown(a_class_takes_over_the_resource_it_stands_for, begin, end),
        cmocka_unit_test_setup_teardown(slices_count_once_all_of_them_were_told, begin, end),
        cmocka_unit_test_setup_teardown(counts_saturate, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
