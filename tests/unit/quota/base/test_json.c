#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "quota/base/mem.h"
#include "tests/fuzz/json_judge.h"

static const char *const texts[] = {
    "",
    " ",
    "null",
    " true ",
    "false",
    "nul",
    "truex",
    "0",
    "-0",
    "-",
    "01",
    "-01",
    "1.",
    ".5",
    "1.5",
    "1e",
    "1e+",
    "1e5",
    "1E-5",
    "1e5.5",
    "+1",
    "0x1",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "1e400",
    "NaN",
    "\"\"",
    "\"abc\"",
    "\"abc",
    "\"a\\\"",
    "\"\\",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
    "\"\\a\"",
    "\"\\u00e9\"",
    "\"\\u00E9\"",
    "\"\\u00g9\"",
    "\"\\u00e\"",
    "\"\\u0000\"",
    "\"\\ud83d\\ude00\"",
    "\"\\ud83d\"",
    "\"\\ud83dx\"",
    "\"\\ud83d\\n\"",
    "\"\\ud83d\\u0041\"",
    "\"\\ude00\"",
    "\"\\ud83d\\ud83d\"",
    "\"\\uffff\"",
    "\"tab\t\"",
    "\"\x1f\"",
    "\"\x7f\"",
    "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"",
    "\"\xc3\"",
    "\"\xc0\x80\"",
    "\"\xed\xa0\x80\"",
    "\"\xf4\x90\x80\x80\"",
    "\"\xff\"",
    "\xef\xbb\xbf{}",
    "[]",
    "[ ]",
    "[1]",
    "[1,2 , 3]",
    "[1,]",
    "[,1]",
    "[1 2]",
    "[1",
    "[",
    "]",
    "{}",
    "{ }",
    "{\"a\":1}",
    "{\"a\" : 1 , \"b\":[{}] }",
    "{\"a\":1,}",
    "{,}",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\" 1}",
    "{a:1}",
    "{1:1}",
    "{\"a\":1",
    "{\"a\":1]",
    "[1}",
    "{\"a\":1,\"a\":2}",
    "{\"\\u0061\\n\":1}",
    "{}{}",
    "{} x",
    "[1]]",
    "\r\n\t [ 1 ] \r\n",
    "\v1",
    "/* c */ 1",
    "'a'",
};

static void expect_agreement(struct str bytes)
{
    const char *verdict = judge_json(bytes);

    if (verdict)
        fail_msg("%.*s: %s", STR_ARGS(bytes), verdict);
}

static void the_reader_agrees_with_jansson(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        expect_agreement(str_of(texts[i]));
    expect_agreement((struct str){ "[1\0]", 4 });
    expect_agreement((struct str){ "\"a\0\"", 4 });
    expect_agreement((struct str){ "1\0", 2 });
}

/* Every prefix of a document, and the document with any one byte changed to each of a few. */
static void the_reader_agrees_with_jansson_on_damaged_documents(void **state)
{
    static const char document[] =
        "{\"kind\":\"Job\",\"metadata\":{\"name\":\"x\\u00e9\\ud83d\\ude00y\",\"labels\":{}},"
        "\"spec\":{\"n\":[0,-1.5e3,true,false,null,\"\xc3\xa9\\\\\"]},\"s\":\"a long plain "
        "text\"} ";
    static const char changes[] = "\"\\{}[],:0-1eu \xc3\xa9\x01/";
    char copy[sizeof(document)];
    const size_t length = sizeof(document) - 1;

    (void)state;
    for (size_t i = 0; i <= length; i++)
        expect_agreement((struct str){ document, i });
    memcpy(copy, document, sizeof(document));
    for (size_t i = 0; i < length; i++) {
        for (size_t k = 0; k < sizeof(changes); k++) {
            copy[i] = changes[k]; /* the last one is NUL */
            expect_agreement((struct str){ copy, length });
        }
        copy[i] = document[i];
    }
}

static void every_escape_decodes_as_jansson_decodes_it(void **state)
{
    char text[16];

    (void)state;
    for (unsigned code = 0; code <= 0xFFFF; code++) {
        snprintf(text, sizeof(text), "\"\\u%04x\"", code);
        expect_agreement(str_of(text));
    }
}

static void nesting_is_capped_at_512(void **state)
{
    AUTO_STRBUF struct strbuf text = STRBUF_INIT;
    struct json_reader r;
    struct err e = { ERR_NONE, "" };

    (void)state;
    for (int depth = 512; depth <= 513; depth++) {
        strbuf_reset(&text);
        for (int i = 0; i < depth; i++)
            strbuf_puts(&text, i % 2 ? "{\"a\":" : "[");
        strbuf_putc(&text, '1');
        for (int i = depth; i-- > 0;)
            strbuf_putc(&text, i % 2 ? '}' : ']');
        expect_agreement(strbuf_view(&text));
        json_open(&r, strbuf_view(&text));
        json_skip(&r);
        assert_int_equal(json_failed(&r, &e), depth > 512);
    }
    assert_non_null(strstr(e.text, "512"));
    strbuf_reset(&text);
    for (int i = 0; i < 100000; i++)
        strbuf_putc(&text, '[');
    json_open(&r, strbuf_view(&text));
    json_skip(&r);
    assert_true(json_failed(&r, NULL));
}

