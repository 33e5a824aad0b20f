#include "admitter/objects/json_read.h"

#include <stdarg.h>
#include "quota/base/clock.h"

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

json_t *object_labels_make(json_t *object)
{
    json_t *metadata = json_object_get(object, "metadata");
    json_t *labels;

    if (!json_is_object(metadata)) {
        metadata = json_object();
        json_object_set_new(object, "metadata", metadata);
    }
    labels = json_object_get(metadata, "labels");
    if (!json_is_object(labels)) {
        labels = json_object();
        json_object_set_new(metadata, "labels", labels);
    }
    return labels;
}

int64_t json_time_at(const json_t *object, const char *key)
{
    int64_t time;
    const char *text = json_string_at(object, key);

    return *text && time_parse(str_of(text), &time, NULL) == 0 ? time : TIME_NONE;
}

void json_time_put(json_t *object, const char *key, int64_t time)
{
    char text[TIME_TEXT];

    json_object_set_new(object, key, json_string(time_print(time, text)));
}
