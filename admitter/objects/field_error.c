#include "admitter/objects/field_error.h"

#include <stdarg.h>
#include <string.h>
#include "quota/base/map.h"
#include "quota/base/mem.h"

/* ---- the list ---- */

void field_errors_init(struct field_errors *errors, struct arena *arena)
{
    *errors = (struct field_errors){ .arena = arena };
}

size_t field_errors_count(const struct field_errors *errors)
{
    return errors->count;
}

const char *field_errors_text(const struct field_errors *errors)
{
    AUTO_STRBUF struct strbuf text = STRBUF_INIT;
    struct map *seen = map_create();
    size_t distinct = 0;

    for (size_t i = 0; i < errors->count; i++) {
        struct field_error *error = &errors->items[i];

        if (map_put(seen, str_of(error->text), error))
            continue;
        strbuf_printf(&text, "%s%s", distinct++ ? ", " : "", error->text);
    }
    map_destroy(seen);
    if (distinct < 2)
        return distinct ? errors->items[0].text : NULL;
    return arena_format(errors->arena, "[%s]", text.text);
}

char *field_path(struct field_errors *errors, const char *fmt, ...)
{
    AUTO_FREE char *text = NULL;
    va_list arguments;

    va_start(arguments, fmt);
    if (vasprintf(&text, fmt, arguments) < 0)
        text = mem_dup("");
    va_end(arguments);
    return arena_strdup(errors->arena, text);
}

/* ---- kinds ---- */

static const struct {
    const char *text, *reason;
} kinds[] = {
    [FIELD_INVALID] = { "Invalid value", "FieldValueInvalid" },
    [FIELD_DUPLICATE] = { "Duplicate value", "FieldValueDuplicate" },
    [FIELD_NOT_SUPPORTED] = { "Unsupported value", "FieldValueNotSupported" },
    [FIELD_NOT_FOUND] = { "Not found", "FieldValueNotFound" },
    [FIELD_REQUIRED] = { "Required value", "FieldValueRequired" },
    [FIELD_FORBIDDEN] = { "Forbidden", "FieldValueForbidden" },
    [FIELD_TOO_LONG] = { "Too long", "FieldValueTooLong" },
    [FIELD_TOO_MANY] = { "Too many", "FieldValueTooMany" },
};

const char *field_error_reason(enum field_error_kind kind)
{
    return kinds[kind].reason;
}

static struct field_error *room_for_one(struct field_errors *errors)
{
    struct field_error *items;

    if (errors->count == errors->capacity) {
        errors->capacity = errors->capacity ? 2 * errors->capacity : 4;
        items = ARENA_ARRAY(errors->arena, errors->capacity, struct field_error);
        if (errors->count)
            memcpy(items, errors->items, errors->count * sizeof(*items));
        errors->items = items;
    }
    return &errors->items[errors->count++];
}

/* 'value' is printed as it stands; NULL: none. */
static void add(struct field_errors *errors, enum field_error_kind kind, const char *path,
                const char *value, const char *detail)
{
    struct arena *a = errors->arena;
    struct field_error *error;

    if (errors->bytes > FIELD_ERROR_BYTES)
        return;
    error = room_for_one(errors);
    error->kind = kind;
    error->path = arena_strdup(a, path);
    error->body = arena_format(a, "%s%s%s%s%s", kinds[kind].text, value ? ": " : "",
                               value ? value : "", *detail ? ": " : "", detail);
    error->text = arena_format(a, "%s: %s", path, error->body);
    errors->bytes += strlen(error->text);
}

/* ---- values ---- */

/* Bytes at the start of 'text' that make one whole character of UTF-8; 0: none does. */
static size_t character_length(const char *text)
{
    unsigned char c = (unsigned char)*text;
    size_t length = c < 0x80 ? 1 : c < 0xC2 ? 0 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : c < 0xF5 ? 4 : 0;

    for (size_t i = 1; i < length; i++)
        if (((unsigned char)text[i] & 0xC0) != 0x80)
            return 0;
    return length;
}

/* As Go's %q. */
static char *quoted(struct arena *a, const char *text)
{
    AUTO_STRBUF struct strbuf out = STRBUF_INIT;

    strbuf_putc(&out, '"');
    for (size_t length; *text; text += length) {
        unsigned char c = (unsigned char)*text;

        length = character_length(text);
        if (c == '"' || c == '\\')
            strbuf_printf(&out, "\\%c", c);
        else if (c >= 7 && c <= 13)
            strbuf_printf(&out, "\\%c", "abtnvfr"[c - 7]);
        else if (length == 0 || c < 0x20 || c == 0x7F)
            strbuf_printf(&out, "\\x%02x", c);
        else
            strbuf_add(&out, text, length);
        length = length ? length : 1;
    }
    strbuf_putc(&out, '"');
    return arena_dup(a, strbuf_view(&out));
}

