#include "tests/unit/webhook/support.h"

#include <string.h>

#include "quota/base/mem.h"
#include "webhook/certificate_store.h"

#define DAY INT64_C(86400)

static enum certificate_action step(struct certificate_store *store, int64_t now,
                                    int64_t published_since)
{
    enum certificate_action action;
    struct err e = { 0 };

    if (certificate_store_step(store, &loopback_names, now, published_since, &action, &e) < 0)
        fail_msg("%s", e.text);
    return action;
}

/* What a client that trusts 'bundle' would say of the leaf served now. */
static void assert_trusted(const struct certificate_store *store, const char *bundle, int64_t now)
{
    struct err e = { 0 };

    if (certificate_verify(store->leaf.certificate, bundle, &loopback_names, now, &e) < 0)
        fail_msg("%s", e.text);
}

static char *bundle_of(const struct certificate_store *store)
{
    struct strbuf bundle = STRBUF_INIT;

    certificate_store_bundle(store, &bundle);
    return strbuf_take(&bundle);
}

static void an_empty_store_makes_authority_and_leaf_once(void **state)
{
    struct certificate_store store = { 0 };

    (void)state;
    assert_int_equal(step(&store, NOW, 0), CERTIFICATE_CREATED);
    assert_int_equal(step(&store, NOW, 0), CERTIFICATE_KEEP);
    assert_int_equal(step(&store, NOW + 59 * DAY, NOW), CERTIFICATE_KEEP);
    assert_trusted(&store, store.authority.certificate, NOW);
    certificate_store_finish(&store);
}

static void the_leaf_is_renewed_at_two_thirds_by_the_same_authority(void **state)
{
    struct certificate_store store = { 0 };
    AUTO_FREE char *bundle = NULL;

    (void)state;
    step(&store, NOW, 0);
    bundle = bundle_of(&store);
    assert_int_equal(step(&store, NOW + 61 * DAY, 0), CERTIFICATE_RENEWED);
    assert_trusted(&store, bundle, NOW + 61 * DAY);
    assert_int_equal(step(&store, NOW + 61 * DAY, 0), CERTIFICATE_KEEP);
    certificate_store_finish(&store);
}

static void other_names_renew_the_leaf(void **state)
{
    static const char *const dns[] = { "other.svc" };
    const struct certificate_names other = { dns, 1, NULL, 0 };
    struct certificate_store store = { 0 };
    enum certificate_action action;

    (void)state;
    step(&store, NOW, 0);
    assert_int_equal(certificate_store_step(&store, &other, NOW, 0, &action, NULL), 0);
    assert_int_equal(action, CERTIFICATE_RENEWED);
    certificate_store_finish(&store);
}

/* Through a whole change of authority, clients that saw the bundle of the stage before still trust
 * what is served. */
static void an_authority_changes_without_a_gap(void **state)
{
    struct certificate_store store = { 0 };
    int64_t now = NOW + 2500 * DAY; /* past two thirds of ten years */
    AUTO_FREE char *first = NULL;
    AUTO_FREE char *both = NULL;
    AUTO_FREE char *after = NULL;
    AUTO_FREE char *last = NULL;

    (void)state;
    step(&store, NOW, 0);
    first = bundle_of(&store);
    assert_int_equal(step(&store, now, NOW), CERTIFICATE_RENEWED);
    assert_int_equal(step(&store, now, NOW), CERTIFICATE_PREPARED);
    assert_trusted(&store, first, now);
    both = bundle_of(&store);
    assert_true(strlen(both) > strlen(first));

    assert_int_equal(step(&store, now + 3600, 0), CERTIFICATE_KEEP);   /* not published */
    assert_int_equal(step(&store, now + 3600, NOW), CERTIFICATE_KEEP); /* an older bundle was */
    assert_int_equal(step(&store, now + 59, now), CERTIFICATE_KEEP);   /* not settled */
    assert_int_equal(step(&store, now + 60, now), CERTIFICATE_SWITCHED);
    assert_trusted(&store, both, now);
    after = bundle_of(&store);
    assert_trusted(&store, after, now);
    assert_null(store.next.key);
    assert_int_equal(certificate_verify(store.leaf.certificate, first, &loopback_names, now, NULL),
                     -1);

    assert_int_equal(step(&store, now + 61, now), CERTIFICATE_KEEP);
    assert_int_equal(step(&store, now + 60 + DAY, now), CERTIFICATE_RETIRED);
    last = bundle_of(&store);
    assert_trusted(&store, last, now + DAY);
    assert_true(strlen(last) < strlen(after));
    assert_int_equal(store.stage_time, 0);
    assert_int_equal(step(&store, now + 2 * DAY, now), CERTIFICATE_KEEP);
    certificate_store_finish(&store);
}

