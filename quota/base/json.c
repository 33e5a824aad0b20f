#include "quota/base/json_private.h"

#define DEPTH_MAX 512

bool json_problem_(struct json_reader *r, const char *problem, const char *at)
{
    if (r->problem)
        return false;
    r->problem = problem;
    r->problem_at = at;
    return false;
}

void json_open(struct json_reader *r, struct str bytes)
{
    const char *start = bytes.length > 0 ? bytes.text : "";

    *r = (struct json_reader){ .at = start, .end = start + bytes.length, .start = start };
}

static void space_skip(struct json_reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\r' || *r->at == '\t'))
        r->at++;
}

enum json_kind json_peek(struct json_reader *r)
{
    if (r->problem)
        return JSON_KIND_NONE;
    space_skip(r);
    if (r->at == r->end) {
        json_problem_(r, "end of text where a value is expected", r->at);
        return JSON_KIND_NONE;
    }
    switch (*r->at) {
    case 'n':
        return JSON_KIND_NULL;
    case 't':
    case 'f':
        return JSON_KIND_BOOL;
    case '"':
        return JSON_KIND_STRING;
    case '[':
        return JSON_KIND_ARRAY;
    case '{':
        return JSON_KIND_OBJECT;
    default:
        if (*r->at == '-' || (*r->at >= '0' && *r->at <= '9'))
            return JSON_KIND_NUMBER;
        json_problem_(r, "value expected", r->at);
        return JSON_KIND_NONE;
    }
}

static bool enter(struct json_reader *r, enum json_kind kind)
{
    if (json_peek(r) != kind) {
        json_skip(r);
        return false;
    }
    if (r->depth == DEPTH_MAX)
        return json_problem_(r, "nested deeper than 512", r->at);
    r->depth++;
    r->first = true;
    r->at++;
    return true;
}

bool json_enter_object(struct json_reader *r)
{
    return enter(r, JSON_KIND_OBJECT);
}

bool json_enter_array(struct json_reader *r)
{
    return enter(r, JSON_KIND_ARRAY);
}

/* Step over the comma before the next member or item. False at the end of the container. */
static bool step(struct json_reader *r, bool first, char closing)
{
    space_skip(r);
    if (r->at == r->end)
        return json_problem_(r, "end of text inside an object or array", r->at);
    if (*r->at == closing) {
        r->at++;
        return false;
    }
    if (first)
        return true;
    if (*r->at != ',')
        return json_problem_(r, closing == '}' ? "',' or '}' expected" : "',' or ']' expected",
                             r->at);
    r->at++;
    return true;
}

static bool container_next(struct json_reader *r, char closing)
{
    bool first = r->first;

    if (r->problem)
        return false;
    r->first = false;
    if (step(r, first, closing))
        return true;
    if (!r->problem && r->depth > 0)
        r->depth--;
    return false;
}

static bool key_read(struct json_reader *r, struct str *key)
{
    bool escaped;

    space_skip(r);
    if (r->at == r->end || *r->at != '"')
        return json_problem_(r, "member name expected", r->at);
    if (!json_string_read_(r, key, &escaped))
        return false;
    space_skip(r);
    if (r->at == r->end || *r->at != ':')
        return json_problem_(r, "':' expected", r->at);
    r->at++;
    return true;
}

bool json_member(struct json_reader *r, struct str *key)
{
    return container_next(r, '}') && key_read(r, key);
}

bool json_item(struct json_reader *r)
{
    return container_next(r, ']') && json_peek(r) != JSON_KIND_NONE;
}

static bool digits_skip(struct json_reader *r)
{
    const char *start = r->at;

    while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
        r->at++;
    return r->at > start;
}

static bool at_one_of(const struct json_reader *r, char a, char b)
{
    return r->at < r->end && (*r->at == a || *r->at == b);
}

/* *integer tells whether there is neither fraction nor exponent. */
static bool number_read(struct json_reader *r, struct str *raw, bool *integer)
{
    const char *start = r->at;
    bool fine = true;

    *integer = true;
    r->at += *r->at == '-';
    if (at_one_of(r, '0', '0'))
        r->at++;
    else
        fine = digits_skip(r);
    if (fine && at_one_of(r, '.', '.')) {
        *integer = false;
        r->at++;
        fine = digits_skip(r);
    }
    if (fine && at_one_of(r, 'e', 'E')) {
        *integer = false;
        r->at++;
        r->at += at_one_of(r, '+', '-');
        fine = digits_skip(r);
    }
    if (!fine || (r->at < r->end && *r->at >= '0' && *r->at <= '9'))
        return json_problem_(r, "invalid number", start);
    *raw = (struct str){ start, (size_t)(r->at - start) };
    return true;
}

static bool word_read(struct json_reader *r, const char *word)
{
    if (!str_starts((struct str){ r->at, (size_t)(r->end - r->at) }, word))
        return json_problem_(r, "value expected", r->at);
    r->at += strlen(word);
    return true;
}

