#include "tests/unit/webhook/support.h"

#include <string.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "quota/base/mem.h"
#include "webhook/certificate.h"

#define DAY INT64_C(86400)

static const char *const dns[] = { "s.ns.svc", "s.ns.svc.cluster.local" };
static const char *const ip[] = { "127.0.0.1", "::1" };
static const struct certificate_names names = { dns, 2, ip, 2 };

struct made {
    struct certificate_pair authority, leaf;
};

static struct made make(void)
{
    struct made made = { 0 };
    struct err e = { 0 };

    if (certificate_authority_create("test-ca", NOW, CERTIFICATE_AUTHORITY_DAYS, &made.authority,
                                     &e) < 0 ||
        certificate_leaf_create(&made.authority, &names, NOW, CERTIFICATE_LEAF_DAYS, &made.leaf,
                                &e) < 0)
        fail_msg("%s", e.text);
    return made;
}

static void made_finish(struct made *made)
{
    certificate_pair_finish(&made->authority);
    certificate_pair_finish(&made->leaf);
}

static void a_leaf_verifies_for_each_of_its_names(void **state)
{
    struct made made = make();
    struct err e = { 0 };

    (void)state;
    if (certificate_verify(made.leaf.certificate, made.authority.certificate, &names, NOW, &e) < 0)
        fail_msg("%s", e.text);
    assert_int_equal(certificate_match(made.leaf.certificate, made.leaf.key, &e), 0);
    assert_non_null(strstr(made.leaf.key, "BEGIN PRIVATE KEY")); /* PKCS#8 */
    made_finish(&made);
}

static void a_leaf_does_not_verify_for_anything_else(void **state)
{
    static const char *const other_dns[] = { "s.other.svc" };
    static const char *const other_ip[] = { "127.0.0.2" };
    const struct certificate_names wrong_dns = { other_dns, 1, NULL, 0 };
    const struct certificate_names wrong_ip = { NULL, 0, other_ip, 1 };
    struct made made = make(), other = make();
    const char *leaf = made.leaf.certificate, *bundle = made.authority.certificate;
    struct err e = { 0 };

    (void)state;
    assert_int_equal(certificate_verify(leaf, bundle, &wrong_dns, NOW, &e), -1);
    assert_non_null(strstr(e.text, "s.other.svc"));
    assert_int_equal(certificate_verify(leaf, bundle, &wrong_ip, NOW, &e), -1);
    assert_non_null(strstr(e.text, "127.0.0.2"));
    assert_int_equal(certificate_verify(leaf, other.authority.certificate, &names, NOW, &e), -1);
    assert_int_equal(certificate_verify(leaf, bundle, &names, NOW + 91 * DAY, &e), -1);
    assert_non_null(strstr(e.text, "expired"));
    assert_int_equal(certificate_verify(leaf, bundle, &names, NOW - 301, &e), -1);
    assert_int_equal(certificate_verify(leaf, "", &names, NOW, &e), -1);
    assert_int_equal(certificate_verify("", bundle, &names, NOW, &e), -1);
    made_finish(&made);
    made_finish(&other);
}

static void a_bundle_of_two_authorities_vouches_for_leaves_of_both(void **state)
{
    struct made a = make(), b = make();
    AUTO_FREE char *bundle = mem_format("%s%s", a.authority.certificate, b.authority.certificate);

    (void)state;
    assert_int_equal(certificate_verify(a.leaf.certificate, bundle, &names, NOW, NULL), 0);
    assert_int_equal(certificate_verify(b.leaf.certificate, bundle, &names, NOW, NULL), 0);
    made_finish(&a);
    made_finish(&b);
}

/* The other TLS stack's opinion: our own listener speaks GnuTLS. */
static void gnutls_verifies_the_leaf_too(void **state)
{
    struct made made = make();
    gnutls_x509_crt_t leaf, authority;
    gnutls_datum_t pem = { (unsigned char *)made.leaf.certificate,
                           (unsigned)strlen(made.leaf.certificate) };
    unsigned verdict = 1;

    (void)state;
    gnutls_x509_crt_init(&leaf);
    gnutls_x509_crt_init(&authority);
    assert_int_equal(gnutls_x509_crt_import(leaf, &pem, GNUTLS_X509_FMT_PEM), 0);
    pem = (gnutls_datum_t){ (unsigned char *)made.authority.certificate,
                            (unsigned)strlen(made.authority.certificate) };
    assert_int_equal(gnutls_x509_crt_import(authority, &pem, GNUTLS_X509_FMT_PEM), 0);
    assert_int_equal(
        gnutls_x509_crt_verify(leaf, &authority, 1, GNUTLS_VERIFY_DISABLE_TIME_CHECKS, &verdict),
        0);
    assert_int_equal(verdict, 0);
    assert_true(gnutls_x509_crt_check_hostname(leaf, "s.ns.svc"));
    gnutls_x509_crt_deinit(leaf);
    gnutls_x509_crt_deinit(authority);
    made_finish(&made);
}

