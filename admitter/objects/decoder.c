#include "admitter/objects/decoder.h"

#include <jansson.h>
#include "quota/base/mem.h"

#define VALUE_SHOWN 80

/* ---- paths and problems ---- */

static void path_print(const struct decoder *d, struct strbuf *out)
{
    for (unsigned i = 0; i < d->depth; i++) {
        const struct decode_step *step = &d->path[i];

        if (step->kind == DECODE_INDEX)
            strbuf_printf(out, "[%zu]", step->index);
        else if (step->kind == DECODE_KEY)
            strbuf_printf(out, "[%.*s]", STR_ARGS(step->key));
        else
            strbuf_printf(out, "%s%.*s", i ? "." : "", STR_ARGS(step->key));
    }
}

void decode_problem(struct decoder *d, const char *member, const char *fmt, ...)
{
    AUTO_STRBUF struct strbuf path = STRBUF_INIT;
    char text[400];
    va_list arguments;

    if (d->failed)
        return;
    d->failed = true;
    if (json_failed(&d->reader, d->e)) /* broken text is the cause of all that follows */
        return;
    va_start(arguments, fmt);
    vsnprintf(text, sizeof(text), fmt, arguments);
    va_end(arguments);
    path_print(d, &path);
    if (!path.length && *member == '.')
        member++;
    strbuf_puts(&path, member);
    err_set(d->e, ERR_INVALID, "%s: %s", path.length ? path.text : "object", text);
}

static void unexpected_value(struct decoder *d, const char *expected, struct str value)
{
    struct str shown = str_prefix(value, VALUE_SHOWN);

    decode_problem(d, "", "expected %s, got %.*s%s", expected, STR_ARGS(shown),
                   shown.length < value.length ? "..." : "");
}

void decode_unexpected(struct decoder *d, const char *expected)
{
    struct str value = json_raw(&d->reader);

    if (!json_failed(&d->reader, NULL))
        unexpected_value(d, expected, value);
}

static void path_push(struct decoder *d, struct decode_step step)
{
    if (d->depth < DECODE_DEPTH)
        d->path[d->depth++] = step;
    else
        decode_problem(d, "", "nested too deeply");
}

static void path_pop(struct decoder *d)
{
    if (!d->failed)
        d->depth--;
}

bool decode_absent(struct decoder *d)
{
    if (d->failed)
        return true;
    if (json_peek(&d->reader) != JSON_KIND_NULL)
        return false;
    json_skip(&d->reader);
    return true;
}

/* Is there a value, and is it of this kind? Records a problem when it is of another. */
static bool value_is(struct decoder *d, enum json_kind kind, const char *expected)
{
    if (decode_absent(d))
        return false;
    if (json_peek(&d->reader) == kind)
        return true;
    decode_unexpected(d, expected);
    return false;
}

/* ---- containers ---- */

static const struct decode_field *field_find(const struct decoder *d,
                                             const struct decode_field *fields, struct str key)
{
    for (; fields->key; fields++)
        if (str_is(key, fields->key) &&
            (fields->version == DECODE_ALWAYS || (fields->version == DECODE_V1BETA1) == d->v1beta1))
            return fields;
    return NULL;
}

void decode_record(struct decoder *d, const struct decode_field *fields, void *out)
{
    const struct decode_field *field;
    struct str key;

    if (!value_is(d, JSON_KIND_OBJECT, "an object") || !json_enter_object(&d->reader))
        return;
    while (!d->failed && json_member(&d->reader, &key)) {
        field = field_find(d, fields, key);
        if (!field) {
            json_skip(&d->reader);
            continue;
        }
        path_push(d, (struct decode_step){ DECODE_MEMBER, str_of(field->key), 0 });
        field->read(d, (char *)out + field->offset);
        path_pop(d);
    }
}

/* Room for one more item of a growing array in the arena. */
static void *list_more(struct decoder *d, void *items, size_t count, size_t *capacity, size_t size)
{
    void *grown;

    if (count < *capacity)
        return items;
    *capacity = *capacity ? 2 * *capacity : 2;
    grown = arena_array(d->arena, *capacity, size);
    if (count)
        memcpy(grown, items, count * size);
    return grown;
}

