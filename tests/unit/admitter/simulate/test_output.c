#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "admitter/simulate/simulate.h"
#include "quota/base/clock.h"
#include "quota/base/mem.h"

/* Other programs rely on each word of the JSON output, so it is compared byte for byte. */
static const char cluster[] =
    "apiVersion: kueue.x-k8s.io/v1beta2\nkind: ResourceFlavor\nmetadata: {name: f}\n---\n"
    "apiVersion: kueue.x-k8s.io/v1beta2\nkind: ClusterQueue\nmetadata: {name: b}\n"
    "spec:\n  cohortName: co\n  namespaceSelector: {}\n  resourceGroups:\n"
    "  - coveredResources: [cpu, memory]\n    flavors:\n    - name: f\n      resources:\n"
    "      - {name: cpu, nominalQuota: 2}\n      - {name: memory, nominalQuota: 1Gi}\n---\n"
    "apiVersion: kueue.x-k8s.io/v1beta2\nkind: LocalQueue\n"
    "metadata: {name: q, namespace: team}\nspec: {clusterQueue: b}\n---\n"
    "apiVersion: kueue.x-k8s.io/v1beta2\nkind: Workload\n"
    "metadata: {name: fits, namespace: team}\nspec:\n  queueName: q\n  priority: 1\n"
    "  podSets:\n  - name: main\n    count: 2\n    template:\n      spec:\n        containers:\n"
    "        - {name: c, resources: {requests: {memory: 256Mi, cpu: 500m}}}\n---\n"
    "apiVersion: kueue.x-k8s.io/v1beta2\nkind: Workload\n"
    "metadata: {name: waits, namespace: team}\nspec:\n  queueName: q\n"
    "  podSets:\n  - name: main\n    count: 1\n    template:\n      spec:\n        containers:\n"
    "        - {name: c, resources: {requests: {cpu: 9}}}\n---\n"
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n";

#define MESSAGE                                                                                    \
    "couldn't assign flavors to pod set main: insufficient quota for cpu in flavor f, previously " \
    "considered podsets requests (0) + current podset request (9) > maximum capacity (2)"

static const char expected[] =
    "{\"version\":1,\"cycles\":["
    "{\"cycle\":1,\"time\":\"2000-01-01T00:00:00Z\",\"decisions\":["
    "{\"workload\":\"team/fits\",\"clusterQueue\":\"b\",\"outcome\":\"Admitted\",\"reason\":\"\","
    "\"message\":\"\",\"admission\":{\"clusterQueue\":\"b\",\"podSetAssignments\":[{\"name\":"
    "\"main\",\"flavors\":{\"cpu\":\"f\",\"memory\":\"f\"},\"resourceUsage\":{\"cpu\":\"1\","
    "\"memory\":\"512Mi\"},\"count\":2}]},\"preempts\":[],\"requeue\":\"\"}],\"events\":["
    "{\"object\":\"team/fits\",\"type\":\"Normal\",\"reason\":\"QuotaReserved\"},"
    "{\"object\":\"team/fits\",\"type\":\"Normal\",\"reason\":\"Admitted\"}]},"
    "{\"cycle\":2,\"time\":\"2000-01-01T00:00:00Z\",\"decisions\":["
    "{\"workload\":\"team/waits\",\"clusterQueue\":\"b\",\"outcome\":\"Pending\",\"reason\":"
    "\"ExceedsMaxQuota\",\"message\":\"" MESSAGE "\",\"admission\":null,\"preempts\":[],"
    "\"requeue\":\"Parked\"}],\"events\":[{\"object\":\"team/waits\",\"type\":\"Warning\","
    "\"reason\":\"ExceedsMaxQuota\"}]}],"
    "\"final\":{\"clusterQueues\":[{\"name\":\"b\",\"active\":true,\"queue\":[],\"parked\":["
    "\"team/waits\"],\"reserving\":[\"team/fits\"],\"usage\":[{\"flavor\":\"f\",\"resource\":"
    "\"cpu\",\"reserved\":\"1\",\"borrowed\":\"0\"},{\"flavor\":\"f\",\"resource\":\"memory\","
    "\"reserved\":\"512Mi\",\"borrowed\":\"0\"}]}],\"cohorts\":[{\"name\":\"co\",\"parent\":\"\","
    "\"usage\":[{\"flavor\":\"f\",\"resource\":\"cpu\",\"subtreeQuota\":\"2\",\"used\":\"1\"},"
    "{\"flavor\":\"f\",\"resource\":\"memory\",\"subtreeQuota\":\"1Gi\",\"used\":\"512Mi\"}]}],"
    "\"waiting\":[{\"workload\":\"team/waits\",\"clusterQueue\":\"b\",\"reason\":"
    "\"ExceedsMaxQuota\",\"message\":\"" MESSAGE "\"}],\"idle\":true}}\n";

