/* check_list.h - status.admissionChecks of a Workload. Trees changed in place; pure.
 * Rules: spec/api.md 5.6, spec/admission-checks.md 2, 3, 6, 7. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "quota/base/arena.h"

/* Make the list hold exactly the required names: new ones Pending, others dropped, sorted by name
 * when anything changed. True: changed. */
bool check_list_sync(json_t *workload, const char **required, size_t count, int64_t now);
/* Does the list hold every required name already? */
bool check_list_has(const json_t *workload, const char **required, size_t count);
/* Latest lastTransitionTime + requeueAfterSeconds over checks in state Retry; TIME_NONE without
 * one. */
int64_t check_list_retry_time(const json_t *workload);
/* `AdmissionCheck in Retry state: "a" (message)`, several sorted and joined; NULL when none is in
 * it. */
char *check_list_describe(const json_t *workload, const char *state, struct arena *arena);
/* "<check>: <message>" of Pending checks with a message, in status order, joined by "; "; NULL:
 * none. */
char *check_list_pending_messages(const json_t *workload, struct arena *arena);
