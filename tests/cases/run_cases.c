/* run_cases.c - runs the engine cases: manifests in, expected decisions out. See README.md here.
 *
 * Usage: run_cases [-v] FILE...   Prints what differs, and at the end "N passed, N failed". */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <jansson.h>

#include "admitter/kube/yaml.h"
#include "admitter/simulate/simulate.h"
#include "quota/base/clock.h"
#include "quota/base/file.h"
#include "quota/base/mem.h"

#define FILE_LIMIT ((size_t)1 << 20)

struct report { /* of one case */
    struct strbuf problems;
    size_t count;
};

/* ---- comparing ---- */

static void differ(struct report *report, const char *path, const char *expected,
                   const char *actual)
{
    report->count++;
    strbuf_printf(&report->problems, "    %s\n      expected %s\n      got      %s\n", path,
                  expected, actual);
}

static void differ_values(struct report *report, const char *path, const json_t *expected,
                          const json_t *actual)
{
    char *left = json_dumps(expected, JSON_ENCODE_ANY | JSON_COMPACT);
    char *right = actual ? json_dumps(actual, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;

    differ(report, path, left ? left : "?", right ? right : "nothing");
    free(left);
    free(right);
}

/* "..." in an expected text stands for anything; without it the texts must be equal. */
static bool text_matches(const char *expected, const char *actual)
{
    const char *open = strstr(expected, "...");
    size_t fixed = open ? (size_t)(open - expected) : 0;

    if (!open)
        return strcmp(expected, actual) == 0;
    if (strncmp(expected, actual, fixed) != 0)
        return false;
    for (actual += fixed;; actual++) {
        if (text_matches(open + 3, actual))
            return true;
        if (!*actual)
            return false;
    }
}

static bool element_is(const json_t *element, const char *key)
{
    static const char *const names[] = { "name", "workload", "object" };
    const char *flavor = json_string_value(json_object_get(element, "flavor"));
    const char *resource = json_string_value(json_object_get(element, "resource"));
    size_t length = flavor ? strlen(flavor) : 0;

    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        const char *name = json_string_value(json_object_get(element, names[i]));

        if (name && strcmp(name, key) == 0)
            return true;
    }
    return flavor && resource && strncmp(key, flavor, length) == 0 && key[length] == '/' &&
           strcmp(key + length + 1, resource) == 0;
}

/* An array whose elements have names may be expected as an object: name to element. */
static const json_t *element_named(const json_t *array, const char *key)
{
    const json_t *element;
    size_t i;

    json_array_foreach(array, i, element)
        if (element_is(element, key))
            return element;
    return NULL;
}

static void compare(struct report *report, const char *path, const json_t *expected,
                    const json_t *actual);

static void compare_objects(struct report *report, const char *path, const json_t *expected,
                            const json_t *actual)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)expected, key, value) {
        AUTO_FREE char *below = mem_format("%s.%s", path, key);
        const json_t *found =
            json_is_array(actual) ? element_named(actual, key) : json_object_get(actual, key);

        if (json_is_null(value) ? found && !json_is_null(found) : !found)
            differ_values(report, below, value, found);
        else if (found)
            compare(report, below, value, found);
    }
}

static void compare_arrays(struct report *report, const char *path, const json_t *expected,
                           const json_t *actual)
{
    const json_t *value;
    size_t i;

    if (json_array_size(expected) != json_array_size(actual)) {
        differ_values(report, path, expected, actual);
        return;
    }
    json_array_foreach(expected, i, value) {
        AUTO_FREE char *below = mem_format("%s[%zu]", path, i);

        compare(report, below, value, json_array_get(actual, i));
    }
}

static void compare(struct report *report, const char *path, const json_t *expected,
                    const json_t *actual)
{
    if (json_is_object(expected) && (json_is_object(actual) || json_is_array(actual)))
        compare_objects(report, path, expected, actual);
    else if (json_is_array(expected) && json_is_array(actual))
        compare_arrays(report, path, expected, actual);
    else if (json_is_string(expected) && json_is_string(actual)) {
        if (!text_matches(json_string_value(expected), json_string_value(actual)))
            differ_values(report, path, expected, actual);
    } else if (!json_equal(expected, actual))
        differ_values(report, path, expected, actual);
}

/* ---- running ---- */

/* One list of decisions per cycle. */
static json_t *decisions_of(const json_t *output)
{
    json_t *cycles = json_array(), *cycle;
    size_t i;

    json_array_foreach(json_object_get(output, "cycles"), i, cycle)
        json_array_append(cycles, json_object_get(cycle, "decisions"));
    return cycles;
}

