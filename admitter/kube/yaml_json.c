#include "admitter/kube/yaml.h"

#include <stdio.h>
#include <stdlib.h>

static void real_json(double value, struct strbuf *out)
{
    char text[40];

    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    strbuf_puts(out, text);
}

static void object_json(const json_t *value, struct strbuf *out)
{
    const char *key, *separator = "";
    json_t *member;

    strbuf_putc(out, '{');
    json_object_foreach((json_t *)(uintptr_t)value, key, member) {
        strbuf_puts(out, separator);
        strbuf_json(out, str_of(key));
        strbuf_putc(out, ':');
        yaml_json(member, out);
        separator = ",";
    }
    strbuf_putc(out, '}');
}

static void array_json(const json_t *value, struct strbuf *out)
{
    json_t *item;
    size_t i;

    strbuf_putc(out, '[');
    json_array_foreach(value, i, item) {
        if (i)
            strbuf_putc(out, ',');
        yaml_json(item, out);
    }
    strbuf_putc(out, ']');
}

void yaml_json(const json_t *value, struct strbuf *out)
{
    if (json_is_object(value))
        object_json(value, out);
    else if (json_is_array(value))
        array_json(value, out);
    else if (json_is_string(value))
        strbuf_json(out, (struct str){ json_string_value(value), json_string_length(value) });
    else if (json_is_integer(value))
        strbuf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        real_json(json_real_value(value), out);
    else
        strbuf_puts(out, json_is_true(value) ? "true" : json_is_false(value) ? "false" : "null");
}
