/* hooks_private.h - what the webhook files of the loop share. Server threads. */
#pragma once

#include <jansson.h>
#include "admitter/loop/hooks.h"
#include "admitter/objects/field_error.h"
#include "webhook/conversion.h"
#include "webhook/review.h"

struct job_hook {
    struct hooks *hooks;
    const struct job_kind *kind;
};

struct hooks {
    const struct loop_settings *settings;
    struct snapshot *snapshot;
    struct job_environment environment;
    struct job_hook *jobs; /* one per job kind */
    struct conversion_table *conversions;
};

json_t *hook_object(const struct review *review, struct err *e); /* new reference, NULL and *e */
json_t *hook_old_object(const struct review *review, struct err *e);
/* Deny with these errors when there are any. */
void hook_answer_errors(struct review_answer *answer, const struct field_errors *errors,
                        struct arena *arena);
void hook_answer_patch(struct review_answer *answer, const json_t *before, const json_t *after,
                       struct arena *arena);

/* kueue.x-k8s.io kinds and /convert (hooks_objects.c). */
int hooks_register_objects(struct hooks *hooks, struct route_table *routes, struct err *e);
void hooks_objects_finish(struct hooks *hooks);
