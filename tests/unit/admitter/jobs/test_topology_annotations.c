/* Topology annotations of a Job: what they ask for, and which are refused:
 * spec/integrations.md 1.6, J6. */
#include "tests/unit/admitter/jobs/support.h"

#include <string.h>

static void topology_requests(void **state)
{
    static const struct {
        const char *annotations, *expected;
    } cases[] = {
        { "'kueue.x-k8s.io/podset-required-topology':'cloud.provider.com/rack'",
          "{'podIndexLabel':'batch.kubernetes.io/job-completion-index','required':"
          "'cloud.provider.com/rack'}" },
        { "'kueue.x-k8s.io/podset-preferred-topology':'rack'",
          "{'podIndexLabel':'batch.kubernetes.io/job-completion-index','preferred':'rack'}" },
        { "'kueue.x-k8s.io/podset-unconstrained-topology':'true'",
          "{'podIndexLabel':'batch.kubernetes.io/job-completion-index','unconstrained':true}" },
        { "'kueue.x-k8s.io/podset-group-name':'g'",
          "{'podIndexLabel':'batch.kubernetes.io/job-completion-index'}" },
        { "'kueue.x-k8s.io/podset-required-topology':'r','kueue.x-k8s.io/podset-group-name':'g'",
          "{'podIndexLabel':'batch.kubernetes.io/job-completion-index','podSetGroupName':'g',"
          "'required':'r'}" },
        { "'kueue.x-k8s.io/podset-slice-required-topology':'host',"
          "'kueue.x-k8s.io/podset-slice-size':'2'",
          "{'podIndexLabel':'batch.kubernetes.io/"
          "job-completion-index','podSetSliceRequiredTopology':"
          "'host','podSetSliceSize':2}" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_FREE char *annotations = mem_format("{%s}", cases[i].annotations);
        json_t *object = job_object(QUEUED, "'parallelism':4"), *list;

        json_object_set_new(member(object, "spec.template.metadata"), "annotations",
                            tree(annotations));
        list = job_pod_sets(object);
        assert_json(member(list, "0.topologyRequest"), cases[i].expected);
        json_decref(list);
        json_decref(object);
    }
}

#define AT "spec.template.metadata.annotations[kueue.x-k8s.io/podset-"
#define SLICES "[kueue.x-k8s.io/podset-slice-required-topology-constraints]"

static void topology_annotations_are_checked(void **state)
{
    static const struct {
        const char *annotations, *expected;
    } cases[] = {
        { "'kueue.x-k8s.io/podset-required-topology':'cloud.provider.com/rack'", "" },
        { "'kueue.x-k8s.io/podset-required-topology':'a','kueue.x-k8s.io/"
          "podset-preferred-topology':'b'",
          "spec.template.metadata.annotations: Invalid value: must not contain more than one "
          "topology "
          "annotation: [\"kueue.x-k8s.io/podset-required-topology\", "
          "\"kueue.x-k8s.io/podset-preferred-topology\", "
          "\"kueue.x-k8s.io/podset-unconstrained-topology\"]" },
        { "'kueue.x-k8s.io/podset-required-topology':'a b'",
          AT "required-topology]: Invalid value: \"a b\": name part must consist of alphanumeric "
             "characters, '-', '_' or '.', and must start and end with an alphanumeric character "
             "(e.g. "
             "'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
             "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')" },
        { "'kueue.x-k8s.io/podset-required-topology':'a','kueue.x-k8s.io/podset-group-name':'12'",
          AT "group-name]: Invalid value: \"12\": must not be a number" },
        { "'kueue.x-k8s.io/podset-required-topology':'a',"
          "'kueue.x-k8s.io/podset-group-name':'18446744073709551616'",
          "" },
        { "'kueue.x-k8s.io/podset-group-name':'g'",
          AT "group-name]: Forbidden: may not be set when neither "
             "'kueue.x-k8s.io/podset-preferred-topology' nor "
             "'kueue.x-k8s.io/podset-required-topology' is specified" },
        { "'kueue.x-k8s.io/podset-unconstrained-topology':'maybe'",
          AT "unconstrained-topology]: Invalid value: \"maybe\": must be a boolean value" },
        { "'kueue.x-k8s.io/podset-slice-required-topology':'h','kueue.x-k8s.io/"
          "podset-slice-size':'x'",
          AT "slice-size]: Invalid value: \"x\": must be a numeric value" },
        { "'kueue.x-k8s.io/podset-slice-required-topology':'h','kueue.x-k8s.io/"
          "podset-slice-size':'0'",
          AT "slice-size]: Invalid value: \"0\": must be greater than or equal to 1" },
        { "'kueue.x-k8s.io/podset-slice-required-topology':'h'",
          AT "slice-size]: Required value: must be set when "
             "'kueue.x-k8s.io/podset-slice-required-topology' is specified" },
        { "'kueue.x-k8s.io/podset-slice-size':'1'",
          AT "slice-size]: Forbidden: may not be set when "
             "'kueue.x-k8s.io/podset-slice-required-topology' is not specified" },
        { "'kueue.x-k8s.io/podset-slice-required-topology':'h','kueue.x-k8s.io/"
          "podset-slice-size':'5'",
          AT "slice-size]: Invalid value: \"5\": must not be greater than pod set count 4" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_FREE char *annotations = mem_format("{%s}", cases[i].annotations);
        json_t *object = job_object(QUEUED, "'parallelism':4");

        json_object_set_new(member(object, "spec.template.metadata"), "annotations",
                            tree(annotations));
        assert_string_equal(job_errors(NULL, object), cases[i].expected);
        json_decref(object);
    }
}

static void topology_constraints_are_checked(void **state)
{
    static const struct {
        const char *value, *expected; /* what follows the path of the annotation */
    } cases[] = {
        { "[{'topology':'rack','size':4},{'topology':'host','size':2}]", "" },
        { "[]",
          ": Invalid value: \"[]\": topology constraints must contain between 1 and 3 entries" },
        { "[{'topology':'rack','size':0}]",
          "[0].size: Invalid value: 0: must be greater than or equal to 1" },
        { "[{'topology':'rack','size':3},{'topology':'host','size':2}]",
          "[1].size: Invalid value: 2: must evenly divide the parent layer size 3" },
        { "[{'topology':'rack','size':4},{'topology':'rack','size':2}]",
          "[1].topology: Duplicate value: \"rack (also at index 0)\"" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        json_t *object = job_object(QUEUED, "'parallelism':4");
        AUTO_FREE char *expected = mem_format(
            "%s%s", *cases[i].expected ? "spec.template.metadata.annotations" SLICES : "",
            cases[i].expected);

        json_object_set_new(member(object, "spec.template.metadata"), "annotations",
                            json_pack("{s:s}",
                                      "kueue.x-k8s.io/podset-slice-required-topology-constraints",
                                      quoted(&arena, cases[i].value).text));
        assert_string_equal(job_errors(NULL, object), expected);
        world.options.multi_layer_topology = false;
        assert_string_equal(
            job_errors(NULL, object),
            "spec.template.metadata.annotations" SLICES
            ": Forbidden: the TASMultiLayerTopology feature gate must be enabled to use "
            "this annotation");
        world.options.multi_layer_topology = true;
        json_decref(object);
    }
}

static void elastic_jobs_take_no_topology(void **state)
{
    json_t *object = job_object(QUEUED ",'annotations':{'kueue.x-k8s.io/elastic-job':'true'}",
                                "'parallelism':4");

    (void)state;
    json_object_set_new(member(object, "spec.template.metadata"), "annotations",
                        tree("{'kueue.x-k8s.io/podset-required-topology':'a'}"));
    assert_string_equal(
        job_errors(NULL, object),
        "spec.template.metadata.annotations.kueue.x-k8s.io/podset-required-topology: "
        "Forbidden: required topology is not supported with elastic jobs");
    world.options.elastic_slices = false;
    assert_string_equal(job_errors(NULL, object), "");
    json_decref(object);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, arena_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(topology_requests),
        TEST(topology_annotations_are_checked),
        TEST(topology_constraints_are_checked),
        TEST(elastic_jobs_take_no_topology),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
