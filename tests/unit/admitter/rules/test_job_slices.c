/* Which slice of an elastic job counts: spec/integrations.md 1.20, spec/lifecycle.md 11. */
#include "tests/unit/admitter/rules/support.h"

#include <string.h>
#include "admitter/jobs/pod_set_info.h"
#include "admitter/rules/job_slices.h"
#include "admitter/rules/ungate.h"

#define MOST 4
struct slice_row {
    const char *name, *replaces; /* replaces: name of another one, NULL */
    int count;
    const char *holds; /* types of conditions that are True; "Deleting" when somebody deleted it */
};

static json_t *slice_tree(const struct slice_row *row)
{
    static const char *const types[] = { "QuotaReserved", "Evicted", "Finished" };
    const char *list = "";

    for (size_t i = 0; i < ARRAY_COUNT(types); i++)
        if (strstr(row->holds, types[i]))
            list = arena_format(&arena, "%s%s%s", list, *list ? "," : "",
                                condition(&arena, types[i], "True", types[i], "", 60));
    return workload(
        arena_format(&arena,
                     "%s'annotations':{'kueue.x-k8s.io/workload-slice-replacement-for':'%s%s'}",
                     strstr(row->holds, "Deleting") ? "'deletionTimestamp':'x'," : "",
                     row->replaces ? "ns/" : "", row->replaces ? row->replaces : ""),
        "", arena_format(&arena, "'conditions':[%s]", list));
}

