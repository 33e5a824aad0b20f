#include "admitter/jobs/pod_set_info.h"

#include <stdlib.h>
#include <string.h>
#include "admitter/objects/names.h"
#include "quota/base/mem.h"

void pod_set_info_init(struct pod_set_info *info, const char *name, int32_t count)
{
    *info = (struct pod_set_info){ .name = name, .count = count };
    info->labels = json_object();
    info->annotations = json_object();
    info->node_selector = json_object();
    info->tolerations = json_array();
    info->gates = json_array();
}

void pod_set_info_finish(struct pod_set_info *infos, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        json_decref(infos[i].labels);
        json_decref(infos[i].annotations);
        json_decref(infos[i].node_selector);
        json_decref(infos[i].tolerations);
        json_decref(infos[i].gates);
    }
}

static json_t *copy_or(const json_t *parent, const char *key, json_t *empty)
{
    json_t *value = json_object_get(parent, key);

    if (!value || json_is_null(value))
        return empty;
    json_decref(empty);
    return json_deep_copy(value);
}

char *pod_template_injected(const json_t *pod_template)
{
    json_t *metadata = json_object_get(pod_template, "metadata");
    json_t *spec = json_object_get(pod_template, "spec");
    json_t *out =
        json_pack("{s:o, s:o, s:o, s:o, s:o}", "labels", copy_or(metadata, "labels", json_object()),
                  "annotations", copy_or(metadata, "annotations", json_object()), "nodeSelector",
                  copy_or(spec, "nodeSelector", json_object()), "tolerations",
                  copy_or(spec, "tolerations", json_array()), "schedulingGates",
                  copy_or(spec, "schedulingGates", json_array()));
    char *text = json_dumps(out, JSON_COMPACT | JSON_SORT_KEYS);

    json_decref(out);
    return text;
}

static void field_set(json_t *object, const char *part, const json_t *fields, const char *key)
{
    json_t *value = json_object_get(fields, key);
    bool empty = json_object_size(value) == 0 && json_array_size(value) == 0;
    json_t *holder = json_object_get(object, part);

    if (!holder && !empty) {
        holder = json_object();
        json_object_set_new(object, part, holder);
    }
    if (empty)
        json_object_del(holder, key);
    else
        json_object_set(holder, key, value);
}

void pod_template_inject(json_t *pod_template, const char *injected)
{
    json_t *fields = json_loads(injected, 0, NULL);

    field_set(pod_template, "metadata", fields, "labels");
    field_set(pod_template, "metadata", fields, "annotations");
    field_set(pod_template, "spec", fields, "nodeSelector");
    field_set(pod_template, "spec", fields, "tolerations");
    field_set(pod_template, "spec", fields, "schedulingGates");
    json_decref(fields);
}

void pod_set_info_from_injected(struct pod_set_info *info, const char *name, int32_t count,
                                const char *injected)
{
    json_t *all = json_loads(injected, 0, NULL);

    *info = (struct pod_set_info){ .name = name, .count = count };
    info->labels = copy_or(all, "labels", json_object());
    info->annotations = copy_or(all, "annotations", json_object());
    info->node_selector = copy_or(all, "nodeSelector", json_object());
    info->tolerations = copy_or(all, "tolerations", json_array());
    info->gates = copy_or(all, "schedulingGates", json_array());
    json_decref(all);
}

int pod_set_map_merge(json_t *into, const json_t *from, const char *field, struct err *e)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)from, key, value) {
        json_t *there = json_object_get(into, key);

        if (there && !json_equal(there, value))
            return err_set(e, ERR_INVALID,
                           "invalid admission check PodSetUpdate: conflict for %s: "
                           "conflict for key=%s, value1=%s, value2=%s",
                           field, key, json_string_value(there), json_string_value(value));
        json_object_set(into, key, value);
    }
    return 0;
}

static const char *member_text(const json_t *object, const char *key, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text && *text ? text : otherwise;
}

static bool toleration_equal(const json_t *a, const json_t *b)
{
    return strcmp(member_text(a, "key", ""), member_text(b, "key", "")) == 0 &&
           strcmp(member_text(a, "operator", "Equal"), member_text(b, "operator", "Equal")) == 0 &&
           strcmp(member_text(a, "value", ""), member_text(b, "value", "")) == 0 &&
           strcmp(member_text(a, "effect", ""), member_text(b, "effect", "")) == 0;
}

static bool gate_equal(const json_t *a, const json_t *b)
{
    return strcmp(member_text(a, "name", ""), member_text(b, "name", "")) == 0;
}

static void list_union(json_t *into, const json_t *from,
                       bool (*equal)(const json_t *, const json_t *))
{
    json_t *item, *there;
    size_t i, k;

    json_array_foreach(from, i, item) {
        bool found = false;

        json_array_foreach(into, k, there)
            found = found || equal(there, item);
        if (!found)
            json_array_append(into, item);
    }
}

