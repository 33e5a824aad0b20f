#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "quota/base/mem.h"
#include "quota/engine/explain.h"
#include "quota/engine/figures.h"
#include "support_world.h"

static struct explanation explain(struct world *world, const char *name)
{
    struct explanation explanation;

    assert_true(engine_explain(world->engine, "ns", name, &world->answer, &explanation));
    return explanation;
}

/* The only resource of the n-th flavor of the only pod set. */
static const struct explained_resource *resource(const struct explanation *e, size_t flavor)
{
    assert_int_equal(e->pod_set_count, 1);
    assert_true(flavor < e->pod_sets[0].flavor_count);
    assert_int_equal(e->pod_sets[0].flavors[flavor].resource_count, 1);
    return &e->pod_sets[0].flavors[flavor].resources[0];
}

static void a_queue_without_cohort_is_held_by_its_nominal_quota(void **state)
{
    struct world world;
    struct explanation e;
    const struct explained_resource *r;

    (void)state;
    world_options(&world);
    world_begin(&world);
    world_queue(&world, "q", NULL, "5", "strict");
    world_holds(&world, "q", "small", 0, "cpu@f=1", 1);
    world_holds(&world, "q", "large", 0, "cpu@f=2", 2);
    world_waits(&world, "q", "first", 0, "cpu=9", 3);
    world_waits(&world, "q", "w", 0, "cpu=4", 4);
    e = explain(&world, "w");
    assert_false(e.fits);
    assert_true(e.strict_fifo);
    assert_int_equal(e.ahead, 1);
    assert_int_equal(e.waiting, 2);
    assert_string_equal(e.first, "ns/first");
    assert_int_equal(e.pod_sets[0].flavors[0].verdict, VERDICT_NO_CANDIDATES);
    r = resource(&e, 0);
    assert_int_equal(r->requested, 4000);
    assert_int_equal(r->available, 2000);
    assert_int_equal(r->maximum, 5000);
    assert_int_equal(r->missing, 2000);
    assert_false(r->is_never);
    assert_int_equal(r->binding.kind, BINDING_NOMINAL);
    assert_string_equal(r->binding.owner, "q");
    assert_int_equal(r->binding.limit, 5000);
    assert_int_equal(r->binding.used, 3000);
    assert_int_equal(r->holder_count, 2);
    assert_string_equal(r->holders[0].key, "ns/large");
    assert_int_equal(r->holders[0].amount, 2000);
    e = explain(&world, "first");
    r = resource(&e, 0);
    assert_true(r->is_never);
    assert_int_equal(r->missing, 4000);
    world_end(&world);
}

static void a_borrowing_limit_is_told_from_the_cohorts_capacity(void **state)
{
    struct world world;
    struct explanation e;
    const struct explained_resource *r;

    (void)state;
    world_options(&world);
    world_begin(&world);
    world_queue(&world, "limited", "co", "2,1,-", "");
    world_queue(&world, "free", "co", "2", "");
    world_queue(&world, "other", "co", "10,-,6", "");
    world_holds(&world, "other", "held", 0, "cpu@f=3", 1);
    world_waits(&world, "limited", "w1", 0, "cpu=4", 2);
    world_waits(&world, "free", "w2", 0, "cpu=11", 3);
    e = explain(&world, "w1");
    r = resource(&e, 0);
    assert_int_equal(r->binding.kind, BINDING_BORROWING);
    assert_string_equal(r->binding.owner, "limited");
    assert_int_equal(r->binding.limit, 1000);
    assert_int_equal(r->binding.slack, 7000); /* up to the 10 of the cohort */
    assert_int_equal(r->missing, 1000);
    assert_true(r->is_never);
    e = explain(&world, "w2");
    r = resource(&e, 0);
    assert_int_equal(r->binding.kind, BINDING_CAPACITY);
    assert_string_equal(r->binding.owner, "co");
    assert_true(r->binding.is_cohort);
    assert_int_equal(r->available, 10000);
    world_end(&world);
}

static void what_others_do_not_lend_is_counted(void **state)
{
    struct world world;
    struct explanation e;
    const struct explained_resource *r;

    (void)state;
    world_options(&world);
    world_begin(&world);
    world_queue(&world, "poor", "co", "0", "");
    world_queue(&world, "rich", "co", "10,-,4", "");
    world_holds(&world, "rich", "held", 0, "cpu@f=8", 1);
    world_waits(&world, "poor", "w", 0, "cpu=3", 2);
    e = explain(&world, "w");
    r = resource(&e, 0);
    assert_int_equal(r->maximum, 4000);
    assert_int_equal(r->available, 2000);
    assert_int_equal(r->missing, 1000);
    assert_int_equal(r->unlent, 0); /* its 6 are in use */
    world_finish(&world, "held");
    world_holds(&world, "poor", "borrower", 0, "cpu@f=2", 1);
    e = explain(&world, "w");
    r = resource(&e, 0);
    assert_int_equal(r->missing, 1000);
    assert_int_equal(r->unlent, 6000);
    assert_string_equal(r->holders[0].key, "ns/borrower");
    world_end(&world);
}

static void a_refused_flavor_says_why(void **state)
{
    struct world world;
    struct explanation e;

    (void)state;
    world_options(&world);
    world_begin(&world);
    world_flavor(&world, "gone", NULL, NULL);
    world_queue(&world, "q", NULL, "gone/cpu=8 f/cpu=1", "");
    engine_flavor_remove(world.engine, "gone", world.now);
    world_waits(&world, "q", "w", 5, "cpu=2", 2);
    e = explain(&world, "w");
    assert_int_equal(e.pod_sets[0].flavor_count, 2);
    assert_int_equal(e.pod_sets[0].flavors[0].verdict, VERDICT_REFUSED);
    assert_string_equal(e.pod_sets[0].flavors[0].refusal, "flavor gone not found");
    assert_int_equal(e.pod_sets[0].flavors[1].verdict, VERDICT_LACKS);
    world_end(&world);
}