/* Skip a scalar whose kind was peeked. */
static bool scalar_skip(struct json_reader *r, enum json_kind kind)
{
    struct str ignored;
    bool flag;

    switch (kind) {
    case JSON_KIND_NULL:
        return word_read(r, "null");
    case JSON_KIND_BOOL:
        return word_read(r, *r->at == 't' ? "true" : "false");
    case JSON_KIND_NUMBER:
        return number_read(r, &ignored, &flag);
    case JSON_KIND_STRING:
        return json_string_read_(r, &ignored, &flag);
    case JSON_KIND_NONE:
    case JSON_KIND_ARRAY:
    case JSON_KIND_OBJECT:
        break;
    }
    return false;
}

/* One step of json_skip inside the containers it entered: consumes up to the start of the next
 * value (true) or finds that the skipped value has ended or is wrong (false). */
static bool skip_to_value(struct json_reader *r, const bool *is_object, unsigned *depth, bool first)
{
    struct str key;

    while (*depth > 0) {
        bool object = is_object[*depth - 1];

        if (step(r, first, object ? '}' : ']'))
            return !object || key_read(r, &key);
        if (r->problem)
            return false;
        (*depth)--;
        first = false;
    }
    return false;
}

void json_skip(struct json_reader *r)
{
    bool is_object[DEPTH_MAX];
    unsigned depth = 0;
    bool first;

    do {
        enum json_kind kind = json_peek(r);

        first = kind == JSON_KIND_OBJECT || kind == JSON_KIND_ARRAY;
        if (!first) {
            if (!scalar_skip(r, kind))
                return;
            continue;
        }
        if (r->depth + depth == DEPTH_MAX) {
            json_problem_(r, "nested deeper than 512", r->at);
            return;
        }
        is_object[depth++] = kind == JSON_KIND_OBJECT;
        r->at++;
    } while (skip_to_value(r, is_object, &depth, first));
}

static bool string_next(struct json_reader *r, struct str *raw, bool *escaped)
{
    if (json_peek(r) == JSON_KIND_STRING)
        return json_string_read_(r, raw, escaped);
    json_skip(r);
    return false;
}

char *json_text(struct json_reader *r, struct arena *a)
{
    struct str raw;
    bool escaped;
    char *text, *to;
    const char *from;

    if (!string_next(r, &raw, &escaped))
        return NULL;
    if (!escaped)
        return arena_dup(a, raw);
    text = to = arena_alloc(a, raw.length + 4);
    from = raw.text;
    while (from < raw.text + raw.length)
        to += json_character_(&from, to);
    *to = '\0';
    return text;
}

struct str json_text_raw(struct json_reader *r)
{
    struct str raw;
    bool escaped;

    return string_next(r, &raw, &escaped) ? raw : (struct str){ NULL, 0 };
}

bool json_text_is(struct json_reader *r, const char *literal)
{
    struct str raw;
    bool escaped;
    const char *from;

    if (!string_next(r, &raw, &escaped))
        return false;
    if (!escaped)
        return str_is(raw, literal);
    for (from = raw.text; from < raw.text + raw.length;) {
        char piece[4];
        size_t length = json_character_(&from, piece);

        if (strncmp(literal, piece, length) != 0)
            return false;
        literal += length;
    }
    return *literal == '\0';
}

int64_t json_int(struct json_reader *r, int64_t otherwise)
{
    struct str raw;
    bool integer;
    int64_t value;

    if (json_peek(r) != JSON_KIND_NUMBER) {
        json_skip(r);
        return otherwise;
    }
    if (!number_read(r, &raw, &integer) || !integer || !str_to_int64(raw, &value))
        return otherwise;
    return value;
}

bool json_bool(struct json_reader *r, bool otherwise)
{
    enum json_kind kind = json_peek(r);
    bool value = kind == JSON_KIND_BOOL && *r->at == 't';

    json_skip(r);
    return kind == JSON_KIND_BOOL && !r->problem ? value : otherwise;
}

struct str json_raw(struct json_reader *r)
{
    const char *start;

    if (json_peek(r) == JSON_KIND_NONE)
        return (struct str){ NULL, 0 };
    start = r->at;
    json_skip(r);
    return r->problem ? (struct str){ NULL, 0 } : (struct str){ start, (size_t)(r->at - start) };
}

char *json_scalar(struct json_reader *r, struct arena *a)
{
    struct str raw;
    bool integer;

    if (json_peek(r) != JSON_KIND_NUMBER)
        return json_text(r, a);
    return number_read(r, &raw, &integer) ? arena_dup(a, raw) : NULL;
}

bool json_failed(const struct json_reader *r, struct err *e)
{
    if (!r->problem)
        return false;
    err_set(e, ERR_INVALID, "JSON: %s at byte %zu", r->problem, (size_t)(r->problem_at - r->start));
    return true;
}

bool json_end(struct json_reader *r)
{
    if (r->problem)
        return false;
    space_skip(r);
    return r->at == r->end || json_problem_(r, "more text behind the value", r->at);
}
