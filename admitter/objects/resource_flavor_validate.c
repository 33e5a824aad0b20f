#include <string.h>
#include "admitter/objects/admission.h"
#include "admitter/objects/tree.h"

/* spec/api.md 3.6: alike on create and update. */

static bool is_repeated(const json_t *taints, size_t at)
{
    const json_t *taint = json_array_get(taints, at);

    for (size_t i = 0; i < at; i++) {
        const json_t *other = json_array_get(taints, i);

        if (strcmp(json_string_at(taint, "key"), json_string_at(other, "key")) == 0 &&
            strcmp(json_string_at(taint, "effect"), json_string_at(other, "effect")) == 0)
            return true;
    }
    return false;
}

/* The members in the order of the Go struct, which is how the value is printed. */
static void report_repeated(struct field_errors *errors, const char *path, const json_t *taint)
{
    static const char *const order[] = { "key", "value", "effect", "timeAdded" };
    json_t *shown = json_object();

    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        json_object_set(shown, order[i], json_object_get(taint, order[i]));
    field_error_duplicate_json(errors, path, shown, "taints must be unique by key and effect pair");
    json_decref(shown);
}

static void check_taints(const json_t *taints, struct field_errors *errors)
{
    json_t *taint;
    size_t i;

    json_array_foreach(taints, i, taint) {
        const char *path = field_path(errors, "spec.nodeTaints[%zu]", i);

        field_check_qualified_name(errors, field_path(errors, "%s.key", path),
                                   json_string_at(taint, "key"));
        field_check_label_value_joined(errors, field_path(errors, "%s.value", path),
                                       json_string_at(taint, "value"));
        if (is_repeated(taints, i))
            report_repeated(errors, path, taint);
    }
}

void resource_flavor_validate(const json_t *old_object, const json_t *object,
                              const struct object_gates *gates, struct field_errors *errors)
{
    const json_t *spec = json_object_get(object, "spec");
    json_t *toleration;
    size_t i;

    (void)old_object;
    (void)gates;
    field_check_labels(errors, "spec.nodeLabels", json_object_get(spec, "nodeLabels"));
    check_taints(json_object_get(spec, "nodeTaints"), errors);
    json_array_foreach(json_object_get(spec, "tolerations"), i, toleration)
        if (*json_string_at(toleration, "key"))
            field_check_qualified_name(errors, field_path(errors, "spec.tolerations[%zu].key", i),
                                       json_string_at(toleration, "key"));
}
