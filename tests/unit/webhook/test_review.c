#include "tests/unit/webhook/support.h"

#include <string.h>

#include <jansson.h>

#include "quota/base/base64.h"
#include "quota/base/mem.h"
#include "webhook/patch.h"
#include "webhook/review.h"

static void a_review_is_read_with_its_raw_objects(void **state)
{
    AUTO_FREE char *text = review_text("u-1");
    struct arena arena = ARENA_INIT;
    struct review review;

    (void)state;
    assert_int_equal(review_parse(str_of(text), &review, &arena, NULL), 0);
    assert_string_equal(review.uid, "u-1");
    assert_string_equal(review.kind.group, "batch");
    assert_string_equal(review.kind.version, "v1");
    assert_string_equal(review.kind.kind, "Job");
    assert_string_equal(review.request_kind.kind, "Job");
    assert_string_equal(review.resource.resource, "jobs");
    assert_string_equal(review.request_resource.resource, "jobs");
    assert_string_equal(review.sub_resource, "");
    assert_string_equal(review.name, "train");
    assert_string_equal(review.namespace_name, "team-a");
    assert_int_equal(review.operation, REVIEW_CREATE);
    assert_string_equal(review.user_name, "ada");
    assert_string_equal(review.user_uid, "");
    assert_int_equal(review.group_count, 2);
    assert_string_equal(review.groups[1], "g2");
    assert_true(str_is(review.object, "{\"kind\":\"Job\",\"spec\":{\"suspend\":false}}"));
    assert_int_equal(review.old_object.length, 0);
    assert_true(str_is(review.options, "{\"kind\":\"CreateOptions\"}"));
    assert_true(review.dry_run);
    assert_true(review.deadline == INT64_MAX);
    arena_finish(&arena);
}

/* The well-formed review with one piece of text replaced by another. */
static char *changed(const char *piece, const char *by)
{
    AUTO_FREE char *text = review_text("u");
    char *at = strstr(text, piece);

    assert_non_null(at);
    return mem_format("%.*s%s%s", (int)(at - text), text, by, at + strlen(piece));
}

static void a_malformed_review_is_refused_with_the_member_named(void **state)
{
    static const struct {
        const char *piece, *by, *says;
    } cases[] = {
        { "\"AdmissionReview\"", "\"Review\"", "kind is \"Review\"" },
        { "\"AdmissionReview\"", "7", "kind is \"\"" },
        { "admission.k8s.io/v1\"", "admission.k8s.io/v1beta1\"", "admission.k8s.io/v1beta1" },
        { "\"request\":{", "\"other\":{", "request is missing" },
        { "\"uid\":\"u\"", "\"uid\":\"\"", "request.uid" },
        { "\"uid\":\"u\"", "\"uid\":5", "request.uid" },
        { "\"uid\":\"u\",", "\"uid\":\"u\",\"uid\":\"v\",", "request.uid is there twice" },
        { "\"dryRun\":true", "\"object\":{}", "request.object is there twice" },
        { "\"kind\":\"Job\"}", "\"kind\":\"\"}", "request.kind.kind" },
        { "\"resource\":\"jobs\"", "\"x\":1", "request.resource.resource" },
        { "\"CREATE\"", "\"PATCH\"", "request.operation is \"PATCH\"" },
        { "\"CREATE\"", "null", "request.operation is \"\"" },
        { "\"object\":{\"kind\":\"Job\"", "\"object\":[{\"kind\":\"Job\"", "byte" },
        { "\"object\":{", "\"other\":{", "request.object is missing" },
        { "\"CREATE\"", "\"UPDATE\"", "request.oldObject is missing" },
        { "\"oldObject\":null", "\"oldObject\":[1]", "request.oldObject is not an object" },
        { "\"oldObject\":null", "\"oldObject\":nul", "byte" },
        { "\"options\":{\"kind\":\"CreateOptions\"}}}", "\"options\":{}}}x", "byte" },
        { "\"options\":{\"kind\":\"CreateOptions\"}}}", "\"options\":{}}", "byte" },
        { "\"name\":\"train\"", "\"name\":\"\\ud800\"", "byte" },
        { "\"name\":\"train\"", "\"name\":\"\xff\"", "byte" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_FREE char *text = changed(cases[i].piece, cases[i].by);
        struct arena arena = ARENA_INIT;
        struct review review;
        struct err e = { 0 };

        if (review_parse(str_of(text), &review, &arena, &e) == 0)
            fail_msg("accepted: %s", text);
        assert_int_equal(e.code, ERR_INVALID);
        if (!strstr(e.text, cases[i].says))
            fail_msg("\"%s\" does not say \"%s\"", e.text, cases[i].says);
        arena_finish(&arena);
    }
}

static void what_is_no_json_object_is_refused(void **state)
{
    static const char *const bodies[] = { "",   " ",       "null",           "[]",   "\"x\"", "{",
                                          "{}", "{\"a\"}", "\xef\xbb\xbf{}", "{} {}" };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(bodies); i++) {
        struct arena arena = ARENA_INIT;
        struct review review;
        struct err e = { 0 };

        assert_int_equal(review_parse(str_of(bodies[i]), &review, &arena, &e), -1);
        assert_int_equal(e.code, ERR_INVALID);
        assert_true(e.text[0] != '\0');
        arena_finish(&arena);
    }
}

