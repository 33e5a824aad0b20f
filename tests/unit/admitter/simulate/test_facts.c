#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "admitter/objects/decode.h"
#include "admitter/simulate/facts.h"
#include "quota/base/mem.h"

static struct simulate_documents documents;
static struct simulate_facts facts;
static struct err e;

static int finish(void **state)
{
    (void)state;
    simulate_facts_finish(&facts);
    simulate_documents_finish(&documents);
    err_clear(&e);
    return 0;
}

static int read_facts(const char *text, int64_t now, int64_t duration)
{
    struct loop_settings settings = { 0 };

    job_options_default(&settings.jobs);
    if (simulate_documents_parse(&documents, "x.yaml", str_of(text), &e) < 0)
        return -1;
    return simulate_facts_read(&facts, &documents, &settings, now, duration, &e);
}

#define QUEUE(name)                                                                                \
    "apiVersion: kueue.x-k8s.io/v1beta2\nkind: LocalQueue\nmetadata: {name: " name                 \
    ", namespace: ns}\nspec: {clusterQueue: c}\n---\n"
#define WORKLOAD(name, meta)                                                                       \
    "apiVersion: kueue.x-k8s.io/v1beta2\nkind: Workload\nmetadata: {name: " name ", namespace: "   \
    "ns" meta "}\nspec:\n  queueName: q\n  podSets:\n  - name: main\n    count: 1\n    template: " \
    "{spec: {containers: [{name: c, resources: {requests: {cpu: 1}}}]}}\n---\n"

static void times_uids_and_namespaces_are_filled_in(void **state)
{
    char start[TIME_TEXT];

    (void)state;
    assert_int_equal(read_facts(WORKLOAD("one", "") WORKLOAD("two", ""), TIME_NONE, -1), 0);
    assert_string_equal(time_print(facts.start, start), "2000-01-01T00:00:00Z");
    assert_int_equal(facts.workloads.count, 2);
    assert_int_equal(facts.workloads.items[0].workload.created,
                     facts.start - 3600 * NANOSECONDS_PER_SECOND);
    assert_int_equal(
        facts.workloads.items[1].workload.created - facts.workloads.items[0].workload.created, 1);
    assert_string_equal(facts.workloads.items[1].workload.uid, "Workload/ns/two");
    assert_int_equal(facts.namespaces.count, 1);
    assert_string_equal(facts.namespaces.items[0].labels[0].key, "kubernetes.io/metadata.name");
    assert_string_equal(facts.namespaces.items[0].labels[0].value, "ns");
    assert_int_equal(facts.workloads.items[0].duration, -1);
}

static void given_metadata_stands(void **state)
{
    (void)state;
    assert_int_equal(
        read_facts(WORKLOAD("one", ", uid: u1, creationTimestamp: 2026-01-01T00:00:07Z"), TIME_NONE,
                   -1),
        0);
    assert_string_equal(facts.workloads.items[0].workload.uid, "u1");
    assert_int_equal(facts.workloads.items[0].workload.created, facts.start);
}

static void the_clock_starts_at_the_latest_time_or_as_told(void **state)
{
    static const char text[] = WORKLOAD("one", ", creationTimestamp: 2026-01-01T00:00:07Z")
        WORKLOAD("two", ", creationTimestamp: 2026-01-01T00:00:05Z");
    int64_t told;
    char start[TIME_TEXT];

    (void)state;
    assert_int_equal(time_parse(STR("2030-01-01T00:00:00Z"), &told, &e), 0);
    assert_int_equal(read_facts(text, TIME_NONE, -1), 0);
    assert_string_equal(time_print(facts.start, start), "2026-01-01T00:00:07Z");
    finish(NULL);
    assert_int_equal(read_facts(text, told, -1), 0);
    assert_int_equal(facts.start, told);
}

static void durations_come_from_the_annotation_or_the_default(void **state)
{
    (void)state;
    assert_int_equal(read_facts(WORKLOAD("one", ", annotations: {sluice.dev/simulated-duration: "
                                                "1m30s}") WORKLOAD("two", ""),
                                TIME_NONE, 5),
                     0);
    assert_int_equal(facts.workloads.items[0].duration, 90 * NANOSECONDS_PER_SECOND);
    assert_int_equal(facts.workloads.items[1].duration, 5);
    finish(NULL);
    assert_int_equal(read_facts(WORKLOAD("one", ", annotations: {sluice.dev/simulated-duration: "
                                                "soon}"),
                                TIME_NONE, -1),
                     -1);
    assert_string_equal(e.text, "x.yaml: document 1, line 3: "
                                "metadata.annotations[sluice.dev/simulated-duration]: expected a "
                                "duration like \"90s\", got \"soon\"");
}

