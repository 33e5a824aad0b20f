/* Webhooks of the kueue.x-k8s.io kinds, and conversion between their versions. */
#include <stdlib.h>
#include <string.h>
#include "admitter/loop/hooks_private.h"
#include "admitter/objects/admission.h"
#include "admitter/objects/convert.h"
#include "admitter/objects/names.h"
#include "quota/base/mem.h"

struct object_hook {
    struct hooks *hooks;
    const struct object_admission *admission;
};

static int mutate(void *context, const struct review *review, struct review_answer *answer,
                  struct arena *arena, struct err *e)
{
    const struct object_hook *hook = context;
    json_t *before, *after;

    if (review->operation != REVIEW_CREATE || *review->sub_resource ||
        !hook->admission->set_defaults)
        return 0;
    before = hook_object(review, e);
    if (!before)
        return -1;
    after = json_deep_copy(before);
    hook->admission->set_defaults(after, &hook->hooks->settings->objects);
    hook_answer_patch(answer, before, after, arena);
    json_decref(before);
    json_decref(after);
    return 0;
}

static int validate(void *context, const struct review *review, struct review_answer *answer,
                    struct arena *arena, struct err *e)
{
    const struct object_hook *hook = context;
    struct field_errors errors;
    json_t *object, *old_object = NULL;
    bool updates = review->operation == REVIEW_UPDATE;

    if (!updates && review->operation != REVIEW_CREATE)
        return 0;
    object = hook_object(review, e);
    if (!object)
        return -1;
    if (updates) {
        old_object = hook_old_object(review, e);
        if (!old_object) {
            json_decref(object);
            return -1;
        }
    }
    field_errors_init(&errors, arena);
    hook->admission->validate(old_object, object, &hook->hooks->settings->objects, &errors);
    hook_answer_errors(answer, &errors, arena);
    json_decref(object);
    json_decref(old_object);
    return 0;
}

static int register_conversions(struct hooks *hooks, struct route_table *routes, struct err *e)
{
    const char *const *kinds = object_convert_kinds();

    hooks->conversions = conversion_table_create();
    for (size_t i = 0; kinds[i]; i++)
        if (conversion_add(hooks->conversions, KUEUE_GROUP, kinds[i], object_convert_bytes,
                           (void *)(uintptr_t)&hooks->settings->objects, e) < 0)
            return -1;
    return conversion_route_add(routes, "/convert", hooks->conversions, e);
}

int hooks_register_objects(struct hooks *hooks, struct route_table *routes, struct err *e)
{
    bool runs = hooks->settings->components & COMPONENT_WEBHOOKS_CORE;
    size_t count;
    const struct object_admission *admissions = object_admissions(&count);

    for (size_t i = 0; i < count; i++) {
        struct object_hook *hook = route_table_alloc(routes, sizeof(*hook));

        *hook = (struct object_hook){ hooks, &admissions[i] };
        if (admissions[i].mutate_path &&
            review_route_add(routes, admissions[i].mutate_path, runs ? mutate : review_allow, hook,
                             e) < 0)
            return -1;
        if (admissions[i].validate_path &&
            review_route_add(routes, admissions[i].validate_path, runs ? validate : review_allow,
                             hook, e) < 0)
            return -1;
    }
    return register_conversions(hooks, routes, e);
}

void hooks_objects_finish(struct hooks *hooks)
{
    conversion_table_destroy(hooks->conversions);
}