static void deep_nesting_is_refused_and_not_followed(void **state)
{
    AUTO_STRBUF struct strbuf deep = STRBUF_INIT;
    AUTO_FREE char *text = NULL;
    struct arena arena = ARENA_INIT;
    struct review review;
    struct err e = { 0 };

    (void)state;
    for (int i = 0; i < 200000; i++)
        strbuf_putc(&deep, '[');
    strbuf_puts(&deep, "1");
    for (int i = 0; i < 200000; i++)
        strbuf_putc(&deep, ']');
    text = changed("{\"suspend\":false}", deep.text);
    assert_int_equal(review_parse(str_of(text), &review, &arena, &e), -1);
    assert_int_equal(e.code, ERR_INVALID);
    arena_finish(&arena);
}

static void sub_resource_and_original_kind_are_kept_apart(void **state)
{
    AUTO_FREE char *text = changed(
        "\"dryRun\":true", "\"subResource\":\"status\",\"requestKind\":{\"group\":\"batch\","
                           "\"version\":\"v1beta1\",\"kind\":\"Job\"}");
    struct arena arena = ARENA_INIT;
    struct review review;

    (void)state;
    assert_int_equal(review_parse(str_of(text), &review, &arena, NULL), 0);
    assert_string_equal(review.sub_resource, "status");
    assert_string_equal(review.request_sub_resource, "status");
    assert_string_equal(review.kind.version, "v1");
    assert_string_equal(review.request_kind.version, "v1beta1");
    assert_false(review.dry_run);
    arena_finish(&arena);
}

/* -- answers -- */

static json_t *rendered(const struct review_answer *answer)
{
    struct review review = { .uid = "u\"1", .kind = { "batch", "v1", "Job" }, .name = "train" };
    AUTO_STRBUF struct strbuf out = STRBUF_INIT;
    json_error_t error;
    json_t *tree;

    review_render(&review, answer, &out);
    tree = json_loadb(out.text, out.length, JSON_REJECT_DUPLICATES, &error);
    if (!tree)
        fail_msg("%s in %s", error.text, out.text);
    assert_string_equal(json_string_value(json_object_get(tree, "kind")), "AdmissionReview");
    assert_string_equal(json_string_value(json_object_get(tree, "apiVersion")),
                        "admission.k8s.io/v1");
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(tree, "response"), "uid")), "u\"1");
    return tree;
}

static void an_untouched_answer_allows_without_a_patch(void **state)
{
    struct review_answer answer = { .allowed = true };
    json_t *tree = rendered(&answer), *response = json_object_get(tree, "response");

    (void)state;
    assert_true(json_is_true(json_object_get(response, "allowed")));
    assert_null(json_object_get(response, "patch"));
    assert_null(json_object_get(response, "patchType"));
    assert_null(json_object_get(response, "warnings"));
    json_decref(tree);
}

static void a_patch_is_sent_as_base64(void **state)
{
    struct review_answer answer = { .allowed = true };
    AUTO_STRBUF struct strbuf patch = STRBUF_INIT;
    json_t *tree, *response;

    (void)state;
    review_patch(&answer, STR("[{\"op\":\"remove\",\"path\":\"/a\"}]"));
    tree = rendered(&answer);
    response = json_object_get(tree, "response");
    assert_string_equal(json_string_value(json_object_get(response, "patchType")), "JSONPatch");
    assert_true(
        base64_decode(str_of(json_string_value(json_object_get(response, "patch"))), &patch));
    assert_string_equal(patch.text, "[{\"op\":\"remove\",\"path\":\"/a\"}]");
    json_decref(tree);
    review_patch(&answer, STR("[]"));
    assert_int_equal(answer.patch.length, 0);
}

static void a_denial_has_code_reason_message_and_causes(void **state)
{
    struct review_answer answer = { .allowed = true };
    struct arena arena = ARENA_INIT;
    json_t *tree, *status, *causes;

    (void)state;
    review_patch(&answer, STR("[{}]"));
    review_deny(&answer, &arena, "spec.%s: Invalid value: \"%s\"", "queue", "a\nb");
    for (int i = 0; i < 9; i++)
        review_cause(&answer, &arena, "FieldValueInvalid", i ? "spec.queue" : NULL, "bad");
    tree = rendered(&answer);
    status = json_object_get(json_object_get(tree, "response"), "status");
    assert_true(json_is_false(json_object_get(json_object_get(tree, "response"), "allowed")));
    assert_null(json_object_get(json_object_get(tree, "response"), "patch"));
    assert_int_equal(json_integer_value(json_object_get(status, "code")), 403);
    assert_string_equal(json_string_value(json_object_get(status, "reason")), "Forbidden");
    assert_string_equal(json_string_value(json_object_get(status, "message")),
                        "spec.queue: Invalid value: \"a\nb\"");
    causes = json_object_get(json_object_get(status, "details"), "causes");
    assert_int_equal(json_array_size(causes), 9);
    assert_null(json_object_get(json_array_get(causes, 0), "field"));
    assert_string_equal(json_string_value(json_object_get(json_array_get(causes, 8), "field")),
                        "spec.queue");
    json_decref(tree);
    arena_finish(&arena);
}

