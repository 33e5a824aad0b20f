/* json_judge.h - does quota/base/json agree with jansson about these bytes?
 *
 * Both read the text; the tree that our reader sees is built with jansson and compared. They differ
 * on purpose in four things, which are left out of the comparison: jansson refuses integers beyond
 * int64 and reals beyond double (we hand them out as text), goes 2048 deep (we go 512), and
 * overlooks a NUL byte behind a number (we refuse NUL everywhere). */
#pragma once

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>
#include "quota/base/json.h"

static inline json_t *judge_build(struct json_reader *r, struct arena *a);

static inline json_t *judge_build_object(struct json_reader *r, struct arena *a)
{
    json_t *object = json_object(), *value;
    struct str key;

    json_enter_object(r);
    while (json_member(r, &key)) {
        struct json_reader name;
        char *quoted = arena_format(a, "\"%.*s\"", (int)key.length, key.text);

        json_open(&name, str_of(quoted));
        value = judge_build(r, a);
        if (!value)
            break;
        json_object_set_new(object, json_text(&name, a), value);
    }
    return object;
}

static inline json_t *judge_build_array(struct json_reader *r, struct arena *a)
{
    json_t *array = json_array(), *value;

    json_enter_array(r);
    while (json_item(r)) {
        value = judge_build(r, a);
        if (!value)
            break;
        json_array_append_new(array, value);
    }
    return array;
}

static inline json_t *judge_build_number(struct json_reader *r, struct arena *a)
{
    const char *text = json_scalar(r, a);
    int64_t integer;
    double real;

    if (!text)
        return NULL;
    if (str_to_int64(str_of(text), &integer))
        return json_integer(integer);
    real = strtod(text, NULL);
    return isfinite(real) ? json_real(real) : json_null();
}

/* The next value as a jansson tree; NULL when the reader failed. */
static inline json_t *judge_build(struct json_reader *r, struct arena *a)
{
    char *text;

    switch (json_peek(r)) {
    case JSON_KIND_OBJECT:
        return judge_build_object(r, a);
    case JSON_KIND_ARRAY:
        return judge_build_array(r, a);
    case JSON_KIND_STRING:
        text = json_text(r, a);
        return text ? json_string(text) : NULL;
    case JSON_KIND_NUMBER:
        return judge_build_number(r, a);
    case JSON_KIND_BOOL:
        return json_boolean(json_bool(r, false));
    case JSON_KIND_NULL:
        json_skip(r);
        return json_null();
    case JSON_KIND_NONE:
        break;
    }
    return NULL;
}

/* NULL when both agree, else what they disagree about. */
static inline const char *judge_json(struct str bytes)
{
    struct arena a = ARENA_INIT;
    struct json_reader r, skipped;
    const char *verdict = NULL;
    json_error_t error;
    json_t *theirs, *ours;
    bool fine;

    /* jansson takes no NULL. */
    theirs = json_loadb(bytes.length ? bytes.text : "", bytes.length, JSON_DECODE_ANY, &error);
    json_open(&r, bytes);
    ours = judge_build(&r, &a);
    fine = json_end(&r);
    json_open(&skipped, bytes);
    json_skip(&skipped);
    if (json_end(&skipped) != fine || skipped.problem != r.problem ||
        skipped.problem_at != r.problem_at)
        verdict = "skipping and reading differ";
    else if (r.problem && strstr(r.problem, "512"))
        verdict = NULL;
    else if (!theirs && json_error_code(&error) == json_error_numeric_overflow)
        verdict = NULL;
    else if (bytes.length > 0 && memchr(bytes.text, 0, bytes.length))
        verdict = fine ? "a NUL byte is accepted" : NULL;
    else if ((theirs != NULL) != fine)
        verdict = fine ? "jansson refuses it" : r.problem;
    else if (theirs && !json_equal(theirs, ours))
        verdict = "values differ";
    json_decref(theirs);
    json_decref(ours);
    arena_finish(&a);
    return verdict;
}
