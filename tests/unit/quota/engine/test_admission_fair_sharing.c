/* Admission fair sharing: the worked examples A1 - A5 of spec/scheduling.md 9.8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "quota/engine/scaled.h"
#include "support_world.h"

#define SECOND NANOSECONDS_PER_SECOND

static int begin(void **state)
{
    static struct world world;

    world_options(&world);
    world.options.admission_fair_sharing = true;
    world.options.usage_half_life = 600 * SECOND;
    world_begin(&world);
    *state = &world;
    return 0;
}

static void a1_a_share_of_the_past_is_forgotten(void **state)
{
    double alpha = decay_alpha(300 * SECOND, 600 * SECOND);
    __int128 consumed;

    (void)state;
    assert_true(alpha == 0.2928932188134524);
    assert_true(quantity_scale((__int128)10 * SECOND, alpha) == 2928932188);
    consumed = quantity_scale((__int128)4 * SECOND, 1.0 - alpha);
    assert_true(consumed == 2828427124);
    consumed += quantity_scale((__int128)8 * SECOND, alpha);
    assert_true(consumed == 5171572874);
}

static void a2_a_week_of_memory(void **state)
{
    double alpha = decay_alpha(300 * SECOND, 168 * 3600 * SECOND);

    (void)state;
    assert_true(alpha == 0.00034376390587387284);
    assert_true(quantity_scale((__int128)8 * SECOND, alpha) == 2750111);
}

static void scaling_cuts_toward_zero(void **state)
{
    (void)state;
    assert_true(quantity_scale(7, 0.5) == 3);
    assert_true(quantity_scale(-7, 0.5) == -3);
    assert_true(quantity_scale(7, 1.0) == 7);
    assert_true(quantity_scale(7, 1e-30) == 0);
    assert_true(quantity_scale((__int128)INT64_MAX * SECOND, 0.25) ==
                (__int128)INT64_MAX * SECOND / 4);
}

static void local_queue(struct world *w, const char *name, const char *weight, const char *consumed)
{
    struct resource_quantity cpu = { "cpu", { 0 } };
    struct local_queue facts = { .namespace = "ns", .name = name, .cluster_queue = "A" };
    struct err e;

    facts.has_weight = true;
    assert_int_equal(quantity_parse(str_of(weight), &facts.weight, &e), 0);
    assert_int_equal(quantity_parse(str_of(consumed), &cpu.quantity, &e), 0);
    facts.has_consumed = true;
    facts.consumed = (struct resource_list){ &cpu, 1 };
    facts.consumed_updated = w->now;
    engine_local_queue_put(w->engine, &facts, w->now);
}

static void a3_usage_by_weight_orders_the_queue(void **state)
{
    struct world *w = *state;

    world_queue(w, "A", "", "4,-,-", "afs");
    local_queue(w, "a", "1", "5");
    local_queue(w, "b", "2", "8");
    world_waits(w, "a", "pa", 9, "cpu=1", 10);
    world_waits(w, "b", "pb1", 0, "cpu=1", 30);
    world_waits(w, "b", "pb2", 1, "cpu=1", 40);
    assert_string_equal(world_pending(w, "A"), "heap: pb2 pb1 pa; parked:");
}

static void weight_zero_goes_last(void **state)
{
    struct world *w = *state;

    world_queue(w, "A", "", "4,-,-", "afs");
    local_queue(w, "a", "0", "0");
    local_queue(w, "b", "1", "80");
    world_waits(w, "a", "pa", 9, "cpu=1", 10);
    world_waits(w, "b", "pb", 0, "cpu=1", 30);
    assert_string_equal(world_pending(w, "A"), "heap: pb pa; parked:");
}

static const char *consumed(struct world *w, const char *name)
{
    struct resource_list list;
    char text[QUANTITY_TEXT];
    int64_t updated;

    assert_true(engine_local_queue_consumed(w->engine, "ns", name, &w->answer, &list, &updated));
    return list.count == 0 ? ""
                           : arena_strdup(&w->answer, quantity_print(list.items[0].quantity, text));
}

static void a5_a_penalty_is_replaced_and_settled(void **state)
{
    struct world *w = *state;
    struct workload *p;

    world_queue(w, "A", "", "20,-,-", "afs");
    p = world_workload(w, "A", "p", 0, "cpu=10");
    engine_workload_put(w->engine, p, w->now);
    for (int i = 0; i < 2; i++) {
        assert_string_equal(world_cycle(w), "p Admitted");
        engine_admission_failed(w->engine, "ns", "p", false, w->now);
    }
    assert_string_equal(world_cycle(w), "p Admitted");
    assert_string_equal(consumed(w, "A"), "");
    p->admission.cluster_queue = "A";
    world_condition(w, p, "QuotaReserved", true, "QuotaReserved", w->now);
    world_condition(w, p, "Admitted", true, "Admitted", w->now);
    engine_workload_put(w->engine, p, w->now);
    assert_string_equal(consumed(w, "A"), "2928932188n");
    engine_workload_put(w->engine, p, w->now);
    assert_string_equal(consumed(w, "A"), "2928932188n");
}

static void usage_is_sampled_as_time_passes(void **state)
{
    struct world *w = *state;

    world_queue(w, "A", "", "20,-,-", "afs");
    local_queue(w, "a", "1", "4");
    world_waits(w, "a", "p", 0, "cpu=8", 10);
    engine_workload_remove(w->engine, "ns", "p", w->now);
    {
        struct workload *held = world_workload(w, "a", "h", 0, "cpu=8");

        held->admission.cluster_queue = "A";
        world_condition(w, held, "QuotaReserved", true, "QuotaReserved", w->now);
        world_condition(w, held, "Admitted", true, "Admitted", w->now);
        engine_workload_put(w->engine, held, w->now);
    }
    world_pass(w, 299);
    assert_string_equal(consumed(w, "a"), "4");
    world_pass(w, 1);
    assert_string_equal(consumed(w, "a"), "5171572874n");
}

/* Nobody samples a queue that has nothing; its hours before the first workload are not usage: only
 * the penalty of the workload itself is, and nothing of the ten hours. */
