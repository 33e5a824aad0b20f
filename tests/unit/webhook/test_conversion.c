#include "tests/unit/webhook/support.h"

#include <string.h>

#include <jansson.h>

#include "quota/base/mem.h"
#include "webhook/conversion.h"

/* Converts by saying what it was asked; refuses objects that contain "poison". */
static int rename_version(void *context, struct str object, const char *from, const char *to,
                          struct strbuf *out, struct arena *arena, struct err *e)
{
    (void)context, (void)arena;
    strbuf_printf(out, "{\"from\":\"%s\",\"to\":\"%s\",\"was\":", from, to);
    if (memmem(object.text, object.length, "poison", 6))
        return err_set(e, ERR_INVALID, "spec.x: cannot be said in %s", to);
    strbuf_str(out, object);
    strbuf_putc(out, '}');
    return 0;
}

static struct conversion_table *table_create(void)
{
    struct conversion_table *table = conversion_table_create();

    assert_int_equal(conversion_add(table, "k.io", "Queue", rename_version, NULL, NULL), 0);
    return table;
}

static char *body(const char *desired, const char *objects)
{
    return mem_format(
        "{\"kind\":\"ConversionReview\",\"apiVersion\":\"apiextensions.k8s.io/v1\","
        "\"request\":{\"uid\":\"u-1\",\"desiredAPIVersion\":\"%s\",\"objects\":[%s]}}",
        desired, objects);
}

/* The response member, after checks of the envelope; NULL for a malformed review. */
static json_t *converted(const char *text, struct err *e)
{
    struct conversion_table *table = table_create();
    AUTO_STRBUF struct strbuf out = STRBUF_INIT;
    struct arena arena = ARENA_INIT;
    json_t *tree = NULL, *response = NULL;

    if (conversion_answer(table, str_of(text), &out, &arena, e) == 0) {
        tree = json_loadb(out.text, out.length, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(tree);
        assert_string_equal(json_string_value(json_object_get(tree, "kind")), "ConversionReview");
        response = json_incref(json_object_get(tree, "response"));
        assert_string_equal(json_string_value(json_object_get(response, "uid")), "u-1");
    } else {
        assert_int_equal(out.length, 0);
    }
    json_decref(tree);
    arena_finish(&arena);
    conversion_table_destroy(table);
    return response;
}

static const char *result_of(const json_t *response, const char *key)
{
    return json_string_value(json_object_get(json_object_get(response, "result"), key));
}

static void objects_come_back_converted_and_in_order(void **state)
{
    AUTO_FREE char *text =
        body("k.io/v2", "{\"apiVersion\":\"k.io/v1\",\"kind\":\"Queue\",\"n\":0},"
                        "{\"kind\":\"Queue\",\"n\":1,\"apiVersion\":\"k.io/v2\"},"
                        "{\"apiVersion\":\"k.io/v0\",\"kind\":\"Queue\",\"n\":2}");
    json_t *response = converted(text, NULL), *list = json_object_get(response, "convertedObjects");

    (void)state;
    assert_string_equal(result_of(response, "status"), "Success");
    assert_int_equal(json_array_size(list), 3);
    for (int i = 0; i < 3; i++) {
        json_t *object = json_array_get(list, (size_t)i), *was = json_object_get(object, "was");

        assert_int_equal(json_integer_value(json_object_get(i == 1 ? object : was, "n")), i);
    }
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 2), "from")), "v0");
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 2), "to")), "v2");
    json_decref(response);
}

static void an_empty_list_converts_to_an_empty_list(void **state)
{
    AUTO_FREE char *text = body("k.io/v2", "");
    json_t *response = converted(text, NULL);

    (void)state;
    assert_string_equal(result_of(response, "status"), "Success");
    assert_int_equal(json_array_size(json_object_get(response, "convertedObjects")), 0);
    json_decref(response);
}

static void one_that_fails_fails_all_and_is_named(void **state)
{
    static const struct {
        const char *object, *says;
    } cases[] = {
        { "{\"apiVersion\":\"k.io/"
          "v1\",\"kind\":\"Queue\",\"metadata\":{\"name\":\"q\"},\"s\":\"poison\"}",
          "Queue q: spec.x: cannot be said in v2" },
        { "{\"apiVersion\":\"k.io/"
          "v1\",\"kind\":\"Pot\",\"metadata\":{\"namespace\":\"ns\",\"name\":\"p\"}}",
          "Pot ns/p: no conversion" },
        { "{\"apiVersion\":\"other.io/v1\",\"kind\":\"Queue\",\"metadata\":{\"name\":\"q\"}}",
          "other.io/v1 to another group" },
        { "{\"kind\":\"Queue\"}", "apiVersion or kind is missing" },
        { "7", "object : apiVersion or kind is missing" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_FREE char *objects =
            mem_format("{\"apiVersion\":\"k.io/v1\",\"kind\":\"Queue\"},%s", cases[i].object);
        AUTO_FREE char *text = body("k.io/v2", objects);
        json_t *response = converted(text, NULL);

        assert_string_equal(result_of(response, "status"), "Failure");
        if (!strstr(result_of(response, "message"), cases[i].says))
            fail_msg("\"%s\" does not say \"%s\"", result_of(response, "message"), cases[i].says);
        assert_int_equal(json_array_size(json_object_get(response, "convertedObjects")), 0);
        json_decref(response);
    }
}

static void a_malformed_envelope_is_an_error(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        { "", "byte" },
        { "[]", "kind is \"\"" },
        { "{\"kind\":\"ConversionReview\"}", "apiVersion is \"\"" },
        { "{\"kind\":\"ConversionReview\",\"apiVersion\":\"apiextensions.k8s.io/v1\"}",
          "request is missing" },
        { "{\"kind\":\"ConversionReview\",\"apiVersion\":\"apiextensions.k8s.io/"
          "v1\",\"request\":{}}",
          "request.uid" },
        { "{\"kind\":\"ConversionReview\",\"apiVersion\":\"apiextensions.k8s.io/v1\",\"request\":"
          "{\"uid\":\"u\"}}",
          "desiredAPIVersion" },
        { "{\"kind\":\"ConversionReview\",\"apiVersion\":\"apiextensions.k8s.io/v1\",\"request\":"
          "{\"uid\":\"u\",\"desiredAPIVersion\":\"k.io/v1\",\"objects\":{}}}",
          "request.objects" },
        { "{\"kind\":\"ConversionReview\",\"apiVersion\":\"apiextensions.k8s.io/v1\",\"request\":"
          "{\"uid\":\"u\",\"desiredAPIVersion\":\"k.io/v1\",\"objects\":[{]}}",
          "byte" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct err e = { 0 };

        assert_null(converted(cases[i].text, &e));
        assert_int_equal(e.code, ERR_INVALID);
        if (!strstr(e.text, cases[i].says))
            fail_msg("\"%s\" does not say \"%s\"", e.text, cases[i].says);
    }
}

static void a_kind_is_registered_once(void **state)
{
    struct conversion_table *table = table_create();
    struct err e = { 0 };

    (void)state;
    assert_int_equal(conversion_add(table, "k.io", "Queue", rename_version, NULL, &e), -1);
    assert_int_equal(e.code, ERR_EXISTS);
    conversion_table_destroy(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_come_back_converted_and_in_order),
        cmocka_unit_test(an_empty_list_converts_to_an_empty_list),
        cmocka_unit_test(one_that_fails_fails_all_and_is_named),
        cmocka_unit_test(a_malformed_envelope_is_an_error),
        cmocka_unit_test(a_kind_is_registered_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
