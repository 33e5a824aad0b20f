#include <string.h>
#include "admitter/objects/admission.h"
#include "admitter/objects/quota_validate.h"
#include "admitter/objects/tree.h"

/* spec/api.md 3.4; numbers are those of its rows. */

#define FLAVOR_LIMIT 256
#define COVERED_LIMIT 256
#define COMBINATION_LIMIT 512
#define CONCURRENT_FLAVOR_LIMIT 16
#define CONCURRENT "when ConcurrentAdmissionPolicy is defined"

static const char *or_else(const char *text, const char *otherwise)
{
    return *text ? text : otherwise;
}

/* 7: as Go prints the struct. */
static json_t *preemption_shown(const json_t *preemption)
{
    const json_t *borrow = json_object_get(preemption, "borrowWithinCohort");
    json_t *shown_borrow = json_object(), *out = json_object();

    json_object_set(out, "reclaimWithinCohort", json_object_get(preemption, "reclaimWithinCohort"));
    json_object_set(shown_borrow, "policy", json_object_get(borrow, "policy"));
    json_object_set(shown_borrow, "maxPriorityThreshold",
                    json_object_get(borrow, "maxPriorityThreshold"));
    json_object_set_new(out, "borrowWithinCohort", shown_borrow);
    json_object_set(out, "withinClusterQueue", json_object_get(preemption, "withinClusterQueue"));
    return out;
}

static void check_preemption(const json_t *spec, struct field_errors *errors)
{
    const json_t *preemption = json_object_get(spec, "preemption");
    const json_t *borrow = json_object_get(preemption, "borrowWithinCohort");
    json_t *shown;

    if (strcmp(or_else(json_string_at(preemption, "reclaimWithinCohort"), "Never"), "Never") != 0 ||
        strcmp(or_else(json_string_at(borrow, "policy"), "Never"), "Never") == 0)
        return;
    shown = preemption_shown(preemption);
    field_error_invalid_json(errors, "spec.preemption", shown,
                             "reclaimWithinCohort=Never and borrowWithinCohort.Policy!=Never");
    json_decref(shown);
}

/* 8 */
static void check_preference(const json_t *spec, struct field_errors *errors)
{
    const json_t *fungibility = json_object_get(spec, "flavorFungibility");
    const char *preference = json_string_at(fungibility, "preference");

    if (*preference &&
        (strcmp(json_string_at(fungibility, "whenCanBorrow"), "TryNextFlavor") != 0 ||
         strcmp(or_else(json_string_at(fungibility, "whenCanPreempt"), "TryNextFlavor"),
                "TryNextFlavor") != 0))
        field_error_invalid_text(errors, "spec.flavorFungibility.preference", preference,
                                 "preference \"%s\" requires both whenCanBorrow and "
                                 "whenCanPreempt to be TryNextFlavor",
                                 preference);
}

/* ---- 10a to 10c ---- */

static size_t total_of(const json_t *groups, const char *list)
{
    size_t total = 0, i;
    json_t *group;

    json_array_foreach(groups, i, group)
        total += json_array_size(json_object_get(group, list));
    return total;
}

static size_t combinations(const json_t *group)
{
    size_t total = 0, i;
    json_t *flavor;

    json_array_foreach(json_object_get(group, "flavors"), i, flavor)
        total += json_array_size(json_object_get(flavor, "resources"));
    return total;
}

static void check_totals(const json_t *groups, struct field_errors *errors)
{
    size_t flavors = total_of(groups, "flavors"), covered = total_of(groups, "coveredResources");
    json_t *group;
    size_t i;

    if (flavors > FLAVOR_LIMIT)
        field_error_invalid_int(errors, "spec.resourceGroups", (int64_t)flavors,
                                "total number of flavors across all resourceGroups must be ≤ %d, "
                                "got %zu",
                                FLAVOR_LIMIT, flavors);
    if (covered > COVERED_LIMIT)
        field_error_invalid_int(errors, "spec.resourceGroups", (int64_t)covered,
                                "total number of covered resources across all resourceGroups must "
                                "be ≤ %d, got %zu",
                                COVERED_LIMIT, covered);
    json_array_foreach(groups, i, group)
        if (combinations(group) > COMBINATION_LIMIT)
            field_error_invalid_int(errors, field_path(errors, "spec.resourceGroups[%zu]", i),
                                    (int64_t)combinations(group),
                                    "number of flavor-resource combinations in a resourceGroup "
                                    "must be ≤ %d, got %zu",
                                    COMBINATION_LIMIT, combinations(group));
}

