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
    bool wants, ready; /* second pass */
    int asked;
};

static bool place(void *context, const struct placement_request *requests, size_t count,
                  const char *const *victims, size_t victim_count, bool empty,
                  struct placement_failure *failure, struct arena *a)
{
    struct room *room = context;
    int places = (empty ? room->places_empty : room->places) + (int)victim_count;

    (void)victims;
    (void)a;
    for (size_t i = 0; i < count; i++)
        places -= requests[i].count;
    if (places >= 0)
        return true;
    *failure = (struct placement_failure){ requests[0].pod_set, requests[0].flavor,
                                           "no room in the rack" };
    return false;
}

static bool wants_second_pass(void *context, const struct workload *workload)
{
    (void)workload;
    return ((struct room *)context)->wants;
}

static bool second_pass(void *context, const char *namespace, const char *name,
                        struct admission *admission, const char **message, struct arena *a)
{
    struct room *room = context;

    (void)namespace;
    (void)name;
    (void)a;
    room->asked++;
    admission->cluster_queue = room->ready ? "A" : NULL;
    *message = room->ready ? "" : "node n1 is gone";
    return room->ready;
}

static struct room room;
static const struct engine_hooks hooks = { .context = &room,
                                           .place = place,
                                           .wants_second_pass = wants_second_pass,
                                           .second_pass = second_pass };

static int begin(void **state)
{
    static struct world world;
    struct topology topology = { .name = "racks" };
    struct resource_flavor flavor = { .name = "t", .topology = "racks" };

    room = (struct room){ 0 };
    world_options(&world);
    world_begin(&world);
    engine_hooks_set(world.engine, &hooks);
    engine_topology_put(world.engine, &topology, world.now);
    engine_flavor_put(world.engine, &flavor, world.now);
    *state = &world;
    return 0;
}

static int end(void **state)
{
    world_end(*state);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_workload_without_a_place_waits),
        TEST(a_workload_that_never_has_a_place_does_not_fit),
        TEST(victims_make_places),
        TEST(a_place_is_all_it_takes),
        TEST(a_second_pass_is_tried_at_growing_distances),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
