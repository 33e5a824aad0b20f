#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "quota/base/mem.h"
#include "quota/engine/label_syntax.h"
#include "quota/engine/selector.h"
#include "tests/unit/quota/engine/support_facts.h"

static const char *const ab[] = { "a", "b" };
static const char *const five[] = { "5" };
static const char *const five_seven[] = { "5", "7" };
static const char *const word[] = { "five" };

static void requirements_match_as_in_kubernetes(void **state)
{
    static const struct {
        enum selector_operator operator;
        const char *const *values;
        size_t count;
        bool zone, missing, size, word; /* zone=a, absent, size=6, word=x1 */
    } cases[] = {
        { SELECTOR_IN, ab, 2, true, false, false, false },
        { SELECTOR_NOT_IN, ab, 2, false, true, true, true },
        { SELECTOR_EXISTS, NULL, 0, true, false, true, true },
        { SELECTOR_DOES_NOT_EXIST, NULL, 0, false, true, false, false },
        { SELECTOR_GT, five, 1, false, false, true, false },
        { SELECTOR_LT, five, 1, false, false, false, false },
        { SELECTOR_GT, five_seven, 2, false, false, false, false },
        { SELECTOR_GT, word, 1, false, false, false, false },
        { SELECTOR_INVALID, ab, 2, false, false, false, false },
    };
    size_t count;
    struct label *all = labels(&count, "zone", "a", "size", "6", "word", "x1", NULL);

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct label_requirement r =
            requirement("zone", cases[i].operator, cases[i].count, cases[i].values);

        assert_int_equal(requirement_matches(&r, all, count), cases[i].zone);
        r.key = "missing";
        assert_int_equal(requirement_matches(&r, all, count), cases[i].missing);
        r.key = "size";
        assert_int_equal(requirement_matches(&r, all, count), cases[i].size);
        r.key = "word";
        assert_int_equal(requirement_matches(&r, all, count), cases[i].word);
    }
}

static void gt_and_lt_are_strict(void **state)
{
    size_t count;
    struct label *same = labels(&count, "size", "5", NULL);
    struct label_requirement r = requirement("size", SELECTOR_GT, 1, five);

    (void)state;
    assert_false(requirement_matches(&r, same, count));
    r.operator= SELECTOR_LT;
    assert_false(requirement_matches(&r, same, count));
    same[0].value = "-9223372036854775808";
    assert_true(requirement_matches(&r, same, count));
    same[0].value = "-9223372036854775809"; /* no int64 */
    assert_false(requirement_matches(&r, same, count));
}

static void an_absent_selector_selects_nothing_an_empty_one_everything(void **state)
{
    struct label_selector selector = { .present = false };

    (void)state;
    assert_false(selector_matches(&selector, NULL, 0));
    selector.present = true;
    assert_true(selector_matches(&selector, NULL, 0));
    assert_null(selector_problem(&selector, &facts));
}

static void labels_and_expressions_must_all_hold(void **state)
{
    size_t wanted, have;
    struct label_requirement team = requirement("team", SELECTOR_IN, 2, ab);
    struct label_selector selector = { .present = true,
                                       .requirements = &team,
                                       .requirement_count = 1 };
    struct label *namespace = labels(&have, "team", "a", "tier", "x", NULL);

    (void)state;
    selector.labels = labels(&wanted, "tier", "x", NULL);
    selector.label_count = wanted;
    assert_true(selector_matches(&selector, namespace, have));
    namespace[0].value = "c";
    assert_false(selector_matches(&selector, namespace, have));
    namespace[0].value = "a";
    namespace[1].value = "y";
    assert_false(selector_matches(&selector, namespace, have));
}

static const char *problem_of(enum selector_operator operator, const char * written, size_t count,
                              const char *const *values)
{
    struct label_requirement r = requirement("team", operator, count, values);
    struct label_selector selector = { .present = true,
                                       .requirements = &r,
                                       .requirement_count = 1 };
    const char *problem;

    r.operator_text = written;
    problem = selector_problem(&selector, &facts);
    if (problem)
        assert_false(selector_matches(&selector, NULL, 0));
    return problem;
}

static void malformed_selectors_say_what_kubernetes_says(void **state)
{
    (void)state;
    assert_null(problem_of(SELECTOR_IN, "In", 2, ab));
    assert_string_equal(problem_of(SELECTOR_IN, "In", 0, NULL),
                        "values: Invalid value: null: for 'in', 'notin' operators, values set "
                        "can't be empty");
    assert_string_equal(problem_of(SELECTOR_EXISTS, "Exists", 2, ab),
                        "values: Invalid value: [\"a\",\"b\"]: values set must be empty for exists "
                        "and does not exist");
    assert_string_equal(problem_of(SELECTOR_INVALID, "in", 2, ab),
                        "\"in\" is not a valid label selector operator");
    assert_string_equal(problem_of(SELECTOR_GT, "Gt", 1, five),
                        "\"Gt\" is not a valid label selector operator");
}

