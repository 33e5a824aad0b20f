#include "admitter/objects/admission.h"
#include "admitter/objects/quota_validate.h"
#include "admitter/objects/tree.h"

/* spec/api.md 3.5: alike on create and update. */
void cohort_validate(const json_t *old_object, const json_t *object,
                     const struct object_gates *gates, struct field_errors *errors)
{
    const json_t *spec = json_object_get(object, "spec");
    const struct quota_rules rules = { *json_string_at(spec, "parentName") != '\0',
                                       "must be nil when parent is empty", false };

    (void)old_object;
    (void)gates;
    fair_sharing_validate(json_object_get(spec, "fairSharing"), "spec.fairSharing", errors);
    resource_groups_validate(json_object_get(spec, "resourceGroups"), &rules, "spec.resourceGroups",
                             errors);
}
