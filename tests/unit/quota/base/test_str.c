#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "quota/base/arena.h"
#include "quota/base/err.h"
#include "quota/base/mem.h"
#include "quota/base/str.h"
#include "quota/base/utf8.h"

static void errors_are_wrapped_outermost_first(void **state)
{
    struct err e = { ERR_NONE, "" };

    (void)state;
    assert_int_equal(err_set(&e, ERR_IO, "port %d", 7), -1);
    assert_int_equal(err_wrap(&e, "%s", "open"), -1);
    assert_string_equal(e.text, "open: port 7");
    assert_int_equal(e.code, ERR_IO);
    assert_string_equal(err_name(e.code), "io");
    err_clear(&e);
    assert_int_equal(e.code, ERR_NONE);
    assert_int_equal(err_set(NULL, ERR_IO, "x"), -1);
    assert_int_equal(err_wrap(NULL, "x"), -1);
}

static void long_errors_are_cut(void **state)
{
    struct err e = { ERR_NONE, "" };
    char text[600];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[599] = '\0';
    err_set(&e, ERR_INVALID, "%s", text);
    assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
    err_wrap(&e, "outer");
    assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
    assert_memory_equal(e.text, "outer: xx", 9);
    err_wrap(&e, "%s", text);
    assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
}

static const struct {
    const char *text;
    bool fine;
    int64_t value;
} numbers[] = {
    { "0", true, 0 },
    { "-0", true, 0 },
    { "+12", true, 12 },
    { "0012", true, 12 },
    { "9223372036854775807", true, INT64_MAX },
    { "-9223372036854775808", true, INT64_MIN },
    { "9223372036854775808", false, 0 },
    { "-9223372036854775809", false, 0 },
    { "99999999999999999999", false, 0 },
    { "", false, 0 },
    { "-", false, 0 },
    { "1 ", false, 0 },
    { " 1", false, 0 },
    { "1e3", false, 0 },
};

static void whole_integers_are_read_and_nothing_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
        int64_t value = 0;

        assert_int_equal(str_to_int64(str_of(numbers[i].text), &value), numbers[i].fine);
        assert_true(value == numbers[i].value);
    }
}

static void booleans_are_those_of_go(void **state)
{
    static const char *const yes[] = { "1", "t", "T", "TRUE", "true", "True" };
    static const char *const no[] = { "0", "f", "F", "FALSE", "false", "False" };
    static const char *const bad[] = { "", "-", "tRUE", "yes", " true" };
    bool value;

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(yes); i++) {
        assert_true(str_to_bool(str_of(yes[i]), &value) && value);
        assert_true(str_to_bool(str_of(no[i]), &value) && !value);
    }
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        assert_false(str_to_bool(str_of(bad[i]), &value));
}

static const struct {
    const char *text;
    size_t limit;
    const char *prefix, *shortened;
} long_texts[] = {
    { "12345\u00e4\u00e4", 9, "12345\u00e4\u00e4", "12345\u00e4\u00e4" },
    { "12345\u00e4\u00e4x", 9, "12345\u00e4\u00e4", "12345 ..." },
    { "1234\u00e4\u00e4xx", 9, "1234\u00e4\u00e4x", "1234 ..." },
    { "1234567\u00e4\u00e4", 8, "1234567", "1234 ..." },
    { "", 4, "", "" },
};

static void long_texts_are_cut_between_characters(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(long_texts); i++) {
        AUTO_STRBUF struct strbuf out = STRBUF_INIT;
        struct str text = str_of(long_texts[i].text);

        assert_true(str_is(str_prefix(text, long_texts[i].limit), long_texts[i].prefix));
        strbuf_shortened(&out, text, long_texts[i].limit);
        assert_true(str_is(strbuf_view(&out), long_texts[i].shortened));
    }
}

