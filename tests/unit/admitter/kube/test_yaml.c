#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include "admitter/kube/yaml.h"
#include "quota/base/mem.h"

/* YAML in, JSON out. */
static const struct {
    const char *yaml, *json;
} values[] = {
    { "a: 1", "{\"a\":1}" },
    { "[1, -2, +3, 0x1F, 0o17, 017, 0b101, 1_000]", "[1,-2,3,31,15,15,5,1000]" },
    { "[08, 1.5, .5, 1., 0.1, 1e3, -1.25e-2]", "[8,1.5,0.5,1,0.1,1000,-0.0125]" },
    { "[1.2.3, 1-2, +, '-', 0x, 1e, 12q, 500m, 2026-01-02]",
      "[\"1.2.3\",\"1-2\",\"+\",\"-\",\"0x\",\"1e\",\"12q\",\"500m\",\"2026-01-02\"]" },
    { "[true, True, yes, on, Y, false, No, off, n]",
      "[true,true,true,true,true,false,false,false,false]" },
    { "['true', \"1\", 'null', '']", "[\"true\",\"1\",\"null\",\"\"]" },
    { "[null, ~, Null, ]", "[null,null,null]" },
    { "a:\nb: {}", "{\"a\":null,\"b\":{}}" },
    { "a: |\n  one\n  two\nb: >-\n  three\n  four\n",
      "{\"a\":\"one\\ntwo\\n\",\"b\":\"three four\"}" },
    { "1: a\ntrue: b\n", "{\"1\":\"a\",\"true\":\"b\"}" },
    { "{\"a\": [1, {\"b\": null}], \"c\": \"\\u00e4\"}",
      "{\"a\":[1,{\"b\":null}],\"c\":\"\xc3\xa4\"}" },
    { "- 9223372036854775807\n- -9223372036854775808\n",
      "[9223372036854775807,-9223372036854775808]" },
    { "[18446744073709551616]", "[1.8446744073709552e+19]" },
    { "text", "\"text\"" },
    { "a: &x {b: 1}\nc: *x\nd: [*x, &y 2, *y]\n",
      "{\"a\":{\"b\":1},\"c\":{\"b\":1},\"d\":[{\"b\":1},2,2]}" },
    { "[&x 1, &x 2, *x]", "[1,2,2]" },
};

static void plain_scalars_get_the_types_of_kubernetes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
        AUTO_STRBUF struct strbuf out = STRBUF_INIT;
        struct err e = { .code = ERR_NONE };
        AUTO_YAML struct yaml_stream *s = yaml_load(str_of(values[i].yaml), "t", &e);

        if (!s)
            fail_msg("%s: %s", values[i].yaml, e.text);
        assert_int_equal(yaml_count(s), 1);
        yaml_json(yaml_root(s, 0), &out);
        assert_string_equal(out.text, values[i].json);
    }
}

static const struct {
    const char *yaml, *message;
} refusals[] = {
    { "a: 1\nb: *x\n", "t: line 2, column 4: an alias of no anchor before it" },
    { "a: &x [*x]\n", "t: line 1, column 8: an alias of no anchor before it" },
    { "a: &x 1\n---\nb: *x\n", "t: line 3, column 4: an alias of no anchor before it" },
    { "*x : 1\n", "t: line 1, column 1: a key must be plain text" },
    { "a: !!str 1\n", "t: line 1, column 4: tags are not supported" },
    { "a: 1\nb: 2\na: 3\n", "t: line 3, column 1: key \"a\" is given twice" },
    { "a:\n  b: 1\n  b: 2\n", "t: line 3, column 3: key \"b\" is given twice" },
    { "{\"a\": 1, \"a\": 2}", "t: line 1, column 10: key \"a\" is given twice" },
    { "[a]: 1\n", "t: line 1, column 1: a key must be plain text" },
    { "a: .inf\n", "t: line 1, column 4: neither text in UTF-8 nor a finite number" },
    { "a: \"x\\0y\"\n", "t: line 1, column 4: a text holds a NUL byte" },
    { "a: [1\n", "t: line 2, column 1: did not find expected ',' or ']'" },
    { "a: 1\n\tb: 2\n", "t: line 2, column 1: found a tab character that violates indentation" },
    { "a: b: c\n", "t: line 1, column 5: mapping values are not allowed in this context" },
    { "a: \xff\n", "t: byte 3: invalid leading UTF-8 octet" },
};

/* Ten times the one before it, seven times over. */
static void aliases_do_not_explode(void **state)
{
    AUTO_STRBUF struct strbuf text = STRBUF_INIT;
    struct err e = { .code = ERR_NONE };

    (void)state;
    strbuf_puts(&text, "a: &a [1]\n");
    for (char c = 'b'; c < 'i'; c++)
        strbuf_printf(&text, "%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c - 1,
                      c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1);
    assert_null(yaml_load(strbuf_view(&text), "t", &e));
    assert_non_null(strstr(e.text, "aliases stand for more than a million values"));
}

