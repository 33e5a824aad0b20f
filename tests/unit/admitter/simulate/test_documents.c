#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admitter/simulate/documents.h"
#include "quota/base/file.h"
#include "quota/base/mem.h"

static struct simulate_documents documents;
static struct err e;

static int finish(void **state)
{
    (void)state;
    simulate_documents_finish(&documents);
    err_clear(&e);
    return 0;
}

static int parse(const char *name, const char *text)
{
    return simulate_documents_parse(&documents, name, str_of(text), &e);
}

static void yaml_documents_are_counted_with_their_lines(void **state)
{
    (void)state;
    assert_int_equal(parse("a.yaml", "apiVersion: v1\nkind: Namespace\n---\n\nkind: Pod\n"), 0);
    assert_int_equal(documents.count, 2);
    assert_string_equal(documents.items[0].api_version, "v1");
    assert_string_equal(documents.items[0].kind, "Namespace");
    assert_int_equal(documents.items[1].number, 2);
    assert_int_equal(documents.items[1].line, 5);
    assert_string_equal(documents.items[1].api_version, "");
}

static void lists_are_taken_apart_in_yaml_and_json(void **state)
{
    (void)state;
    assert_int_equal(parse("a.yaml", "kind: List\nitems:\n- kind: Pod\n- kind: Node\n"), 0);
    assert_int_equal(parse("a.json", "{\"kind\":\"List\",\"x\":[1],\"items\":[{\"kind\":\"Pod\"},"
                                     "{\"kind\":\"Node\"}]}"),
                     0);
    assert_int_equal(documents.count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(documents.items[i].kind, i % 2 ? "Node" : "Pod");
        assert_int_equal(documents.items[i].item, i % 2 + 1);
    }
}

static void json_files_hold_values_one_after_the_other(void **state)
{
    (void)state;
    assert_int_equal(
        parse("a.json", "{\"kind\":\"Pod\"}\n\n{\"kind\":\"Node\"} {\"kind\":\"Job\"}"), 0);
    assert_int_equal(documents.count, 3);
    assert_int_equal(documents.items[1].line, 3);
    assert_int_equal(documents.items[2].line, 3);
    assert_int_equal(documents.items[2].number, 3);
    assert_true(str_is(documents.items[2].json, "{\"kind\":\"Job\"}"));
}

static void json_may_stand_in_a_file_of_yaml(void **state)
{
    static const char *const texts[] = {
        "---\n{\"kind\":\"Pod\"}\n---\n{\"kind\":\"Node\"}\n---\n",
        "{\"kind\":\"Pod\"}\n---\nkind: Node\n",
        "{\"kind\":\"Pod\"} # a pod\n---\n{\"kind\": Node}\n",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        assert_int_equal(parse("a.yaml", texts[i]), 0);
        assert_int_equal(documents.count, 2 * i + 2);
        assert_string_equal(documents.items[2 * i].kind, "Pod");
        assert_string_equal(documents.items[2 * i + 1].kind, "Node");
        assert_int_equal(documents.items[2 * i + 1].number, 2);
    }
}

static void nothing_at_all_is_no_document(void **state)
{
    (void)state;
    assert_int_equal(simulate_documents_parse(&documents, "-", (struct str){ NULL, 0 }, &e), 0);
    assert_int_equal(parse("a.yaml", "# nothing\n---\n---\n"), 0);
    assert_int_equal(documents.count, 0);
}

static void a_byte_order_mark_is_no_part_of_the_text(void **state)
{
    (void)state;
    assert_int_equal(parse("a.yaml", "\xef\xbb\xbfkind: Pod\n"), 0);
    assert_int_equal(parse("a.json", "\xef\xbb\xbf{\"kind\":\"Pod\"}"), 0);
    assert_int_equal(documents.count, 2);
    assert_string_equal(documents.items[1].kind, "Pod");
}

static void decimals_survive_the_way_through_yaml(void **state)
{
    (void)state;
    assert_int_equal(parse("a.yaml", "kind: Pod\ncpu: 0.1\nweight: 1.5\nbig: 5Gi\n"), 0);
    assert_true(str_is(documents.items[0].json,
                       "{\"kind\":\"Pod\",\"cpu\":0.1,\"weight\":1.5,\"big\":\"5Gi\"}"));
}