static void text_is_cut_trimmed_and_compared(void **state)
{
    struct str head, tail;

    (void)state;
    assert_true(str_cut(STR("team-a/job/x"), '/', &head, &tail));
    assert_true(str_is(head, "team-a") && str_is(tail, "job/x"));
    assert_false(str_cut(STR("plain"), '/', &head, &tail));
    assert_true(str_is(head, "plain") && tail.length == 0);
    assert_false(str_cut((struct str){ NULL, 0 }, '/', &head, &tail));
    assert_true(str_is(str_trim(STR(" \t a b\r\n")), "a b"));
    assert_int_equal(str_trim(STR("  ")).length, 0);
    assert_true(str_compare(STR("a"), STR("ab")) < 0);
    assert_true(str_compare(STR("b"), STR("ab")) > 0);
    assert_true(str_compare(STR("\xff"), STR("a")) > 0);
    assert_true(str_compare((struct str){ NULL, 0 }, STR("")) == 0);
    assert_true(str_starts(STR("hugepages-2Mi"), "hugepages-"));
    assert_false(str_starts(STR("huge"), "hugepages-"));
    assert_true(str_ends(STR("a.json"), ".json"));
    assert_false(str_ends(STR("n"), ".json"));
}

static void buffers_grow_and_are_handed_over(void **state)
{
    struct strbuf b = STRBUF_INIT;
    char *text;

    (void)state;
    for (int i = 0; i < 1000; i++)
        strbuf_printf(&b, "%04d", i);
    assert_int_equal(b.length, 4000);
    assert_memory_equal(b.text + 3996, "0999", 5);
    strbuf_printf(&b, "%200d|%s", 7, "x");
    assert_int_equal(b.length, 4202);
    strbuf_reset(&b);
    assert_string_equal(b.text, "");
    strbuf_str(&b, (struct str){ NULL, 0 });
    strbuf_add(&b, "a\0b", 3);
    text = strbuf_take(&b);
    assert_memory_equal(text, "a\0b", 4);
    free(text);
    text = strbuf_take(&b);
    assert_string_equal(text, "");
    free(text);
}

