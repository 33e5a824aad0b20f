#include "tests/unit/webhook/support.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "quota/base/mem.h"
#include "quota/base/base64.h"
#include "webhook/patch.h"

static json_t *load(const char *text)
{
    json_error_t error;
    json_t *tree = json_loads(text, JSON_DECODE_ANY, &error);

    if (!tree)
        fail_msg("%s in %s", error.text, text);
    return tree;
}

/* -- a slow and simple reading of RFC 6902, to judge by -- */

static char *token_next(const char **pointer)
{
    const char *start = *pointer + 1, *end = strchr(start, '/');
    size_t length = end ? (size_t)(end - start) : strlen(start), n = 0;
    char *token = mem_alloc(length + 1);

    for (size_t i = 0; i < length; i++) {
        if (start[i] == '~')
            token[n++] = start[++i] == '1' ? '/' : '~';
        else
            token[n++] = start[i];
    }
    *pointer = start + length;
    return token;
}

static json_t *child(json_t *parent, const char *token)
{
    return json_is_array(parent) ? json_array_get(parent, (size_t)strtoul(token, NULL, 10))
                                 : json_object_get(parent, token);
}

static void operate(json_t *parent, const char *token, const char *op, json_t *value)
{
    bool array = json_is_array(parent);
    size_t index = array ? (size_t)strtoul(token, NULL, 10) : 0;
    int code;

    if (strcmp(op, "add") != 0)
        assert_non_null(child(parent, token)); /* replace and remove need a target */
    if (strcmp(op, "remove") == 0)
        code = array ? json_array_remove(parent, index) : json_object_del(parent, token);
    else if (strcmp(op, "add") == 0)
        code =
            array ? json_array_insert(parent, index, value) : json_object_set(parent, token, value);
    else
        code = array ? json_array_set(parent, index, value) : json_object_set(parent, token, value);
    assert_int_equal(code, 0);
}

static json_t *apply(json_t *tree, json_t *operation)
{
    const char *op = json_string_value(json_object_get(operation, "op"));
    const char *pointer = json_string_value(json_object_get(operation, "path"));
    json_t *value = json_object_get(operation, "value"), *at = tree;

    if (!*pointer) {
        assert_string_equal(op, "replace");
        json_decref(tree);
        return json_incref(value);
    }
    for (;;) {
        AUTO_FREE char *token = token_next(&pointer);

        assert_non_null(at);
        if (!*pointer) {
            operate(at, token, op, value);
            return tree;
        }
        at = child(at, token);
    }
}

static json_t *apply_all(const json_t *from, struct str text)
{
    json_t *tree = json_deep_copy(from);
    json_t *operations;
    json_t *operation;
    size_t i;

    if (!text.length)
        return tree;
    operations = load(text.text);
    json_array_foreach(operations, i, operation)
        tree = apply(tree, operation);
    json_decref(operations);
    return tree;
}

static size_t check_difference(json_t *from, json_t *to)
{
    struct patch patch = PATCH_INIT;
    struct arena arena = ARENA_INIT;
    json_t *got;
    size_t count;

    patch_difference(&patch, from, to);
    count = patch.count;
    got = apply_all(from, patch_end(&patch, &arena));
    if (!json_equal(got, to)) {
        char *a = json_dumps(from, JSON_ENCODE_ANY), *b = json_dumps(to, JSON_ENCODE_ANY);
        char *c = json_dumps(got, JSON_ENCODE_ANY);

        fail_msg("from %s to %s gave %s", a, b, c);
    }
    json_decref(got);
    arena_finish(&arena);
    return count;
}