static void wrong_input_names_file_document_and_line(void **state)
{
    static const struct {
        const char *name, *text, *message;
    } cases[] = {
        { "a.yaml", "kind: Pod\n---\n- 1\n", "a.yaml: document 2, line 3: expected an object" },
        { "a.yaml", "kind: Pod\n---\nname: x\n",
          "a.yaml: document 2, line 3: kind: expected the kind of the object, got nothing" },
        { "a.json", "{\"kind\":\"Pod\"}\n{\"kind\":",
          "a.json: document 2, line 2: the JSON value "
          "does not end" },
        { "a.yaml", "---\n---\nkind: Pod\n---\na: [1\n",
          "a.yaml: document 2, line 6, column 1: did not find" },
        { "a.yaml", "a: 1\na: 2\n", "a.yaml: document 1, line 2, column 1: key \"a\" is given" },
        { "a.yaml", "kind: List\nitems:\n- kind: Pod\n- 7\n",
          "a.yaml: document 1, item 2, line 4: " },
        { "a.yaml", "kind: List\nitems:\n  kind: Pod\n",
          "a.yaml: document 1, line 2: items: expected a list" },
        { "a.json", "{\"kind\":\"List\",\n\"items\":{}}",
          "a.json: document 1, line 2: items: expected a list" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        assert_int_equal(parse(cases[i].name, cases[i].text), -1);
        if (!str_starts(str_of(e.text), cases[i].message))
            fail_msg("%s", e.text);
    }
}

/* libyaml, which finds the line, needs quadratic time for deep nesting. */
static void absurd_nesting_is_refused_at_once(void **state)
{
    enum { LEVELS = 50000 };
    AUTO_STRBUF struct strbuf text = STRBUF_INIT;

    (void)state;
    for (int i = 0; i < LEVELS; i++)
        strbuf_puts(&text, "{\"a\":");
    strbuf_puts(&text, "1");
    for (int i = 0; i < LEVELS; i++)
        strbuf_putc(&text, '}');
    assert_int_equal(parse("a.json", text.text), -1);
    assert_true(str_starts(str_of(e.text), "a.json: document 1, line 1: JSON: nested deeper"));
}

static void errors_of_fields_get_the_line_of_the_field(void **state)
{
    static const char yaml[] = "kind: Pod\nmetadata:\n  annotations:\n    a/b.c: x\nspec:\n"
                               "  podSets:\n  - count: 1\n  - count: two\n";
    static const struct {
        const char *message;
        unsigned line;
    } cases[] = {
        { "spec.podSets[1].count: expected an integer", 8 },
        { "spec.podSets[0].count: expected an integer", 7 },
        { "metadata.annotations[a/b.c]: wrong", 4 },
        { "spec.absent: required", 5 },
        { "nothing about fields", 1 },
    };

    (void)state;
    assert_int_equal(parse("a.yaml", yaml), 0);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_FREE char *start = mem_format("a.yaml: document 1, line %u: ", cases[i].line);

        err_set(&e, ERR_INVALID, "%s", cases[i].message);
        assert_int_equal(simulate_document_error(&documents.items[0], &e), -1);
        if (!str_starts(str_of(e.text), start))
            fail_msg("%s", e.text);
    }
}

static void json_fields_have_lines_too(void **state)
{
    (void)state;
    assert_int_equal(parse("a.json", "\n{\"kind\":\"Pod\",\n \"spec\":{\n  \"x\":1}}"), 0);
    err_set(&e, ERR_INVALID, "spec.x: wrong");
    simulate_document_error(&documents.items[0], &e);
    assert_string_equal(e.text, "a.json: document 1, line 4: spec.x: wrong");
}

static void folders_are_read_in_order_of_path(void **state)
{
    static const char *const names[] = { "b.yaml", "a.yml", "sub/c.json", "notes.txt" };
    char folder[] = "/tmp/simulate-XXXXXX";

    (void)state;
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        AUTO_FREE char *path = mem_format("%s/%s", folder, names[i]);
        AUTO_FREE char *sub = mem_format("%s/sub", folder);
        AUTO_FREE char *text = mem_format("{\"kind\":\"%s\"}", names[i]);

        mkdir(sub, 0700);
        assert_int_equal(file_write(path, str_of(text), 0600, &e), 0);
    }
    assert_int_equal(simulate_documents_read(&documents, folder, &e), 0);
    assert_int_equal(documents.count, 3);
    assert_string_equal(documents.items[0].kind, "a.yml");
    assert_string_equal(documents.items[1].kind, "b.yaml");
    assert_string_equal(documents.items[2].kind, "sub/c.json");
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        AUTO_FREE char *path = mem_format("%s/%s", folder, names[i]);

        unlink(path);
    }
    {
        AUTO_FREE char *sub = mem_format("%s/sub", folder);

        rmdir(sub);
    }
    rmdir(folder);
}

static void a_missing_path_is_named(void **state)
{
    (void)state;
    assert_int_equal(simulate_documents_read(&documents, "/nowhere/x.yaml", &e), -1);
    assert_int_equal(e.code, ERR_NOT_FOUND);
    assert_non_null(strstr(e.text, "/nowhere/x.yaml"));
}

#define T(f) cmocka_unit_test_teardown(f, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(yaml_documents_are_counted_with_their_lines),
        T(lists_are_taken_apart_in_yaml_and_json),
        T(json_files_hold_values_one_after_the_other),
        T(json_may_stand_in_a_file_of_yaml),
        T(nothing_at_all_is_no_document),
        T(a_byte_order_mark_is_no_part_of_the_text),
        T(decimals_survive_the_way_through_yaml),
        T(wrong_input_names_file_document_and_line),
        T(absurd_nesting_is_refused_at_once),
        T(errors_of_fields_get_the_line_of_the_field),
        T(json_fields_have_lines_too),
        T(folders_are_read_in_order_of_path),
        T(a_missing_path_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