void *decode_list(struct decoder *d, size_t size, decode_function *read, size_t *count)
{
    size_t capacity = 0, n = 0;
    char *items = NULL;

    *count = 0;
    if (!value_is(d, JSON_KIND_ARRAY, "a list") || !json_enter_array(&d->reader))
        return NULL;
    while (!d->failed && json_item(&d->reader)) {
        items = list_more(d, items, n, &capacity, size);
        path_push(d, (struct decode_step){ DECODE_INDEX, { 0 }, n });
        read(d, items + n++ * size);
        path_pop(d);
    }
    *count = n;
    return items ? items : arena_alloc(d->arena, size);
}

/* A key as NUL-terminated text; the reader hands keys with escapes out raw. */
static char *key_text(struct decoder *d, struct str key)
{
    struct json_reader quoted;
    char *text;

    if (!key.length || !memchr(key.text, '\\', key.length))
        return arena_dup(d->arena, key);
    json_open(&quoted, (struct str){ key.text - 1, key.length + 2 });
    text = json_text(&quoted, d->arena);
    return text ? text : arena_dup(d->arena, key);
}

void *decode_map(struct decoder *d, size_t size, decode_function *read, size_t *count)
{
    size_t capacity = 0, n = 0;
    char *items = NULL;
    struct str key;

    *count = 0;
    if (!value_is(d, JSON_KIND_OBJECT, "an object") || !json_enter_object(&d->reader))
        return NULL;
    while (!d->failed && json_member(&d->reader, &key)) {
        items = list_more(d, items, n, &capacity, size);
        *(const char **)(void *)(items + n * size) = key_text(d, key);
        path_push(d, (struct decode_step){ DECODE_KEY, key, 0 });
        read(d, items + n++ * size);
        path_pop(d);
    }
    *count = n;
    return items ? items : arena_alloc(d->arena, size);
}

static void label_read(struct decoder *d, void *target)
{
    struct label *label = target;

    label->value = "";
    decode_text(d, &label->value);
}

struct label *decode_labels(struct decoder *d, size_t *count)
{
    return decode_map(d, sizeof(struct label), label_read, count);
}

const char **decode_texts(struct decoder *d, size_t *count)
{
    const char **texts = decode_list(d, sizeof(*texts), decode_text, count);

    for (size_t i = 0; i < *count; i++)
        if (!texts[i])
            texts[i] = "";
    return texts;
}

void decode_piece(struct decoder *d, struct str raw, const struct decode_field *fields, void *out)
{
    struct json_reader outer = d->reader;

    if (d->failed || json_failed(&outer, NULL))
        return;
    json_open(&d->reader, raw);
    decode_record(d, fields, out);
    d->reader = outer;
}

/* ---- single values ---- */

void decode_text(struct decoder *d, void *target)
{
    const char *text = NULL;

    if (value_is(d, JSON_KIND_STRING, "a string"))
        text = json_text(&d->reader, d->arena);
    if (text)
        *(const char **)target = text;
}

void decode_bool(struct decoder *d, void *target)
{
    if (value_is(d, JSON_KIND_BOOL, "true or false"))
        *(bool *)target = json_bool(&d->reader, false);
}

void decode_int64(struct decoder *d, void *target)
{
    struct str raw;

    if (!value_is(d, JSON_KIND_NUMBER, "an integer"))
        return;
    raw = json_raw(&d->reader);
    if (!json_failed(&d->reader, NULL) && !str_to_int64(raw, target))
        unexpected_value(d, "a 64-bit integer", raw);
}

void decode_int32(struct decoder *d, void *target)
{
    int64_t wide = *(int32_t *)target;
    struct str raw;

    if (!value_is(d, JSON_KIND_NUMBER, "an integer"))
        return;
    raw = json_raw(&d->reader);
    if (json_failed(&d->reader, NULL))
        return;
    if (!str_to_int64(raw, &wide) || wide < INT32_MIN || wide > INT32_MAX)
        unexpected_value(d, "a 32-bit integer", raw);
    else
        *(int32_t *)target = (int32_t)wide;
}

