#include "admitter/objects/quota_validate.h"

#include <string.h>
#include "admitter/objects/tree.h"

#define NEGATIVE "must be greater than or equal to 0"

/* Was this name put into the set before? */
static bool seen_before(json_t *names, const char *name)
{
    if (json_object_get(names, name))
        return true;
    json_object_set_new(names, name, json_true());
    return false;
}

static void covered_validate(const json_t *covered, json_t *seen, const char *path,
                             struct field_errors *errors)
{
    json_t *resource;
    size_t i;

    json_array_foreach(covered, i, resource) {
        const char *name = json_string_value(resource);
        const char *at = field_path(errors, "%s.coveredResources[%zu]", path, i);

        field_check_qualified_name(errors, at, name ? name : "");
        if (seen_before(seen, name ? name : ""))
            field_error_duplicate_text(errors, at, name ? name : "");
    }
}

/* False (and an error) when the member is there but no quantity. */
static bool limit_read(const json_t *quota, const char *key, const char *path,
                       struct quantity *limit, struct field_errors *errors)
{
    const json_t *value = json_object_get(quota, key);

    if (!value || json_is_null(value))
        return false;
    if (tree_quantity(value, limit))
        return true;
    field_error_invalid_json(errors, field_path(errors, "%s.%s", path, key), value,
                             "must be a quantity");
    return false;
}

static void limit_error(const char *path, const char *key, struct quantity limit,
                        const char *detail, struct field_errors *errors)
{
    char text[QUANTITY_TEXT];

    field_error_invalid_text(errors, field_path(errors, "%s.%s", path, key),
                             quantity_print(limit, text), "%s", detail);
}

static void check_negative(const char *path, const char *key, struct quantity limit,
                           struct field_errors *errors)
{
    if (limit.nano < 0)
        limit_error(path, key, limit, NEGATIVE, errors);
}

static void quota_validate(const json_t *quota, const struct quota_rules *rules, const char *path,
                           struct field_errors *errors)
{
    struct quantity nominal = { 0 }, limit;

    if (limit_read(quota, "nominalQuota", path, &nominal, errors))
        check_negative(path, "nominalQuota", nominal, errors);
    if (limit_read(quota, "borrowingLimit", path, &limit, errors)) {
        if (!rules->has_parent)
            limit_error(path, "borrowingLimit", limit, rules->without_parent, errors);
        check_negative(path, "borrowingLimit", limit, errors);
    }
    if (limit_read(quota, "lendingLimit", path, &limit, errors)) {
        check_negative(path, "lendingLimit", limit, errors);
        if (!rules->has_parent)
            limit_error(path, "lendingLimit", limit, rules->without_parent, errors);
        if (rules->lending_within_nominal && quantity_compare(limit, nominal) > 0)
            limit_error(path, "lendingLimit", limit,
                        "must be less than or equal to the nominalQuota", errors);
    }
}

static void flavor_validate(const json_t *flavor, const json_t *covered,
                            const struct quota_rules *rules, const char *path,
                            struct field_errors *errors)
{
    json_t *quota;
    size_t i;

    json_array_foreach(json_object_get(flavor, "resources"), i, quota) {
        const char *at = field_path(errors, "%s.resources[%zu]", path, i);
        const char *expected = json_string_value(json_array_get(covered, i));

        if (!expected)
            break;
        if (strcmp(expected, json_string_at(quota, "name")) != 0)
            field_error_invalid_text(errors, field_path(errors, "%s.name", at),
                                     json_string_at(quota, "name"),
                                     "must match the name in coveredResources");
        quota_validate(quota, rules, at, errors);
    }
}

void resource_groups_validate(const json_t *groups, const struct quota_rules *rules,
                              const char *path, struct field_errors *errors)
{
    json_t *resources = json_object(), *flavors = json_object(), *group, *flavor;
    size_t i, k;

    json_array_foreach(groups, i, group) {
        const json_t *covered = json_object_get(group, "coveredResources");
        const char *at = field_path(errors, "%s[%zu]", path, i);

        covered_validate(covered, resources, at, errors);
        json_array_foreach(json_object_get(group, "flavors"), k, flavor) {
            const char *flavor_at = field_path(errors, "%s.flavors[%zu]", at, k);

            flavor_validate(flavor, covered, rules, flavor_at, errors);
            if (seen_before(flavors, json_string_at(flavor, "name")))
                field_error_duplicate_text(errors, field_path(errors, "%s.name", flavor_at),
                                           json_string_at(flavor, "name"));
        }
    }
    json_decref(resources);
    json_decref(flavors);
}

void fair_sharing_validate(const json_t *fair_sharing, const char *path,
                           struct field_errors *errors)
{
    const json_t *value = json_object_get(fair_sharing, "weight");
    struct quantity weight;
    char text[QUANTITY_TEXT];

    if (!value || json_is_null(value))
        return;
    if (!tree_quantity(value, &weight)) {
        field_error_invalid_json(errors, path, value, "must be a quantity");
        return;
    }
    if (weight.nano < 0)
        field_error_invalid_text(errors, path, quantity_print(weight, text), NEGATIVE);
    else if (weight.nano == 1)
        field_error_invalid_text(errors, path, quantity_print(weight, text),
                                 "When not 0, weight must be > 10e-9");
}
