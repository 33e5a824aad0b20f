/* What plugs in later: placement, second pass, variants (hooks.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "quota/engine/hooks.h"
#include "support_world.h"

struct room {          /* a topology room as small as can be */
    int places;        /* pods that find a place now */
    int places_empty;  /* on an empty cluster */
    int planned;       /* taken by entries of this cycle */
    bool wants, ready; /* second pass */
    bool hopeless;
    int asked, cycles;
    enum migration migration;
    const char *sibling;
};

static bool place(void *context, const struct placement_request *requests, size_t count,
                  const struct placement_scene *scene, struct placement *placements,
                  struct placement_failure *failure, struct arena *a)
{
    struct room *room = context;
    int places = scene->is_empty ? room->places_empty
                                 : room->places - room->planned + (int)scene->gone_count;

    (void)a;
    for (size_t i = 0; i < count; i++) {
        places -= requests[i].count;
        assert_int_equal(amounts_get(requests[i].per_pod, "cpu"), 1000);
        placements[i] = (struct placement){ .topology_assignment = "{}" };
    }
    if (places >= 0)
        return true;
    *failure = (struct placement_failure){ requests[0].pod_set, requests[0].flavor,
                                           "no room in the rack" };
    return false;
}

static int pods_of(const struct placement_request *requests, size_t count)
{
    int pods = 0;

    for (size_t i = 0; i < count; i++)
        pods += requests[i].count;
    return pods;
}

static bool still_fits(void *context, const struct placement_request *requests, size_t count,
                       const struct placement *placements, const struct placement_scene *scene)
{
    const struct room *room = context;

    assert_string_equal(placements[0].topology_assignment, "{}");
    return room->places - room->planned + (int)scene->gone_count >= pods_of(requests, count);
}

static void plan(void *context, const struct placement_request *requests, size_t count,
                 const struct placement *placements)
{
    (void)placements;
    ((struct room *)context)->planned += pods_of(requests, count);
}

static void cycle_begin(void *context)
{
    struct room *room = context;

    room->cycles++;
    room->planned = 0;
}

static enum migration migration(void *context, const char *namespace, const char *name,
                                const char *flavor, const char **sibling, struct arena *a)
{
    const struct room *room = context;

    (void)namespace;
    (void)name;
    (void)a;
    assert_string_equal(flavor, "t");
    *sibling = room->sibling;
    return room->migration;
}

static bool wants_second_pass(void *context, const struct workload *workload)
{
    (void)workload;
    return ((struct room *)context)->wants;
}

static enum second_pass_end second_pass(void *context, const char *namespace, const char *name,
                                        struct admission *admission, const char **message,
                                        struct arena *a)
{
    struct room *room = context;

    (void)namespace;
    (void)name;
    (void)a;
    room->asked++;
    admission->cluster_queue = room->ready ? "A" : NULL;
    *message = room->ready ? "" : "node n1 is gone";
    if (room->hopeless)
        return SECOND_PASS_HOPELESS;
    return room->ready ? SECOND_PASS_DONE : SECOND_PASS_AGAIN;
}

static struct room room;
static const struct engine_hooks hooks = { .context = &room,
                                           .cycle_begin = cycle_begin,
                                           .place = place,
                                           .still_fits = still_fits,
                                           .plan = plan,
                                           .migration = migration,
                                           .wants_second_pass = wants_second_pass,
                                           .second_pass = second_pass };

static void world_start(struct world *w)
{
    struct topology topology = { .name = "racks" };
    struct resource_flavor flavor = { .name = "t", .topology = "racks" };

    world_begin(w);
    engine_hooks_set(w->engine, &hooks);
    engine_topology_put(w->engine, &topology, w->now);
    engine_flavor_put(w->engine, &flavor, w->now);
}

static int begin(void **state)
{
    static struct world world;

    room = (struct room){ 0 };
    world_options(&world);
    world_start(&world);
    *state = &world;
    return 0;
}

