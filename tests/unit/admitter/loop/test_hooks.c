/* The webhooks as the server calls them, answered from the snapshot: spec/integrations.md 1.24,
 * 4. */
#include "tests/unit/admitter/rules/support.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "admitter/jobs/batch_job.h"
#include "admitter/loop/hooks.h"
#include "admitter/loop/snapshot.h"

static struct snapshot *snapshot;
static struct hooks *hooks;
static struct route_table *routes;

static int setup(void **state)
{
    struct err e = { 0 };

    arena_setup(state);
    loop_settings_default(&settings);
    job_options_default(&settings.jobs);
    snapshot = snapshot_create();
    hooks = hooks_create(&settings, snapshot);
    routes = route_table_create();
    if (hooks_register(hooks, routes, &e) < 0)
        fail_msg("%s", e.text);
    return 0;
}

static int teardown(void **state)
{
    hooks_destroy(hooks);
    route_table_destroy(routes);
    snapshot_destroy(snapshot);
    return arena_teardown(state);
}

#define Q "'metadata':{'name':'j','namespace':'ns','labels':{'kueue.x-k8s.io/queue-name':'q'}%s}"
#define SPEC "'spec':{'template':{'spec':{'containers':[{'name':'c'}]}}}"

/* POST a review of batch/v1 Jobs; the response member of the answer. New reference. */
static json_t *post(const char *path, const char *operation, const char *object,
                    const char *old_object)
{
    struct request request = { .method = ROUTE_POST, .path = path, .deadline = INT64_MAX };
    struct response response;
    struct route route;
    json_t *answer, *inner;
    char *text = arena_format(
        &arena,
        "{'apiVersion':'admission.k8s.io/v1','kind':'AdmissionReview','request':{'uid':'r','kind':"
        "{'group':'batch','version':'v1','kind':'Job'},'resource':{'group':'batch','version':'v1',"
        "'resource':'jobs'},'namespace':'ns','name':'j','operation':'%s','userInfo':{},'object':%s,"
        "'oldObject':%s}}",
        operation, object, old_object);

    request.body = quoted(&arena, text);
    assert_int_equal(route_find(routes, ROUTE_POST, path, &route), ROUTE_FOUND);
    response_init(&response);
    route.function(route.context, &request, &response, &arena);
    answer = json_loadb(response.body.text, response.body.length, 0, NULL);
    assert_non_null(answer);
    inner = json_incref(member(answer, "response"));
    json_decref(answer);
    response_finish(&response);
    return inner;
}

static void a_job_gets_a_patch(void **state)
{
    json_t *answer = post("/mutate-batch-v1-job", "CREATE",
                          arena_format(&arena, "{" Q "," SPEC "}", ""), "null");

    (void)state;
    assert_true(json_is_true(member(answer, "allowed")));
    assert_true(has_member(answer, "patch"));
    json_decref(answer);
    answer = post("/mutate-batch-v1-job", "CREATE",
                  "{'metadata':{'name':'j','namespace':'ns'}," SPEC "}", "null");
    assert_true(json_is_true(member(answer, "allowed")));
    assert_false(has_member(answer, "patch"));
    json_decref(answer);
    answer = post("/mutate-batch-v1-job", "UPDATE", arena_format(&arena, "{" Q "," SPEC "}", ""),
                  arena_format(&arena, "{" Q "," SPEC "}", ""));
    assert_false(has_member(answer, "patch"));
    json_decref(answer);
}

static void errors_deny_with_causes(void **state)
{
    json_t *answer = post("/validate-batch-v1-job", "UPDATE",
                          "{'metadata':{'name':'j','namespace':'ns','labels':"
                          "{'kueue.x-k8s.io/queue-name':'other'}}," SPEC "}",
                          arena_format(&arena, "{" Q "," SPEC "}", ""));

    (void)state;
    assert_true(json_is_false(member(answer, "allowed")));
    assert_int_equal(json_integer_value(member(answer, "status.code")), 403);
    assert_string_equal(member_text(answer, "status.reason"), "Forbidden");
    assert_string_equal(
        member_text(answer, "status.message"),
        "metadata.labels[kueue.x-k8s.io/queue-name]: Invalid value: \"other\": field "
        "is immutable");
    assert_string_equal(member_text(answer, "status.details.causes.0.reason"), "FieldValueInvalid");
    json_decref(answer);
    answer = post("/validate-batch-v1-job", "CREATE", arena_format(&arena, "{" Q "," SPEC "}", ""),
                  "null");
    assert_true(json_is_true(member(answer, "allowed")));
    json_decref(answer);
}

