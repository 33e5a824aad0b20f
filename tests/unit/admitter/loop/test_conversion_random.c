/* Generated objects of the kinds that are converted, there and back through the route /convert as
 * the server calls it: spec/api.md 2. The seed is fixed; a failure prints the object. */
#include "tests/unit/admitter/rules/support.h"

#include <stdlib.h>
#include <string.h>
#include "admitter/loop/hooks.h"
#include "admitter/loop/snapshot.h"

#define OBJECTS_PER_KIND 400
#define V1BETA1 "kueue.x-k8s.io/v1beta1"
#define V1BETA2 "kueue.x-k8s.io/v1beta2"

static struct snapshot *snapshot;
static struct hooks *hooks;
static struct route_table *routes;
static uint64_t random_state;

static int setup(void **state)
{
    struct err e = { 0 };

    arena_setup(state);
    loop_settings_default(&settings);
    snapshot = snapshot_create();
    hooks = hooks_create(&settings, snapshot);
    routes = route_table_create();
    if (hooks_register(hooks, routes, &e) < 0)
        fail_msg("%s", e.text);
    random_state = 20260101;
    return 0;
}

static int teardown(void **state)
{
    hooks_destroy(hooks);
    route_table_destroy(routes);
    snapshot_destroy(snapshot);
    return arena_teardown(state);
}

/* ---- generating ---- */

static unsigned below(unsigned limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state >> 33) % limit;
}

static bool often(void)
{
    return below(3) > 0;
}

/* Set a member, most of the time. Takes the reference. */
static void maybe(json_t *object, const char *key, json_t *value)
{
    if (often())
        json_object_set_new(object, key, value);
    else
        json_decref(value);
}

static json_t *name(const char *stem)
{
    return json_sprintf("%s-%u", stem, below(5));
}

static json_t *quantity(void)
{
    static const char *const texts[] = { "1500m", "0", "2Gi", "1e3", "0.5" };

    return below(3) ? json_string(texts[below(5)]) : json_integer(below(100));
}

/* A list of up to 'most' things. */
static json_t *list(json_t *(*thing)(void), unsigned most)
{
    json_t *out = json_array();

    for (unsigned n = below(most + 1); n > 0; n--)
        json_array_append_new(out, thing());
    return out;
}

static json_t *condition_of_some_type(void)
{
    return json_pack("{s:o, s:s, s:s, s:s, s:s, s:i}", "type", name("Type"), "status", "True",
                     "reason", "Reason", "message", "said \xc3\xa9 <&>", "lastTransitionTime",
                     "2026-01-01T00:00:00Z", "observedGeneration", (int)below(9));
}

static json_t *usage(void)
{
    return json_pack("{s:o, s:[{s:s, s:o}]}", "name", name("flavor"), "resources", "name", "cpu",
                     "total", quantity());
}

static json_t *resource_group(void)
{
    return json_pack("{s:[s], s:[{s:o, s:[{s:s, s:o}]}]}", "coveredResources", "cpu", "flavors",
                     "name", name("flavor"), "resources", "name", "cpu", "nominalQuota",
                     quantity());
}

static json_t *check(void)
{
    json_t *out = json_pack("{s:o}", "name", name("check"));

    maybe(out, "onFlavors", json_pack("[o]", name("flavor")));
    return out;
}

static json_t *word(const char *const *words, unsigned count)
{
    return json_string(words[below(count)]);
}

static json_t *cluster_queue_spec(void)
{
    static const char *const search[] = { "MayStopSearch", "TryNextFlavor" };
    json_t *spec = json_object(), *fungibility = json_object();

    maybe(fungibility, "whenCanBorrow", word(search, 2));
    maybe(fungibility, "whenCanPreempt", word(search, 2));
    maybe(spec, "cohortName", name("cohort"));
    maybe(spec, "flavorFungibility", fungibility);
    maybe(spec, "resourceGroups", list(resource_group, 3));
    maybe(spec, "namespaceSelector", json_object());
    maybe(spec, "fairSharing", json_pack("{s:o}", "weight", quantity()));
    maybe(spec, "admissionChecksStrategy", json_pack("{s:o}", "admissionChecks", list(check, 3)));
    maybe(spec, "stopPolicy", json_string("Hold"));
    return spec;
}