static void compare_output(struct report *report, const json_t *expect, const json_t *output)
{
    static const char *const whole[] = { "cycles", "final" };
    const json_t *wanted = json_object_get(expect, "decisions");

    if (wanted) {
        AUTO_JSON json_t *decisions = decisions_of(output);

        compare(report, "decisions", wanted, decisions);
    }
    for (size_t i = 0; i < ARRAY_COUNT(whole); i++)
        if (json_object_get(expect, whole[i]))
            compare(report, whole[i], json_object_get(expect, whole[i]),
                    json_object_get(output, whole[i]));
}

static int options_from(const json_t *expect, struct simulate_options *options,
                        struct strbuf *config, struct err *e)
{
    const json_t *run = json_object_get(expect, "run");
    const char *now = json_string_value(json_object_get(run, "now"));
    const json_t *cycles = json_object_get(run, "cycles");

    *options = (struct simulate_options){ .now = TIME_NONE, .duration = -1, .json = true };
    options->cycles = json_is_integer(cycles) ? json_integer_value(cycles) : -1;
    options->feature_gates = json_string_value(json_object_get(run, "gates"));
    if (json_object_get(run, "config")) {
        yaml_json(json_object_get(run, "config"), config);
        options->config_text = strbuf_view(config);
    }
    return now ? time_parse(str_of(now), &options->now, e) : 0;
}

static const json_t *expectation_of(const struct yaml_stream *stream)
{
    for (size_t i = yaml_count(stream); i-- > 0;) {
        const json_t *root = yaml_root(stream, i);
        const char *kind = json_string_value(json_object_get(root, "kind"));

        if (kind && strcmp(kind, "Expect") == 0)
            return root;
    }
    return NULL;
}

static void judge(struct report *report, const json_t *expect, int status,
                  const struct strbuf *output, const struct err *e)
{
    const char *error = json_string_value(json_object_get(expect, "error"));
    AUTO_JSON json_t *tree = NULL;
    json_error_t problem;

    if (error || status != 0) {
        if (!error || status != 2)
            differ(report, "run", error ? "an error" : "no error", e->text);
        else if (!text_matches(error, e->text))
            differ(report, "error", error, e->text);
        return;
    }
    tree = json_loadb(output->text, output->length, 0, &problem);
    if (!tree)
        differ(report, "output", "JSON", problem.text);
    else
        compare_output(report, expect, tree);
}

static void run_expectation(struct report *report, const char *path, struct str text,
                            const json_t *expect)
{
    struct simulate_documents documents = { 0 };
    struct simulate_options options;
    AUTO_STRBUF struct strbuf output = { 0 };
    AUTO_STRBUF struct strbuf warnings = { 0 };
    AUTO_STRBUF struct strbuf config = { 0 };
    struct err e = { 0 };
    int status = 2;

    if (options_from(expect, &options, &config, &e) == 0 &&
        simulate_documents_parse(&documents, path, text, &e) == 0)
        status = simulate_run(&documents, &options, &output, &warnings, &e);
    judge(report, expect, status, &output, &e);
    simulate_documents_finish(&documents);
}

static bool case_passes(const char *path, bool verbose)
{
    AUTO_STRBUF struct strbuf text = { 0 };
    AUTO_YAML struct yaml_stream *stream = NULL;
    struct report report = { 0 };
    const json_t *expect;
    struct err e = { 0 };
    bool passed;

    if (file_read(path, FILE_LIMIT, &text, &e) == 0)
        stream = yaml_load(strbuf_view(&text), path, &e);
    expect = stream ? expectation_of(stream) : NULL;
    if (!stream)
        differ(&report, "file", "a case", e.text);
    else if (!expect)
        differ(&report, "file", "a document of kind Expect", "none");
    else
        run_expectation(&report, path, strbuf_view(&text), expect);
    passed = report.count == 0;
    if (!passed || verbose)
        printf("%s %s\n%s", passed ? "ok" : "FAILED:", path,
               report.problems.text ? report.problems.text : "");
    strbuf_finish(&report.problems);
    return passed;
}

int main(int argc, char **argv)
{
    size_t passed = 0, failed = 0;
    bool verbose = argc > 1 && strcmp(argv[1], "-v") == 0;

    for (int i = verbose ? 2 : 1; i < argc; i++)
        case_passes(argv[i], verbose) ? passed++ : failed++;
    printf("%zu passed, %zu failed\n", passed, failed);
    return failed || passed == 0 ? 1 : 0;
}