static void a_workload_without_a_place_waits(void **state)
{
    struct world *w = *state;

    room.places_empty = 4;
    world_queue(w, "A", "", "t/cpu=8", "");
    world_waits(w, "A", "p", 0, "cpu=1", 100);
    assert_string_equal(world_cycle(w), "p Pending");
    assert_string_equal(world_decision(w, "p")->message,
                        "couldn't assign flavors to pod set main: no room in the rack");
    assert_string_equal(world_decision(w, "p")->reason, "WaitingForQuota");
}

static void a_workload_that_never_has_a_place_does_not_fit(void **state)
{
    struct world *w = *state;

    world_queue(w, "A", "", "t/cpu=8", "within=LowerPriority");
    world_holds(w, "A", "h", -1, "cpu@t=1", 1);
    world_waits(w, "A", "p", 0, "cpu=1", 100);
    assert_string_equal(world_cycle(w), "p Pending");
    assert_string_equal(world_decision(w, "p")->reason, "TopologyPlacementFailed");
}

static void victims_make_places(void **state)
{
    struct world *w = *state;

    room.places_empty = 4;
    world_queue(w, "A", "", "t/cpu=8", "within=LowerPriority");
    world_holds(w, "A", "h", -1, "cpu@t=1", 1);
    world_waits(w, "A", "p", 0, "cpu=1", 100);
    assert_string_equal(world_cycle(w), "p Preempting h:InClusterQueue");
}

static void a_place_is_all_it_takes(void **state)
{
    struct world *w = *state;

    room.places = room.places_empty = 1;
    world_queue(w, "A", "", "t/cpu=8", "");
    world_waits(w, "A", "p", 0, "cpu=1", 100);
    assert_string_equal(world_cycle(w), "p Admitted");
}

static void the_place_goes_into_the_admission(void **state)
{
    struct world *w = *state;

    room.places = room.places_empty = 1;
    world_queue(w, "A", "", "t/cpu=8", "");
    world_waits(w, "A", "p", 0, "cpu=1", 100);
    world_cycle(w);
    assert_string_equal(world_decision(w, "p")->admission.pod_sets[0].topology_assignment, "{}");
    assert_null(world_decision(w, "p")->admission.pod_sets[0].delayed_topology);
    assert_int_equal(room.cycles, 1);
}

static void two_for_one_place(struct world *w)
{
    room.places = 1;
    room.places_empty = 4;
    world_queue(w, "A", "co", "t/cpu=8", "");
    world_queue(w, "B", "co", "t/cpu=8", "");
    world_waits(w, "A", "p", 5, "cpu=1", 100);
    world_waits(w, "B", "q", 0, "cpu=1", 100);
}

/* Step 2b: the place is looked for again, and there is none. */
static void what_others_took_is_gone_for_who_comes_after(void **state)
{
    struct world *w = *state;

    two_for_one_place(w);
    assert_string_equal(world_cycle(w), "p Admitted; q Pending");
    assert_string_equal(world_decision(w, "q")->message,
                        "couldn't assign flavors to pod set main: no room in the rack");
}

static void without_the_gate_the_second_is_skipped(void **state)
{
    struct world *w = *state;

    world_end(w);
    world_options(w);
    w->options.gates.tas_recompute = false;
    world_start(w);
    two_for_one_place(w);
    assert_string_equal(world_cycle(w), "p Admitted; q Skipped");
    assert_string_equal(world_decision(w, "q")->message,
                        "Workload no longer fits after processing another workload");
}

static void provisioning_delays_the_place(void **state)
{
    struct world *w = *state;
    struct admission_check check = { "prov", "kueue.x-k8s.io/provisioning-request", true };

    engine_check_put(w->engine, &check, w->now);
    world_queue(w, "A", "", "t/cpu=8", "check=prov");
    world_waits(w, "A", "p", 0, "cpu=1", 100);
    assert_string_equal(world_cycle(w), "p Reserved");
    assert_string_equal(world_decision(w, "p")->admission.pod_sets[0].delayed_topology, "Pending");
    assert_null(world_decision(w, "p")->admission.pod_sets[0].topology_assignment);
}

