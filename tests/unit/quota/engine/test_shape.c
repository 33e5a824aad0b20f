#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "quota/base/mem.h"
#include "quota/engine/shape.h"
#include "tests/unit/quota/engine/support_facts.h"

static const struct engine_options plain;
static const struct shape_surroundings nowhere;

static struct shape *intern(struct shape_store *store, const struct pod_set *pod_set)
{
    return shape_intern(store, pod_set, &nowhere);
}

static void equal_pod_sets_share_one_shape(void **state)
{
    struct shape_store *store = shape_store_create(&plain);
    struct pod_set a = pod_set_of("main", 1, resources("cpu", "1", NULL));
    struct pod_set b = pod_set_of("main", 7, resources("cpu", "1", NULL));
    struct shape *first = intern(store, &a), *second = intern(store, &b);

    (void)state;
    assert_ptr_equal(first, second); /* the count is not part of a shape */
    assert_int_equal(first->references, 2);
    assert_int_equal(shape_store_count(store), 1);
    assert_string_equal(amounts_text(first->requests), "cpu=1000");
    shape_unref(store, first);
    assert_int_equal(shape_store_count(store), 1);
    shape_unref(store, second);
    assert_int_equal(shape_store_count(store), 0);
    assert_int_equal(shape_store_bytes(store), 0);
    shape_unref(store, NULL);
    shape_store_destroy(store);
}

static void shapes_outlive_what_they_were_made_from(void **state)
{
    struct shape_store *store = shape_store_create(&plain);
    struct arena input = ARENA_INIT;
    struct pod_set a = pod_set_of(arena_strdup(&input, "main"), 1,
                                  resources(arena_strdup(&input, "cpu"), "1500m", NULL));
    struct shape *shape;

    (void)state;
    a.pod.runtime_class = arena_strdup(&input, "kata");
    shape = intern(store, &a);
    memset((char *)a.name, '#', 4);
    arena_finish(&input);
    assert_string_equal(shape->pod_set->name, "main");
    assert_string_equal(shape->pod_set->pod.runtime_class, "kata");
    assert_string_equal(amounts_text(shape->requests), "cpu=1500");
    assert_int_equal(shape->pod_set->count, 0);
    shape_store_destroy(store); /* with a reference left: everything is given back */
}

static void ids_are_reused_equivalences_are_not(void **state)
{
    struct shape_store *store = shape_store_create(&plain);
    struct pod_set a = pod_set_of("main", 1, resources("cpu", "1", NULL));
    struct pod_set b = pod_set_of("main", 1, resources("cpu", "2", NULL));
    struct shape *shape = intern(store, &a);
    uint32_t id = shape->id;
    uint64_t equivalence = shape->equivalence;

    (void)state;
    shape_unref(store, shape);
    shape = intern(store, &b);
    assert_int_equal(shape->id, id);
    assert_int_not_equal(shape->equivalence, equivalence);
    shape_store_destroy(store);
}

/* What 3.9 compares and what it does not: each row changes one thing of the same pod set. */
typedef void change_fn(struct pod_set *pod_set);
static void change_name(struct pod_set *p)
{
    p->name = "other";
}
static void change_minimum(struct pod_set *p)
{
    p->min_count = 1;
}
static void change_group(struct pod_set *p)
{
    p->topology.present = true;
    p->topology.pod_set_group = "g";
}
static void change_requests(struct pod_set *p)
{
    p->pod.containers[0].requests = resources("cpu", "2", NULL);
}
static void change_notation(struct pod_set *p)
{
    p->pod.containers[0].requests = resources("memory", "1Ki", "cpu", "1000m", NULL);
}
static void change_binary(struct pod_set *p)
{
    p->pod.containers[0].requests = resources("cpu", "1", "memory", "1024", NULL);
}
static void change_ports(struct pod_set *p)
{
    p->pod.containers[0].ports = "[{\"containerPort\":80}]";
}
static void change_container_name(struct pod_set *p)
{
    p->pod.containers[0].name = "renamed";
}
static void change_node_selector(struct pod_set *p)
{
    p->pod.node_selector = labels(&p->pod.node_selector_count, "a", "1", "b", "3", NULL);
}
static void change_selector_order(struct pod_set *p)
{
    p->pod.node_selector = labels(&p->pod.node_selector_count, "b", "2", "a", "1", NULL);
}
static void change_affinity(struct pod_set *p)
{
    p->pod.affinity = "{}";
}
static void change_toleration(struct pod_set *p)
{
    static struct toleration any = { "", "Exists", "", "", NULL };

    p->pod.tolerations = &any;
    p->pod.toleration_count = 1;
}
static void change_runtime_class(struct pod_set *p)
{
    p->pod.runtime_class = "kata";
}
static void change_priority(struct pod_set *p)
{
    p->pod.has_priority = true;
}
static void change_spread(struct pod_set *p)
{
    p->pod.topology_spread = "[]";
}
static void change_overhead(struct pod_set *p)
{
    p->pod.overhead = resources("cpu", "0", NULL);
}
static void change_claims(struct pod_set *p)
{
    p->pod.resource_claims = "[{\"name\":\"x\"}]";
}
static void change_pod_level(struct pod_set *p)
{
    p->pod.has_pod_resources = true;
    p->pod.pod_requests = resources("cpu", "1", NULL);
}
static void change_loose_limit(struct pod_set *p)
{
    p->pod.containers[0].limits = resources("cpu", "9", NULL);
}