void decode_quantity(struct decoder *d, void *target)
{
    enum json_kind kind;
    char *text;

    if (decode_absent(d))
        return;
    kind = json_peek(&d->reader);
    if (kind != JSON_KIND_STRING && kind != JSON_KIND_NUMBER) {
        decode_unexpected(d, "a quantity");
        return;
    }
    text = json_scalar(&d->reader, d->arena);
    if (text && quantity_parse(str_of(text), target, NULL) < 0)
        decode_problem(d, "", "expected a quantity, got \"%.*s\"",
                       STR_ARGS(str_prefix(str_of(text), VALUE_SHOWN)));
}

void decode_time(struct decoder *d, void *target)
{
    char *text;

    if (!value_is(d, JSON_KIND_STRING, "a time"))
        return;
    text = json_text(&d->reader, d->arena);
    if (text && time_parse(str_of(text), target, NULL) < 0)
        decode_problem(d, "", "expected a time like 2006-01-02T15:04:05Z, got \"%.*s\"",
                       STR_ARGS(str_prefix(str_of(text), VALUE_SHOWN)));
}

static void resource_read(struct decoder *d, void *target)
{
    decode_quantity(d, &((struct resource_quantity *)target)->quantity);
}

void decode_resources(struct decoder *d, void *target)
{
    struct resource_list *list = target;

    list->items = decode_map(d, sizeof(*list->items), resource_read, &list->count);
}

void decode_canonical(struct decoder *d, void *target)
{
    json_error_t problem;
    struct str raw;
    json_t *tree;
    char *text;

    if (decode_absent(d))
        return;
    raw = json_raw(&d->reader);
    if (json_failed(&d->reader, NULL))
        return;
    tree = json_loadb(raw.text, raw.length, JSON_DECODE_ANY, &problem);
    if (!tree) {
        decode_problem(d, "", "%s", problem.text);
        return;
    }
    text = json_dumps(tree, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    *(const char **)target = arena_strdup(d->arena, text);
    free(text);
    json_decref(tree);
}

int decode_choice(struct decoder *d, const char *const *names, int otherwise)
{
    AUTO_STRBUF struct strbuf known = STRBUF_INIT;
    const char *text = NULL;

    decode_text(d, &text);
    if (!text || d->failed)
        return d->failed ? -1 : otherwise;
    for (int i = 0; names[i]; i++) {
        if (strcmp(names[i], text) == 0)
            return i;
        strbuf_printf(&known, "%s\"%s\"", i ? ", " : "", names[i]);
    }
    decode_problem(d, "", "Unsupported value: \"%.*s\": supported values: %s",
                   STR_ARGS(str_prefix(str_of(text), VALUE_SHOWN)), known.text);
    return -1;
}

/* ---- documents ---- */

/* apiVersion comes first nearly always, so this look ahead is short. */
static bool is_v1beta1(struct str json)
{
    struct json_reader reader;
    struct str key;

    json_open(&reader, json);
    if (json_peek(&reader) != JSON_KIND_OBJECT || !json_enter_object(&reader))
        return false;
    while (json_member(&reader, &key)) {
        if (str_is(key, "apiVersion"))
            return str_ends(json_text_raw(&reader), "/v1beta1");
        json_skip(&reader);
    }
    return false;
}

int decode_document(struct str json, struct arena *a, const struct decode_field *fields, void *out,
                    struct err *e)
{
    struct decoder d = { .arena = a, .e = e, .v1beta1 = is_v1beta1(json) };

    json_open(&d.reader, json);
    if (json_peek(&d.reader) != JSON_KIND_OBJECT && !json_failed(&d.reader, NULL))
        decode_unexpected(&d, "an object");
    decode_record(&d, fields, out);
    if (d.failed)
        return -1;
    if (json_failed(&d.reader, e))
        return -1;
    if (json_end(&d.reader))
        return 0;
    return json_failed(&d.reader, e) ? -1 : err_set(e, ERR_INVALID, "object: more text follows");
}