static void concurrent_world(struct world *w)
{
    world_end(w);
    world_options(w);
    w->options.gates.concurrent_admission = true;
    world_start(w);
}

static void a_variant_waits_for_its_sibling(void **state)
{
    struct world *w = *state;

    concurrent_world(w);
    room.places = room.places_empty = 4;
    room.migration = MIGRATION_NEEDED;
    room.sibling = "ns/h";
    world_queue(w, "A", "", "t/cpu=8", "");
    world_holds(w, "A", "h", 0, "cpu@t=1", 1);
    world_waits(w, "A", "p", 0, "cpu=1", 100);
    assert_string_equal(world_cycle(w), "p Preempting h:FlavorMigration");
    assert_string_equal(world_decision(w, "p")->message,
                        ". Pending the migration of 1 workload(s)");
    assert_true(str_starts(str_of(world_decision(w, "p")->victims[0].message),
                           "Evicted to accommodate a workload (UID: "));
    assert_int_equal(world_decision(w, "p")->requeue, REQUEUE_HEAP);
}

static void a_variant_may_not_go_that_far_down(void **state)
{
    struct world *w = *state;

    concurrent_world(w);
    room.places = room.places_empty = 4;
    room.migration = MIGRATION_FORBIDDEN;
    world_queue(w, "A", "", "t/cpu=8", "");
    world_waits(w, "A", "p", 0, "cpu=1", 100);
    assert_string_equal(world_cycle(w), "p Skipped");
    assert_string_equal(world_decision(w, "p")->message,
                        "Target flavor is below LastAcceptableFlavorName");
    assert_int_equal(world_decision(w, "p")->requeue, REQUEUE_PARKED);
}

static void nothing_replaces_the_node(void **state)
{
    struct world *w = *state;

    world_queue(w, "A", "", "t/cpu=8", "");
    world_pass(w, 2);
    room.wants = room.hopeless = true;
    world_holds(w, "A", "h", 0, "cpu@t=1", 1);
    world_pass(w, 1);
    world_cycle(w);
    assert_true(world_decision(w, "h")->evicts_for_failed_node);
    assert_int_equal(engine_next_due(w->engine), TIME_NONE);
}

static void a_second_pass_is_tried_at_growing_distances(void **state)
{
    struct world *w = *state;
    const int64_t waits[] = { 1, 2, 4, 8, 16, 30, 30 };

    world_queue(w, "A", "", "t/cpu=8", "");
    world_pass(w, 2);
    room.wants = true;
    world_holds(w, "A", "h", 0, "cpu@t=1", 1);
    for (int i = 0; i < 7; i++) {
        assert_int_equal(engine_next_due(w->engine), w->now + waits[i] * NANOSECONDS_PER_SECOND);
        assert_false(engine_has_heads(w->engine));
        world_pass(w, waits[i]);
        assert_true(engine_has_heads(w->engine));
        assert_string_equal(world_cycle(w), "h Pending");
        assert_true(world_decision(w, "h")->second_pass);
        assert_false(world_decision(w, "h")->write_status);
        assert_string_equal(world_decision(w, "h")->message, "node n1 is gone");
    }
    room.ready = true;
    world_pass(w, 30);
    assert_string_equal(world_cycle(w), "h Admitted");
    assert_int_equal(room.asked, 8);
    assert_int_equal(engine_next_due(w->engine), TIME_NONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_workload_without_a_place_waits),
        TEST(a_workload_that_never_has_a_place_does_not_fit),
        TEST(victims_make_places),
        TEST(a_place_is_all_it_takes),
        TEST(the_place_goes_into_the_admission),
        TEST(what_others_took_is_gone_for_who_comes_after),
        TEST(without_the_gate_the_second_is_skipped),
        TEST(provisioning_delays_the_place),
        TEST(a_variant_waits_for_its_sibling),
        TEST(a_variant_may_not_go_that_far_down),
        TEST(nothing_replaces_the_node),
        TEST(a_second_pass_is_tried_at_growing_distances),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
