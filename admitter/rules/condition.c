#include "admitter/rules/condition.h"

#include <string.h>
#include "admitter/jobs/json_read.h"
#include "admitter/objects/condition_list.h"
#include "quota/base/clock.h"
#include "quota/base/mem.h"

json_t *object_status(json_t *object)
{
    json_t *status = json_object_get(object, "status");

    if (!json_is_object(status)) {
        status = json_object();
        json_object_set_new(object, "status", status);
    }
    return status;
}

static json_t *find(const json_t *object, const char *type, size_t *at)
{
    json_t *condition;
    size_t i;

    json_array_foreach(json_at(object, "status", "conditions", NULL), i, condition) {
        if (strcmp(json_string_at(condition, "type"), type) == 0) {
            if (at)
                *at = i;
            return condition;
        }
    }
    return NULL;
}

const json_t *condition_find(const json_t *object, const char *type)
{
    return find(object, type, NULL);
}

bool condition_is(const json_t *object, const char *type, const char *status)
{
    return strcmp(json_string_at(condition_find(object, type), "status"), status) == 0;
}

bool condition_true(const json_t *object, const char *type)
{
    return condition_is(object, type, "True");
}

const char *condition_reason(const json_t *object, const char *type)
{
    return json_string_at(condition_find(object, type), "reason");
}

const char *condition_message(const json_t *object, const char *type)
{
    return json_string_at(condition_find(object, type), "message");
}

int64_t condition_transition(const json_t *object, const char *type)
{
    return json_time_at(condition_find(object, type), "lastTransitionTime");
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

static json_t *conditions_make(json_t *object)
{
    json_t *status = object_status(object);
    json_t *list = json_object_get(status, "conditions");

    if (!json_is_array(list)) {
        list = json_array();
        json_object_set_new(status, "conditions", list);
    }
    return list;
}

bool condition_put(json_t *object, const struct condition_change *change, int64_t now)
{
    return condition_set(conditions_make(object), change->type, change->status, change->reason,
                         change->message, change->generation, now);
}

bool condition_drop(json_t *object, const char *type)
{
    size_t at;

    if (!find(object, type, &at))
        return false;
    json_array_remove(json_at(object, "status", "conditions", NULL), at);
    return true;
}