static void an_idle_queue_has_no_past(void **state)
{
    struct world *w = *state;
    struct workload *p;

    world_queue(w, "A", "", "20,-,-", "afs");
    world_pass(w, 36000);
    p = world_workload(w, "A", "p", 0, "cpu=10");
    engine_workload_put(w->engine, p, w->now);
    assert_string_equal(world_cycle(w), "p Admitted");
    p->admission.cluster_queue = "A";
    world_condition(w, p, "QuotaReserved", true, "QuotaReserved", w->now);
    world_condition(w, p, "Admitted", true, "Admitted", w->now);
    engine_workload_put(w->engine, p, w->now);
    assert_string_equal(consumed(w, "A"), "2928932188n");
}

/* Those who used more are preempted first (5.3 rule 3). */
static void heavy_users_are_preempted_first(void **state)
{
    struct world *w = *state;
    struct workload *held;
    const char *const queues[] = { "a", "b" };

    world_queue(w, "A", "", "4,-,-", "afs within=LowerPriority");
    local_queue(w, "a", "1", "50");
    local_queue(w, "b", "1", "1");
    for (int i = 0; i < 2; i++) {
        held = world_workload(w, queues[i], i == 0 ? "ha" : "hb", i == 0 ? 2 : 1, "cpu=2");
        held->admission.cluster_queue = "A";
        world_condition(w, held, "QuotaReserved", true, "QuotaReserved", at(100));
        engine_workload_put(w->engine, held, w->now);
    }
    world_waits(w, "b", "p", 9, "cpu=2", 100);
    assert_string_equal(world_cycle(w), "p Preempting ha:InClusterQueue");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, world_teardown)

static void a_sample_is_planned_while_the_mode_asks_for_it(void **state)
{
    struct world *w = *state;
    struct err e;

    world_queue(w, "A", "", "4,-,-", "afs");
    local_queue(w, "a", "1", "5");
    local_queue(w, "b", "1", "5");
    engine_advance(w->engine, w->now + 2 * SECOND);
    assert_int_equal(engine_next_due(w->engine), w->now + 300 * SECOND);
    assert_int_equal(engine_verify(w->engine, &e), 0);
    world_queue(w, "A", "", "4,-,-", "");
    engine_advance(w->engine, w->now + 2 * SECOND);
    assert_int_equal(engine_next_due(w->engine), TIME_NONE);
    world_queue(w, "A", "", "4,-,-", "afs");
    engine_advance(w->engine, w->now + 4 * SECOND);
    assert_int_equal(engine_next_due(w->engine), w->now + 300 * SECOND);
    engine_advance(w->engine, w->now + 300 * SECOND);
    assert_int_equal(engine_next_due(w->engine), w->now + 600 * SECOND);
    engine_local_queue_remove(w->engine, "ns", "a", w->now);
    engine_local_queue_remove(w->engine, "ns", "b", w->now);
    assert_int_equal(engine_next_due(w->engine), TIME_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a1_a_share_of_the_past_is_forgotten),
        cmocka_unit_test(a2_a_week_of_memory),
        cmocka_unit_test(scaling_cuts_toward_zero),
        TEST(a3_usage_by_weight_orders_the_queue),
        TEST(weight_zero_goes_last),
        TEST(a5_a_penalty_is_replaced_and_settled),
        TEST(usage_is_sampled_as_time_passes),
        TEST(a_sample_is_planned_while_the_mode_asks_for_it),
        TEST(an_idle_queue_has_no_past),
        TEST(heavy_users_are_preempted_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
