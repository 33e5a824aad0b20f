#include "admitter/jobs/json_read.h"

#include <stdarg.h>
#include <string.h>
#include "quota/base/mem.h"
#include "quota/base/str.h"

json_t *json_at(const json_t *object, ...)
{
    va_list keys;
    const char *key;
    json_t *at = (json_t *)(uintptr_t)object;

    va_start(keys, object);
    while (at && (key = va_arg(keys, const char *)) != NULL)
        at = json_object_get(at, key);
    va_end(keys);
    return at;
}

const char *json_string_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

int64_t json_integer_at(const json_t *object, const char *key, int64_t otherwise)
{
    const json_t *value = json_object_get(object, key);

    return json_is_integer(value) ? (int64_t)json_integer_value(value) : otherwise;
}

const char *object_label(const json_t *object, const char *key)
{
    return json_string_at(json_at(object, "metadata", "labels", NULL), key);
}

const char *object_annotation(const json_t *object, const char *key)
{
    return json_string_at(json_at(object, "metadata", "annotations", NULL), key);
}

bool object_has_label(const json_t *object, const char *key)
{
    return json_object_get(json_at(object, "metadata", "labels", NULL), key) != NULL;
}

static json_t *map_make(json_t *object, const char *key)
{
    json_t *metadata = json_object_get(object, "metadata");
    json_t *map;

    if (!json_is_object(metadata)) {
        metadata = json_object();
        json_object_set_new(object, "metadata", metadata);
    }
    map = json_object_get(metadata, key);
    if (!json_is_object(map)) {
        map = json_object();
        json_object_set_new(metadata, key, map);
    }
    return map;
}

json_t *object_annotations_make(json_t *object)
{
    return map_make(object, "annotations");
}

json_t *object_labels_make(json_t *object)
{
    return map_make(object, "labels");
}

bool text_is_bool(const char *text, bool *value)
{
    static const char *const yes[] = { "1", "t", "T", "TRUE", "true", "True" };
    static const char *const no[] = { "0", "f", "F", "FALSE", "false", "False" };

    for (size_t i = 0; i < ARRAY_COUNT(yes); i++) {
        if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0) {
            *value = strcmp(text, yes[i]) == 0;
            return true;
        }
    }
    return false;
}

bool text_is_int(const char *text, int64_t *value)
{
    return str_to_int64(str_of(text), value);
}