static void what_is_refused_names_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(refusals); i++) {
        struct err e = { .code = ERR_NONE };
        AUTO_YAML struct yaml_stream *s = yaml_load(str_of(refusals[i].yaml), "t", &e);

        assert_null(s);
        assert_int_equal(e.code, ERR_INVALID);
        assert_string_equal(e.text, refusals[i].message);
    }
}

static void nesting_ends_at_64(void **state)
{
    static const char opening[] = "[{";

    (void)state;
    for (unsigned form = 0; form < 2; form++)
        for (unsigned depth = 63; depth <= 66; depth++) {
            AUTO_STRBUF struct strbuf text = STRBUF_INIT;
            AUTO_YAML struct yaml_stream *s = NULL;

            for (unsigned i = 1; i < depth; i++) {
                strbuf_putc(&text, opening[form]);
                strbuf_puts(&text, form ? "\"a\":" : "");
            }
            strbuf_putc(&text, '1');
            for (unsigned i = 1; i < depth; i++)
                strbuf_putc(&text, form ? '}' : ']');
            s = yaml_load(strbuf_view(&text), "t", NULL);
            assert_int_equal(s != NULL, depth <= 64);
        }
}

static void documents_and_values_know_their_lines(void **state)
{
    static const char text[] = "# head\n"
                               "---\n"              /* 2 */
                               "kind: A\n"          /* 3 */
                               "spec:\n"            /* 4 */
                               "  list:\n"          /* 5 */
                               "  - x: 1\n"         /* 6 */
                               "  - x: 2\n"         /* 7 */
                               "    y/z: 3\n"       /* 8 */
                               "---\n"              /* 9 */
                               "# nothing\n"        /* 10 */
                               "---\n"              /* 11 */
                               "{kind: B,\n"        /* 12 */
                               " spec: {a~b: [1,\n" /* 13 */
                               "   2]}}\n";         /* 14 */
    static const struct {
        size_t document;
        const char *pointer;
        unsigned line;
    } lines[] = {
        { 0, "", 3 },
        { 0, "/kind", 3 },
        { 0, "/spec", 4 },
        { 0, "/spec/list/0/x", 6 },
        { 0, "/spec/list/1", 7 },
        { 0, "/spec/list/1/y~1z", 8 },
        { 0, "/spec/list/2", 5 },
        { 0, "/spec/missing/deep", 4 },
        { 1, "", 12 },
        { 1, "/spec/a~0b/1", 14 },
    };
    struct err e;
    AUTO_YAML struct yaml_stream *s = yaml_load(STR(text), "t", &e);

    (void)state;
    assert_non_null(s);
    assert_int_equal(yaml_count(s), 2);
    assert_int_equal(yaml_line(s, 0), 3);
    assert_int_equal(yaml_line(s, 1), 12);
    for (size_t i = 0; i < ARRAY_COUNT(lines); i++)
        assert_int_equal(yaml_line_of(s, lines[i].document, lines[i].pointer), lines[i].line);
}

static void json_streams_are_read_the_same(void **state)
{
    static const char text[] = "{\"a\": 1}\n---\n{\"b\":\n 2}\n[3]\n";
    struct err e;
    AUTO_YAML struct yaml_stream *s = yaml_load(STR(text), "t", &e);

    (void)state;
    assert_non_null(s);
    assert_int_equal(yaml_count(s), 3);
    assert_int_equal(yaml_line(s, 1), 3);
    assert_int_equal(yaml_line(s, 2), 5);
    assert_int_equal(json_integer_value(json_object_get(yaml_root(s, 1), "b")), 2);
}

static void an_empty_stream_has_no_documents(void **state)
{
    static const char *const empty[] = { "", "\n", "# only this\n", "---\n---\n", "---\n...\n" };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(empty); i++) {
        AUTO_YAML struct yaml_stream *s = yaml_load(str_of(empty[i]), "t", NULL);

        assert_non_null(s);
        assert_int_equal(yaml_count(s), 0);
        assert_null(yaml_root(s, 0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_scalars_get_the_types_of_kubernetes),
        cmocka_unit_test(aliases_do_not_explode),
        cmocka_unit_test(what_is_refused_names_its_place),
        cmocka_unit_test(nesting_ends_at_64),
        cmocka_unit_test(documents_and_values_know_their_lines),
        cmocka_unit_test(json_streams_are_read_the_same),
        cmocka_unit_test(an_empty_stream_has_no_documents),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
