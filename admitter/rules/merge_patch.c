#include "admitter/rules/merge_patch.h"

json_t *merge_patch_between(json_t *before, json_t *after)
{
    json_t *patch = json_object();
    const char *key;
    json_t *value;

    json_object_foreach(before, key, value)
        if (!json_object_get(after, key))
            json_object_set_new(patch, key, json_null());
    json_object_foreach(after, key, value) {
        json_t *old = json_object_get(before, key);

        if (old && json_equal(old, value))
            continue;
        if (json_is_object(old) && json_is_object(value))
            json_object_set_new(patch, key, merge_patch_between(old, value));
        else
            json_object_set(patch, key, value);
    }
    if (json_object_size(patch) > 0)
        return patch;
    json_decref(patch);
    return NULL;
}
