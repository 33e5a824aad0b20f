/* What every kind's webhooks share: spec/integrations.md 1.3 - 1.7, examples J7, J9, J10. */
#include "tests/unit/admitter/jobs/support.h"

#include <string.h>

#define OWNED(name)                                                                                \
    "'ownerReferences':[{'apiVersion':'batch/v1','kind':'Job','name':'" name "','uid':'u-" name    \
    "','controller':true}]"

static json_t *mutated(json_t *object)
{
    struct err e = { 0 };

    if (job_mutate_create(object, "ns", &batch_job_kind, &environment, &arena, &e) < 0)
        fail_msg("%s", e.text);
    return object;
}

/* ---- defaults ---- */

static void a_job_without_a_queue_is_left_alone(void **state)
{
    json_t *object = job_object("", "'parallelism':3"), *before = json_deep_copy(object);

    (void)state;
    assert_true(json_equal(mutated(object), before));
    json_decref(object);
    json_decref(before);
}

static void a_queued_job_is_suspended(void **state)
{
    json_t *object = mutated(job_object(QUEUED, "'parallelism':3"));

    (void)state;
    assert_true(json_is_true(member(object, "spec.suspend")));
    assert_false(has_member(object, "spec.managedBy"));
    json_decref(object);
}

static void the_default_queue_is_taken(void **state)
{
    static const struct {
        const char *metadata;
        bool exists, managed, expected;
    } cases[] = {
        { "", true, true, true },
        { "'labels':{'kueue.x-k8s.io/queue-name':''}", true, true, true },
        { "", false, true, false },
        { "", true, false, false },
        { OWNED("a"), true, true, false },
    };
    static const struct world_owner owners[] = { { "a", "u-a", "", { 0 } } };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        json_t *object;

        world.default_queue = cases[i].exists;
        world.managed = cases[i].managed;
        world.owners = owners;
        world.owner_count = 1;
        object = mutated(job_object(cases[i].metadata, ""));
        assert_string_equal(object_label(object, "kueue.x-k8s.io/queue-name"),
                            cases[i].expected ? "default" : "");
        assert_int_equal(json_is_true(json_at(object, "spec", "suspend", NULL)), cases[i].expected);
        json_decref(object);
    }
}

static void an_unknown_namespace_denies(void **state)
{
    json_t *object = job_object("", "");
    struct err e = { 0 };

    (void)state;
    world.default_queue = true;
    world.managed = -1;
    assert_int_equal(job_mutate_create(object, "ns", &batch_job_kind, &environment, &arena, &e),
                     -1);
    assert_string_equal(e.text, "failed to get namespace: namespaces \"ns\" not found");
    json_decref(object);
}

static void the_default_class_is_taken(void **state)
{
    json_t *object;

    (void)state;
    world.default_class = true;
    object = mutated(job_object(QUEUED, ""));
    assert_string_equal(object_label(object, "kueue.x-k8s.io/priority-class"), "default");
    json_decref(object);
    world.options.priority_class_defaulting = false;
    object = mutated(job_object(QUEUED, ""));
    assert_false(object_has_label(object, "kueue.x-k8s.io/priority-class"));
    json_decref(object);
}

static void multikueue_takes_over_managed_by(void **state)
{
    static const struct {
        const char *metadata, *spec;
        bool gate;
        const char *expected;
    } cases[] = {
        { QUEUED, "", true, "kueue.x-k8s.io/multikueue" },
        { QUEUED, "'managedBy':'kubernetes.io/job-controller'", true, "kueue.x-k8s.io/multikueue" },
        { QUEUED, "'managedBy':'acme.io/other'", true, "acme.io/other" },
        { QUEUED, "", false, "" },
        { "", "", true, "" },
    };

    (void)state;
    world.multikueue = true;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        json_t *object;

        world.options.multikueue = cases[i].gate;
        object = mutated(job_object(cases[i].metadata, cases[i].spec));
        assert_string_equal(json_string_at(json_object_get(object, "spec"), "managedBy"),
                            cases[i].expected);
        json_decref(object);
    }
}

static void every_job_is_managed_where_configured(void **state)
{
    (void)state;
    world.options.manage_without_queue_name = true;
    for (world.managed = 0; world.managed <= 1; world.managed++) {
        json_t *object = mutated(job_object("", ""));

        assert_int_equal(json_is_true(json_at(object, "spec", "suspend", NULL)), world.managed);
        json_decref(object);
    }
}

static void pods_of_elastic_jobs_wait_at_a_gate(void **state)
{
    static const char elastic[] = QUEUED ",'annotations':{'kueue.x-k8s.io/elastic-job':'true'}";
    json_t *object = mutated(job_object(elastic, "'parallelism':3")), *gates;
    struct err e = { 0 };

    (void)state;
    assert_true(json_is_true(member(object, "spec.suspend")));
    gates = member(object, "spec.template.spec.schedulingGates");
    assert_json(gates, "[{'name':'kueue.x-k8s.io/elastic-job'}]");
    assert_int_equal(batch_job_kind.mutate(object, &world.options, &e), 0); /* once is enough */
    assert_int_equal(json_array_size(gates), 1);
    assert_true(job_decoded(object)->is_gated);
    json_decref(object);
    world.options.elastic_slices = false;
    object = mutated(job_object(elastic, "'parallelism':3"));
    assert_false(has_member(object, "spec.template.spec.schedulingGates"));
    json_decref(object);
}

