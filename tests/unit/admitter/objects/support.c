#include "tests/unit/admitter/objects/support.h"

#include <stdlib.h>
#include <string.h>

struct arena arena;

int arena_setup(void **state)
{
    (void)state;
    arena_init(&arena);
    return 0;
}

int arena_teardown(void **state)
{
    (void)state;
    arena_finish(&arena);
    return 0;
}

static void requote(char *text)
{
    for (; *text; text++)
        if (*text == '\'')
            *text = '"';
}

struct str quoted(struct arena *a, const char *text)
{
    char *copy = arena_strdup(a, text);

    requote(copy);
    return str_of(copy);
}

json_t *tree(const char *text)
{
    char *copy = strdup(text);
    json_error_t problem;
    json_t *value;

    requote(copy);
    value = json_loads(copy, JSON_DECODE_ANY, &problem);
    if (!value)
        fail_msg("%s at %d: %s", problem.text, problem.position, copy);
    free(copy);
    return value;
}

static json_t *find(const json_t *object, const char *path)
{
    char key[200];

    while (object && *path) {
        size_t length = strcspn(path, ".");

        memcpy(key, path, length);
        key[length] = '\0';
        object = json_is_array(object) ? json_array_get(object, strtoul(key, NULL, 10))
                                       : json_object_get(object, key);
        path += path[length] ? length + 1 : length;
    }
    return (json_t *)object;
}

json_t *member(const json_t *object, const char *path)
{
    json_t *value = find(object, path);

    if (!value)
        fail_msg("no %s", path);
    return value;
}

const char *member_text(const json_t *object, const char *path)
{
    const char *text = json_string_value(member(object, path));

    if (!text)
        fail_msg("%s is no text", path);
    return text;
}

bool has_member(const json_t *object, const char *path)
{
    return find(object, path) != NULL;
}

void assert_json(const json_t *value, const char *expected)
{
    json_t *wanted = tree(expected);
    char *left = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    char *right = json_dumps(wanted, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);

    assert_string_equal(left, right);
    free(left);
    free(right);
    json_decref(wanted);
}

void judge(object_validate_function *validate, const struct object_gates *gates,
           const struct rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        json_t *before = rules[i].before ? tree(rules[i].before) : NULL;
        json_t *object = tree(rules[i].object);
        const char *expected = rules[i].expected ? rules[i].expected : "allowed", *text;
        struct field_errors errors;

        field_errors_init(&errors, &arena);
        validate(before, object, gates, &errors);
        text = field_errors_text(&errors) ? field_errors_text(&errors) : "allowed";
        if (strcmp(text, expected) != 0)
            fail_msg("rule %zu: %s\n  got      %s\n  expected %s", i, rules[i].object, text,
                     expected);
        json_decref(before);
        json_decref(object);
    }
}
