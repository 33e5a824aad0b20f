/* condition_list.h - the rule by which a list of conditions is updated.
 *
 * Pure; trees are changed in place. Rules: spec/api.md 4.1. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define CONDITION_MESSAGE_BYTES 32768
#define EVENT_NOTE_BYTES 1024

/* Append the condition, or bring it up to date: lastTransitionTime moves with the status only, the
 * rest whenever it differs. observed_generation 0 is not written. The message is cut to
 * CONDITION_MESSAGE_BYTES. True: something changed. */
bool condition_set(json_t *conditions, const char *type, const char *status, const char *reason,
                   const char *message, int64_t observed_generation, int64_t now);
/* The condition of this type (borrowed), or NULL. */
json_t *condition_get(const json_t *conditions, const char *type);

/* A copy of at most 'limit' bytes: longer text is cut at a character and ends in " ...". The caller
 * frees. */
char *message_cut(const char *text, size_t limit);