static json_t *queue_status(void)
{
    json_t *status = json_object();

    maybe(status, "conditions", list(condition_of_some_type, 2));
    maybe(status, "flavorsReservation", list(usage, 2));
    maybe(status, "flavorsUsage", list(usage, 2));
    maybe(status, "pendingWorkloads", json_integer(below(3)));
    maybe(status, "admittedWorkloads", json_integer(below(3)));
    maybe(status, "fairSharing", json_pack("{s:i}", "weightedShare", (int)below(1000)));
    return status;
}

static json_t *cohort_spec(void)
{
    json_t *spec = json_object();

    maybe(spec, "parentName", name("cohort"));
    maybe(spec, "resourceGroups", list(resource_group, 3));
    return spec;
}

static json_t *local_queue_spec(void)
{
    return json_pack("{s:o, s:s}", "clusterQueue", name("queue"), "stopPolicy", "None");
}

static json_t *multikueue_cluster_spec(void)
{
    if (below(2))
        return json_pack("{s:{s:{s:o, s:s}}}", "clusterSource", "kubeConfig", "location",
                         name("secret"), "locationType", "Secret");
    return json_pack("{s:{s:{s:o}}}", "clusterSource", "clusterProfileRef", "name",
                     name("profile"));
}

static json_t *pod_set(void)
{
    json_t *out = json_pack("{s:o, s:i, s:{s:{s:[{s:s, s:{s:{s:o}}}]}}}", "name", name("set"),
                            "count", (int)below(9), "template", "spec", "containers", "name", "c",
                            "resources", "requests", "cpu", quantity());

    maybe(out, "minCount", json_integer(1));
    maybe(out, "topologyRequest", json_pack("{s:s}", "required", "rack"));
    return out;
}

static json_t *workload_spec(void)
{
    static const char *const pairs[2][2] = { { "kueue.x-k8s.io", "WorkloadPriorityClass" },
                                             { "scheduling.k8s.io", "PriorityClass" } };
    unsigned pair = below(2);
    json_t *spec = json_pack("{s:o}", "podSets", list(pod_set, 4));

    maybe(spec, "queueName", name("queue"));
    maybe(spec, "priority", json_integer((json_int_t)below(2000) - 1000));
    maybe(spec, "active", json_boolean(below(2)));
    maybe(spec, "priorityClassRef",
          json_pack("{s:s, s:s, s:o}", "group", pairs[pair][0], "kind", pairs[pair][1], "name",
                    name("class")));
    return spec;
}

/* Domains of hosts as the encoder of spec/api.md 5.10 makes them: it is let do it, from v1beta1. */
static json_t *domain(void)
{
    return json_pack("{s:[o], s:i}", "values", json_sprintf("pool-%u-host-%u", below(3), below(40)),
                     "count", 1 + (int)below(3));
}

static json_t *assignment(void)
{
    json_t *out = json_pack("{s:o, s:i, s:{s:s}}", "name", name("set"), "count", (int)below(9),
                            "flavors", "cpu", "f");

    maybe(
        out, "topologyAssignment",
        json_pack("{s:[s], s:o}", "levels", "kubernetes.io/hostname", "domains", list(domain, 30)));
    return out;
}

/* In v1beta1's words. */
static json_t *workload_status_1(void)
{
    json_t *status = json_object();

    maybe(status, "conditions", list(condition_of_some_type, 3));
    maybe(status, "accumulatedPastExexcutionTimeSeconds", json_integer(1 + below(99)));
    maybe(status, "nominatedClusterNames", json_pack("[o]", name("cluster")));
    maybe(status, "admission",
          json_pack("{s:o, s:o}", "clusterQueue", name("queue"), "podSetAssignments",
                    list(assignment, 3)));
    return status;
}

static const struct generated {
    const char *kind;
    json_t *(*spec)(void);
    json_t *(*status)(void);
} generators[] = {
    { "ClusterQueue", cluster_queue_spec, queue_status },
    { "LocalQueue", local_queue_spec, queue_status },
    { "Cohort", cohort_spec, NULL },
    { "Workload", workload_spec, NULL },
    { "MultiKueueCluster", multikueue_cluster_spec, NULL },
};

static json_t *generate(const struct generated *generator)
{
    json_t *object = json_pack("{s:s, s:s, s:{s:o, s:s, s:i, s:{s:s}}}", "apiVersion", V1BETA2,
                               "kind", generator->kind, "metadata", "name", name("object"), "uid",
                               "u", "generation", (int)below(9), "labels", "a/b", "c");

    maybe(object, "spec", generator->spec());
    if (generator->status)
        maybe(object, "status", generator->status());
    return object;
}

