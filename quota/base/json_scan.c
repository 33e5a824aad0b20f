#include "quota/base/json.h"

void json_scanner_init(struct json_scanner *s)
{
    *s = (struct json_scanner){ .depth = 0 };
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Inside a string. True: this byte closes it. */
static bool string_step(struct json_scanner *s, char c)
{
    if (s->escaped)
        s->escaped = false;
    else if (c == '\\')
        s->escaped = true;
    else if (c == '"')
        s->in_string = false;
    return !s->in_string;
}

/* Outside of strings. True: this byte ends the value. */
static bool structure_step(struct json_scanner *s, char c)
{
    if (c == '"') {
        s->in_string = true;
    } else if (c == '{' || c == '[') {
        s->depth++;
    } else if (c == '}' || c == ']') {
        s->depth -= s->depth > 0;
        return s->depth == 0;
    } else if (s->depth == 0) {
        s->scalar = true;
    }
    return false;
}

size_t json_scan(struct json_scanner *s, struct str bytes, bool *done)
{
    *done = false;
    for (size_t i = 0; i < bytes.length; i++) {
        char c = bytes.text[i];

        if (s->in_string) {
            *done = string_step(s, c) && s->depth == 0;
        } else if (is_space(c)) {
            *done = s->scalar; /* a number or word ends where white space begins */
            if (*done)
                return i;
            continue;
        } else if (s->scalar && strchr("{}[]\",", c)) {
            *done = true;
            return i;
        } else {
            *done = structure_step(s, c);
        }
        s->started = true;
        if (*done)
            return i + 1;
    }
    return bytes.length;
}