static void keys_and_values_are_checked_in_key_order(void **state)
{
    size_t count;
    struct label_selector selector = { .present = true };

    (void)state;
    selector.labels = labels(&count, "z", "-", "a b", "x", NULL);
    selector.label_count = count;
    assert_string_equal(
        selector_problem(&selector, &facts),
        "key: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' "
        "or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or "
        "'my.name',  or '123-abc', regex used for validation is "
        "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')");
    selector.labels[1].key = "zz";
    assert_string_equal(
        selector_problem(&selector, &facts),
        "values[0][z]: Invalid value: \"-\": a valid label must be an empty string or consist of "
        "alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
        "character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
        "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')");
}

static void problems_join_like_an_aggregate(void **state)
{
    struct problems problems = { 0 };

    (void)state;
    assert_null(problems_join(&problems, &facts));
    problems_add(&problems, "one", &facts);
    problems_add(&problems, "one", &facts);
    assert_string_equal(problems_join(&problems, &facts), "one");
    problems_add(&problems, "two", &facts);
    problems_add(&problems, "one", &facts);
    problems_add(&problems, "three", &facts);
    problems_add(&problems, "two", &facts);
    assert_string_equal(problems_join(&problems, &facts), "[one, two, three]");
}

static void several_problems_of_one_requirement_are_all_told(void **state)
{
    struct label_requirement r = requirement("size", SELECTOR_LT, 2, (const char *[]){ "x", "7" });
    struct problems problems = { 0 };

    (void)state;
    requirement_problems(&r, "terms[0]", &problems, &facts);
    assert_string_equal(
        problems_join(&problems, &facts),
        "[terms[0].values: Invalid value: [\"x\",\"7\"]: for 'Gt', 'Lt' operators, exactly one "
        "value is required, terms[0].values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, "
        "the value must be an integer]");
}

static void an_unknown_operator_lists_the_known_ones(void **state)
{
    struct label_requirement r = requirement("size", SELECTOR_INVALID, 0, NULL);
    struct problems problems = { 0 };

    (void)state;
    r.operator_text = "Near";
    requirement_problems(&r, "p", &problems, &facts);
    assert_string_equal(problems_join(&problems, &facts),
                        "p.operator: Unsupported value: \"Near\": supported values: \"In\", "
                        "\"NotIn\", \"Exists\", \"DoesNotExist\", \"Gt\", \"Lt\"");
}

#define TEN "abcdefghij"
#define SIXTY TEN TEN TEN TEN TEN TEN

static void keys_of_labels(void **state)
{
    static const struct {
        const char *key;
        bool good;
    } cases[] = {
        { "a", true },           { "A.b-c_9", true },       { "example.com/x", true },
        { SIXTY "abc", true },   { SIXTY "abcd", false },   { "", false },
        { "/x", false },         { "example.com/", false }, { "a/b/c", false },
        { "-a", false },         { "a-", false },           { "Example.com/x", false },
        { "ex_a.com/x", false }, { "a..b/x", false },       { "a-.b/x", false },
        { "a b", false },        { "caf\xc3\xa9", false },  { "example.com//x", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        if ((label_key_problem(cases[i].key, &facts) == NULL) != cases[i].good)
            fail_msg("%s", cases[i].key);
    assert_string_equal(label_key_problem(SIXTY "abcd", &facts),
                        "name part must be no more than 63 bytes");
}

static void values_of_labels(void **state)
{
    static const struct {
        const char *value;
        bool good;
    } cases[] = {
        { "", true },          { "a", true },           { "a.b_c-9", true },
        { SIXTY "abc", true }, { "-a", false },         { "a/b", false },
        { ".", false },        { SIXTY "abcd", false }, { " a", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        if ((label_value_problem(cases[i].value, &facts) == NULL) != cases[i].good)
            fail_msg("%s", cases[i].value);
}

#define T(f) cmocka_unit_test_teardown(f, facts_finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(requirements_match_as_in_kubernetes),
        T(gt_and_lt_are_strict),
        T(an_absent_selector_selects_nothing_an_empty_one_everything),
        T(labels_and_expressions_must_all_hold),
        T(malformed_selectors_say_what_kubernetes_says),
        T(keys_and_values_are_checked_in_key_order),
        T(problems_join_like_an_aggregate),
        T(several_problems_of_one_requirement_are_all_told),
        T(an_unknown_operator_lists_the_known_ones),
        T(keys_of_labels),
        T(values_of_labels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
