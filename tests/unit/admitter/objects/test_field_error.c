#include "tests/unit/admitter/objects/support.h"

#include <string.h>
#include "admitter/objects/admission_gates.h"
#include "admitter/objects/field_error.h"
#include "quota/base/mem.h"

static struct field_errors errors;

static int setup(void **state)
{
    arena_setup(state);
    field_errors_init(&errors, &arena);
    return 0;
}

static void each_kind_renders_as_kubernetes_does(void **state)
{
    static const char *const supported[] = { "a", "b\"" };
    json_t *object = tree("{'z':1,'a':'<&>'}");

    (void)state;
    field_error_invalid_text(&errors, "p", "v\n\"\x01\xff\xc3\xa4", "d %d", 1);
    field_error_invalid_int(&errors, "p", -3, "d");
    field_error_invalid_bool(&errors, "p", true, "d");
    field_error_invalid_json(&errors, "p", object, "d");
    field_error_invalid_json(&errors, "p", NULL, "d");
    field_error_invalid_omitted(&errors, "p", "d");
    field_error_duplicate_text(&errors, "p", "v");
    field_error_not_supported(&errors, "p", "v", supported, 2);
    field_error_not_found(&errors, "p", "v");
    field_error_required(&errors, "p", "%s", "");
    field_error_required(&errors, "p", "d");
    field_error_forbidden(&errors, "p", "d");
    field_error_too_long(&errors, "p", 63);
    assert_int_equal(field_errors_count(&errors), 13);
    assert_string_equal(errors.items[0].text,
                        "p: Invalid value: \"v\\n\\\"\\x01\\xff\xc3\xa4\": d 1");
    assert_string_equal(errors.items[1].text, "p: Invalid value: -3: d");
    assert_string_equal(errors.items[2].text, "p: Invalid value: true: d");
    assert_string_equal(errors.items[3].text,
                        "p: Invalid value: {\"z\":1,\"a\":\"\\u003c\\u0026\\u003e\"}: d");
    assert_string_equal(errors.items[4].text, "p: Invalid value: \"null\": d");
    assert_string_equal(errors.items[5].text, "p: Invalid value: d");
    assert_string_equal(errors.items[6].text, "p: Duplicate value: \"v\"");
    assert_string_equal(errors.items[7].text,
                        "p: Unsupported value: \"v\": supported values: \"a\", \"b\\\"\"");
    assert_string_equal(errors.items[8].text, "p: Not found: \"v\"");
    assert_string_equal(errors.items[9].text, "p: Required value");
    assert_string_equal(errors.items[10].text, "p: Required value: d");
    assert_string_equal(errors.items[11].text, "p: Forbidden: d");
    assert_string_equal(errors.items[12].text, "p: Too long: may not be more than 63 bytes");
    assert_string_equal(errors.items[12].body, "Too long: may not be more than 63 bytes");
    assert_string_equal(field_error_reason(errors.items[9].kind), "FieldValueRequired");
    json_decref(object);
}

static void one_error_stands_alone_and_several_in_brackets(void **state)
{
    (void)state;
    assert_null(field_errors_text(&errors));
    field_error_required(&errors, "a", "x");
    assert_string_equal(field_errors_text(&errors), "a: Required value: x");
    field_error_required(&errors, "a", "x");
    assert_string_equal(field_errors_text(&errors), "a: Required value: x");
    field_error_forbidden(&errors, "b", "y");
    field_error_required(&errors, "a", "x");
    assert_string_equal(field_errors_text(&errors), "[a: Required value: x, b: Forbidden: y]");
}

typedef void check_function(struct field_errors *errors, const char *path, const char *value);

static const struct {
    check_function *check;
    const char *value;
    size_t problems;
} syntax[] = {
    { field_check_qualified_name, "cpu", 0 },
    { field_check_qualified_name, "nvidia.com/gpu", 0 },
    { field_check_qualified_name, "a/b/c", 1 },
    { field_check_qualified_name, "", 2 },
    { field_check_qualified_name, "/x", 1 },
    { field_check_qualified_name, "x/", 2 },
    { field_check_qualified_name, "Up.com/x", 1 },
    { field_check_qualified_name, "-x", 1 },
    { field_check_qualified_name, "x-", 1 },
    { field_check_qualified_name, "@cpu", 1 },
    { field_check_qualified_name,
      "a123456789012345678901234567890123456789012345678901234567890123", 1 },
    { field_check_label_value, "", 0 },
    { field_check_label_value, "A_b.c-9", 0 },
    { field_check_label_value, "a b", 1 },
    { field_check_label_value, ".a", 1 },
    { field_check_dns_subdomain, "a.b-c.9", 0 },
    { field_check_dns_subdomain, "", 1 },
    { field_check_dns_subdomain, "a..b", 1 },
    { field_check_dns_subdomain, "A", 1 },
    { field_check_dns_subdomain, "a_b", 1 },
    { field_check_dns_label, "main", 0 },
    { field_check_dns_label, "a.b", 1 },
    { field_check_domain_path, "acme.io/foo", 0 },
    { field_check_domain_path, "acme.io/", 1 },
    { field_check_domain_path, "foo", 1 },
    { field_check_domain_path, "ACME/x", 1 },
    { field_check_domain_path, "a/b c", 1 },
};

static void names_are_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(syntax); i++) {
        field_errors_init(&errors, &arena);
        syntax[i].check(&errors, "p", syntax[i].value);
        if (errors.count != syntax[i].problems)
            fail_msg("%s: %zu problems: %s", syntax[i].value, errors.count,
                     field_errors_text(&errors));
    }
}