static void two_leaves_have_different_keys_and_serials(void **state)
{
    struct made a = make(), b = make();

    (void)state;
    assert_string_not_equal(a.leaf.key, b.leaf.key);
    assert_string_not_equal(a.leaf.certificate, b.leaf.certificate);
    assert_int_equal(certificate_match(a.leaf.certificate, b.leaf.key, NULL), -1);
    made_finish(&a);
    made_finish(&b);
}

static void a_leaf_lives_ninety_days_but_not_longer_than_its_authority(void **state)
{
    struct made made = make();
    struct certificate_pair late = { 0 };
    struct certificate_times times, authority;

    (void)state;
    assert_int_equal(certificate_read_times(made.leaf.certificate, &times, NULL), 0);
    assert_int_equal(times.not_before, NOW - 300);
    assert_int_equal(times.not_after, NOW + 90 * DAY);
    assert_int_equal(certificate_read_times(made.authority.certificate, &authority, NULL), 0);
    assert_int_equal(authority.not_after, NOW + 3650 * DAY);
    assert_int_equal(
        certificate_leaf_create(&made.authority, &names, NOW + 3600 * DAY, 90, &late, NULL), 0);
    assert_int_equal(certificate_read_times(late.certificate, &times, NULL), 0);
    assert_int_equal(times.not_after, authority.not_after);
    certificate_pair_finish(&late);
    made_finish(&made);
}

static void renewal_is_due_after_two_thirds(void **state)
{
    const struct certificate_times times = { 1000, 1900 };
    static const struct {
        int64_t now;
        bool due;
    } cases[] = { { 999, true },  { 1000, false }, { 1599, false },
                  { 1600, true }, { 1900, true },  { INT64_MAX, true } };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        assert_int_equal(certificate_is_due(times, cases[i].now), cases[i].due);
}

static void bad_names_and_bad_authorities_are_refused(void **state)
{
    static const char *const bad_ip[] = { "127.0.0.256" }, *const empty[] = { "" };
    const struct certificate_names none = { NULL, 0, NULL, 0 }, wrong = { dns, 1, bad_ip, 1 },
                                   blank = { empty, 1, NULL, 0 };
    struct made made = make(), other = make();
    struct certificate_pair mixed = { made.authority.certificate, other.authority.key };
    struct certificate_pair rubbish = { made.leaf.key, made.leaf.certificate };
    struct certificate_pair out = { 0 };
    struct err e = { 0 };

    (void)state;
    assert_int_equal(certificate_leaf_create(&made.authority, &none, NOW, 90, &out, &e), -1);
    assert_int_equal(certificate_leaf_create(&made.authority, &blank, NOW, 90, &out, &e), -1);
    assert_int_equal(certificate_leaf_create(&made.authority, &wrong, NOW, 90, &out, &e), -1);
    assert_non_null(strstr(e.text, "127.0.0.256"));
    assert_int_equal(certificate_leaf_create(&mixed, &names, NOW, 90, &out, &e), -1);
    assert_int_equal(certificate_leaf_create(&rubbish, &names, NOW, 90, &out, &e), -1);
    assert_int_equal(e.code, ERR_INVALID);
    assert_null(out.certificate);
    made_finish(&made);
    made_finish(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leaf_verifies_for_each_of_its_names),
        cmocka_unit_test(a_leaf_does_not_verify_for_anything_else),
        cmocka_unit_test(a_bundle_of_two_authorities_vouches_for_leaves_of_both),
        cmocka_unit_test(gnutls_verifies_the_leaf_too),
        cmocka_unit_test(two_leaves_have_different_keys_and_serials),
        cmocka_unit_test(a_leaf_lives_ninety_days_but_not_longer_than_its_authority),
        cmocka_unit_test(renewal_is_due_after_two_thirds),
        cmocka_unit_test(bad_names_and_bad_authorities_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