static void text_becomes_a_json_string(void **state)
{
    struct strbuf b = STRBUF_INIT;

    (void)state;
    strbuf_json(&b, STR("a\"b\\c\n\t\b\f\r\x01\x1f\x7f/\xc3\xa9\xf0\x9f\x98\x80"));
    assert_string_equal(b.text, "\"a\\\"b\\\\c\\n\\t\\b\\f\\r\\u0001\\u001f\x7f/"
                                "\xc3\xa9\xf0\x9f\x98\x80\"");
    strbuf_reset(&b);
    strbuf_json(&b, (struct str){ "x\xffy\xc3\0z\xed\xa0\x80", 9 });
    assert_string_equal(b.text, "\"x\xef\xbf\xbdy\xef\xbf\xbd\\u0000z"
                                "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    strbuf_finish(&b);
}

static void every_code_point_has_one_utf8_form(void **state)
{
    (void)state;
    for (unsigned code = 0; code <= 0x10FFFF; code++) {
        char bytes[4];
        size_t length = utf8_put(bytes, code);
        bool surrogate = code >= 0xD800 && code <= 0xDFFF;

        assert_int_equal(utf8_length(bytes, length), surrogate ? 0 : length);
        if (length > 1)
            assert_int_equal(utf8_length(bytes, length - 1), 0);
    }
    assert_int_equal(utf8_length("\xc0\x80", 2), 0);
    assert_int_equal(utf8_length("\xe0\x9f\xbf", 3), 0);
    assert_int_equal(utf8_length("\xf0\x8f\xbf\xbf", 4), 0);
    assert_int_equal(utf8_length("\xf4\x90\x80\x80", 4), 0);
    assert_int_equal(utf8_length("\xf5\x80\x80\x80", 4), 0);
    assert_int_equal(utf8_length("\x80", 1), 0);
}

static void arena_pieces_are_zeroed_aligned_and_apart(void **state)
{
    struct arena a = ARENA_INIT;
    unsigned char *pieces[400];
    unsigned seed = 1;

    (void)state;
    for (int round = 0; round < 5; round++) {
        for (unsigned i = 0; i < 400; i++) {
            size_t size = (size_t)rand_r(&seed) % (i % 50 == 0 ? 200000 : 300);

            pieces[i] = arena_alloc(&a, size + 1);
            assert_int_equal((uintptr_t)pieces[i] % 16, 0);
            for (size_t k = 0; k <= size; k++)
                assert_int_equal(pieces[i][k], 0);
            memset(pieces[i], (int)(i % 255) + 1, size + 1);
        }
        for (unsigned i = 0; i < 400; i++)
            assert_int_equal(pieces[i][0], (int)(i % 255) + 1);
        arena_reset(&a);
    }
    assert_true(a.total <= 256 * 1024);
    arena_finish(&a);
    assert_int_equal(a.total, 0);
}

static void arenas_copy_and_format_text(void **state)
{
    AUTO_ARENA struct arena a = ARENA_INIT;
    char *text = arena_format(&a, "%s-%0*d", "x", 9000, 5);

    (void)state;
    assert_int_equal(strlen(text), 9002);
    assert_string_equal(arena_format(&a, "%s and %s%s", "one", "", "two"), "one and two");
    assert_string_equal(arena_format(&a, "no more"), "no more");
    assert_string_equal(arena_format(&a, "%s of %d%%", "9", 10), "9 of 10%");
    assert_string_equal(arena_dup(&a, (struct str){ "abcdef", 3 }), "abc");
    assert_string_equal(arena_dup(&a, (struct str){ NULL, 0 }), "");
    assert_null(arena_strdup(&a, NULL));
    assert_string_equal(arena_strdup(&a, "q"), "q");
    assert_non_null(ARENA_ARRAY(&a, 0, int));
}

/* Texts of all lengths, also those that meet the end of a block. */
static void formatted_texts_do_not_touch_each_other(void **state)
{
    enum { TEXTS = 700 };
    AUTO_ARENA struct arena a = ARENA_INIT;
    const char *texts[TEXTS];

    (void)state;
    for (int i = 0; i < TEXTS; i++)
        texts[i] = arena_format(&a, "%0*d", i + 1, i);
    for (int i = 0; i < TEXTS; i++) {
        assert_int_equal(strlen(texts[i]), i + 1);
        assert_int_equal(strtol(texts[i], NULL, 10), i);
    }
}

static void growing_arrays_double(void **state)
{
    size_t capacity = 0, changes = 0;
    int *items = NULL;

    (void)state;
    for (size_t i = 0; i < 10000; i++) {
        size_t before = capacity;

        items = mem_grow(items, i, &capacity, sizeof(*items));
        changes += capacity != before;
        items[i] = (int)i;
    }
    assert_int_equal(items[9999], 9999);
    assert_true(changes <= 12);
    free(items);
}

#ifndef __SANITIZE_ADDRESS__ /* its allocator has an opinion of its own */
static void running_out_of_memory_ends_the_process_with_a_line(void **state)
{
    int line[2], status;
    char text[256];
    ssize_t length;
    pid_t child;

    (void)state;
    assert_int_equal(pipe(line), 0);
    child = fork();
    if (child == 0) {
        dup2(line[1], STDERR_FILENO);
        (void)mem_array(SIZE_MAX / 1024, 512);
        _exit(0);
    }
    close(line[1]);
    length = read(line[0], text, sizeof(text));
    close(line[0]);
    assert_true(length > 0);
    assert_memory_equal(text, "{\"level\":\"error\",\"msg\":\"out of memory", 37);
    assert_int_equal(text[length - 1], '\n');
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WEXITSTATUS(status), 1);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_wrapped_outermost_first),
        cmocka_unit_test(long_errors_are_cut),
        cmocka_unit_test(whole_integers_are_read_and_nothing_else),
        cmocka_unit_test(booleans_are_those_of_go),
        cmocka_unit_test(long_texts_are_cut_between_characters),
        cmocka_unit_test(text_is_cut_trimmed_and_compared),
        cmocka_unit_test(buffers_grow_and_are_handed_over),
        cmocka_unit_test(text_becomes_a_json_string),
        cmocka_unit_test(every_code_point_has_one_utf8_form),
        cmocka_unit_test(arena_pieces_are_zeroed_aligned_and_apart),
        cmocka_unit_test(arenas_copy_and_format_text),
        cmocka_unit_test(formatted_texts_do_not_touch_each_other),
        cmocka_unit_test(growing_arrays_double),
#ifndef __SANITIZE_ADDRESS__
        cmocka_unit_test(running_out_of_memory_ends_the_process_with_a_line),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
