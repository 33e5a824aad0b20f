#include "admitter/objects/condition.h"

#include <string.h>
#include "admitter/objects/json_read.h"
#include "quota/base/str.h"

json_t *object_status(json_t *object)
{
    json_t *status = json_object_get(object, "status");

    if (!json_is_object(status)) {
        status = json_object();
        json_object_set_new(object, "status", status);
    }
    return status;
}

/* ---- reading ---- */

static json_t *list_of(const json_t *object)
{
    return json_at(object, "status", "conditions", NULL);
}

static bool has_text(const json_t *condition, const char *key, const char *text)
{
    const char *present = json_string_value(json_object_get(condition, key));

    return present && strcmp(present, text) == 0;
}

/* Where the condition stands in the list; its length when it does not. */
static size_t place_of(const json_t *list, const char *type)
{
    size_t at = 0;

    while (at < json_array_size(list) && !has_text(json_array_get(list, at), "type", type))
        at++;
    return at;
}

const json_t *condition_find(const json_t *object, const char *type)
{
    const json_t *list = list_of(object);

    return json_array_get(list, place_of(list, type));
}

bool condition_is(const json_t *object, const char *type, const char *status)
{
    return has_text(condition_find(object, type), "status", status);
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

/* ---- changing ---- */

static bool put_text(json_t *condition, const char *key, const char *text)
{
    if (has_text(condition, key, text))
        return false;
    json_object_set_new(condition, key, json_string(text));
    return true;
}

static bool put_message(json_t *condition, const char *message)
{
    AUTO_STRBUF struct strbuf text = STRBUF_INIT;

    strbuf_shortened(&text, str_of(message), CONDITION_MESSAGE_BYTES);
    return put_text(condition, "message", text.length ? text.text : "");
}

static bool put_generation(json_t *condition, int64_t generation)
{
    if (generation == 0 || json_integer_at(condition, "observedGeneration", 0) == generation)
        return false;
    json_object_set_new(condition, "observedGeneration", json_integer(generation));
    return true;
}

static json_t *list_make(json_t *status)
{
    json_t *list = json_object_get(status, "conditions");

    if (!json_is_array(list)) {
        list = json_array();
        json_object_set_new(status, "conditions", list);
    }
    return list;
}

bool status_condition_put(json_t *status, const struct condition_change *change, int64_t now)
{
    json_t *list = list_make(status);
    json_t *condition = json_array_get(list, place_of(list, change->type));
    bool changed = false;

    if (!condition) {
        condition = json_pack("{s:s}", "type", change->type);
        json_array_append_new(list, condition);
    }
    if (put_text(condition, "status", change->status)) {
        json_time_put(condition, "lastTransitionTime", now);
        changed = true;
    }
    changed |= put_text(condition, "reason", change->reason);
    changed |= put_message(condition, change->message);
    changed |= put_generation(condition, change->generation);
    return changed;
}

bool condition_put(json_t *object, const struct condition_change *change, int64_t now)
{
    return status_condition_put(object_status(object), change, now);
}

bool condition_drop(json_t *object, const char *type)
{
    json_t *list = list_of(object);

    return json_array_remove(list, place_of(list, type)) == 0;
}
