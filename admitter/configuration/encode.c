/* encode.c - the configuration in effect as a v1beta2 file, for the log. */
#include <string.h>

#include "admitter/configuration/object.h"

#define INDENT 2

static void encode_fields(struct strbuf *out, const char *object, const struct field_table *table,
                          unsigned indent);

static void text(struct strbuf *out, const char *value)
{
    strbuf_json(out, str_of(value));
}

/* ---- values on one line; nothing is put for what is absent ---- */

static void encode_number(struct strbuf *out, const struct given_int *number, bool is_duration)
{
    char buffer[DURATION_TEXT];

    if (number->given && is_duration)
        strbuf_puts(out, duration_print(number->value, buffer));
    else if (number->given)
        strbuf_printf(out, "%lld", (long long)number->value);
}

static void encode_texts(struct strbuf *out, const char *const *items, size_t count)
{
    strbuf_putc(out, '[');
    for (size_t i = 0; i < count; i++) {
        strbuf_puts(out, i > 0 ? "," : "");
        text(out, items[i]);
    }
    strbuf_putc(out, ']');
}

static void encode_ints(struct strbuf *out, const struct given_ints *numbers)
{
    for (size_t i = 0; i < numbers->count; i++)
        strbuf_printf(out, "%s%d", i > 0 ? "," : "[", numbers->items[i]);
    strbuf_puts(out, numbers->count > 0 ? "]" : "");
}

/* As it was written; the default one has expressions only. */
static void encode_selector(struct strbuf *out, const struct given_selector *selector)
{
    const struct label_selector *made = &selector->value;

    if (!selector->given)
        return;
    if (selector->source) {
        yaml_json(selector->source, out);
        return;
    }
    strbuf_puts(out, "{\"matchExpressions\":[");
    for (size_t i = 0; i < made->requirement_count; i++) {
        const struct label_requirement *requirement = &made->requirements[i];

        strbuf_printf(out, "%s{\"key\":\"%s\",\"operator\":\"%s\",\"values\":", i > 0 ? "," : "",
                      requirement->key, requirement->operator_text);
        encode_texts(out, requirement->values, requirement->value_count);
        strbuf_putc(out, '}');
    }
    strbuf_puts(out, "]}");
}

static void encode_map(struct strbuf *out, const json_t *map)
{
    if (map)
        yaml_json(map, out);
}

static void encode_bool(struct strbuf *out, const struct given_bool *value)
{
    if (value->given)
        strbuf_puts(out, value->value ? "true" : "false");
}

static void encode_real(struct strbuf *out, const struct given_number *number)
{
    if (number->given)
        strbuf_printf(out, "%g", number->value);
}

static void encode_text(struct strbuf *out, const char *value)
{
    if (value && *value)
        text(out, value);
}

static void encode_value(struct strbuf *out, const void *value, enum field_type type)
{
    switch (type) {
    case FIELD_DROPPED:
        break;
    case FIELD_BOOL:
        encode_bool(out, value);
        break;
    case FIELD_NUMBER:
        encode_real(out, value);
        break;
    case FIELD_INT:
    case FIELD_LONG:
    case FIELD_DURATION:
        encode_number(out, value, type == FIELD_DURATION);
        break;
    case FIELD_SECRET:
        strbuf_puts(out, *(const char *const *)value ? "\"...\"" : "");
        break;
    case FIELD_TEXT:
    case FIELD_ADDRESS:
        encode_text(out, *(const char *const *)value);
        break;
    case FIELD_TEXTS:
        if (((const struct given_texts *)value)->count > 0)
            encode_texts(out, ((const struct given_texts *)value)->items,
                         ((const struct given_texts *)value)->count);
        break;
    case FIELD_INTS:
        encode_ints(out, value);
        break;
    case FIELD_SELECTOR:
        encode_selector(out, value);
        break;
    default:
        encode_map(out, *(const json_t *const *)value);
        break;
    }
}

/* ---- objects and lists of objects ---- */

static void encode_rows(struct strbuf *out, const struct given_rows *rows,
                        const struct field_table *table, const char *name, unsigned indent)
{
    if (rows->count > 0)
        strbuf_printf(out, "%*s%s:\n", (int)indent, "", name);
    for (size_t i = 0; i < rows->count; i++) {
        size_t begin = out->length;

        encode_fields(out, (const char *)rows->items + i * table->size, table, indent + INDENT);
        if (out->length > begin) /* the first field stands behind the dash */
            out->text[begin + indent] = '-';
        else
            strbuf_printf(out, "%*s- {}\n", (int)indent, "");
    }
}

/* A section that says nothing is left out, unless its being there says something. */
static void encode_object(struct strbuf *out, const char *object, const struct field_table *table,
                          const char *name, unsigned indent)
{
    size_t before = out->length, begin;

    strbuf_printf(out, "%*s%s:\n", (int)indent, "", name);
    begin = out->length;
    encode_fields(out, object, table, indent + INDENT);
    if (out->length > begin)
        return;
    out->length = before;
    if (*(const bool *)object)
        strbuf_printf(out, "%*s%s: {}\n", (int)indent, "", name);
}

static void encode_fields(struct strbuf *out, const char *object, const struct field_table *table,
                          unsigned indent)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct field *field = &table->fields[i];
        const char *value = object + field->offset;
        size_t before = out->length, begin;

        if (!(field->versions & VERSION_2))
            continue;
        if (field->type == FIELD_OBJECT) {
            encode_object(out, value, field->table, field->name, indent);
        } else if (field->type == FIELD_ROWS) {
            encode_rows(out, (const void *)value, field->table, field->name, indent);
        } else {
            strbuf_printf(out, "%*s%s: ", (int)indent, "", field->name);
            begin = out->length;
            encode_value(out, value, field->type);
            if (out->length > begin)
                strbuf_putc(out, '\n');
            else
                out->length = before;
        }
    }
}

const char *configuration_encode(const struct reading *r)
{
    AUTO_STRBUF struct strbuf out = STRBUF_INIT;

    strbuf_puts(&out, "apiVersion: config.kueue.x-k8s.io/v1beta2\nkind: Configuration\n");
    encode_fields(&out, (const char *)&r->object, &configuration_fields, 0);
    return arena_dup(r->arena, strbuf_view(&out));
}
