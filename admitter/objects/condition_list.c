#include "admitter/objects/condition_list.h"

#include <string.h>
#include "quota/base/clock.h"
#include "quota/base/mem.h"

#define CUT_MARK " ..."

char *message_cut(const char *text, size_t limit)
{
    size_t length = strlen(text), kept = limit - strlen(CUT_MARK);

    if (length <= limit)
        return mem_dup(text);
    while (kept > 0 && ((unsigned char)text[kept] & 0xC0) == 0x80)
        kept--;
    return mem_format("%.*s%s", (int)kept, text, CUT_MARK);
}

static bool has_text(const json_t *object, const char *key, const char *text)
{
    const char *now = json_string_value(json_object_get(object, key));

    return now && strcmp(now, text) == 0;
}

json_t *condition_get(const json_t *conditions, const char *type)
{
    json_t *condition;
    size_t i;

    json_array_foreach(conditions, i, condition)
        if (has_text(condition, "type", type))
            return condition;
    return NULL;
}

static bool put_text(json_t *condition, const char *key, const char *text)
{
    if (has_text(condition, key, text))
        return false;
    json_object_set_new(condition, key, json_string(text));
    return true;
}

static bool put_generation(json_t *condition, int64_t generation)
{
    if (generation == 0 ||
        json_integer_value(json_object_get(condition, "observedGeneration")) == generation)
        return false;
    json_object_set_new(condition, "observedGeneration", json_integer(generation));
    return true;
}

bool condition_set(json_t *conditions, const char *type, const char *status, const char *reason,
                   const char *message, int64_t observed_generation, int64_t now)
{
    AUTO_FREE char *cut = message_cut(message, CONDITION_MESSAGE_BYTES);
    json_t *condition = condition_get(conditions, type);
    char time[TIME_TEXT];
    bool changed = false;

    if (!condition) {
        condition = json_pack("{s:s}", "type", type);
        json_array_append_new(conditions, condition);
    }
    if (put_text(condition, "status", status)) {
        json_object_set_new(condition, "lastTransitionTime", json_string(time_print(now, time)));
        changed = true;
    }
    changed |= put_text(condition, "reason", reason);
    changed |= put_text(condition, "message", cut);
    changed |= put_generation(condition, observed_generation);
    return changed;
}