struct outcome_of_run {
    int status;
    struct strbuf out, warnings;
    struct err e;
};

static struct outcome_of_run run(const char *text, struct simulate_options options)
{
    struct simulate_documents documents = { 0 };
    struct outcome_of_run result = { .status = 2 };

    options.now = TIME_NONE;
    if (options.duration == 0)
        options.duration = -1;
    if (simulate_documents_parse(&documents, "x.yaml", str_of(text), &result.e) == 0)
        result.status =
            simulate_run(&documents, &options, &result.out, &result.warnings, &result.e);
    simulate_documents_finish(&documents);
    return result;
}

static void outcome_finish(struct outcome_of_run *result)
{
    strbuf_finish(&result->out);
    strbuf_finish(&result->warnings);
}

static void the_json_output_is_as_written_down(void **state)
{
    struct outcome_of_run result =
        run(cluster, (struct simulate_options){ .cycles = -1, .json = true });

    (void)state;
    assert_int_equal(result.status, 0);
    assert_string_equal(result.out.text, expected);
    assert_string_equal(result.warnings.text,
                        "x.yaml: document 6: objects of apps/v1 Deployment are skipped\n");
    outcome_finish(&result);
}

static void steps_stop_where_they_are_told(void **state)
{
    struct outcome_of_run none = run(cluster, (struct simulate_options){ .json = true });
    struct outcome_of_run one =
        run(cluster, (struct simulate_options){ .cycles = 1, .json = true });

    (void)state;
    assert_non_null(strstr(none.out.text, "{\"version\":1,\"cycles\":[],\"final\":"));
    assert_non_null(strstr(none.out.text, "\"queue\":[\"team/fits\",\"team/waits\"]"));
    assert_non_null(strstr(none.out.text, "\"idle\":false}}\n"));
    assert_non_null(strstr(one.out.text, "\"cycle\":1,"));
    assert_null(strstr(one.out.text, "\"cycle\":2,"));
    outcome_finish(&none);
    outcome_finish(&one);
}

static void equal_input_gives_equal_bytes_as_yaml_or_json(void **state)
{
    static const char list[] =
        "{\"kind\":\"List\",\"items\":[{\"apiVersion\":\"kueue.x-k8s.io/v1beta2\",\"kind\":"
        "\"ResourceFlavor\",\"metadata\":{\"name\":\"f\"}}]}";
    static const char yaml[] =
        "kind: List\nitems:\n- {apiVersion: kueue.x-k8s.io/v1beta2, kind: ResourceFlavor, "
        "metadata: {name: f}}\n";
    const struct simulate_options options = { .cycles = -1, .json = true };
    struct outcome_of_run one = run(list, options), two = run(yaml, options);

    (void)state;
    assert_int_equal(one.status, 0);
    assert_string_equal(one.out.text, two.out.text);
    outcome_finish(&one);
    outcome_finish(&two);
}

static void refused_input_gives_no_output(void **state)
{
    struct simulate_options options = { .cycles = -1, .json = true };
    struct outcome_of_run result = run("kind: [", options);

    (void)state;
    assert_int_equal(result.status, 2);
    assert_int_equal(result.out.length, 0);
    outcome_finish(&result);
    options.feature_gates = "NoSuchGate=true";
    result = run(cluster, options);
    assert_int_equal(result.status, 2);
    assert_int_equal(result.out.length, 0);
    assert_non_null(strstr(result.e.text, "NoSuchGate"));
    outcome_finish(&result);
}

static void the_table_names_everybody_and_has_colour_only_when_asked(void **state)
{
    struct outcome_of_run plain = run(cluster, (struct simulate_options){ .cycles = -1 });
    struct outcome_of_run colour =
        run(cluster, (struct simulate_options){ .cycles = -1, .colour = true });

    (void)state;
    assert_non_null(strstr(plain.out.text, "Admitted    team/fits in b: main x2 "));
    assert_non_null(strstr(plain.out.text, "team/waits ExceedsMaxQuota: " MESSAGE));
    assert_non_null(strstr(plain.out.text, "512Mi of 1Gi memory on f"));
    assert_null(strchr(plain.out.text, '\033'));
    assert_non_null(strchr(colour.out.text, '\033'));
    outcome_finish(&plain);
    outcome_finish(&colour);
}