/* ---- converting ---- */

/* POST a ConversionReview with one object. New reference. */
static json_t *convert(const json_t *object, const char *version)
{
    struct request request = { .method = ROUTE_POST, .path = "/convert", .deadline = INT64_MAX };
    json_t *review = json_pack("{s:s, s:s, s:{s:s, s:s, s:[O]}}", "apiVersion",
                               "apiextensions.k8s.io/v1", "kind", "ConversionReview", "request",
                               "uid", "u", "desiredAPIVersion", version, "objects", object);
    AUTO_FREE char *text = json_dumps(review, JSON_COMPACT);
    struct response response;
    struct route route;
    json_t *answer, *converted;

    assert_int_equal(route_find(routes, ROUTE_POST, "/convert", &route), ROUTE_FOUND);
    request.body = str_of(text);
    response_init(&response);
    route.function(route.context, &request, &response, &arena);
    answer = json_loadb(response.body.text, response.body.length, 0, NULL);
    converted = json_incref(json_array_get(
        json_object_get(json_object_get(answer, "response"), "convertedObjects"), 0));
    if (!converted)
        fail_msg("%s to %s: %s", text, version, response.body.text);
    assert_string_equal(json_string_value(json_object_get(converted, "apiVersion")), version);
    json_decref(answer);
    json_decref(review);
    response_finish(&response);
    arena_reset(&arena);
    return converted;
}

static void assert_same(const json_t *expected, const json_t *got)
{
    AUTO_FREE char *left = json_dumps(expected, JSON_SORT_KEYS);
    AUTO_FREE char *right = json_dumps(got, JSON_SORT_KEYS);

    if (!json_equal(expected, got))
        fail_msg("expected %s\n     got %s", left, right);
}

/* Counters that v1beta1 writes as zero read the same when they are absent. */
static void drop_zeroes(json_t *object)
{
    static const char *const counters[] = { "pendingWorkloads", "reservingWorkloads",
                                            "admittedWorkloads" };
    json_t *status = json_object_get(object, "status");

    for (size_t i = 0; i < ARRAY_COUNT(counters); i++)
        if (json_integer_value(json_object_get(status, counters[i])) == 0)
            json_object_del(status, counters[i]);
    if (json_object_size(status) == 0)
        json_object_del(object, "status");
}

static void v1beta2_comes_back_from_v1beta1_as_it_was(void **state)
{
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(generators); k++) {
        for (unsigned i = 0; i < OBJECTS_PER_KIND; i++) {
            json_t *object = generate(&generators[k]), *down = convert(object, V1BETA1);
            json_t *up = convert(down, V1BETA2);

            assert_same(json_object_get(object, "metadata"), json_object_get(down, "metadata"));
            drop_zeroes(object);
            drop_zeroes(up);
            assert_same(object, up);
            json_decref(object);
            json_decref(down);
            json_decref(up);
        }
    }
}

static void v1beta1_comes_back_from_v1beta2_as_it_was(void **state)
{
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(generators); k++) {
        for (unsigned i = 0; i < OBJECTS_PER_KIND; i++) {
            json_t *object = generate(&generators[k]), *down = convert(object, V1BETA1);
            json_t *up = convert(down, V1BETA2), *again = convert(up, V1BETA1);

            assert_same(down, again);
            json_decref(object);
            json_decref(down);
            json_decref(up);
            json_decref(again);
        }
    }
}

static void a_status_of_v1beta1_comes_back_as_it_was(void **state)
{
    (void)state;
    for (unsigned i = 0; i < OBJECTS_PER_KIND; i++) {
        json_t *object =
            json_pack("{s:s, s:s, s:{s:s}, s:o}", "apiVersion", V1BETA1, "kind", "Workload",
                      "metadata", "name", "w", "status", workload_status_1());
        json_t *up = convert(object, V1BETA2), *down = convert(up, V1BETA1);

        assert_same(object, down);
        json_decref(object);
        json_decref(up);
        json_decref(down);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(v1beta2_comes_back_from_v1beta1_as_it_was, setup, teardown),
        cmocka_unit_test_setup_teardown(v1beta1_comes_back_from_v1beta2_as_it_was, setup, teardown),
        cmocka_unit_test_setup_teardown(a_status_of_v1beta1_comes_back_as_it_was, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