void pod_set_tolerations_merge(json_t *into, const json_t *from)
{
    list_union(into, from, toleration_equal);
}

/* Put 'value' under metadata or spec of the patch when it differs from what the template has. */
static void patch_put(json_t *patch, const char *part, const char *key, const json_t *now,
                      json_t *value)
{
    json_t *holder = json_object_get(patch, part);

    if (json_equal(now, value)) {
        json_decref(value);
        return;
    }
    if (!holder) {
        holder = json_object();
        json_object_set_new(patch, part, holder);
    }
    json_object_set_new(holder, key, value);
}

static bool map_merged(const json_t *all, const char *key, const json_t *add, const char *field,
                       json_t **merged, struct err *e)
{
    *merged = copy_or(all, key, json_object());
    return pod_set_map_merge(*merged, add, field, e) == 0;
}

json_t *pod_set_merge_patch(const char *injected, const struct pod_set_info *info, struct err *e)
{
    json_t *all = json_loads(injected, 0, NULL);
    json_t *annotations = NULL, *labels = NULL, *selector = NULL, *patch = NULL;
    json_t *tolerations = copy_or(all, "tolerations", json_array());
    json_t *gates = copy_or(all, "schedulingGates", json_array());

    if (json_object_get(info->annotations, ANNOTATION_SLICE_NAME)) {
        /* An elastic job that starts again: another slice, maybe of another chain. */
        json_object_del(json_object_get(all, "annotations"), ANNOTATION_SLICE_NAME);
        json_object_del(json_object_get(all, "annotations"), ANNOTATION_WORKLOAD);
    }
    list_union(tolerations, info->tolerations, toleration_equal);
    list_union(gates, info->gates, gate_equal);
    if (map_merged(all, "annotations", info->annotations, "annotations", &annotations, e) &&
        map_merged(all, "labels", info->labels, "labels", &labels, e) &&
        map_merged(all, "nodeSelector", info->node_selector, "nodeSelector", &selector, e)) {
        patch = json_object();
        patch_put(patch, "metadata", "annotations", json_object_get(all, "annotations"),
                  json_incref(annotations));
        patch_put(patch, "metadata", "labels", json_object_get(all, "labels"), json_incref(labels));
        patch_put(patch, "spec", "nodeSelector", json_object_get(all, "nodeSelector"),
                  json_incref(selector));
        patch_put(patch, "spec", "tolerations", json_object_get(all, "tolerations"),
                  json_incref(tolerations));
        patch_put(patch, "spec", "schedulingGates", json_object_get(all, "schedulingGates"),
                  json_incref(gates));
    }
    json_decref(annotations);
    json_decref(labels);
    json_decref(selector);
    json_decref(tolerations);
    json_decref(gates);
    json_decref(all);
    return patch;
}

/* A merge patch from map 'now' to map 'want': changed keys, null for removed ones; NULL: equal. */
static json_t *map_patch(json_t *now, const json_t *want, const char *const *keep)
{
    json_t *patch = json_object();
    const char *key;
    json_t *value;

    json_object_foreach(now, key, value) {
        bool kept = false;

        for (size_t i = 0; keep && keep[i]; i++)
            kept = kept || strcmp(key, keep[i]) == 0;
        if (!kept && !json_object_get(want, key))
            json_object_set_new(patch, key, json_null());
    }
    json_object_foreach((json_t *)(uintptr_t)want, key, value)
        if (!json_equal(json_object_get(now, key), value))
            json_object_set(patch, key, value);
    if (json_object_size(patch) > 0)
        return patch;
    json_decref(patch);
    return NULL;
}

static void restore_map(json_t *patch, const char *part, const char *key, json_t *all,
                        const json_t *want, const char *const *keep)
{
    json_t *change = map_patch(json_object_get(all, key), want, keep);

    if (change)
        patch_put(patch, part, key, NULL, change);
}

static void restore_list(json_t *patch, const char *key, const json_t *all, const json_t *want)
{
    json_t *now = json_object_get(all, key);

    if (!json_equal(now, want) && (json_array_size(now) > 0 || json_array_size(want) > 0))
        patch_put(patch, "spec", key, NULL,
                  json_array_size(want) ? json_deep_copy(want) : json_null());
}

json_t *pod_set_restore_patch(const char *injected, const struct pod_set_info *info,
                              const char *const *keep)
{
    json_t *all = json_loads(injected, 0, NULL);
    json_t *patch = json_object();

    restore_map(patch, "metadata", "annotations", all, info->annotations, NULL);
    restore_map(patch, "metadata", "labels", all, info->labels, keep);
    restore_map(patch, "spec", "nodeSelector", all, info->node_selector, NULL);
    restore_list(patch, "tolerations", all, info->tolerations);
    restore_list(patch, "schedulingGates", all, info->gates);
    json_decref(all);
    if (json_object_size(patch) > 0)
        return patch;
    json_decref(patch);
    return NULL;
}
