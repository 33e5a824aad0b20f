/* Who owns a job, and which of its owners is managed: spec/integrations.md 1.1, 1.4. */
#include "tests/unit/admitter/jobs/support.h"

#include <string.h>

#define JOB "batch/v1", "Job"
#define JOB_SET "jobset.x-k8s.io/v1alpha2", "JobSet"
#define WRAPPER "workload.codeflare.dev/v1beta2", "AppWrapper"
#define CRON_JOB "batch/v1", "CronJob"
#define REPLICA_SET "apps/v1", "ReplicaSet"
#define DEPLOYMENT "apps/v1", "Deployment"

/* The kind of the topmost managed ancestor above an object whose parent is 'parent'; "" none, else
 * the error's text. */
static const char *top_of(struct job_owner parent)
{
    struct ancestor top;
    struct err e = { 0 };
    int found = ancestor_find(&environment.ancestors, &parent, "u-0", "ns", &arena, &top, &e);

    if (found < 0)
        return arena_strdup(&arena, e.text);
    return found ? world.kinds.items[top.kind].kind : "";
}

static void the_topmost_queued_ancestor_wins(void **state)
{
    static const struct {
        struct job_owner parent;
        const char *parent_queue;
        const char *grandparent_queue; /* of an AppWrapper */
        const char *enabled[3], *external;
        const char *expected, *expected_when_all_are_managed;
    } cases[] = {
        { { JOB_SET, "a", "u-a" }, "", "", { "jobset.x-k8s.io/jobset" }, NULL, "", "AppWrapper" },
        { { JOB_SET, "a", "u-a" },
          "q",
          "",
          { "jobset.x-k8s.io/jobset" },
          NULL,
          "JobSet",
          "AppWrapper" },
        { { JOB_SET, "a", "u-a" },
          "",
          "q",
          { "jobset.x-k8s.io/jobset" },
          NULL,
          "AppWrapper",
          "AppWrapper" },
        { { JOB_SET, "a", "u-a" },
          "q",
          "q",
          { "jobset.x-k8s.io/jobset" },
          NULL,
          "AppWrapper",
          "AppWrapper" },
        { { JOB_SET, "a", "u-a" }, "", "q", { NULL }, NULL, "AppWrapper", "AppWrapper" },
        { { JOB_SET, "a", "u-a" }, "q", "", { NULL }, NULL, "", "AppWrapper" },
        { { CRON_JOB, "a", "u-a" }, "", "q", { NULL }, NULL, "", "" },
        { { CRON_JOB, "a", "u-a" },
          "",
          "q",
          { NULL },
          "CronJob.v1.batch",
          "AppWrapper",
          "AppWrapper" },
        { { CRON_JOB, "a", "u-a" },
          "q",
          "",
          { NULL },
          "CronJob.v1.batch",
          "CronJob",
          "AppWrapper" },
        { { JOB_SET, "a", "u-other" }, "q", "q", { "jobset.x-k8s.io/jobset" }, NULL, "", "" },
        { { REPLICA_SET, "a", "u-a" }, "q", "q", { NULL }, NULL, "", "" }, /* not followed */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct world_owner owners[] = {
            { "a", "u-a", cases[i].parent_queue, { WRAPPER, "b", "u-b" } },
            { "b", "u-b", cases[i].grandparent_queue, { 0 } },
        };
        const char *frameworks[] = { "batch/job", "workload.codeflare.dev/appwrapper",
                                     cases[i].enabled[0] };

        owner_kinds_init(&world.kinds, &arena, frameworks, cases[i].enabled[0] ? 3 : 2,
                         &cases[i].external, cases[i].external ? 1 : 0);
        world.owners = owners;
        world.owner_count = 2;
        environment.ancestors.manage_without_queue_name = false;
        assert_string_equal(top_of(cases[i].parent), cases[i].expected);
        environment.ancestors.manage_without_queue_name = true;
        assert_string_equal(top_of(cases[i].parent), cases[i].expected_when_all_are_managed);
        environment.ancestors.manage_without_queue_name = false;
    }
}

