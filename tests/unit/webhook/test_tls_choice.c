#include "tests/unit/webhook/support.h"

#include <unistd.h>

#include <gnutls/gnutls.h>

#include "quota/base/mem.h"
#include "webhook/tls_choice.h"

/* ---- what the words say ---- */

static const char *const suite_names[] = {
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
};

static unsigned suites_in(const char *priorities)
{
    gnutls_priority_t priority;
    const char *place;
    unsigned suite, count = 0;
    int code = 0;

    assert_int_equal(gnutls_priority_init(&priority, priorities, &place), 0);
    for (unsigned i = 0; code != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE; i++) {
        code = gnutls_priority_get_cipher_suite_index(priority, i, &suite);
        count += code == 0; /* combinations that are no suite are gaps */
    }
    gnutls_priority_deinit(priority);
    return count;
}

static void every_single_suite_is_the_only_one_of_tls_1_2(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(suite_names); i++) {
        AUTO_STRBUF struct strbuf all = STRBUF_INIT, older = STRBUF_INIT;
        struct tls_choice choice = { .cipher_suites = &suite_names[i], .cipher_suite_count = 1 };

        tls_choice_priorities(&choice, &all);
        tls_choice_priorities_1_2(&choice, &older);
        assert_true(suites_in(all.text) > 1);
        if (suites_in(older.text) != 1)
            fail_msg("%s: %s has %u suites", suite_names[i], older.text, suites_in(older.text));
    }
}

static void suites_of_tls_1_3_leave_tls_1_2_without_any(void **state)
{
    static const char *const names[] = { "TLS_AES_128_GCM_SHA256" };
    struct tls_choice choice = { .cipher_suites = names, .cipher_suite_count = 1 };
    AUTO_STRBUF struct strbuf older = STRBUF_INIT;

    (void)state;
    tls_choice_priorities_1_2(&choice, &older);
    assert_string_equal(older.text, "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:-CIPHER-ALL:-MAC-ALL");
}

static void groups_keep_their_order_and_unknown_ones_are_passed_over(void **state)
{
    static const int32_t mixed[] = { 4588, 29, 24 }, strange[] = { 4588 };
    AUTO_STRBUF struct strbuf some = STRBUF_INIT, none = STRBUF_INIT, plain = STRBUF_INIT;

    (void)state;
    tls_choice_priorities(&(struct tls_choice){ .curves = mixed, .curve_count = 3 }, &some);
    assert_string_equal(some.text, "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-GROUP-ALL:"
                                   "+GROUP-X25519:+GROUP-SECP384R1");
    tls_choice_priorities(&(struct tls_choice){ .curves = strange, .curve_count = 1 }, &none);
    tls_choice_priorities(NULL, &plain);
    assert_string_equal(none.text, plain.text);
}

/* ---- what a client gets ---- */

struct outcome {
    bool connected;
    gnutls_protocol_t version;
    const char *cipher, *group; /* GnuTLS's names, static */
};

static struct outcome handshake(const struct rig *rig, const char *client_priorities)
{
    gnutls_certificate_credentials_t credentials;
    struct outcome outcome = { 0 };
    gnutls_session_t session;
    int fd = raw_connect(rig), code;

    gnutls_certificate_allocate_credentials(&credentials);
    gnutls_init(&session, GNUTLS_CLIENT);
    assert_int_equal(gnutls_priority_set_direct(session, client_priorities, NULL), 0);
    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
    gnutls_transport_set_int(session, fd);
    do
        code = gnutls_handshake(session);
    while (code < 0 && !gnutls_error_is_fatal(code));
    outcome.connected = code == 0;
    if (outcome.connected) {
        outcome.version = gnutls_protocol_get_version(session);
        outcome.cipher = gnutls_cipher_get_name(gnutls_cipher_get(session));
        outcome.group = gnutls_group_get_name(gnutls_group_get(session));
    }
    gnutls_deinit(session);
    gnutls_certificate_free_credentials(credentials);
    close(fd);
    return outcome;
}

#define CLIENT_1_2 "NORMAL:-VERS-ALL:+VERS-TLS1.2"
#define CLIENT_1_3 "NORMAL:-VERS-ALL:+VERS-TLS1.3"

static void a_server_for_tls_1_3_alone_refuses_older_clients(void **state)
{
    struct tls_choice choice = { .only_1_3 = true };
    struct rig rig;

    (void)state;
    rig_start(&rig, true, (struct webhook_server_options){ .tls = &choice });
    assert_false(handshake(&rig, CLIENT_1_2).connected);
    assert_int_equal(handshake(&rig, CLIENT_1_3).version, GNUTLS_TLS1_3);
    rig_stop(&rig);
}

static void a_list_of_suites_binds_tls_1_2_only(void **state)
{
    static const char *const names[] = { "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" };
    struct tls_choice choice = { .cipher_suites = names, .cipher_suite_count = 1 };
    struct rig rig;

    (void)state;
    rig_start(&rig, true, (struct webhook_server_options){ .tls = &choice });
    assert_string_equal(handshake(&rig, CLIENT_1_2).cipher, "AES-256-GCM");
    assert_false(handshake(&rig, CLIENT_1_2 ":-CIPHER-ALL:+AES-128-GCM").connected);
    assert_string_equal(handshake(&rig, CLIENT_1_3 ":-CIPHER-ALL:+AES-128-GCM").cipher,
                        "AES-128-GCM");
    rig_stop(&rig);
}

static void a_list_of_groups_binds_every_version(void **state)
{
    static const int32_t groups[] = { 24 };
    struct tls_choice choice = { .curves = groups, .curve_count = 1 };
    struct rig rig;

    (void)state;
    rig_start(&rig, true, (struct webhook_server_options){ .tls = &choice });
    assert_string_equal(handshake(&rig, CLIENT_1_2).group, "SECP384R1");
    assert_string_equal(handshake(&rig, CLIENT_1_3).group, "SECP384R1");
    assert_false(handshake(&rig, CLIENT_1_3 ":-GROUP-ALL:+GROUP-X25519").connected);
    rig_stop(&rig);
}

static void without_a_choice_both_versions_are_served(void **state)
{
    struct rig rig;

    (void)state;
    rig_start(&rig, true, (struct webhook_server_options){ 0 });
    assert_int_equal(handshake(&rig, CLIENT_1_2).version, GNUTLS_TLS1_2);
    assert_int_equal(handshake(&rig, CLIENT_1_3).version, GNUTLS_TLS1_3);
    assert_false(handshake(&rig, "NORMAL:-VERS-ALL:+VERS-TLS1.1").connected);
    rig_stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_single_suite_is_the_only_one_of_tls_1_2),
        cmocka_unit_test(suites_of_tls_1_3_leave_tls_1_2_without_any),
        cmocka_unit_test(groups_keep_their_order_and_unknown_ones_are_passed_over),
        cmocka_unit_test(a_server_for_tls_1_3_alone_refuses_older_clients),
        cmocka_unit_test(a_list_of_suites_binds_tls_1_2_only),
        cmocka_unit_test(a_list_of_groups_binds_every_version),
        cmocka_unit_test(without_a_choice_both_versions_are_served),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