static void a_job_without_a_spec_is_denied(void **state)
{
    json_t *object = tree("{'metadata':{'name':'x'}}");
    struct err e = { 0 };

    (void)state;
    assert_int_equal(job_mutate_create(object, "ns", &batch_job_kind, &environment, &arena, &e),
                     -1);
    assert_string_equal(e.text, "spec: Required value");
    json_decref(object);
}

/* ---- ancestors (1.4) ---- */

static void children_of_queued_jobs_are_left_alone(void **state)
{
    static const struct world_owner owners[] = { { "a", "u-a", "q", { 0 } } };
    json_t *object;

    (void)state;
    world.owners = owners;
    world.owner_count = 1;
    object = mutated(job_object(QUEUED "," OWNED("a"), ""));
    assert_false(has_member(object, "spec.suspend"));
    json_decref(object);
}

/* ---- validation (1.5, 1.7) ---- */

#define SUBDOMAIN                                                                                  \
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "   \
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "  \
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
#define LABELS "metadata.labels[kueue.x-k8s.io/"
#define NOTES "metadata.annotations[kueue.x-k8s.io/"

static void creation_is_checked(void **state)
{
    static const struct {
        const char *metadata, *expected;
    } cases[] = {
        { QUEUED, "" },
        { "'labels':{'kueue.x-k8s.io/queue-name':''}",
          LABELS "queue-name]: Invalid value: \"\": " SUBDOMAIN },
        { "'labels':{'kueue.x-k8s.io/queue-name':'a_b'}",
          LABELS "queue-name]: Invalid value: \"a_b\": " SUBDOMAIN },
        { "'labels':{'kueue.x-k8s.io/prebuilt-workload-name':'A'}",
          LABELS "prebuilt-workload-name]: Invalid value: \"A\": " SUBDOMAIN },
        { "'annotations':{'kueue.x-k8s.io/prebuilt-workload-name':'A'}",
          NOTES "prebuilt-workload-name]: Invalid value: \"A\": " SUBDOMAIN },
        { "'labels':{'kueue.x-k8s.io/max-exec-time-seconds':'600'}", "" },
        { "'labels':{'kueue.x-k8s.io/max-exec-time-seconds':'NaN'}",
          LABELS "max-exec-time-seconds]: Invalid value: \"NaN\": strconv.Atoi: parsing \"NaN\": "
                 "invalid syntax" },
        { "'labels':{'kueue.x-k8s.io/max-exec-time-seconds':'99999999999999999999'}",
          LABELS "max-exec-time-seconds]: Invalid value: \"99999999999999999999\": strconv.Atoi: "
                 "parsing \"99999999999999999999\": value out of range" },
        { "'labels':{'kueue.x-k8s.io/max-exec-time-seconds':'0'}",
          LABELS "max-exec-time-seconds]: Invalid value: 0: should be greater than 0" },
        { "'annotations':{'kueue.x-k8s.io/elastic-job':'true'}", "" },
        { "'annotations':{'kueue.x-k8s.io/admission-gated-by':'acme.io/a, acme.io/b'}", "" },
        { "'annotations':{'kueue.x-k8s.io/admission-gated-by':'acme.io/a,,acme.io/b'}", NOTES
          "admission-gated-by]: Invalid value: \"acme.io/a,,acme.io/b\": cannot contain empty "
          "gate names" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        json_t *object = job_object(cases[i].metadata, "'suspend':true");

        assert_string_equal(job_errors(NULL, object), cases[i].expected);
        json_decref(object);
    }
}

/* One label or annotation before and after; states: r running, s suspended, as "before after". */
static void updates_are_checked(void **state)
{
    static const struct {
        const char *states, *before, *after, *expected;
        bool default_queue;
    } cases[] = {
        { "rr", QUEUED, "'labels':{'kueue.x-k8s.io/queue-name':'other'}",
          LABELS "queue-name]: Invalid value: \"other\": field is immutable", false },
        { "ss", QUEUED, "'labels':{'kueue.x-k8s.io/queue-name':'other'}", "", false },
        { "ss", QUEUED, "", "", false },
        { "ss", QUEUED, "",
          LABELS "queue-name]: Invalid value: \"\": queue-name must not be empty in namespace with "
                 "default queue",
          true },
        { "rr", "", "'labels':{'kueue.x-k8s.io/priority-class':'high'}",
          LABELS
          "priority-class]: Invalid value: \"high\": WorkloadPriorityClass cannot be added to "
          "a non-suspended workload",
          false },
        { "ss", "", "'labels':{'kueue.x-k8s.io/priority-class':'high'}", "", false },
        { "rr", "'labels':{'kueue.x-k8s.io/priority-class':'high'}",
          "'labels':{'kueue.x-k8s.io/priority-class':'low'}", "", false },
        { "ss", "'labels':{'kueue.x-k8s.io/priority-class':'high'}", "",
          LABELS
          "priority-class]: Invalid value: \"\": WorkloadPriorityClass cannot be removed from "
          "a workload",
          false },
        { "ss", "'labels':{'kueue.x-k8s.io/max-exec-time-seconds':'1'}",
          "'labels':{'kueue.x-k8s.io/max-exec-time-seconds':'2'}", "", false },
        { "sr", "'labels':{'kueue.x-k8s.io/max-exec-time-seconds':'1'}",
          "'labels':{'kueue.x-k8s.io/max-exec-time-seconds':'2'}",
          LABELS "max-exec-time-seconds]: Invalid value: \"2\": field is immutable", false },
        { "rr", "'annotations':{'kueue.x-k8s.io/prebuilt-workload-name':'a'}",
          "'annotations':{'kueue.x-k8s.io/prebuilt-workload-name':'b'}",
          NOTES "prebuilt-workload-name]: Invalid value: \"b\": field is immutable", false },
        { "rr", "'labels':{'kueue.x-k8s.io/prebuilt-workload-name':'a'}",
          "'annotations':{'kueue.x-k8s.io/prebuilt-workload-name':'a'}", "", false },
        { "ss", "'annotations':{'kueue.x-k8s.io/prebuilt-workload-name':'a'}",
          "'annotations':{'kueue.x-k8s.io/prebuilt-workload-name':'b'}", "", false },
        { "ss", "", "'annotations':{'kueue.x-k8s.io/elastic-job':'true'}",
          NOTES "elastic-job]: Invalid value: true: field is immutable", false },
        { "ss", "'annotations':{'kueue.x-k8s.io/elastic-job':'true'}", "",
          NOTES "elastic-job]: Invalid value: false: field is immutable", false },
        { "ss", "", "'annotations':{'kueue.x-k8s.io/admission-gated-by':'acme.io/a'}",
          NOTES "admission-gated-by]: Forbidden: cannot add admission gate after creation", false },
        { "ss", "'annotations':{'kueue.x-k8s.io/admission-gated-by':'acme.io/a'}",
          "'annotations':{'kueue.x-k8s.io/admission-gated-by':'acme.io/b'}",
          NOTES "admission-gated-by]: Forbidden: can only remove gates, not add new ones", false },
        { "ss", "'annotations':{'kueue.x-k8s.io/admission-gated-by':'acme.io/a'}", "", "", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        json_t *before = job_object(cases[i].before, cases[i].states[0] == 's' ? "'suspend':true"
                                                                               : "'suspend':false");
        json_t *after = job_object(cases[i].after, cases[i].states[1] == 's' ? "'suspend':true"
                                                                             : "'suspend':false");

        world.default_queue = cases[i].default_queue;
        assert_string_equal(job_errors(before, after), cases[i].expected);
        json_decref(before);
        json_decref(after);
    }
}

/* A job that is being stopped counts as running (2.1). */
static void stopping_counts_as_running(void **state)
{
    json_t *before =
        job_object(QUEUED ",'annotations':{'kueue.x-k8s.io/stopping':'true'}", "'suspend':true");
    json_t *after = json_deep_copy(before);

    (void)state;
    json_object_set_new(object_labels_make(after), "kueue.x-k8s.io/queue-name", json_string("o"));
    assert_string_equal(job_errors(before, after),
                        LABELS "queue-name]: Invalid value: \"o\": field is immutable");
    json_decref(before);
    json_decref(after);
}

static void gates_switch_checks_off(void **state)
{
    json_t *object = job_object("'annotations':{'kueue.x-k8s.io/admission-gated-by':',',"
                                "'kueue.x-k8s.io/prebuilt-workload-name':'A'}",
                                "'suspend':true");

    (void)state;
    world.options.admission_gated_by = false;
    world.options.identifier_annotations = false;
    assert_string_equal(job_errors(NULL, object), "");
    json_decref(object);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, arena_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_job_without_a_queue_is_left_alone),
        TEST(a_queued_job_is_suspended),
        TEST(the_default_queue_is_taken),
        TEST(an_unknown_namespace_denies),
        TEST(the_default_class_is_taken),
        TEST(multikueue_takes_over_managed_by),
        TEST(every_job_is_managed_where_configured),
        TEST(pods_of_elastic_jobs_wait_at_a_gate),
        TEST(a_job_without_a_spec_is_denied),
        TEST(children_of_queued_jobs_are_left_alone),
        TEST(creation_is_checked),
        TEST(updates_are_checked),
        TEST(stopping_counts_as_running),
        TEST(gates_switch_checks_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
