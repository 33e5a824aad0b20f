#include "admitter/objects/tree.h"

#include <stdio.h>
#include <string.h>
#include "quota/base/mem.h"

bool tree_has(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return value && !json_is_null(value);
}

json_t *tree_entry(const json_t *list, const char *key, const char *text)
{
    json_t *entry;
    size_t i;

    json_array_foreach(list, i, entry)
        if (strcmp(json_string_at(entry, key), text) == 0)
            return entry;
    return NULL;
}

bool tree_list_has(const json_t *list, const char *text)
{
    json_t *entry;
    size_t i;

    json_array_foreach(list, i, entry)
        if (json_is_string(entry) && strcmp(json_string_value(entry), text) == 0)
            return true;
    return false;
}

/* ---- quantities ---- */

bool tree_quantity(const json_t *value, struct quantity *quantity)
{
    char text[64];

    if (json_is_string(value))
        return quantity_parse(str_of(json_string_value(value)), quantity, NULL) == 0;
    if (json_is_integer(value))
        snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        snprintf(text, sizeof(text), "%.9g", json_real_value(value));
    else
        return false;
    return quantity_parse(str_of(text), quantity, NULL) == 0;
}

void tree_canonical(json_t *object, const char *key)
{
    char text[QUANTITY_TEXT];
    struct quantity quantity;

    if (tree_quantity(json_object_get(object, key), &quantity))
        json_object_set_new(object, key, json_string(quantity_print(quantity, text)));
}

/* ---- sameness ---- */

static bool is_empty(const json_t *value)
{
    return !value || json_is_null(value) ||
           (json_is_object(value) && json_object_size(value) == 0) ||
           (json_is_array(value) && json_array_size(value) == 0) ||
           (json_is_string(value) && json_string_length(value) == 0);
}

static bool holds_quantities(const char *key)
{
    static const char *const keys[] = { "requests", "limits", "overhead", "resourceUsage" };

    for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
        if (strcmp(keys[i], key) == 0)
            return true;
    return false;
}

static bool same(const json_t *a, const json_t *b, bool quantities);

/* Are all members of 'a' in 'b' alike? */
static bool members_same(const json_t *a, const json_t *b, bool quantities)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)a, key, value)
        if (!same(value, json_object_get(b, key), quantities || holds_quantities(key)))
            return false;
    return true;
}

static bool items_same(const json_t *a, const json_t *b, bool quantities)
{
    json_t *item;
    size_t i;

    if (json_array_size(a) != json_array_size(b))
        return false;
    json_array_foreach(a, i, item)
        if (!same(item, json_array_get(b, i), quantities))
            return false;
    return true;
}

static bool same(const json_t *a, const json_t *b, bool quantities)
{
    struct quantity left, right;

    if (is_empty(a) || is_empty(b))
        return is_empty(a) && is_empty(b);
    if (json_is_object(a) && json_is_object(b))
        return members_same(a, b, quantities) && members_same(b, a, quantities);
    if (json_is_array(a) && json_is_array(b))
        return items_same(a, b, quantities);
    if (json_equal(a, b))
        return true;
    return quantities && tree_quantity(a, &left) && tree_quantity(b, &right) &&
           quantity_compare(left, right) == 0;
}

bool tree_same(const json_t *a, const json_t *b)
{
    return same(a, b, false);
}