static struct pod_set reference_pod_set(void)
{
    struct pod_set p = pod_set_of("main", 1, resources("cpu", "1", "memory", "1Ki", NULL));

    p.pod.node_selector = labels(&p.pod.node_selector_count, "a", "1", "b", "2", NULL);
    return p;
}

static void equivalence_compares_what_the_rule_lists(void **state)
{
    static const struct {
        const char *what;
        change_fn *change;
        bool equivalent;
    } cases[] = {
        { "name", change_name, false },
        { "minimum", change_minimum, false },
        { "topology", change_group, false },
        { "requests", change_requests, false },
        { "1000m is 1, order of names", change_notation, true },
        { "1024 is not 1Ki", change_binary, false },
        { "ports", change_ports, false },
        { "container name", change_container_name, true },
        { "node selector", change_node_selector, false },
        { "order of the node selector", change_selector_order, true },
        { "affinity", change_affinity, false },
        { "tolerations", change_toleration, false },
        { "runtime class", change_runtime_class, false },
        { "pod priority", change_priority, false },
        { "topology spread", change_spread, false },
        { "overhead", change_overhead, false },
        { "resource claims", change_claims, false },
        { "pod level requests", change_pod_level, false },
        { "a limit above the request", change_loose_limit, true },
    };
    struct shape_store *store = shape_store_create(&plain);
    struct pod_set reference = reference_pod_set();
    struct shape *original = intern(store, &reference);

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct pod_set changed = reference_pod_set();
        struct shape *shape;

        cases[i].change(&changed);
        shape = intern(store, &changed);
        if ((shape->equivalence == original->equivalence) != cases[i].equivalent)
            fail_msg("%s", cases[i].what);
        shape_unref(store, shape);
    }
    assert_int_equal(shape_store_count(store), 1);
    shape_store_destroy(store);
}

static void allowed_flavors_are_part_of_the_equivalence(void **state)
{
    struct shape_store *store = shape_store_create(&plain);
    struct pod_set p = reference_pod_set();
    struct shape_surroundings only = { .allowed_flavors = "f1" };

    (void)state;
    assert_int_not_equal(intern(store, &p)->equivalence,
                         shape_intern(store, &p, &only)->equivalence);
    shape_store_destroy(store);
}

static void surroundings_decide_amounts_and_verdicts(void **state)
{
    struct shape_store *store = shape_store_create(&plain);
    struct limit_summary limits = { .has_container = true };
    struct shape_surroundings here = { .limits = &limits };
    struct pod_set p = pod_set_of("main", 1, resources("cpu", "1", NULL));
    struct shape *bare = intern(store, &p), *limited, *back;

    (void)state;
    limits.container.default_requests = resources("memory", "64", NULL);
    limits.container.max = resources("memory", "10", NULL);
    limited = shape_intern(store, bare->pod_set, &here);
    assert_ptr_not_equal(limited, bare);
    assert_string_equal(amounts_text(limited->requests), "memory=64 cpu=1000");
    assert_true(limited->violates_limit_range);
    assert_false(bare->violates_limit_range);
    assert_int_equal(limited->pod_set->pod.containers[0].requests.count, 1);
    back = shape_intern(store, limited->pod_set, &nowhere);
    assert_ptr_equal(back, bare);
    shape_store_destroy(store);
}

static void limits_that_change_nothing_share_the_shape(void **state)
{
    struct shape_store *store = shape_store_create(&plain);
    struct limit_summary limits = { .has_container = true };
    struct shape_surroundings here = { .limits = &limits };
    struct pod_set p = pod_set_of("main", 1, resources("cpu", "1", NULL));

    (void)state;
    limits.container.max = resources("cpu", "4", NULL);
    assert_ptr_equal(intern(store, &p), shape_intern(store, &p, &here));
    shape_store_destroy(store);
}