static void broken_objects_are_refused(void **state)
{
    static const char *const objects[] = { "{}", "{'spec':7}" };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(objects); i++) {
        json_t *answer = post("/mutate-batch-v1-job", "CREATE", objects[i], "null");

        assert_true(json_is_false(member(answer, "allowed")));
        assert_true(*member_text(answer, "status.message"));
        json_decref(answer);
    }
}

static void every_other_path_allows(void **state)
{
    static const char *const paths[] = { "/mutate--v1-pod", "/validate-apps-v1-deployment",
                                         "/mutate-ray-io-v1-rayjob",
                                         "/validate-jobset-x-k8s-io-v1alpha2-jobset" };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        json_t *answer =
            post(paths[i], "CREATE", arena_format(&arena, "{" Q "," SPEC "}", ""), "null");

        assert_true(json_is_true(member(answer, "allowed")));
        assert_false(has_member(answer, "patch"));
        json_decref(answer);
    }
}

static void webhooks_that_do_not_run_allow(void **state)
{
    struct route_table *others = route_table_create();
    struct route_table *before = routes;
    struct hooks *silent;
    json_t *answer;

    (void)state;
    settings.job_webhooks = 0;
    silent = hooks_create(&settings, snapshot);
    assert_int_equal(hooks_register(silent, others, NULL), 0);
    routes = others;
    answer = post("/mutate-batch-v1-job", "CREATE", arena_format(&arena, "{" Q "," SPEC "}", ""),
                  "null");
    assert_false(has_member(answer, "patch"));
    json_decref(answer);
    routes = before;
    hooks_destroy(silent);
    route_table_destroy(others);
}

/* ---- snapshot ---- */

static void facts_come_and_go(void **state)
{
    struct admission_check_rule checks[] = { { .name = "mk" } };
    struct cluster_queue queue = { .name = "cq", .checks = checks, .check_count = 1 };

    (void)state;
    assert_false(snapshot_has_local_queue(snapshot, "ns", "lq"));
    snapshot_local_queue_put(snapshot, "ns", "lq", "cq");
    snapshot_local_queue_put(snapshot, "ns", "lq", "cq");
    assert_true(snapshot_has_local_queue(snapshot, "ns", "lq"));
    assert_false(snapshot_has_local_queue(snapshot, "other", "lq"));
    snapshot_cluster_queue_put(snapshot, &queue);
    assert_false(snapshot_queue_has_controller(snapshot, "ns", "lq", "c"));
    snapshot_check_put(snapshot, "mk", "c");
    assert_true(snapshot_queue_has_controller(snapshot, "ns", "lq", "c"));
    assert_false(snapshot_queue_has_controller(snapshot, "ns", "lq", "d"));
    snapshot_check_put(snapshot, "mk", NULL);
    assert_false(snapshot_queue_has_controller(snapshot, "ns", "lq", "c"));
    snapshot_check_remove(snapshot, "mk");
    snapshot_cluster_queue_remove(snapshot, "cq");
    snapshot_local_queue_remove(snapshot, "ns", "lq");
    assert_false(snapshot_has_local_queue(snapshot, "ns", "lq"));
    assert_int_equal(snapshot_namespace_managed(snapshot, "ns"), -1);
    snapshot_namespace_put(snapshot, "ns", true);
    assert_int_equal(snapshot_namespace_managed(snapshot, "ns"), 1);
    snapshot_namespace_put(snapshot, "ns", false);
    assert_int_equal(snapshot_namespace_managed(snapshot, "ns"), 0);
    snapshot_namespace_remove(snapshot, "ns");
    assert_int_equal(snapshot_namespace_managed(snapshot, "ns"), -1);
    snapshot_priority_class_put(snapshot, "p");
    assert_true(snapshot_has_priority_class(snapshot, "p"));
    snapshot_priority_class_remove(snapshot, "p");
    assert_false(snapshot_has_priority_class(snapshot, "p"));
}