static void a_clock_that_steps_back_by_an_hour_keeps_the_authority(void **state)
{
    struct certificate_store store = { 0 };
    AUTO_FREE char *bundle = NULL;

    (void)state;
    step(&store, NOW, 0);
    bundle = bundle_of(&store);
    assert_int_equal(step(&store, NOW - 3600, 0), CERTIFICATE_RENEWED);
    assert_trusted(&store, bundle, NOW - 3600);
    assert_trusted(&store, bundle, NOW);
    certificate_store_finish(&store);
}

static void an_expired_authority_is_made_anew(void **state)
{
    struct certificate_store store = { 0 };

    (void)state;
    step(&store, NOW, 0);
    assert_int_equal(step(&store, NOW + 3651 * DAY, 0), CERTIFICATE_CREATED);
    assert_int_equal(step(&store, NOW + 3651 * DAY, 0), CERTIFICATE_KEEP);
    certificate_store_finish(&store);
}

static size_t save(const struct certificate_store *store, struct certificate_entry *entries,
                   char *stage)
{
    return certificate_store_save(store, entries, stage);
}

static void every_stage_survives_the_secret(void **state)
{
    struct certificate_store store = { 0 }, copy = { 0 };
    struct certificate_entry entries[CERTIFICATE_STORE_KEYS];
    int64_t now = NOW + 2500 * DAY;
    char stage[TIME_TEXT];
    size_t count;

    (void)state;
    for (int i = 0; i < 6; i++) {
        AUTO_FREE char *before = NULL;
        AUTO_FREE char *after = NULL;

        step(&store, i ? now : NOW, i >= 3 ? now : 0);
        now += i >= 3 ? DAY : 0;
        count = save(&store, entries, stage);
        assert_true(count >= 4 && count <= CERTIFICATE_STORE_KEYS);
        assert_int_equal(certificate_store_load(&copy, entries, count, NULL), 0);
        before = bundle_of(&store);
        after = bundle_of(&copy);
        assert_string_equal(before, after);
        assert_string_equal(store.leaf.key, copy.leaf.key);
        assert_int_equal(store.stage_time, copy.stage_time);
    }
    certificate_store_finish(&store);
    certificate_store_finish(&copy);
}

static void an_unusable_secret_is_refused_by_key_and_leaves_nothing(void **state)
{
    static const struct {
        const char *key, *value, *says;
    } cases[] = {
        { "tls.crt", "rubbish", "tls.crt and tls.key" },
        { "tls.key", "rubbish", "tls.crt and tls.key" },
        { "ca.key", "", "ca.key: missing" },
        { "stage-time", "soon", "stage-time" },
        { "old-ca.crt", "rubbish", "old-ca.crt" },
        { "next-ca.crt", "rubbish", "next-ca.key: missing" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct certificate_store store = { 0 };
        struct certificate_entry entries[CERTIFICATE_STORE_KEYS + 1];
        char stage[TIME_TEXT];
        struct err e = { 0 };
        size_t count;

        step(&store, NOW, 0);
        count = save(&store, entries, stage);
        entries[count] = (struct certificate_entry){ cases[i].key, str_of(cases[i].value) };
        for (size_t k = 0; k < count; k++)
            if (strcmp(entries[k].key, cases[i].key) == 0)
                entries[k].value.length = 0;
        assert_int_equal(certificate_store_load(&store, entries, count + 1, &e), -1);
        assert_int_equal(e.code, ERR_INVALID);
        if (!strstr(e.text, cases[i].says))
            fail_msg("\"%s\" does not say \"%s\"", e.text, cases[i].says);
        assert_null(store.authority.certificate);
        assert_int_equal(step(&store, NOW, 0), CERTIFICATE_CREATED);
        certificate_store_finish(&store);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_store_makes_authority_and_leaf_once),
        cmocka_unit_test(the_leaf_is_renewed_at_two_thirds_by_the_same_authority),
        cmocka_unit_test(other_names_renew_the_leaf),
        cmocka_unit_test(an_authority_changes_without_a_gap),
        cmocka_unit_test(a_clock_that_steps_back_by_an_hour_keeps_the_authority),
        cmocka_unit_test(an_expired_authority_is_made_anew),
        cmocka_unit_test(every_stage_survives_the_secret),
        cmocka_unit_test(an_unusable_secret_is_refused_by_key_and_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