static void devices_are_part_of_a_shape(void **state)
{
    struct shape_store *store = shape_store_create(&plain);
    const char *replaced[] = { "nvidia.com/gpu" };
    struct device_requests devices = { replaced, 1, resources("dra", "3", NULL) };
    struct shape_surroundings with = { .devices = &devices };
    struct pod_set p = pod_set_of("main", 1, resources("nvidia.com/gpu", "1", NULL));
    struct shape *bare = intern(store, &p), *shape = shape_intern(store, &p, &with);

    (void)state;
    assert_string_equal(amounts_text(shape->requests), "dra=3");
    assert_int_not_equal(bare->equivalence, shape->equivalence);
    shape_store_destroy(store);
}

static void requests_above_limits_are_marked(void **state)
{
    struct shape_store *store = shape_store_create(&plain);
    struct pod_set p = pod_set_of("main", 1, resources("cpu", "2", NULL));

    (void)state;
    assert_false(intern(store, &p)->exceeds_limits);
    p.pod.containers[0].limits = resources("cpu", "1", NULL);
    assert_true(intern(store, &p)->exceeds_limits);
    shape_store_destroy(store);
}

static void everything_a_decision_reads_survives_the_copy(void **state)
{
    struct shape_store *store = shape_store_create(&plain);
    struct pod_set p = reference_pod_set();
    struct label_requirement in = requirement("zone", SELECTOR_IN, 2, (const char *[]){ "a", "b" });
    struct node_selector_term term = { &in, 1 };
    struct toleration toleration = { "k", "Equal", "v", "NoSchedule", "30" };
    struct container init = { .requests = resources("cpu", "3", NULL), .is_sidecar = true };
    const struct pod_template *copy;

    (void)state;
    in.operator_text = "In";
    p.pod.affinity_terms = &term;
    p.pod.affinity_term_count = 1;
    p.pod.has_required_affinity = true;
    p.pod.tolerations = &toleration;
    p.pod.toleration_count = 1;
    p.pod.init_containers = &init;
    p.pod.init_container_count = 1;
    copy = intern(store, &p)->adjusted;
    assert_string_equal(copy->affinity_terms[0].expressions[0].values[1], "b");
    assert_string_equal(copy->tolerations[0].seconds, "30");
    assert_string_equal(copy->tolerations[0].operator, "Equal");
    assert_string_equal(copy->node_selector[1].value, "2");
    assert_true(copy->init_containers[0].is_sidecar);
    assert_true(copy->has_required_affinity);
    shape_store_destroy(store);
}

static void the_workload_hash_covers_priority_shapes_order_and_counts(void **state)
{
    const struct shape_count base[] = { { 1, 2 }, { 3, 4 } }, swapped[] = { { 3, 4 }, { 1, 2 } };
    const struct shape_count fewer[] = { { 1, 2 }, { 3, 3 } }, other[] = { { 1, 2 }, { 5, 4 } };
    uint64_t hash = equivalence_hash(7, base, 2);

    (void)state;
    assert_true(hash == equivalence_hash(7, base, 2));
    assert_true(hash != 0);
    assert_true(hash != equivalence_hash(8, base, 2));
    assert_true(hash != equivalence_hash(7, swapped, 2));
    assert_true(hash != equivalence_hash(7, fewer, 2));
    assert_true(hash != equivalence_hash(7, other, 2));
    assert_true(hash != equivalence_hash(7, base, 1));
}

static void many_shapes_come_and_go(void **state)
{
    struct shape_store *store = shape_store_create(&plain);
    struct shape *kept[500];
    char text[32];

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < ARRAY_COUNT(kept); i++) {
            struct pod_set p;

            snprintf(text, sizeof(text), "%zum", i + 1);
            p = pod_set_of("main", 1, resources("cpu", text, NULL));
            kept[i] = intern(store, &p);
            assert_int_equal(kept[i]->requests.items[0].amount, i + 1);
        }
        assert_int_equal(shape_store_count(store), ARRAY_COUNT(kept));
        for (size_t i = 0; i < ARRAY_COUNT(kept); i++) {
            assert_true(kept[i]->id <= ARRAY_COUNT(kept));
            shape_unref(store, kept[i]);
        }
        assert_int_equal(shape_store_bytes(store), 0);
    }
    shape_store_destroy(store);
}

#define T(f) cmocka_unit_test_teardown(f, facts_finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(equal_pod_sets_share_one_shape),
        T(shapes_outlive_what_they_were_made_from),
        T(ids_are_reused_equivalences_are_not),
        T(equivalence_compares_what_the_rule_lists),
        T(allowed_flavors_are_part_of_the_equivalence),
        T(surroundings_decide_amounts_and_verdicts),
        T(limits_that_change_nothing_share_the_shape),
        T(devices_are_part_of_a_shape),
        T(requests_above_limits_are_marked),
        T(everything_a_decision_reads_survives_the_copy),
        T(the_workload_hash_covers_priority_shapes_order_and_counts),
        T(many_shapes_come_and_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