static void owners_are_found(void **state)
{
    struct owner_facts facts = { "u", "q", true, { "v1", "K", "o", "ou" } }, found;

    (void)state;
    assert_false(snapshot_owner_kind_is_listed(snapshot, 7));
    snapshot_owner_kind_listed(snapshot, 7);
    snapshot_owner_kind_listed(snapshot, 7); /* lists come again */
    assert_true(snapshot_owner_kind_is_listed(snapshot, 7));
    snapshot_owner_put(snapshot, 7, "ns", "j", &facts);
    assert_false(snapshot_owner_find(snapshot, 8, "ns", "j", &arena, &found));
    assert_true(snapshot_owner_find(snapshot, 7, "ns", "j", &arena, &found));
    snapshot_owner_remove(snapshot, 7, "ns", "j"); /* the answer is a copy */
    assert_string_equal(found.uid, "u");
    assert_string_equal(found.queue_name, "q");
    assert_true(found.is_elastic);
    assert_string_equal(found.owner.name, "o");
    assert_string_equal(found.owner.uid, "ou");
    assert_false(snapshot_owner_find(snapshot, 7, "ns", "j", &arena, &found));
    facts.owner = (struct job_owner){ 0 };
    snapshot_owner_put(snapshot, 7, "ns", "j", &facts);
    assert_true(snapshot_owner_find(snapshot, 7, "ns", "j", &arena, &found));
    assert_null(found.owner.name);
}

static void a_missing_owner_denies(void **state)
{
    static const char *const frameworks[] = { "batch/job" };
    json_t *response;

    (void)state;
    owner_kinds_init(&settings.owners, &arena, frameworks, 1, NULL, 0);
    response =
        post("/mutate-batch-v1-job", "CREATE",
             "{'metadata':{'name':'j','namespace':'ns','labels':{'kueue.x-k8s.io/queue-name':"
             "'q'},'ownerReferences':[{'apiVersion':'batch/v1','kind':'Job','name':'p','uid':"
             "'u','controller':true}]}," SPEC "}",
             "null");
    assert_true(json_is_false(member(response, "allowed")));
    assert_int_equal(json_integer_value(member(response, "status.code")), 404);
    assert_string_equal(member_text(response, "status.message"),
                        "workload owner not found\nJob.batch \"p\" not found");
    json_decref(response);
}

static void *namespace_news(void *context)
{
    const struct timespec a_moment = { .tv_nsec = 30 * NANOSECONDS_PER_MILLISECOND };

    (void)context;
    nanosleep(&a_moment, NULL);
    snapshot_namespace_put(snapshot, "ns", true);
    return NULL;
}

static void a_namespace_that_is_news_is_waited_for(void **state)
{
    pthread_t thread;
    json_t *response;

    (void)state;
    snapshot_local_queue_put(snapshot, "ns", "default", "cq");
    assert_int_equal(pthread_create(&thread, NULL, namespace_news, NULL), 0);
    response = post("/mutate-batch-v1-job", "CREATE",
                    "{'metadata':{'name':'j','namespace':'ns'}," SPEC "}", "null");
    pthread_join(thread, NULL);
    assert_true(json_is_true(member(response, "allowed")));
    assert_true(has_member(response, "patch"));
    json_decref(response);
}

static void *read_much(void *context)
{
    long *found = context;

    for (int i = 0; i < 20000; i++)
        *found += snapshot_has_local_queue(snapshot, "ns", "lq");
    return NULL;
}

static void readers_and_the_writer_run_together(void **state)
{
    pthread_t threads[3];
    long found[3] = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_much, &found[i]), 0);
    for (int i = 0; i < 2000; i++) {
        snapshot_local_queue_put(snapshot, "ns", "lq", "cq");
        snapshot_local_queue_remove(snapshot, "ns", "lq");
    }
    for (size_t i = 0; i < ARRAY_COUNT(threads); i++) {
        pthread_join(threads[i], NULL);
        assert_in_range(found[i], 0, 20000);
    }
    assert_false(snapshot_has_local_queue(snapshot, "ns", "lq"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_job_gets_a_patch),
        TEST(a_missing_owner_denies),
        TEST(a_namespace_that_is_news_is_waited_for),
        TEST(errors_deny_with_causes),
        TEST(broken_objects_are_refused),
        TEST(every_other_path_allows),
        TEST(webhooks_that_do_not_run_allow),
        TEST(facts_come_and_go),
        TEST(owners_are_found),
        TEST(readers_and_the_writer_run_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