/* ---- flavor names ---- */

/* A set of all flavors' names, in order of appearance; new reference. */
static json_t *flavor_names(const json_t *object)
{
    json_t *names = json_object(), *group, *flavor;
    size_t i, k;

    json_array_foreach(json_at(object, "spec", "resourceGroups", NULL), i, group)
        json_array_foreach(json_object_get(group, "flavors"), k, flavor)
            json_object_set_new(names, json_string_at(flavor, "name"), json_true());
    return names;
}

static const char **names_list(const json_t *names, struct arena *a, size_t *count)
{
    const char **list = ARENA_ARRAY(a, json_object_size(names) + 1, const char *);
    const char *key;
    json_t *value;

    *count = 0;
    json_object_foreach((json_t *)names, key, value)
        list[(*count)++] = arena_strdup(a, key);
    return list;
}

/* ---- 10d to 10h ---- */

static void check_constraints(const json_t *object, const json_t *migration,
                              struct field_errors *errors)
{
    const json_t *constraints = json_object_get(migration, "constraints");
    const char *path = "spec.concurrentAdmissionPolicy.migration.constraints";
    const char *last = json_string_at(constraints, "lastAcceptableFlavorName");
    const char *mode = json_string_at(migration, "mode");
    AUTO_STRBUF struct strbuf known = STRBUF_INIT;
    json_t *names;
    const char **list;
    size_t count;

    if (!constraints || json_is_null(constraints))
        return;
    if (strcmp(mode, "TryPreferredFlavors") != 0)
        field_error_forbidden(errors, path,
                              "may only be set when migration.mode is \"TryPreferredFlavors\" "
                              "(got \"%s\")",
                              mode);
    if (!*last)
        return;
    names = flavor_names(object);
    list = names_list(names, errors->arena, &count);
    for (size_t i = 0; i < count; i++)
        strbuf_printf(&known, "%s%s", i ? " " : "", list[i]);
    if (!json_object_get(names, last))
        field_error_invalid_text(errors, field_path(errors, "%s.lastAcceptableFlavorName", path),
                                 last,
                                 "must be one of the flavors defined in the ClusterQueue: [%s]",
                                 known.length ? known.text : "");
    json_decref(names);
}

static void check_concurrent_admission(const json_t *object, struct field_errors *errors)
{
    const json_t *spec = json_object_get(object, "spec");
    const json_t *policy = json_object_get(spec, "concurrentAdmissionPolicy");
    const json_t *groups = json_object_get(spec, "resourceGroups");
    const json_t *flavors = json_object_get(json_array_get(groups, 0), "flavors");
    const char *strategy = json_string_at(spec, "queueingStrategy");

    if (!policy || json_is_null(policy))
        return;
    if (json_array_size(groups) != 1)
        field_error_invalid_int(errors, "spec.resourceGroups", (int64_t)json_array_size(groups),
                                "must have exactly one ResourceGroup " CONCURRENT);
    else if (json_array_size(flavors) > CONCURRENT_FLAVOR_LIMIT)
        field_error_invalid_int(errors, "spec.resourceGroups[0].flavors",
                                (int64_t)json_array_size(flavors),
                                "cannot have more than %d resource flavors in the ResourceGroup "
                                "%s",
                                CONCURRENT_FLAVOR_LIMIT, CONCURRENT);
    check_constraints(object, json_object_get(policy, "migration"), errors);
    if (strcmp(strategy, "StrictFIFO") == 0)
        field_error_invalid_text(errors, "spec.queueingStrategy", strategy,
                                 "StrictFIFO queueing strategy cannot be used " CONCURRENT);
}

