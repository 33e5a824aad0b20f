#include "tests/unit/webhook/support.h"

#include <string.h>

#include "webhook/route.h"

static void first(void *context, const struct request *request, struct response *response,
                  struct arena *arena)
{
    (void)context, (void)request, (void)arena;
    response_text(response, 201, "first");
}

static void second(void *context, const struct request *request, struct response *response,
                   struct arena *arena)
{
    (void)context, (void)request, (void)arena;
    response_text(response, 202, "second");
}

static void an_exact_path_is_found_with_its_context(void **state)
{
    struct route_table *table = route_table_create();
    struct route route;
    int context;

    (void)state;
    assert_int_equal(route_add(table, ROUTE_POST, "/a", first, &context, NULL), 0);
    assert_int_equal(route_find(table, ROUTE_POST, "/a", &route), ROUTE_FOUND);
    assert_ptr_equal(route.function, first);
    assert_ptr_equal(route.context, &context);
    assert_string_equal(route.path, "/a");
    assert_int_equal(route_find(table, ROUTE_POST, "/a/", &route), ROUTE_NO_PATH);
    assert_int_equal(route_find(table, ROUTE_POST, "/", &route), ROUTE_NO_PATH);
    assert_int_equal(route_find(table, ROUTE_POST, "", &route), ROUTE_NO_PATH);
    assert_string_equal(route.path, "");
    route_table_destroy(table);
}

static void the_other_method_is_told_from_an_unknown_path(void **state)
{
    struct route_table *table = route_table_create();
    struct route route;

    (void)state;
    assert_int_equal(route_add(table, ROUTE_POST, "/a", first, NULL, NULL), 0);
    assert_int_equal(route_find(table, ROUTE_GET, "/a", &route), ROUTE_NO_METHOD);
    assert_int_equal(route_add(table, ROUTE_GET, "/a", second, NULL, NULL), 0);
    assert_int_equal(route_find(table, ROUTE_GET, "/a", &route), ROUTE_FOUND);
    assert_ptr_equal(route.function, second);
    route_table_destroy(table);
}

static void the_longest_prefix_wins_and_an_exact_path_before_it(void **state)
{
    struct route_table *table = route_table_create();
    struct route route;

    (void)state;
    assert_int_equal(route_add(table, ROUTE_GET, "/d/*", first, NULL, NULL), 0);
    assert_int_equal(route_add(table, ROUTE_GET, "/d/e/*", second, NULL, NULL), 0);
    assert_int_equal(route_add(table, ROUTE_GET, "/d/e/f", first, NULL, NULL), 0);
    assert_int_equal(route_find(table, ROUTE_GET, "/d/x/y", &route), ROUTE_FOUND);
    assert_string_equal(route.path, "/d/*");
    assert_int_equal(route_find(table, ROUTE_GET, "/d/e/x", &route), ROUTE_FOUND);
    assert_string_equal(route.path, "/d/e/*");
    assert_int_equal(route_find(table, ROUTE_GET, "/d/e/f", &route), ROUTE_FOUND);
    assert_string_equal(route.path, "/d/e/f");
    assert_int_equal(route_find(table, ROUTE_GET, "/d", &route), ROUTE_NO_PATH);
    route_table_destroy(table);
}

static void a_second_registration_and_a_bad_path_are_refused(void **state)
{
    struct route_table *table = route_table_create();
    struct err e = { 0 };

    (void)state;
    assert_int_equal(route_add(table, ROUTE_POST, "/a", first, NULL, &e), 0);
    assert_int_equal(route_add(table, ROUTE_POST, "/a", second, NULL, &e), -1);
    assert_int_equal(e.code, ERR_EXISTS);
    assert_non_null(strstr(e.text, "/a"));
    assert_int_equal(route_add(table, ROUTE_POST, "a", second, NULL, &e), -1);
    assert_int_equal(e.code, ERR_INVALID);
    assert_int_equal(route_add(table, ROUTE_POST, "/a?b", second, NULL, &e), -1);
    assert_int_equal(e.code, ERR_INVALID);
    route_table_destroy(table);
}

static void a_response_keeps_a_bounded_number_of_headers(void **state)
{
    struct response response;

    (void)state;
    response_init(&response);
    assert_int_equal(response.status, 200);
    for (int i = 0; i < RESPONSE_HEADERS_MAX + 3; i++)
        response_header(&response, "A", "b");
    assert_int_equal(response.header_count, RESPONSE_HEADERS_MAX);
    response_text(&response, 400, "%s", "one");
    response_text(&response, 404, "%s", "two");
    assert_string_equal(response.body.text, "two\n");
    assert_int_equal(response.status, 404);
    response_finish(&response);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_exact_path_is_found_with_its_context),
        cmocka_unit_test(the_other_method_is_told_from_an_unknown_path),
        cmocka_unit_test(the_longest_prefix_wins_and_an_exact_path_before_it),
        cmocka_unit_test(a_second_registration_and_a_bad_path_are_refused),
        cmocka_unit_test(a_response_keeps_a_bounded_number_of_headers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