static void warnings_are_cut_between_characters_and_bounded_in_sum(void **state)
{
    struct review_answer answer = { .allowed = true };
    struct arena arena = ARENA_INIT;
    char text[301];
    size_t sum = 0;
    json_t *tree, *warnings, *warning;
    size_t i;

    (void)state;
    memset(text, 'x', sizeof(text));
    memcpy(text + 255, "\xc3\xa9", 2); /* its second byte is number 257 */
    text[300] = '\0';
    for (i = 0; i < 40; i++)
        review_warn(&answer, &arena, "%s", text);
    tree = rendered(&answer);
    warnings = json_object_get(json_object_get(tree, "response"), "warnings");
    assert_int_equal(json_string_length(json_array_get(warnings, 0)), 255);
    json_array_foreach(warnings, i, warning)
        sum += json_string_length(warning);
    assert_true(sum <= 4096 && sum > 4096 - 256);
    json_decref(tree);
    arena_finish(&arena);
}

/* -- the adapter -- */

static int fail_with(void *context, const struct review *review, struct review_answer *answer,
                     struct arena *arena, struct err *e)
{
    (void)review, (void)answer, (void)arena;
    return err_set(e, *(enum err_code *)context, "because of %d", 5);
}

static json_t *served(const struct route_table *table, const char *body, unsigned status)
{
    struct request request = { .method = ROUTE_POST, .path = "/r", .deadline = INT64_MAX };
    struct arena arena = ARENA_INIT;
    struct response response;
    struct route route;
    json_t *tree;

    request.body = str_of(body);
    response_init(&response);
    assert_int_equal(route_find(table, ROUTE_POST, "/r", &route), ROUTE_FOUND);
    route.function(route.context, &request, &response, &arena);
    assert_int_equal(response.status, status);
    tree = json_loadb(response.body.text, response.body.length, 0, NULL);
    response_finish(&response);
    arena_finish(&arena);
    return tree;
}

static void a_handler_that_fails_denies_with_the_matching_code(void **state)
{
    static const struct {
        enum err_code error;
        int code;
        const char *reason;
    } cases[] = {
        { ERR_INVALID, 400, "BadRequest" },   { ERR_FORBIDDEN, 403, "Forbidden" },
        { ERR_NOT_FOUND, 404, "NotFound" },   { ERR_CONFLICT, 409, "Conflict" },
        { ERR_EXISTS, 409, "AlreadyExists" }, { ERR_BUSY, 503, "ServiceUnavailable" },
        { ERR_NOMEM, 500, "InternalError" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        enum err_code error = cases[i].error;
        struct route_table *table = route_table_create();
        AUTO_FREE char *body = review_text("u");
        json_t *tree, *response, *status;

        assert_int_equal(review_route_add(table, "/r", fail_with, &error, NULL), 0);
        tree = served(table, body, 200);
        response = json_object_get(tree, "response");
        status = json_object_get(response, "status");
        assert_true(json_is_false(json_object_get(response, "allowed")));
        assert_int_equal(json_integer_value(json_object_get(status, "code")), cases[i].code);
        assert_string_equal(json_string_value(json_object_get(status, "reason")), cases[i].reason);
        assert_string_equal(json_string_value(json_object_get(status, "message")), "because of 5");
        json_decref(tree);
        route_table_destroy(table);
    }
}

static void a_malformed_envelope_is_http_400_in_plain_text(void **state)
{
    struct route_table *table = route_table_create();

    (void)state;
    assert_int_equal(review_route_add(table, "/r", review_allow, NULL, NULL), 0);
    assert_null(served(table, "{\"kind\":\"AdmissionReview\"}", 400));
    route_table_destroy(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_review_is_read_with_its_raw_objects),
        cmocka_unit_test(a_malformed_review_is_refused_with_the_member_named),
        cmocka_unit_test(what_is_no_json_object_is_refused),
        cmocka_unit_test(deep_nesting_is_refused_and_not_followed),
        cmocka_unit_test(sub_resource_and_original_kind_are_kept_apart),
        cmocka_unit_test(an_untouched_answer_allows_without_a_patch),
        cmocka_unit_test(a_patch_is_sent_as_base64),
        cmocka_unit_test(a_denial_has_code_reason_message_and_causes),
        cmocka_unit_test(warnings_are_cut_between_characters_and_bounded_in_sum),
        cmocka_unit_test(a_handler_that_fails_denies_with_the_matching_code),
        cmocka_unit_test(a_malformed_envelope_is_http_400_in_plain_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