static void a_bad_label_key_says_what_is_allowed(void **state)
{
    (void)state;
    field_check_qualified_name(&errors, "p", "@x");
    assert_string_equal(
        field_errors_text(&errors),
        "p: Invalid value: \"@x\": name part must consist of alphanumeric characters, '-', '_' or "
        "'.', and must start and end with an alphanumeric character (e.g. 'MyName',  or "
        "'my.name',  or '123-abc', regex used for validation is "
        "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')");
}

static void selectors_are_judged(void **state)
{
    json_t *selector =
        tree("{'matchLabels':{'a':'b c'},'matchExpressions':[{'key':'k','operator':'In'},"
             "{'key':'k','operator':'Exists','values':['v']},{'key':'','operator':'Gt'},"
             "{'key':'k','operator':'NotIn','values':['ok','not ok']}]}");

    (void)state;
    field_check_label_selector(&errors, "s", selector);
    json_decref(selector);
    assert_int_equal(errors.count, 7);
    assert_string_equal(errors.items[0].path, "s.matchLabels");
    assert_string_equal(errors.items[1].text, "s.matchExpressions[0].values: Required value: must "
                                              "be specified when `operator` is 'In' or 'NotIn'");
    assert_string_equal(errors.items[2].text,
                        "s.matchExpressions[1].values: Forbidden: may not be specified when "
                        "`operator` is 'Exists' or 'DoesNotExist'");
    assert_string_equal(errors.items[3].text, "s.matchExpressions[2].operator: Invalid value: "
                                              "\"Gt\": not a valid selector operator");
    assert_string_equal(errors.items[4].path, "s.matchExpressions[2].key");
    assert_string_equal(errors.items[6].path, "s.matchExpressions[3].values[1]");
}

static void conditions_are_judged(void **state)
{
    json_t *good = tree("[{'type':'A','status':'True','reason':'Some_Reason','message':'',"
                        "'lastTransitionTime':'2026-01-02T03:04:05Z'}]");
    json_t *bad = tree("[{'type':'A','status':'Yes','reason':'9','observedGeneration':-1},"
                       "{'type':'A','status':'True','lastTransitionTime':'t'}]");

    (void)state;
    field_check_conditions(&errors, "c", good);
    assert_null(field_errors_text(&errors));
    field_check_conditions(&errors, "c", bad);
    assert_int_equal(errors.count, 6);
    assert_string_equal(errors.items[0].text, "c[0].status: Unsupported value: \"Yes\": supported "
                                              "values: \"False\", \"True\", \"Unknown\"");
    assert_string_equal(errors.items[1].path, "c[0].observedGeneration");
    assert_string_equal(errors.items[2].text, "c[0].lastTransitionTime: Required value: must be "
                                              "set");
    assert_string_equal(errors.items[3].path, "c[0].reason");
    assert_string_equal(errors.items[4].text, "c[1].type: Duplicate value: \"A\"");
    assert_string_equal(errors.items[5].text, "c[1].reason: Required value: must be set");
    json_decref(good);
    json_decref(bad);
}

static void annotations_may_not_be_too_big(void **state)
{
    char *big = mem_alloc(262145);
    json_t *annotations;

    (void)state;
    memset(big, 'x', 262144);
    annotations = json_pack("{s:s}", "UPPER.example.com/ok", big);
    field_check_annotations(&errors, "a", annotations);
    assert_string_equal(field_errors_text(&errors),
                        "a: Too long: may not be more than 262144 bytes");
    json_decref(annotations);
    free(big);
}

#define GATES "metadata.annotations[kueue.x-k8s.io/admission-gated-by]: "

static const struct {
    const char *before, *after, *expected; /* before NULL: created */
} gates[] = {
    { NULL, "", NULL },
    { NULL, "  ", NULL },
    { NULL, "a.io/x, b.io/y", NULL },
    { NULL, "a.io/x,", GATES "Invalid value: \"a.io/x,\": cannot contain empty gate names" },
    { NULL, "a.io/x, a.io/x",
      GATES "Invalid value: \"a.io/x, a.io/x\": duplicate gate name: a.io/x" },
    { NULL, "x",
      GATES "Invalid value: \"x\": must be a domain-prefixed path (such as \"acme.io/foo\")" },
    { NULL, "a.io/123456789012345678901234567890123456789012345678901234567890",
      GATES "Too long: may not be more than 63 bytes" },
    { "", "a.io/x", GATES "Forbidden: cannot add admission gate after creation" },
    { "a.io/x,a.io/y", "a.io/y", NULL },
    { "a.io/x", "", NULL },
    { "a.io/x", "a.io/y,a.io/z", GATES "Forbidden: can only remove gates, not add new ones" },
    { "a.io/x", "a.io/x", NULL },
};

static void admission_gates_may_only_be_taken_away(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(gates); i++) {
        const char *text;

        field_errors_init(&errors, &arena);
        if (gates[i].before)
            admission_gates_check_update(gates[i].before, gates[i].after, &errors);
        else
            admission_gates_check(gates[i].after, &errors);
        text = field_errors_text(&errors);
        assert_string_equal(text ? text : "", gates[i].expected ? gates[i].expected : "");
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, arena_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_kind_renders_as_kubernetes_does),
        TEST(one_error_stands_alone_and_several_in_brackets),
        TEST(names_are_judged),
        TEST(a_bad_label_key_says_what_is_allowed),
        TEST(selectors_are_judged),
        TEST(conditions_are_judged),
        TEST(annotations_may_not_be_too_big),
        TEST(admission_gates_may_only_be_taken_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