static void a_given_namespace_keeps_its_labels_and_gets_its_name(void **state)
{
    (void)state;
    assert_int_equal(
        read_facts(
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: ns, labels: {a: b}}\n---\n" QUEUE(
                "q"),
            TIME_NONE, -1),
        0);
    assert_int_equal(facts.namespaces.count, 1);
    assert_int_equal(facts.namespaces.items[0].label_count, 2);
    assert_string_equal(facts.namespaces.items[0].labels[0].value, "b");
    assert_string_equal(facts.namespaces.items[0].labels[1].value, "ns");
}

static void unknown_kinds_are_told_once_each(void **state)
{
    (void)state;
    assert_int_equal(read_facts("{apiVersion: apps/v1, kind: Deployment}\n---\n{apiVersion: "
                                "apps/v1, kind: Deployment}\n---\n{apiVersion: v1, kind: Secret}\n",
                                TIME_NONE, -1),
                     0);
    assert_int_equal(facts.warnings.count, 2);
    assert_string_equal(facts.warnings.items[0],
                        "x.yaml: document 1: objects of apps/v1 Deployment are skipped");
}

#define JOB(name, labels)                                                                          \
    "apiVersion: batch/v1\nkind: Job\nmetadata: {name: " name                                      \
    ", namespace: ns, uid: uid, labels: "                                                          \
    "{" labels "}}\nspec:\n  parallelism: 2\n  suspend: true\n  template: {spec: {restartPolicy: " \
    "Never, containers: [{name: c, image: i, resources: {requests: {cpu: 1}}}]}}\n---\n"
#define CLASS(name, value)                                                                         \
    "apiVersion: kueue.x-k8s.io/v1beta2\nkind: WorkloadPriorityClass\nmetadata: {name: " name      \
    "}\nvalue: " value "\n---\n"

static void a_job_becomes_the_workload_of_the_controller(void **state)
{
    const struct workload *workload;

    (void)state;
    assert_int_equal(read_facts(JOB("name", "kueue.x-k8s.io/queue-name: q, "
                                            "kueue.x-k8s.io/priority-class: high")
                                    CLASS("high", "7"),
                                TIME_NONE, -1),
                     0);
    assert_int_equal(facts.workloads.count, 1);
    workload = &facts.workloads.items[0].workload;
    assert_string_equal(workload->name, "job-name-ef3a1");
    assert_string_equal(workload->namespace, "ns");
    assert_string_equal(workload->queue_name, "q");
    assert_int_equal(workload->priority, 7);
    assert_int_equal(workload->pod_sets[0].count, 2);
    assert_string_equal(workload->job_uid, "uid");
}

static void jobs_that_are_not_ours_or_finished_make_nothing(void **state)
{
    (void)state;
    assert_int_equal(read_facts(JOB("one", ""), TIME_NONE, -1), 0);
    assert_int_equal(facts.workloads.count, 0);
    assert_int_equal(facts.warnings.count, 0);
}

static void a_job_with_an_unknown_priority_class_is_refused(void **state)
{
    (void)state;
    assert_int_equal(read_facts(JOB("one", "kueue.x-k8s.io/queue-name: q, "
                                           "kueue.x-k8s.io/priority-class: high"),
                                TIME_NONE, -1),
                     -1);
    assert_string_equal(e.text,
                        "x.yaml: document 1, line 1: WorkloadPriorityClass \"high\" not found");
}

static void a_workload_given_again_replaces_the_first(void **state)
{
    (void)state;
    assert_int_equal(read_facts(WORKLOAD("one", ", uid: u1") WORKLOAD("two", "")
                                    WORKLOAD("one", ", uid: u2"),
                                TIME_NONE, -1),
                     0);
    assert_int_equal(facts.workloads.count, 2);
    assert_string_equal(facts.workloads.items[0].workload.uid, "u2");
    assert_string_equal(facts.warnings.items[0],
                        "x.yaml: document 3: Workload ns/one is given again, this one counts");
}

static void objects_need_names(void **state)
{
    (void)state;
    assert_int_equal(
        read_facts("apiVersion: kueue.x-k8s.io/v1beta2\nkind: ResourceFlavor\n", TIME_NONE, -1),
        -1);
    if (!strstr(e.text, "metadata.name: "))
        fail_msg("%s", e.text);
}

#define T(f) cmocka_unit_test_teardown(f, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(times_uids_and_namespaces_are_filled_in),
        T(given_metadata_stands),
        T(the_clock_starts_at_the_latest_time_or_as_told),
        T(durations_come_from_the_annotation_or_the_default),
        T(a_given_namespace_keeps_its_labels_and_gets_its_name),
        T(unknown_kinds_are_told_once_each),
        T(a_job_becomes_the_workload_of_the_controller),
        T(jobs_that_are_not_ours_or_finished_make_nothing),
        T(a_job_with_an_unknown_priority_class_is_refused),
        T(a_workload_given_again_replaces_the_first),
        T(objects_need_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
