/* condition.h - conditions and other small parts of a status, on jansson trees.
 *
 * 'object' is a whole object ({"metadata":…, "status":…}); it is changed in place. Pure; the clock
 * is an argument. Rules: spec/api.md 4.1. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define CONDITION_MESSAGE_LIMIT 32768

json_t *object_status(json_t *object); /* made when absent; borrowed */
const json_t *condition_find(const json_t *object, const char *type); /* NULL */
bool condition_is(const json_t *object, const char *type, const char *status);
bool condition_true(const json_t *object, const char *type);
/* "" when absent. */
const char *condition_reason(const json_t *object, const char *type);
const char *condition_message(const json_t *object, const char *type);
int64_t condition_transition(const json_t *object, const char *type); /* TIME_NONE when absent */

struct condition_change {
    const char *type, *status, *reason, *message;
    int64_t generation; /* observedGeneration; 0: none */
};
/* Append or update; lastTransitionTime moves only with the status; the message is cut. True:
 * changed. */
bool condition_put(json_t *object, const struct condition_change *change, int64_t now);
bool condition_drop(json_t *object, const char *type);

/* A time out of a text member; TIME_NONE when absent or malformed. */
int64_t json_time_at(const json_t *object, const char *key);
void json_time_put(json_t *object, const char *key, int64_t time);
