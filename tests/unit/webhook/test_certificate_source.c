#include "tests/unit/webhook/support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include "quota/base/mem.h"
#include "webhook/certificate_source.h"

static struct certificate_pair leaf_new(void)
{
    struct certificate_pair leaf = { 0 };

    assert_int_equal(certificate_leaf_create(&loopback_store()->authority, &loopback_names,
                                             wall_seconds(), 90, &leaf, NULL),
                     0);
    return leaf;
}

static char *leaf_bytes(const struct certificate_source *source, size_t *length)
{
    struct strbuf out = STRBUF_INIT;

    assert_true(certificate_source_leaf(source, &out));
    *length = out.length;
    return strbuf_take(&out);
}

static bool same_leaf(const struct certificate_source *a, const struct certificate_source *b)
{
    size_t a_length, b_length;
    AUTO_FREE char *a_bytes = leaf_bytes(a, &a_length);
    AUTO_FREE char *b_bytes = leaf_bytes(b, &b_length);

    return a_length == b_length && memcmp(a_bytes, b_bytes, a_length) == 0;
}

static void a_source_without_a_pair_is_not_ready(void **state)
{
    struct certificate_source *source = certificate_source_create();
    AUTO_STRBUF struct strbuf out = STRBUF_INIT;
    gnutls_pcert_st *chain = NULL;
    gnutls_privkey_t key = NULL;
    unsigned length = 0;
    bool changed = true;

    (void)state;
    assert_false(certificate_source_ready(source));
    assert_int_equal(certificate_source_expiry(source), 0);
    assert_false(certificate_source_leaf(source, &out));
    assert_int_equal(certificate_source_handshake(source, &chain, &length, &key), -1);
    assert_int_equal(certificate_source_refresh(source, 0, &changed, NULL), 0);
    assert_false(changed);
    certificate_source_destroy(source);
}

static void a_broken_pair_is_refused_and_the_old_one_stays(void **state)
{
    struct certificate_source *source = certificate_source_create();
    struct certificate_source *copy = certificate_source_create();
    struct certificate_pair a = leaf_new(), b = leaf_new();
    struct err e = { 0 };

    (void)state;
    assert_int_equal(certificate_source_set(source, str_of(a.certificate), str_of(a.key), &e), 0);
    assert_int_equal(certificate_source_set(copy, str_of(a.certificate), str_of(a.key), &e), 0);
    assert_int_equal(certificate_source_set(source, str_of(a.certificate), str_of(b.key), &e), -1);
    assert_int_equal(e.code, ERR_INVALID);
    assert_int_equal(certificate_source_set(source, STR(""), STR(""), &e), -1);
    assert_int_equal(certificate_source_set(source, str_of(b.certificate), STR("x"), &e), -1);
    assert_int_equal(certificate_source_set(source, STR("x"), str_of(b.key), &e), -1);
    assert_true(same_leaf(source, copy));
    assert_int_equal(certificate_source_set(source, str_of(b.certificate), str_of(b.key), &e), 0);
    assert_false(same_leaf(source, copy));
    certificate_pair_finish(&a);
    certificate_pair_finish(&b);
    certificate_source_destroy(source);
    certificate_source_destroy(copy);
}

static void pair_write(const char *folder, const struct certificate_pair *pair)
{
    folder_write(folder, "tls.crt", pair->certificate);
    folder_write(folder, "tls.key", pair->key);
}

static void a_folder_is_read_again_when_its_content_changes(void **state)
{
    struct certificate_source *source = certificate_source_create();
    struct certificate_pair a = leaf_new(), b = leaf_new();
    char *folder = folder_create();
    struct err e = { 0 };
    bool changed;

    (void)state;
    pair_write(folder, &a);
    assert_int_equal(certificate_source_watch_folder(source, folder, &e), 0);
    assert_int_equal(certificate_source_refresh(source, wall_seconds(), &changed, &e), 0);
    assert_false(changed);
    pair_write(folder, &b);
    assert_int_equal(certificate_source_refresh(source, wall_seconds(), &changed, &e), 0);
    assert_true(changed);
    assert_int_equal(certificate_source_refresh(source, wall_seconds(), &changed, &e), 0);
    assert_false(changed);
    certificate_pair_finish(&a);
    certificate_pair_finish(&b);
    certificate_source_destroy(source);
    folder_remove(folder);
}