static void wanted_members_are_picked_and_others_skipped(void **state)
{
    AUTO_ARENA struct arena a = ARENA_INIT;
    struct json_reader r;
    struct str key, raw = { NULL, 0 };
    char *name = NULL, *quantity = NULL, *number = NULL;
    int64_t count = 0, large = 0;
    bool suspend = false, matched = false, entered = true;
    unsigned items = 0;

    (void)state;
    json_open(&r, STR("{\"skip\":[1,{\"name\":\"no\"}],\"name\":\"y\\u0065s\",\"cpu\":\"2\","
                      "\"gpu\":3.50,\"count\":-12,\"large\":99999999999999999999,\"suspend\":true,"
                      "\"kind\":\"J\\u006fb\",\"raw\": {\"a\" : [ ] } ,\"nothing\":null,"
                      "\"items\":[1,[2],{}]}"));
    assert_true(json_enter_object(&r));
    while (json_member(&r, &key)) {
        if (str_is(key, "name"))
            name = json_text(&r, &a);
        else if (str_is(key, "cpu"))
            quantity = json_scalar(&r, &a);
        else if (str_is(key, "gpu"))
            number = json_scalar(&r, &a);
        else if (str_is(key, "count"))
            count = json_int(&r, 7);
        else if (str_is(key, "large"))
            large = json_int(&r, 7);
        else if (str_is(key, "suspend"))
            suspend = json_bool(&r, false);
        else if (str_is(key, "kind"))
            matched = json_text_is(&r, "Job");
        else if (str_is(key, "raw"))
            raw = json_raw(&r);
        else if (str_is(key, "nothing"))
            entered = json_enter_object(&r);
        else if (str_is(key, "items") && json_enter_array(&r))
            while (json_item(&r)) {
                json_skip(&r);
                items++;
            }
        else
            json_skip(&r);
    }
    assert_false(json_failed(&r, NULL));
    assert_true(json_end(&r));
    assert_string_equal(name, "yes");
    assert_string_equal(quantity, "2");
    assert_string_equal(number, "3.50");
    assert_int_equal(count, -12);
    assert_int_equal(large, 7);
    assert_true(suspend && matched && !entered);
    assert_true(str_is(raw, "{\"a\" : [ ] }"));
    assert_int_equal(items, 3);
}

static void values_of_another_kind_give_the_default(void **state)
{
    AUTO_ARENA struct arena a = ARENA_INIT;
    struct json_reader r;

    (void)state;
    json_open(&r, STR("[1,\"x\",{},[],null,true,1.5,\"Jo\",\"Jobs\",\"J\\u006f\",\"\\u0061\"]"));
    assert_true(json_enter_array(&r));
    assert_true(json_item(&r) && !json_text(&r, &a));
    assert_true(json_item(&r) && json_int(&r, 9) == 9);
    assert_true(json_item(&r) && !json_enter_array(&r));
    assert_true(json_item(&r) && !json_enter_object(&r));
    assert_true(json_item(&r) && json_bool(&r, true));
    assert_true(json_item(&r) && !json_scalar(&r, &a));
    assert_true(json_item(&r) && json_int(&r, 9) == 9);
    assert_true(json_item(&r) && !json_text_is(&r, "Job"));
    assert_true(json_item(&r) && !json_text_is(&r, "Job"));
    assert_true(json_item(&r) && !json_text_is(&r, "Job"));
    assert_true(json_item(&r) && str_is(json_text_raw(&r), "\\u0061"));
    assert_false(json_item(&r));
    assert_true(json_end(&r));
}

static void errors_stick_and_name_the_byte(void **state)
{
    struct json_reader r;
    struct str key;
    struct err e = { ERR_NONE, "" };

    (void)state;
    json_open(&r, STR("{\"a\":[1,2}"));
    assert_true(json_enter_object(&r) && json_member(&r, &key));
    json_skip(&r);
    assert_false(json_member(&r, &key));
    assert_false(json_item(&r));
    assert_int_equal(json_int(&r, 5), 5);
    assert_int_equal(json_peek(&r), JSON_KIND_NONE);
    assert_false(json_end(&r));
    assert_true(json_failed(&r, &e));
    assert_string_equal(e.text, "JSON: ',' or ']' expected at byte 9");
}

static void borders_are_found_however_the_bytes_arrive(void **state)
{
    static const struct {
        const char *bytes;
        size_t border;
        bool done;
    } cases[] = {
        { "{\"a\":[1,\"]}\\\"\"]}{", 16, true },
        { " \n[]x", 4, true },
        { "\"a\\\\\" ", 5, true },
        { "12 3", 2, true },
        { "12", 2, false },
        { "true{}", 4, true },
        { "{\"a\":{", 6, false },
        { "}", 1, true },
        { "   ", 3, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct str bytes = str_of(cases[i].bytes);

        for (size_t piece = 1; piece <= bytes.length; piece++) {
            struct json_scanner s;
            bool done = false;
            size_t at = 0;

            json_scanner_init(&s);
            while (at < bytes.length && !done) {
                size_t left = bytes.length - at;

                at += json_scan(&s, (struct str){ bytes.text + at, left < piece ? left : piece },
                                &done);
            }
            assert_int_equal(done, cases[i].done);
            assert_int_equal(at, cases[i].border);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reader_agrees_with_jansson),
        cmocka_unit_test(the_reader_agrees_with_jansson_on_damaged_documents),
        cmocka_unit_test(every_escape_decodes_as_jansson_decodes_it),
        cmocka_unit_test(nesting_is_capped_at_512),
        cmocka_unit_test(wanted_members_are_picked_and_others_skipped),
        cmocka_unit_test(values_of_another_kind_give_the_default),
        cmocka_unit_test(errors_stick_and_name_the_byte),
        cmocka_unit_test(borders_are_found_however_the_bytes_arrive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
