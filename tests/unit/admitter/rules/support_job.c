#include "tests/unit/admitter/rules/support_job.h"

#include <stdlib.h>
#include <string.h>
#include "admitter/jobs/batch_job.h"
#include "admitter/jobs/equivalence.h"
#include "admitter/jobs/pod_set_info.h"

struct job_facts facts;
struct job_choice choice;
struct workload_facts workloads[4];
static json_t *trees[8]; /* released by the teardown */
static size_t tree_count;

int job_rules_setup(void **state)
{
    arena_setup(state);
    loop_settings_default(&settings);
    settings.finish_orphaned = settings.admission_gated_by = true;
    settings.wait_for_pods_ready = false;
    job_options_default(&settings.jobs);
    facts = (struct job_facts){ .namespace_exists = true,
                                .namespace_managed = true,
                                .is_top_level = true,
                                .workloads = workloads,
                                .priority_group = "kueue.x-k8s.io",
                                .priority_kind = "WorkloadPriorityClass",
                                .priority_name = "high",
                                .priority = 1000,
                                .priority_known = true };
    choice = (struct job_choice){ 0 };
    tree_count = 0;
    return 0;
}

void release_kept(void)
{
    while (tree_count > 0)
        json_decref(trees[--tree_count]);
}

int job_rules_teardown(void **state)
{
    json_decref(choice.tree);
    json_decref(choice.patch);
    release_kept();
    return arena_teardown(state);
}

json_t *kept(json_t *value)
{
    assert_true(tree_count < ARRAY_COUNT(trees));
    return trees[tree_count++] = value;
}

/* Job ns/j with these extra members of metadata, spec and status. */
struct job *with_job(const char *metadata, const char *spec, const char *status)
{
    AUTO_FREE char *text =
        mem_format("{'metadata':{'name':'j','namespace':'ns','uid':'u','resourceVersion':'7'%s%s},"
                   "'spec':{'template':{'metadata':{},'spec':" SPEC "}%s%s},'status':{%s}}",
                   *metadata ? "," : "", metadata, *spec ? "," : "", spec, status);
    json_t *object = tree(text);
    struct job *job = ARENA_NEW(&arena, struct job);

    assert_int_equal(batch_job_kind.decode(object, &settings.jobs, &arena, job, NULL), 0);
    facts.job = job;
    json_decref(object);
    return job;
}

/* One more Workload of the job, of one pod set with this template. */
struct workload_facts *add_workload(const char *pod_spec, int count, const char *metadata,
                                    const char *spec, const char *status)
{
    struct workload_facts *w = &workloads[facts.workload_count++];
    struct workload_pod_set *pod_set = ARENA_NEW(&arena, struct workload_pod_set);
    json_t *pods = tree(pod_spec);
    AUTO_FREE char *injected = pod_template_injected(NULL);

    *pod_set = (struct workload_pod_set){ "main",
                                          count,
                                          -1,
                                          digest_containers(pods),
                                          digest_tolerations(pods),
                                          arena_strdup(&arena, injected) };
    json_decref(pods);
    *w = (struct workload_facts){
        .name = "wl", .uid = "w", .pod_sets = pod_set, .pod_set_count = 1
    };
    w->object = kept(workload(metadata, spec, status));
    return w;
}

/* "Type=reason" pairs, all True: 'conditions' of a status. */
const char *holds(const char *types)
{
    const char *list = "";
    char *copy = arena_strdup(&arena, types), *next = NULL;

    for (char *type = strtok_r(copy, " ", &next); type; type = strtok_r(NULL, " ", &next)) {
        char *reason = strchr(type, '=');

        if (reason)
            *reason++ = '\0';
        list = arena_format(&arena, "%s%s%s", list, *list ? "," : "",
                            condition(&arena, type, "True", reason ? reason : type, "M", 60));
    }
    return arena_format(&arena, "'conditions':[%s]%s", list,
                        strstr(types, "QuotaReserved")
                            ? ",'admission':{'clusterQueue':'cq','podSetAssignments':"
                              "[{'name':'main','flavors':{'cpu':'spot'},'count':1}]}"
                            : "");
}

enum job_action next_action(void)
{
    json_decref(choice.tree);
    json_decref(choice.patch);
    job_step(&facts, &settings, now_time(), &arena, &choice);
    return choice.action;
}

enum job_action stopped_action(const struct workload_facts *w)
{
    json_decref(choice.tree);
    json_decref(choice.patch);
    job_step_stopped(&facts, &settings, w, now_time(), &arena, &choice);
    return choice.action;
}

void assert_choice_event(const char *reason, const char *note)
{
    assert_non_null(choice.event_reason);
    assert_string_equal(choice.event_reason, reason);
    assert_string_equal(choice.event_note, note);
}
