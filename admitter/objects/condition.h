/* condition.h - conditions of Kubernetes objects, read and brought up to date.
 *
 * 'object' is a whole object ({"metadata":…, "status":…}); trees are changed in place. Pure; the
 * clock is an argument. Rules: spec/api.md 4.1. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define CONDITION_MESSAGE_BYTES 32768 /* the schema takes no more */

json_t *object_status(json_t *object); /* made when absent; borrowed */
const json_t *condition_find(const json_t *object, const char *type); /* NULL when absent */
bool condition_is(const json_t *object, const char *type, const char *status);
bool condition_true(const json_t *object, const char *type);
/* "" when absent. */
const char *condition_reason(const json_t *object, const char *type);
const char *condition_message(const json_t *object, const char *type);
/* lastTransitionTime, nanoseconds since 1970; TIME_NONE when absent. */
int64_t condition_transition(const json_t *object, const char *type);

struct condition_change {
    const char *type, *status, *reason, *message;
    int64_t generation; /* observedGeneration; 0: not written */
};
/* Append the condition, or bring it up to date: lastTransitionTime moves with the status only, the
 * rest whenever it differs. The message is cut to CONDITION_MESSAGE_BYTES. True: something changed.
 */
bool condition_put(json_t *object, const struct condition_change *change, int64_t now);
/* The same for a status alone. */
bool status_condition_put(json_t *status, const struct condition_change *change, int64_t now);
bool condition_drop(json_t *object, const char *type); /* true: it was there */
