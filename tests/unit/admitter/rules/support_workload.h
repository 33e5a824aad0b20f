/* support_workload.h - a Workload, its settings and surroundings, and one step of its rules. */
#pragma once

#include "admitter/rules/workload_rules.h"
#include "tests/unit/admitter/rules/support.h"

#define OWNER "'ownerReferences':[{'kind':'Job','name':'j','uid':'u','controller':true}]"

/* Readiness is waited for, 300 s and 60 s for recovery; queue and ClusterQueue exist. Changed by
 * the test, fresh before each. */
extern struct workload_surroundings around;
extern struct step_result result; /* of the last step */
int rules_setup(void **state);    /* arena_teardown ends it */

/* Conditions: "QA" reserved and admitted that many seconds ago, and any further ones; then further
 * members of spec and status. New reference. */
json_t *held_workload(const char *held, int64_t seconds, const char *further, const char *spec,
                      const char *rest);

enum step_write step(json_t *object);
/* Steps until nothing is due; the number of writes. More than ten fail the test. */
int settle(json_t *object);
/* An Event of the last step. */
void assert_step_event(unsigned index, bool warning, const char *reason, const char *note);

#define TEST(name) cmocka_unit_test_setup_teardown(name, rules_setup, arena_teardown)