static void half_a_change_is_reported_once_and_healed_by_the_other_half(void **state)
{
    struct certificate_source *source = certificate_source_create();
    struct certificate_source *copy = certificate_source_create();
    struct certificate_pair a = leaf_new(), b = leaf_new();
    char *folder = folder_create();
    struct err e = { 0 };
    bool changed;

    (void)state;
    pair_write(folder, &a);
    assert_int_equal(certificate_source_watch_folder(source, folder, &e), 0);
    assert_int_equal(certificate_source_set(copy, str_of(a.certificate), str_of(a.key), &e), 0);
    folder_write(folder, "tls.crt", b.certificate);
    assert_int_equal(certificate_source_refresh(source, wall_seconds(), &changed, &e), -1);
    assert_non_null(strstr(e.text, folder));
    assert_true(same_leaf(source, copy));
    assert_int_equal(certificate_source_refresh(source, wall_seconds(), &changed, &e), 0);
    assert_false(changed);
    folder_write(folder, "tls.key", b.key);
    assert_int_equal(certificate_source_refresh(source, wall_seconds(), &changed, &e), 0);
    assert_true(changed);
    assert_false(same_leaf(source, copy));
    certificate_pair_finish(&a);
    certificate_pair_finish(&b);
    certificate_source_destroy(source);
    certificate_source_destroy(copy);
    folder_remove(folder);
}

static void an_expired_pair_is_not_taken_over(void **state)
{
    struct certificate_source *source = certificate_source_create();
    struct certificate_pair a = leaf_new(), b = leaf_new();
    char *folder = folder_create();
    struct err e = { 0 };
    bool changed;

    (void)state;
    pair_write(folder, &a);
    assert_int_equal(certificate_source_watch_folder(source, folder, &e), 0);
    pair_write(folder, &b);
    assert_int_equal(certificate_source_refresh(source, wall_seconds() + 91 * 86400, &changed, &e),
                     -1);
    assert_non_null(strstr(e.text, "expired"));
    assert_false(changed);
    certificate_pair_finish(&a);
    certificate_pair_finish(&b);
    certificate_source_destroy(source);
    folder_remove(folder);
}

static void a_missing_file_is_named_and_a_later_refresh_finds_it(void **state)
{
    struct certificate_source *source = certificate_source_create();
    struct certificate_pair a = leaf_new();
    char *folder = folder_create();
    struct err e = { 0 };
    bool changed;

    (void)state;
    folder_write(folder, "tls.crt", a.certificate);
    assert_int_equal(certificate_source_watch_folder(source, folder, &e), -1);
    assert_int_equal(e.code, ERR_NOT_FOUND);
    assert_non_null(strstr(e.text, "tls.key"));
    assert_false(certificate_source_ready(source));
    folder_write(folder, "tls.key", a.key);
    assert_int_equal(certificate_source_refresh(source, wall_seconds(), &changed, &e), 0);
    assert_true(changed);
    assert_true(certificate_source_ready(source));
    certificate_pair_finish(&a);
    certificate_source_destroy(source);
    folder_remove(folder);
}

struct readers {
    struct certificate_source *source;
    atomic_bool stop;
    atomic_uint handshakes, failures;
};

static void *reader(void *context)
{
    struct readers *readers = context;

    while (!atomic_load(&readers->stop)) {
        gnutls_pcert_st *chain = NULL;
        gnutls_privkey_t key = NULL;
        unsigned length = 0;

        if (certificate_source_handshake(readers->source, &chain, &length, &key) < 0) {
            atomic_fetch_add(&readers->failures, 1);
            continue;
        }
        for (unsigned i = 0; i < length; i++)
            gnutls_pcert_deinit(&chain[i]);
        gnutls_free(chain);
        gnutls_privkey_deinit(key);
        atomic_fetch_add(&readers->handshakes, 1);
    }
    return NULL;
}

static void readers_never_see_half_of_a_change(void **state)
{
    struct readers readers = { .source = certificate_source_create() };
    struct certificate_pair pairs[2] = { leaf_new(), leaf_new() };
    pthread_t threads[3];

    (void)state;
    assert_int_equal(certificate_source_set(readers.source, str_of(pairs[0].certificate),
                                            str_of(pairs[0].key), NULL),
                     0);
    for (size_t i = 0; i < ARRAY_COUNT(threads); i++)
        pthread_create(&threads[i], NULL, reader, &readers);
    for (int i = 0; i < 100; i++) {
        const struct certificate_pair *pair = &pairs[i % 2];

        assert_int_equal(certificate_source_set(readers.source, str_of(pair->certificate),
                                                str_of(pair->key), NULL),
                         0);
    }
    atomic_store(&readers.stop, true);
    for (size_t i = 0; i < ARRAY_COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&readers.failures), 0);
    assert_true(atomic_load(&readers.handshakes) > 0);
    certificate_pair_finish(&pairs[0]);
    certificate_pair_finish(&pairs[1]);
    certificate_source_destroy(readers.source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_source_without_a_pair_is_not_ready),
        cmocka_unit_test(a_broken_pair_is_refused_and_the_old_one_stays),
        cmocka_unit_test(a_folder_is_read_again_when_its_content_changes),
        cmocka_unit_test(half_a_change_is_reported_once_and_healed_by_the_other_half),
        cmocka_unit_test(an_expired_pair_is_not_taken_over),
        cmocka_unit_test(a_missing_file_is_named_and_a_later_refresh_finds_it),
        cmocka_unit_test(readers_never_see_half_of_a_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