/* Compact JSON the way Go writes it: <, > and & escaped. */
static char *compact(struct arena *a, const json_t *value)
{
    AUTO_FREE char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    AUTO_STRBUF struct strbuf out = STRBUF_INIT;

    for (const char *p = text ? text : "null"; *p; p++) {
        if (strchr("<>&", *p))
            strbuf_printf(&out, "\\u%04x", (unsigned)*p);
        else
            strbuf_putc(&out, *p);
    }
    return arena_dup(a, strbuf_view(&out));
}

static char *shown(struct arena *a, const json_t *value)
{
    if (!value || json_is_null(value))
        return quoted(a, "null");
    return json_is_string(value) ? quoted(a, json_string_value(value)) : compact(a, value);
}

/* ---- one function per form ---- */

/* char *detail: the formatted arguments behind 'fmt'; freed at the end of the block. */
#define DETAIL(fmt)                                                                                \
    AUTO_FREE char *detail = NULL;                                                                 \
    va_list arguments;                                                                             \
    va_start(arguments, fmt);                                                                      \
    if (vasprintf(&detail, fmt, arguments) < 0)                                                    \
        detail = mem_dup("");                                                                      \
    va_end(arguments)

void field_error_invalid_text(struct field_errors *errors, const char *path, const char *value,
                              const char *fmt, ...)
{
    DETAIL(fmt);
    add(errors, FIELD_INVALID, path, quoted(errors->arena, value), detail);
}

void field_error_invalid_int(struct field_errors *errors, const char *path, int64_t value,
                             const char *fmt, ...)
{
    DETAIL(fmt);
    add(errors, FIELD_INVALID, path, arena_format(errors->arena, "%lld", (long long)value), detail);
}

void field_error_invalid_bool(struct field_errors *errors, const char *path, bool value,
                              const char *fmt, ...)
{
    DETAIL(fmt);
    add(errors, FIELD_INVALID, path, value ? "true" : "false", detail);
}

void field_error_invalid_json(struct field_errors *errors, const char *path, const json_t *value,
                              const char *fmt, ...)
{
    DETAIL(fmt);
    add(errors, FIELD_INVALID, path, shown(errors->arena, value), detail);
}

void field_error_invalid_omitted(struct field_errors *errors, const char *path, const char *fmt,
                                 ...)
{
    DETAIL(fmt);
    add(errors, FIELD_INVALID, path, NULL, detail);
}

void field_error_forbidden(struct field_errors *errors, const char *path, const char *fmt, ...)
{
    DETAIL(fmt);
    add(errors, FIELD_FORBIDDEN, path, NULL, detail);
}

void field_error_required(struct field_errors *errors, const char *path, const char *fmt, ...)
{
    DETAIL(fmt);
    add(errors, FIELD_REQUIRED, path, NULL, detail);
}

void field_error_duplicate_text(struct field_errors *errors, const char *path, const char *value)
{
    add(errors, FIELD_DUPLICATE, path, quoted(errors->arena, value), "");
}

void field_error_duplicate_json(struct field_errors *errors, const char *path, const json_t *value,
                                const char *detail)
{
    add(errors, FIELD_DUPLICATE, path, shown(errors->arena, value), detail);
}

void field_error_not_found(struct field_errors *errors, const char *path, const char *value)
{
    add(errors, FIELD_NOT_FOUND, path, quoted(errors->arena, value), "");
}

void field_error_not_supported(struct field_errors *errors, const char *path, const char *value,
                               const char *const *supported, size_t count)
{
    AUTO_STRBUF struct strbuf detail = STRBUF_INIT;

    if (errors->bytes > FIELD_ERROR_BYTES)
        return;
    for (size_t i = 0; i < count; i++)
        strbuf_printf(&detail, "%s%s",
                      i ? ", " : "supported values: ", quoted(errors->arena, supported[i]));
    add(errors, FIELD_NOT_SUPPORTED, path, quoted(errors->arena, value),
        detail.length ? detail.text : "");
}

void field_error_too_long(struct field_errors *errors, const char *path, size_t limit_bytes)
{
    add(errors, FIELD_TOO_LONG, path, NULL,
        arena_format(errors->arena, "may not be more than %zu bytes", limit_bytes));
}