static void a_difference_says_only_what_changed(void **state)
{
    static const struct {
        const char *from, *to, *patch;
    } cases[] = {
        { "{}", "{}", "" },
        { "{\"a\":1}", "{\"a\":1}", "" },
        { "{\"a\":1,\"b\":2}", "{\"a\":1,\"b\":3}",
          "[{\"op\":\"replace\",\"path\":\"/b\",\"value\":3}]" },
        { "{\"a\":1}", "{}", "[{\"op\":\"remove\",\"path\":\"/a\"}]" },
        { "{}", "{\"a\":{\"x\":[]}}", "[{\"op\":\"add\",\"path\":\"/a\",\"value\":{\"x\":[]}}]" },
        { "{\"m\":{}}", "{\"m\":{\"k/q~n\":\"v\"}}",
          "[{\"op\":\"add\",\"path\":\"/m/k~1q~0n\",\"value\":\"v\"}]" },
        { "{\"a\":{}}", "{\"a\":[]}", "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":[]}]" },
        { "{\"a\":null}", "{\"a\":false}",
          "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":false}]" },
        { "[1,2,3]", "[1,2,3,4]", "[{\"op\":\"add\",\"path\":\"/3\",\"value\":4}]" },
        { "[1,2,3]", "[1,9,2,3]", "[{\"op\":\"add\",\"path\":\"/1\",\"value\":9}]" },
        { "[1,2,3]", "[2,3]", "[{\"op\":\"remove\",\"path\":\"/0\"}]" },
        { "[{\"n\":\"c\",\"i\":1}]", "[{\"n\":\"c\",\"i\":2}]",
          "[{\"op\":\"replace\",\"path\":\"/0/i\",\"value\":2}]" },
        { "{\"\":1}", "{\"\":2}", "[{\"op\":\"replace\",\"path\":\"/\",\"value\":2}]" },
        { "1", "2", "[{\"op\":\"replace\",\"path\":\"\",\"value\":2}]" },
        { "{\"q\":\"\"}", "{\"q\":\"a\\\"\\u0007\"}",
          "[{\"op\":\"replace\",\"path\":\"/q\",\"value\":\"a\\\"\\u0007\"}]" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct patch patch = PATCH_INIT;
        struct arena arena = ARENA_INIT;
        json_t *from = load(cases[i].from), *to = load(cases[i].to);
        struct str text;

        patch_difference(&patch, from, to);
        text = patch_end(&patch, &arena);
        assert_string_equal(text.length ? text.text : "", cases[i].patch);
        check_difference(from, to);
        json_decref(from);
        json_decref(to);
        arena_finish(&arena);
    }
}

static uint32_t random_next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static json_t *random_tree(uint32_t *seed, unsigned depth)
{
    static const char *const keys[] = { "a", "b/c", "~", "d~1", "" };
    unsigned kind = random_next(seed) % (depth ? 6 : 4), count = random_next(seed) % 4;
    json_t *tree;

    switch (kind) {
    case 0:
        return json_integer(random_next(seed) % 3);
    case 1:
        return json_string(keys[random_next(seed) % 5]);
    case 2:
        return json_null();
    case 3:
        return json_boolean(random_next(seed) % 2);
    case 4:
        tree = json_array();
        while (count--)
            json_array_append_new(tree, random_tree(seed, depth - 1));
        return tree;
    default:
        tree = json_object();
        while (count--)
            json_object_set_new(tree, keys[random_next(seed) % 5], random_tree(seed, depth - 1));
        return tree;
    }
}

static void applying_a_difference_gives_the_other_tree(void **state)
{
    uint32_t seed = 7;
    size_t operations = 0;

    (void)state;
    for (int i = 0; i < 5000; i++) {
        json_t *from = random_tree(&seed, 4), *to = random_tree(&seed, 4);

        operations += check_difference(from, to);
        assert_int_equal(check_difference(to, to), 0);
        json_decref(from);
        json_decref(to);
    }
    assert_true(operations > 5000);
}

static void base64_is_that_of_rfc_4648(void **state)
{
    static const struct {
        const char *plain, *coded;
    } cases[] = {
        { "", "" },
        { "f", "Zg==" },
        { "fo", "Zm8=" },
        { "foo", "Zm9v" },
        { "foob", "Zm9vYg==" },
        { "fooba", "Zm9vYmE=" },
        { "foobar", "Zm9vYmFy" },
        { "\xff\xfe\xfb", "//77" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_STRBUF struct strbuf coded = STRBUF_INIT;
        AUTO_STRBUF struct strbuf plain = STRBUF_INIT;

        base64_encode(str_of(cases[i].plain), &coded);
        assert_true(str_is(strbuf_view(&coded), cases[i].coded));
        assert_true(base64_decode(strbuf_view(&coded), &plain));
        assert_true(str_is(strbuf_view(&plain), cases[i].plain));
    }
}

static void what_is_not_base64_is_refused(void **state)
{
    static const char *const bad[] = { "Z",    "Zg",       "Zg=",   "Zg===", "=Zg=", "Zh==",
                                       "Zm9=", "Zg==Zg==", "Zm9v!", "Zm-_",  "====", "Z===" };
    AUTO_STRBUF struct strbuf out = STRBUF_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        if (base64_decode(str_of(bad[i]), &out))
            fail_msg("\"%s\" was accepted", bad[i]);
        assert_int_equal(out.length, 0);
    }
    assert_true(base64_decode(STR(" Zm9v\nYmFy\r\n"), &out));
    assert_true(str_is(strbuf_view(&out), "foobar"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_difference_says_only_what_changed),
        cmocka_unit_test(applying_a_difference_gives_the_other_tree),
        cmocka_unit_test(base64_is_that_of_rfc_4648),
        cmocka_unit_test(what_is_not_base64_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