static void the_table_tells_what_happens_between_cycles(void **state)
{
    struct outcome_of_run short_lived =
        run(cluster, (struct simulate_options){ .cycles = -1, .duration = 90000000000 });

    (void)state;
    assert_non_null(strstr(short_lived.out.text, "     1m30s  Finished    team/fits\n"));
    outcome_finish(&short_lived);
}

/* A higher priority preempts, lower usage is offered first: the two change places. */
static const char taking_turns[] =
    "apiVersion: kueue.x-k8s.io/v1beta2\nkind: ResourceFlavor\nmetadata: {name: f}\n---\n"
    "apiVersion: kueue.x-k8s.io/v1beta2\nkind: ClusterQueue\nmetadata: {name: q}\n"
    "spec:\n  namespaceSelector: {}\n  preemption: {withinClusterQueue: LowerPriority}\n"
    "  admissionScope: {admissionMode: UsageBasedAdmissionFairSharing}\n  resourceGroups:\n"
    "  - coveredResources: [cpu]\n    flavors:\n    - name: f\n      resources:\n"
    "      - {name: cpu, nominalQuota: 1}\n---\n"
    "apiVersion: kueue.x-k8s.io/v1beta2\nkind: LocalQueue\n"
    "metadata: {name: little, namespace: team}\nspec: {clusterQueue: q}\n---\n"
    "apiVersion: kueue.x-k8s.io/v1beta2\nkind: LocalQueue\n"
    "metadata: {name: much, namespace: team}\nspec: {clusterQueue: q}\n"
    "status: {fairSharing: {weightedShare: 0, admissionFairSharingStatus: "
    "{consumedResources: {cpu: 4000}, lastUpdate: \"2000-01-01T00:00:00Z\"}}}\n---\n"
    "apiVersion: kueue.x-k8s.io/v1beta2\nkind: Workload\n"
    "metadata: {name: first, namespace: team}\nspec:\n  queueName: little\n"
    "  podSets:\n  - name: main\n    count: 1\n    template:\n      spec:\n        containers:\n"
    "        - {name: c, resources: {requests: {cpu: 1}}}\n---\n"
    "apiVersion: kueue.x-k8s.io/v1beta2\nkind: Workload\n"
    "metadata: {name: urgent, namespace: team}\nspec:\n  queueName: much\n  priority: 1\n"
    "  podSets:\n  - name: main\n    count: 1\n    template:\n      spec:\n        containers:\n"
    "        - {name: c, resources: {requests: {cpu: 1}}}\n";

static void who_preempts_whom_for_ever_is_stopped_with_a_warning(void **state)
{
    struct simulate_options options = { .cycles = -1, .json = true };
    struct outcome_of_run result;

    (void)state;
    options.config_text = str_of("apiVersion: config.kueue.x-k8s.io/v1beta2\n"
                                 "kind: Configuration\n"
                                 "admissionFairSharing: {usageHalfLifeTime: 10m}\n");
    result = run(taking_turns, options);
    assert_int_equal(result.status, 0);
    assert_non_null(strstr(result.out.text, "\"idle\":false}}\n"));
    assert_non_null(strstr(result.warnings.text, "workloads preempt each other in turn"));
    outcome_finish(&result);
    options.cycles = 400;
    result = run(taking_turns, options);
    assert_non_null(strstr(result.out.text, "{\"cycle\":400,"));
    assert_int_equal(result.warnings.length, 0);
    outcome_finish(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_json_output_is_as_written_down),
        cmocka_unit_test(steps_stop_where_they_are_told),
        cmocka_unit_test(equal_input_gives_equal_bytes_as_yaml_or_json),
        cmocka_unit_test(refused_input_gives_no_output),
        cmocka_unit_test(the_table_names_everybody_and_has_colour_only_when_asked),
        cmocka_unit_test(the_table_tells_what_happens_between_cycles),
        cmocka_unit_test(who_preempts_whom_for_ever_is_stopped_with_a_warning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
