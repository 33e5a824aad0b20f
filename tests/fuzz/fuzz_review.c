/* room: webhook - AdmissionReview and ConversionReview envelopes, from outside bytes to the answer.
 *
 * Whatever comes in: an answer that is JSON with the same uid, or an error with a text. The first
 * byte chooses the envelope. jansson judges: what our reader accepts, jansson must accept too. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "quota/base/mem.h"
#include "webhook/conversion.h"
#include "webhook/review.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(bool truth)
{
    if (!truth)
        abort();
}

/* The answer is JSON and echoes the uid. */
static void check_answer(const struct strbuf *out, const char *uid)
{
    json_t *tree = json_loadb(out->text, out->length, 0, NULL);
    const char *echoed =
        json_string_value(json_object_get(json_object_get(tree, "response"), "uid"));

    insist(tree && echoed && (!uid || strcmp(echoed, uid) == 0));
    json_decref(tree);
}

static void fuzz_review(struct str body, struct arena *arena)
{
    AUTO_STRBUF struct strbuf out = STRBUF_INIT;
    struct review_answer answer = { .allowed = true };
    struct review review;
    struct err e = { 0 };

    if (review_parse(body, &review, arena, &e) < 0) {
        insist(e.code == ERR_INVALID && e.text[0]);
        return;
    }
    insist(review.object.length || review.operation >= REVIEW_DELETE);
    review_warn(&answer, arena, "%s", review.name);
    review_cause(&answer, arena, review.user_name, review.namespace_name, review.sub_resource);
    if (review.dry_run)
        review_deny(&answer, arena, "%s", review.user_uid);
    else
        review_patch(&answer, review.object);
    review_render(&review, &answer, &out);
    check_answer(&out, review.uid);
}

static int pass_through(void *context, struct str object, const char *from, const char *to,
                        struct strbuf *out, struct arena *arena, struct err *e)
{
    (void)context, (void)arena;
    if (object.length % 7 == 3)
        return err_set(e, ERR_INVALID, "%s to %s", from, to);
    strbuf_str(out, object);
    return 0;
}

static void fuzz_conversion(struct str body, struct arena *arena)
{
    AUTO_STRBUF struct strbuf out = STRBUF_INIT;
    struct conversion_table *table = conversion_table_create();
    struct err e = { 0 };
    json_t *judged = json_loadb(body.text, body.length, 0, NULL);

    insist(conversion_add(table, "k.io", "Queue", pass_through, NULL, NULL) == 0);
    if (conversion_answer(table, body, &out, arena, &e) < 0)
        insist(e.code == ERR_INVALID && e.text[0] && out.length == 0);
    else if (judged) /* objects pass through with numbers that jansson finds too big */
        check_answer(&out, NULL);
    json_decref(judged);
    conversion_table_destroy(table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = ARENA_INIT;
    struct str body = { (const char *)data + 1, size ? size - 1 : 0 };

    if (!size)
        return 0;
    if (data[0] & 1)
        fuzz_conversion(body, &arena);
    else
        fuzz_review(body, &arena);
    arena_finish(&arena);
    return 0;
}
