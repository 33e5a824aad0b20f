#include "admitter/rules/ungate.h"

#include <string.h>
#include "admitter/objects/json_read.h"
#include "admitter/jobs/pod_set_info.h"
#include "admitter/objects/names.h"
#include "admitter/kube/yaml.h"
#include "quota/base/mem.h"

/* What an autoscaler that provisioned for the slice looks for on its pods. */
static const char *const annotations[] = {
    "autoscaling.x-k8s.io/consume-provisioning-request",
    "autoscaling.x-k8s.io/provisioning-class-name",
};

/* Add 'value' under 'key' to the changes unless it is there; false when another one is. */
static bool change_add(json_t *changes, const json_t *present, const char *key, json_t *value)
{
    const json_t *there = json_object_get(present, key);

    if (!there)
        json_object_set(changes, key, value);
    return !there || json_equal(there, value);
}

static bool update_add(const json_t *update, const json_t *pod, json_t *notes, json_t *selector)
{
    const char *key;
    json_t *value;
    bool agrees = true;

    for (size_t i = 0; i < ARRAY_COUNT(annotations); i++) {
        value = json_at(update, "annotations", annotations[i], NULL);
        if (value)
            agrees &= change_add(notes, json_object_get(pod, "annotations"), annotations[i], value);
    }
    json_object_foreach(json_object_get(update, "nodeSelector"), key, value)
        agrees &= change_add(selector, json_object_get(pod, "nodeSelector"), key, value);
    return agrees;
}

static bool updates_add(const json_t *slice, const char *pod_set, const json_t *pod, json_t *notes,
                        json_t *selector)
{
    json_t *check, *update;
    size_t i, k;
    bool agrees = true;

    json_array_foreach(json_at(slice, "status", "admissionChecks", NULL), i, check)
        json_array_foreach(json_object_get(check, "podSetUpdates"), k, update)
            if (strcmp(json_string_at(update, "name"), pod_set) == 0)
                agrees &= update_add(update, pod, notes, selector);
    return agrees;
}

static json_t *gates_left(const json_t *pod)
{
    json_t *left = json_array(), *gate;
    size_t i;

    json_array_foreach(json_object_get(pod, "schedulingGates"), i, gate)
        if (strcmp(json_string_at(gate, "name"), SCHEDULING_GATE_ELASTIC) != 0)
            json_array_append(left, gate);
    return left;
}

json_t *ungate_patch(const char *injected, const json_t *slice, const char *pod_set)
{
    AUTO_JSON json_t *pod = json_loads(injected, 0, NULL);
    json_t *notes = json_object(), *selector = json_object();
    json_t *patch = json_pack("{s:{s:o}, s:{s:o, s:o}}", "metadata", "annotations", notes, "spec",
                              "schedulingGates", gates_left(pod), "nodeSelector", selector);

    if (updates_add(slice, pod_set, pod, notes, selector))
        return patch;
    json_decref(patch);
    return NULL;
}
