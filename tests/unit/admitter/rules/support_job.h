/* support_job.h - a job, the Workloads it owns, and what its rules choose next. */
#pragma once

#include "admitter/rules/job_rules.h"
#include "tests/unit/admitter/rules/support.h"

/* Fresh before each test: a job at the top of a namespace that exists, of priority class "high". */
extern struct job_facts facts;
extern struct job_choice choice; /* the last one */
extern struct workload_facts workloads[4];
int job_rules_setup(void **state);
int job_rules_teardown(void **state);

#define SPEC "{'containers':[{'name':'c','resources':{'requests':{'cpu':'1'}}}]}"
#define QUEUED "'labels':{'kueue.x-k8s.io/queue-name':'lq'}"
#define OWNED                                                                                      \
    "'ownerReferences':[{'kind':'Job','name':'j','uid':'u','controller':true}],"                   \
    "'finalizers':['kueue.x-k8s.io/resource-in-use']"

json_t *kept(json_t *value); /* released at the end of the test, or earlier: */
void release_kept(void);
/* Job ns/j with these extra members of metadata, spec and status. */
struct job *with_job(const char *metadata, const char *spec, const char *status);
/* One more Workload of the job, of one pod set with this template. */
struct workload_facts *add_workload(const char *pod_spec, int count, const char *metadata,
                                    const char *spec, const char *status);
/* "Type=reason" pairs, all True: 'conditions' of a status. In the arena. */
const char *holds(const char *types);

enum job_action next_action(void);
enum job_action stopped_action(const struct workload_facts *w); /* job_step_stopped */
void assert_choice_event(const char *reason, const char *note);

#define TEST(name) cmocka_unit_test_setup_teardown(name, job_rules_setup, job_rules_teardown)