static void the_slice_that_counts(void **state)
{
    static const struct {
        const char *what;
        int wanted; /* pods of the job */
        struct slice_row slices[MOST];
        enum slice_verdict verdict;
        const char *slice; /* NULL: none */
        const char *reason;
    } cases[] = {
        { "none", 3, { { 0 } }, SLICE_CREATE, NULL, NULL },
        { "only finished ones", 3, { { "a", NULL, 3, "Finished" } }, SLICE_CREATE, NULL, NULL },
        { "one that matches", 3, { { "a", NULL, 3, "" } }, SLICE_USE, "a", NULL },
        { "grown without quota", 4, { { "a", NULL, 3, "" } }, SLICE_RESIZE, "a", NULL },
        { "shrunk with quota", 2, { { "a", NULL, 3, "QuotaReserved" } }, SLICE_RESIZE, "a", NULL },
        { "grown with quota", 4, { { "a", NULL, 3, "QuotaReserved" } }, SLICE_CREATE, "a", NULL },
        { "evicted, gave its quota back, grown",
          4,
          { { "a", NULL, 3, "Evicted" } },
          SLICE_RESIZE,
          "a",
          NULL },
        { "evicted and still holding, grown",
          4,
          { { "a", NULL, 3, "Evicted QuotaReserved" } },
          SLICE_USE,
          "a",
          NULL },
        { "a pending one beside the holder",
          5,
          { { "a", NULL, 3, "QuotaReserved" }, { "b", "a", 5, "" } },
          SLICE_USE,
          "b",
          NULL },
        { "the pending one follows",
          6,
          { { "a", NULL, 3, "QuotaReserved" }, { "b", "a", 5, "" } },
          SLICE_RESIZE,
          "b",
          NULL },
        { "the pending one has got quota",
          5,
          { { "a", NULL, 3, "QuotaReserved" }, { "b", "a", 5, "QuotaReserved" } },
          SLICE_FINISH,
          "a",
          "WorkloadSliceReplaced" },
        { "the holder was evicted",
          5,
          { { "a", NULL, 3, "Evicted" }, { "b", "a", 5, "" } },
          SLICE_FINISH,
          "a",
          "WorkloadSliceReplaced" },
        { "the holder is being evicted",
          5,
          { { "a", NULL, 3, "Evicted QuotaReserved" }, { "b", "a", 5, "" } },
          SLICE_USE,
          "a",
          NULL },
        { "deleted and still holding, grown",
          5,
          { { "a", NULL, 3, "QuotaReserved Deleting" } },
          SLICE_USE,
          "a",
          NULL },
        { "the holder is being deleted",
          5,
          { { "a", NULL, 3, "QuotaReserved Deleting" }, { "b", "a", 5, "" } },
          SLICE_USE,
          "a",
          NULL },
        { "two claim the same, one has quota",
          5,
          { { "a", NULL, 3, "QuotaReserved" },
            { "b", "a", 5, "" },
            { "c", "a", 5, "QuotaReserved" } },
          SLICE_FINISH,
          "a",
          "WorkloadSliceReplaced" },
        { "a stray one",
          5,
          { { "a", NULL, 3, "QuotaReserved" }, { "b", "a", 5, "" }, { "c", NULL, 7, "" } },
          SLICE_FINISH,
          "c",
          "OutOfSync" },
        { "no holder: the newest",
          5,
          { { "a", NULL, 3, "" }, { "b", NULL, 5, "" } },
          SLICE_FINISH,
          "a",
          "OutOfSync" },
        { "all evicted",
          5,
          { { "a", NULL, 3, "Evicted" }, { "b", "a", 5, "Evicted" } },
          SLICE_FINISH,
          "a",
          "OutOfSync" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct job_pod_set pod_set = { .name = "main", .count = cases[i].wanted };
        struct job job = { .pod_sets = &pod_set, .pod_set_count = 1 };
        struct workload_pod_set pod_sets[MOST];
        struct workload_facts facts[MOST];
        struct slice_choice choice;
        enum slice_verdict verdict;
        size_t count = 0;

        for (; count < MOST && cases[i].slices[count].name; count++) {
            const struct slice_row *row = &cases[i].slices[count];

            pod_sets[count] = (struct workload_pod_set){ .name = "main", .count = row->count };
            facts[count] = (struct workload_facts){ .name = row->name,
                                                    .object = slice_tree(row),
                                                    .pod_sets = &pod_sets[count],
                                                    .pod_set_count = 1 };
        }
        verdict = slice_choose(&job, facts, count, &choice);
        if (verdict != cases[i].verdict ||
            strcmp(choice.slice ? choice.slice->name : "", cases[i].slice ? cases[i].slice : "") !=
                0 ||
            strcmp(choice.reason ? choice.reason : "", cases[i].reason ? cases[i].reason : "") != 0)
            fail_msg("%s: verdict %d, slice %s, reason %s", cases[i].what, (int)verdict,
                     choice.slice ? choice.slice->name : "none",
                     choice.reason ? choice.reason : "none");
        while (count > 0)
            json_decref((json_t *)(uintptr_t)facts[--count].object);
    }
}

static void other_pod_sets_are_foreign(void **state)
{
    struct job_pod_set pod_set = { .name = "main", .count = 1 };
    struct job job = { .pod_sets = &pod_set, .pod_set_count = 1 };
    struct workload_pod_set stored = { .name = "workers", .count = 1 };
    json_t *object = workload("", "", "");
    struct workload_facts facts = { .name = "a", .object = object, .pod_sets = &stored };
    struct slice_choice choice;

    (void)state;
    assert_int_equal(slice_choose(&job, &facts, 1, &choice), SLICE_FOREIGN);
    facts.pod_set_count = 1;
    assert_int_equal(slice_choose(&job, &facts, 1, &choice), SLICE_FOREIGN);
    json_decref(object);
}

static void pods_take_over_what_checks_say(void **state)
{
    static const struct {
        const char *pod, *patch; /* patch NULL: the pod contradicts */
    } cases[] = {
        { "{'schedulingGates':[{'name':'kueue.x-k8s.io/elastic-job'}]}",
          "{'metadata':{'annotations':{'autoscaling.x-k8s.io/provisioning-class-name':'c'}},'spec':"
          "{'schedulingGates':[],'nodeSelector':{'zone':'a'}}}" },
        { "{'schedulingGates':[{'name':'kueue.x-k8s.io/elastic-job'},{'name':'other'}],"
          "'annotations':{'autoscaling.x-k8s.io/provisioning-class-name':'c'},"
          "'nodeSelector':{'zone':'a'}}",
          "{'metadata':{'annotations':{}},'spec':{'schedulingGates':[{'name':'other'}],"
          "'nodeSelector':{}}}" },
        { "{'nodeSelector':{'zone':'b'}}", NULL },
        { "{'annotations':{'autoscaling.x-k8s.io/provisioning-class-name':'d'}}", NULL },
    };
    json_t *slice = workload("", "",
                             "'admissionChecks':[{'name':'p','podSetUpdates':[{'name':'main',"
                             "'annotations':{'autoscaling.x-k8s.io/provisioning-class-name':'c',"
                             "'other':'x'},'nodeSelector':{'zone':'a'}},{'name':'else',"
                             "'nodeSelector':{'zone':'z'}}]}]");

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        json_t *pod = tree(cases[i].pod);
        AUTO_FREE char *text = json_dumps(pod, JSON_COMPACT);
        json_t *patch = ungate_patch(text, slice, "main");

        if (cases[i].patch)
            assert_json(patch, cases[i].patch);
        else
            assert_null(patch);
        json_decref(patch);
        json_decref(pod);
    }
    json_decref(slice);
}

static void templates_go_back_to_what_they_were(void **state)
{
    json_t *template = tree("{'metadata':{'labels':{'a':'1','b':'2'},'annotations':{'c':'3'}},"
                            "'spec':{'nodeSelector':{'d':'4'},'tolerations':[{'key':'e'}]}}");

    (void)state;
    pod_template_inject(template,
                        "{\"labels\":{\"a\":\"1\"},\"annotations\":{},\"nodeSelector\":{},"
                        "\"tolerations\":[],\"schedulingGates\":[{\"name\":\"g\"}]}");
    assert_json(template, "{'metadata':{'labels':{'a':'1'}},'spec':{'schedulingGates':[{'name':"
                          "'g'}]}}");
    json_decref(template);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_ARENA(the_slice_that_counts),
        TEST_WITH_ARENA(other_pod_sets_are_foreign),
        TEST_WITH_ARENA(pods_take_over_what_checks_say),
        TEST_WITH_ARENA(templates_go_back_to_what_they_were),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