static void an_owner_that_is_missing_is_an_error(void **state)
{
    (void)state;
    assert_string_equal(top_of((struct job_owner){ JOB, "a", "u-a" }),
                        "workload owner not found\nJob.batch \"a\" not found");
    assert_string_equal(top_of((struct job_owner){ JOB_SET, "a", "u-a" }),
                        "workload owner not found\nJobSet.jobset.x-k8s.io \"a\" not found");
    assert_string_equal(top_of((struct job_owner){ CRON_JOB, "a", "u-a" }), "");
    assert_string_equal(top_of((struct job_owner){ 0 }), "");
}

static void a_cycle_is_an_error(void **state)
{
    static const struct world_owner cycle[] = { { "a", "u-a", "", { JOB, "b", "u-b" } },
                                                { "b", "u-b", "", { JOB, "a", "u-a" } } };

    (void)state;
    world.owners = cycle;
    world.owner_count = 2;
    assert_string_equal(top_of((struct job_owner){ JOB, "a", "u-a" }), "cyclic ownership");
}

static void the_eleventh_owner_is_one_too_many(void **state)
{
    struct world_owner chain[12];
    char names[12][4], uids[12][4];

    (void)state;
    for (int i = 0; i < 12; i++) {
        snprintf(names[i], sizeof(names[i]), "%c", 'a' + i);
        snprintf(uids[i], sizeof(uids[i]), "u-%c", 'a' + i);
    }
    for (int depth = 10; depth <= 11; depth++) {
        for (int i = 0; i < depth; i++)
            chain[i] = (struct world_owner){ names[i], uids[i], "",
                                             i + 1 < depth ? (struct job_owner){ JOB, names[i + 1],
                                                                                 uids[i + 1] }
                                                           : (struct job_owner){ 0 } };
        world.owners = chain;
        world.owner_count = (size_t)depth;
        assert_string_equal(top_of((struct job_owner){ JOB, "a", "u-a" }),
                            depth == 10 ? "" : "managed owner chain limit reached");
    }
}

static void kinds_have_numbers(void **state)
{
    static const char *const frameworks[] = { "deployment", "jobset.x-k8s.io/jobset" };
    static const char *const externals[] = { "Policy.v1beta1.example.com", "Mess.v1.x.y.z" };
    const struct owner_kinds *k = &world.kinds;
    int number;

    (void)state;
    owner_kinds_init(&world.kinds, &arena, frameworks, 2, externals, 2);
    assert_int_equal(owner_kinds_find(k, JOB), 0);
    assert_int_equal(k->built, 1);
    assert_false(k->items[0].is_managed);
    assert_int_equal(owner_kinds_find(k, CRON_JOB), -1);
    assert_int_equal(owner_kinds_find(k, "jobset.x-k8s.io/v1", "JobSet"), -1);
    assert_true(k->items[owner_kinds_find(k, JOB_SET)].is_managed);
    assert_true(k->items[owner_kinds_find(k, DEPLOYMENT)].is_followed);
    assert_false(k->items[owner_kinds_find(k, "apps/v1", "StatefulSet")].is_followed);
    assert_false(k->items[owner_kinds_find(k, "v1", "Pod")].is_followed);
    number = owner_kinds_find(k, "example.com/v1beta1", "Policy");
    assert_string_equal(k->items[number].plural, "policies");
    assert_true(k->items[number].is_managed);
    number = owner_kinds_find(k, "x.y.z/v1", "Mess");
    assert_string_equal(k->items[number].plural, "messes");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, arena_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_topmost_queued_ancestor_wins),
        TEST(an_owner_that_is_missing_is_an_error),
        TEST(a_cycle_is_an_error),
        TEST(the_eleventh_owner_is_one_too_many),
        TEST(kinds_have_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