/* ---- 11 ---- */

static bool same_set(const json_t *a, const json_t *b)
{
    json_t *entry;
    size_t i;

    json_array_foreach(a, i, entry)
        if (!tree_list_has(b, json_is_string(entry) ? json_string_value(entry) : ""))
            return false;
    json_array_foreach(b, i, entry)
        if (!tree_list_has(a, json_is_string(entry) ? json_string_value(entry) : ""))
            return false;
    return true;
}

static const json_t *checks_of(const json_t *object)
{
    return json_at(object, "spec", "admissionChecksStrategy", "admissionChecks", NULL);
}

/* Checks that stood there before are not examined again while the flavors stay. NULL: examine
 * all. */
static const json_t *checks_to_spare(const json_t *old_object, const json_t *names,
                                     const struct object_gates *gates)
{
    const json_t *spared = checks_of(old_object);
    json_t *old_names;

    if (gates->reject_invalid_on_flavors || !spared)
        return NULL;
    old_names = flavor_names(old_object);
    if (!json_equal(old_names, names))
        spared = NULL;
    json_decref(old_names);
    return spared;
}

struct flavor_list {
    const char **items;
    size_t count;
};

static void check_on_flavors(const json_t *check, size_t index, const json_t *names,
                             const struct flavor_list *known, struct field_errors *errors)
{
    json_t *entry;
    size_t i;

    json_array_foreach(json_object_get(check, "onFlavors"), i, entry) {
        const char *flavor = json_is_string(entry) ? json_string_value(entry) : "";

        if (json_object_get(names, flavor))
            continue;
        field_error_not_supported(
            errors,
            field_path(errors, "spec.admissionChecksStrategy.admissionChecks[%zu].onFlavors[%zu]",
                       index, i),
            flavor, known->items, known->count);
    }
}

static void check_admission_checks(const json_t *old_object, const json_t *object,
                                   const struct object_gates *gates, struct field_errors *errors)
{
    json_t *names = flavor_names(object), *check;
    const json_t *spared = checks_to_spare(old_object, names, gates);
    struct flavor_list known;
    size_t i;

    known.items = names_list(names, errors->arena, &known.count);
    json_array_foreach(checks_of(object), i, check) {
        const json_t *before = tree_entry(spared, "name", json_string_at(check, "name"));

        if (!before ||
            !same_set(json_object_get(before, "onFlavors"), json_object_get(check, "onFlavors")))
            check_on_flavors(check, i, names, &known, errors);
    }
    json_decref(names);
}

/* ---- the whole ---- */

void cluster_queue_validate(const json_t *old_object, const json_t *object,
                            const struct object_gates *gates, struct field_errors *errors)
{
    const json_t *spec = json_object_get(object, "spec");
    const json_t *policy = json_object_get(spec, "concurrentAdmissionPolicy");
    const struct quota_rules rules = { *json_string_at(spec, "cohortName") != '\0',
                                       "must be nil when cohort is empty", true };

    resource_groups_validate(json_object_get(spec, "resourceGroups"), &rules, "spec.resourceGroups",
                             errors);
    field_check_label_selector(errors, "spec.namespaceSelector",
                               json_object_get(spec, "namespaceSelector"));
    check_preemption(spec, errors);
    check_preference(spec, errors);
    fair_sharing_validate(json_object_get(spec, "fairSharing"), "spec.fairSharing", errors);
    check_totals(json_object_get(spec, "resourceGroups"), errors);
    if (gates->concurrent_admission)
        check_concurrent_admission(object, errors);
    check_admission_checks(old_object, object, gates, errors);
    if (old_object &&
        !tree_same(json_at(old_object, "spec", "concurrentAdmissionPolicy", NULL), policy))
        field_error_invalid_json(errors, "spec.concurrentAdmissionPolicy", policy,
                                 "field is immutable");
}