static void victims_are_named(void **state)
{
    struct world world;
    struct explanation e;

    (void)state;
    world_options(&world);
    world_begin(&world);
    world_queue(&world, "q", NULL, "3", "within=LowerPriority");
    world_holds(&world, "q", "low", 0, "cpu@f=3", 1);
    world_waits(&world, "q", "w", 5, "cpu=2", 2);
    e = explain(&world, "w");
    assert_int_equal(e.pod_sets[0].flavors[0].verdict, VERDICT_PREEMPTS);
    assert_int_equal(e.victim_count, 1);
    assert_string_equal(e.victims[0].key, "ns/low");
    world_end(&world);
}

static void what_fits_or_holds_quota_lacks_nothing(void **state)
{
    struct world world;
    struct explanation e;

    (void)state;
    world_options(&world);
    world_begin(&world);
    world_queue(&world, "q", NULL, "5", "");
    world_holds(&world, "q", "held", 0, "cpu@f=1", 1);
    world_waits(&world, "q", "w", 0, "cpu=4", 2);
    e = explain(&world, "w");
    assert_true(e.fits);
    assert_int_equal(resource(&e, 0)->missing, 0);
    assert_int_equal(e.ahead, 0);
    assert_string_equal(e.first, "");
    assert_false(engine_explain(world.engine, "ns", "held", &world.answer, &e));
    assert_false(engine_explain(world.engine, "ns", "absent", &world.answer, &e));
    world_end(&world);
}

/* ---- figures ---- */

static int64_t demand_of(struct world *world, const char *queue, const char *resource)
{
    size_t count;
    const struct pending_demand *demand =
        engine_pending_demand(world->engine, queue, &world->answer, &count);

    for (size_t i = 0; i < count; i++)
        if (strcmp(demand[i].resource, resource) == 0)
            return demand[i].amount;
    return -1;
}

static void figures_of_a_queue(void **state)
{
    struct world world;
    struct pending_kinds kinds;
    struct quota_limits *limits;
    struct tree_place place;
    double share;
    size_t count;

    (void)state;
    world_options(&world);
    world.options.fair_sharing = true;
    world_begin(&world);
    world_cohort(&world, "co", "root", "");
    world_queue(&world, "q", "co", "2,3,-", "weight=2");
    world_queue(&world, "lender", "co", "8,-,4", "");
    world_holds(&world, "q", "held", 0, "cpu@f=4", 1);
    world_waits(&world, "q", "a", 0, "cpu=4", 2);
    world_waits(&world, "q", "b", 0, "cpu=4", 3);
    assert_int_equal(demand_of(&world, "q", "cpu"), 8000);
    assert_int_equal(demand_of(&world, "lender", "cpu"), 0);
    assert_int_equal(demand_of(&world, "absent", "cpu"), -1);
    kinds = engine_pending_kinds(world.engine, "q");
    assert_int_equal(kinds.active, 1);
    assert_int_equal(kinds.inadmissible, 0);
    limits = engine_cluster_queue_limits(world.engine, "q", &world.answer, &count);
    assert_int_equal(count, 1);
    assert_int_equal(limits[0].borrowing, 3000);
    assert_int_equal(limits[0].lending, AMOUNT_UNLIMITED);
    assert_true(engine_cluster_queue_place(world.engine, "q", &place));
    assert_string_equal(place.parent, "co");
    assert_string_equal(place.root, "root");
    assert_true(engine_cohort_place(world.engine, "root", &place));
    assert_string_equal(place.parent, "");
    assert_string_equal(place.root, "root");
    assert_false(engine_cohort_place(world.engine, "absent", &place));
    assert_int_equal(engine_cohort_admitted(world.engine, "root"), 1);
    /* 2 of 6 lendable, in thousandths, over weight 2 */
    assert_true(engine_cluster_queue_share(world.engine, "q", &share));
    assert_float_equal(share, 2000.0 / 6 / 2, 1e-9);
    world_end(&world);
}

static void what_a_lending_limit_keeps_is_reserved_below_the_cohort_all_the_same(void **state)
{
    struct world world;
    struct queue_status status;

    (void)state;
    world_options(&world);
    world_begin(&world);
    world_cohort(&world, "team", "root", "5,-,2");
    world_queue(&world, "q", "team", "2,-,-", "");
    world_holds(&world, "q", "held", 0, "cpu@f=4", 1);
    assert_true(engine_cohort_status(world.engine, "root", &world.answer, &status));
    assert_int_equal(status.usage_count, 1);
    assert_int_equal(status.usage[0].total, 0);
    assert_int_equal(status.usage[0].reserved_below, 4000);
    world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_queue_without_cohort_is_held_by_its_nominal_quota),
        cmocka_unit_test(a_borrowing_limit_is_told_from_the_cohorts_capacity),
        cmocka_unit_test(what_others_do_not_lend_is_counted),
        cmocka_unit_test(a_refused_flavor_says_why),
        cmocka_unit_test(victims_are_named),
        cmocka_unit_test(what_fits_or_holds_quota_lacks_nothing),
        cmocka_unit_test(figures_of_a_queue),
        cmocka_unit_test(what_a_lending_limit_keeps_is_reserved_below_the_cohort_all_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
