#include "admitter/jobs/equivalence.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include "quota/base/mem.h"
#include "quota/base/quantity.h"
#include "quota/base/str.h"

static void canonical(struct strbuf *out, json_t *value, bool is_quantity);

static bool is_empty(const json_t *value)
{
    const char *key;
    json_t *member;
    size_t i;

    switch (json_typeof(value)) {
    case JSON_NULL:
        return true;
    case JSON_STRING:
        return json_string_length(value) == 0;
    case JSON_ARRAY:
        json_array_foreach(value, i, member)
            return false;
        return true;
    case JSON_OBJECT:
        json_object_foreach((json_t *)(uintptr_t)value, key, member)
            if (!is_empty(member))
                return false;
        return true;
    default:
        return false;
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool holds_quantities(const char *key)
{
    return strcmp(key, "requests") == 0 || strcmp(key, "limits") == 0;
}

static void canonical_object(struct strbuf *out, json_t *object, bool of_quantities)
{
    AUTO_FREE const char **keys = mem_array(json_object_size(object) + 1, sizeof(*keys));
    const char *key;
    json_t *member;
    size_t count = 0;

    json_object_foreach(object, key, member)
        if (!is_empty(member))
            keys[count++] = key;
    qsort(keys, count, sizeof(*keys), by_text);
    strbuf_putc(out, '{');
    for (size_t i = 0; i < count; i++) {
        member = json_object_get(object, keys[i]);
        strbuf_json(out, str_of(keys[i]));
        strbuf_putc(out, ':');
        if (json_is_object(member))
            canonical_object(out, member, holds_quantities(keys[i]));
        else
            canonical(out, member, of_quantities);
        strbuf_putc(out, ',');
    }
    strbuf_putc(out, '}');
}

static void canonical_quantity(struct strbuf *out, const json_t *value)
{
    char number[32], text[QUANTITY_TEXT];
    struct quantity q;
    struct str s = { json_string_value(value), json_string_length(value) };

    if (json_is_integer(value)) {
        snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
        s = str_of(number);
    }
    if (s.length == 0 || quantity_parse(s, &q, NULL) < 0) {
        strbuf_json(out, s);
        return;
    }
    q.format = QUANTITY_DECIMAL;
    strbuf_puts(out, quantity_print(q, text));
}

static void canonical(struct strbuf *out, json_t *value, bool is_quantity)
{
    json_t *item;
    size_t i;

    if (is_quantity && (json_is_string(value) || json_is_integer(value))) {
        canonical_quantity(out, value);
    } else if (json_is_object(value)) {
        canonical_object(out, value, false);
    } else if (json_is_array(value)) {
        strbuf_putc(out, '[');
        json_array_foreach(value, i, item) {
            canonical(out, item, false);
            strbuf_putc(out, ',');
        }
        strbuf_putc(out, ']');
    } else {
        AUTO_FREE char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

        strbuf_puts(out, text ? text : "");
    }
}

static struct digest digest_of(const struct strbuf *text)
{
    unsigned char hash[SHA256_DIGEST_LENGTH];
    struct digest d;

    SHA256((const unsigned char *)(text->text ? text->text : ""), text->length, hash);
    memcpy(d.bytes, hash, DIGEST_BYTES);
    return d;
}

static size_t env_first(const json_t *env, size_t before, const char *name)
{
    for (size_t i = 0; i < before; i++) {
        const char *other = json_string_value(json_object_get(json_array_get(env, i), "name"));

        if (other && strcmp(other, name) == 0)
            return i;
    }
    return before;
}

static void env_sanitise(json_t *env)
{
    for (size_t i = 0; i < json_array_size(env);) {
        json_t *entry = json_array_get(env, i);
        const char *name = json_string_value(json_object_get(entry, "name"));
        size_t first = name ? env_first(env, i, name) : i;

        if (first == i) {
            i++;
            continue;
        }
        json_array_set(env, first, entry);
        json_array_remove(env, i);
    }
}

void pod_spec_sanitise(json_t *pod_spec)
{
    static const char *const lists[] = { "initContainers", "containers" };
    json_t *container;
    size_t i;

    for (size_t l = 0; l < ARRAY_COUNT(lists); l++)
        json_array_foreach(json_object_get(pod_spec, lists[l]), i, container)
            env_sanitise(json_object_get(container, "env"));
}

struct digest digest_containers(const json_t *pod_spec)
{
    AUTO_STRBUF struct strbuf text = STRBUF_INIT;
    static const char *const lists[] = { "initContainers", "containers" };

    for (size_t l = 0; l < ARRAY_COUNT(lists); l++) {
        json_t *list = json_object_get(pod_spec, lists[l]);
        json_t *copy = list ? json_pack("{s:o}", lists[l], json_deep_copy(list)) : NULL;

        if (copy) {
            pod_spec_sanitise(copy);
            canonical(&text, json_object_get(copy, lists[l]), false);
            json_decref(copy);
        }
        strbuf_putc(&text, '\n');
    }
    return digest_of(&text);
}

struct digest digest_tolerations(const json_t *pod_spec)
{
    AUTO_STRBUF struct strbuf text = STRBUF_INIT;
    json_t *list = json_object_get(pod_spec, "tolerations");

    if (json_array_size(list) > 0)
        canonical(&text, list, false);
    return digest_of(&text);
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
    return memcmp(a->bytes, b->bytes, DIGEST_BYTES) == 0;
}
