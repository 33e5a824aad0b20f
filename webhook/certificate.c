#include "webhook/certificate.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "quota/base/mem.h"

#define DAY_SECONDS INT64_C(86400)
/* Clocks of clients may be behind, and our own may step back by an hour. Replacing an authority
 * takes long, so it is given more. */
#define LEAF_BACKDATE_SECONDS 300
#define AUTHORITY_BACKDATE_SECONDS DAY_SECONDS
#define COMMON_NAME_MAX 64 /* ub-common-name */

#define AUTO(type, release)                                                                        \
    static void auto_##release##_(type(*p))                                                        \
    {                                                                                              \
        release(*p);                                                                               \
    }
AUTO(X509 *, X509_free)
AUTO(EVP_PKEY *, EVP_PKEY_free)
AUTO(BIO *, BIO_free_all)
AUTO(GENERAL_NAMES *, GENERAL_NAMES_free)
AUTO(X509_STORE *, X509_STORE_free)
AUTO(X509_STORE_CTX *, X509_STORE_CTX_free)
#define AUTO_X509 __attribute__((cleanup(auto_X509_free_)))
#define AUTO_KEY __attribute__((cleanup(auto_EVP_PKEY_free_)))
#define AUTO_BIO __attribute__((cleanup(auto_BIO_free_all_)))
#define AUTO_NAMES __attribute__((cleanup(auto_GENERAL_NAMES_free_)))
#define AUTO_STORE __attribute__((cleanup(auto_X509_STORE_free_)))
#define AUTO_CONTEXT __attribute__((cleanup(auto_X509_STORE_CTX_free_)))

/* What OpenSSL says about its last failure, in its words. */
static int openssl_error(struct err *e, enum err_code code, const char *what)
{
    char text[160] = "";

    if (ERR_peek_last_error())
        ERR_error_string_n(ERR_peek_last_error(), text, sizeof(text));
    ERR_clear_error();
    return err_set(e, code, "%s%s%s", what, *text ? ": " : "", text);
}

void certificate_pair_finish(struct certificate_pair *pair)
{
    if (pair->key)
        OPENSSL_cleanse(pair->key, strlen(pair->key));
    free(pair->key);
    free(pair->certificate);
    *pair = (struct certificate_pair){ NULL, NULL };
}

/* -- reading PEM -- */

static BIO *bio_of(const char *pem)
{
    size_t length = pem ? strlen(pem) : 0;

    return BIO_new_mem_buf(length ? pem : "", length < INT_MAX ? (int)length : 0);
}

static X509 *read_certificate(const char *pem, struct err *e)
{
    AUTO_BIO BIO *bio = bio_of(pem);
    X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

    if (!certificate)
        openssl_error(e, ERR_INVALID, "not a PEM certificate");
    return certificate;
}

/* A key that would ask for a passphrase is refused instead of asking on the terminal. */
static int no_passphrase(char *buffer, int size, int writing, void *context)
{
    (void)buffer, (void)size, (void)writing, (void)context;
    return -1;
}

static EVP_PKEY *read_key(const char *pem, struct err *e)
{
    AUTO_BIO BIO *bio = bio_of(pem);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;

    if (!key)
        openssl_error(e, ERR_INVALID, "not a PEM private key");
    return key;
}

/* -- writing PEM -- */

static char *bio_text(BIO *bio)
{
    char *bytes;
    long length = BIO_get_mem_data(bio, &bytes);

    return mem_dup_n(bytes, length > 0 ? (size_t)length : 0);
}

static int pair_write(X509 *certificate, EVP_PKEY *key, struct certificate_pair *pair,
                      struct err *e)
{
    AUTO_BIO BIO *certificate_bio = BIO_new(BIO_s_mem());
    AUTO_BIO BIO *key_bio = BIO_new(BIO_s_secmem());

    if (!certificate_bio || !key_bio || !PEM_write_bio_X509(certificate_bio, certificate) ||
        !PEM_write_bio_PKCS8PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL))
        return openssl_error(e, ERR_NOMEM, "cannot write the certificate");
    pair->certificate = bio_text(certificate_bio);
    pair->key = bio_text(key_bio);
    return 0;
}

/* -- making -- */

static int set_serial(X509 *certificate)
{
    BIGNUM *number = BN_new();
    int done = number && BN_rand(number, 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) &&
               BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));

    BN_free(number);
    return done;
}

/* Seconds since 1970 into a certificate's time; any year that X.509 can write. */
static int set_time(ASN1_TIME *field, int64_t when)
{
    time_t epoch = 0;

    return X509_time_adj_ex(field, (int)(when / DAY_SECONDS), (long)(when % DAY_SECONDS), &epoch) !=
           NULL;
}

static int set_common_name(X509 *certificate, const char *name)
{
    int length = (int)strnlen(name, COMMON_NAME_MAX);

    return X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate), NID_commonName,
                                      MBSTRING_UTF8, (const unsigned char *)name, length, -1, 0);
}

static int add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;
    int done;

    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    done = extension && X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    return done;
}

/* Everything that authority and leaf have in common; signed later. */
static X509 *certificate_new(EVP_PKEY *key, const char *common_name, int64_t not_before,
                             int64_t not_after)
{
    X509 *certificate = X509_new();

    if (certificate && X509_set_version(certificate, X509_VERSION_3) && set_serial(certificate) &&
        set_time(X509_getm_notBefore(certificate), not_before) &&
        set_time(X509_getm_notAfter(certificate), not_after) &&
        set_common_name(certificate, common_name) && X509_set_pubkey(certificate, key))
        return certificate;
    X509_free(certificate);
    return NULL;
}

static int authority_extend(X509 *certificate)
{
    return add_extension(certificate, certificate, NID_basic_constraints,
                         "critical,CA:TRUE,pathlen:0") &&
           add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign") &&
           add_extension(certificate, certificate, NID_subject_key_identifier, "hash") &&
           add_extension(certificate, certificate, NID_authority_key_identifier, "keyid:always");
}

int certificate_authority_create(const char *common_name, int64_t now, int days,
                                 struct certificate_pair *authority, struct err *e)
{
    AUTO_KEY EVP_PKEY *key = EVP_EC_gen("P-256");
    AUTO_X509 X509 *certificate = NULL;

    if (key)
        certificate = certificate_new(key, common_name, now - AUTHORITY_BACKDATE_SECONDS,
                                      now + days * DAY_SECONDS);
    if (!certificate || !X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) ||
        !authority_extend(certificate) || !X509_sign(certificate, key, EVP_sha256()))
        return openssl_error(e, ERR_INVALID, "cannot make a certificate authority");
    return pair_write(certificate, key, authority, e);
}

static int push_name(GENERAL_NAMES *list, int type, ASN1_STRING *value)
{
    GENERAL_NAME *name = GENERAL_NAME_new();

    if (!name || !value) {
        GENERAL_NAME_free(name);
        ASN1_STRING_free(value);
        return 0;
    }
    GENERAL_NAME_set0_value(name, type, value);
    if (sk_GENERAL_NAME_push(list, name))
        return 1;
    GENERAL_NAME_free(name);
    return 0;
}

static int push_dns(GENERAL_NAMES *list, const char *text)
{
    ASN1_IA5STRING *value = ASN1_IA5STRING_new();

    if (value && !ASN1_STRING_set(value, text, -1)) {
        ASN1_STRING_free(value);
        value = NULL;
    }
    return push_name(list, GEN_DNS, value);
}

static int names_list(const struct certificate_names *names, GENERAL_NAMES *list, struct err *e)
{
    for (size_t i = 0; i < names->dns_count; i++)
        if (!*names->dns[i] || !push_dns(list, names->dns[i]))
            return openssl_error(e, ERR_INVALID, "certificate: an empty DNS name");
    for (size_t i = 0; i < names->ip_count; i++) {
        ASN1_OCTET_STRING *address = a2i_IPADDRESS(names->ip[i]);

        ERR_clear_error();
        if (!address)
            return err_set(e, ERR_INVALID, "certificate: \"%s\" is not an IP address",
                           names->ip[i]);
        if (!push_name(list, GEN_IPADD, address))
            return err_set(e, ERR_NOMEM, "certificate names");
    }
    if (sk_GENERAL_NAME_num(list) == 0)
        return err_set(e, ERR_INVALID, "certificate: no names to be valid for");
    return 0;
}

static int leaf_extend(X509 *certificate, X509 *issuer, GENERAL_NAMES *names)
{
    return add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(certificate, issuer, NID_key_usage, "critical,digitalSignature") &&
           add_extension(certificate, issuer, NID_ext_key_usage, "serverAuth") &&
           add_extension(certificate, issuer, NID_subject_key_identifier, "hash") &&
           add_extension(certificate, issuer, NID_authority_key_identifier, "keyid:always") &&
           X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, 0) == 1;
}

static int64_t time_read(const ASN1_TIME *field)
{
    struct tm parts;

    return ASN1_TIME_to_tm(field, &parts) ? (int64_t)timegm(&parts) : 0;
}

static int leaf_create(X509 *issuer, EVP_PKEY *issuer_key, const struct certificate_names *names,
                       int64_t now, int days, struct certificate_pair *leaf, struct err *e)
{
    AUTO_NAMES GENERAL_NAMES *list = GENERAL_NAMES_new();
    AUTO_KEY EVP_PKEY *key = EVP_EC_gen("P-256");
    AUTO_X509 X509 *certificate = NULL;
    int64_t end = now + days * DAY_SECONDS, last = time_read(X509_get0_notAfter(issuer));

    if (!list || names_list(names, list, e) < 0)
        return -1;
    if (key)
        certificate = certificate_new(key, names->dns_count ? names->dns[0] : names->ip[0],
                                      now - LEAF_BACKDATE_SECONDS, end < last ? end : last);
    if (!certificate || !X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) ||
        !leaf_extend(certificate, issuer, list) ||
        !X509_sign(certificate, issuer_key, EVP_sha256()))
        return openssl_error(e, ERR_INVALID, "cannot make a serving certificate");
    return pair_write(certificate, key, leaf, e);
}

int certificate_leaf_create(const struct certificate_pair *authority,
                            const struct certificate_names *names, int64_t now, int days,
                            struct certificate_pair *leaf, struct err *e)
{
    AUTO_X509 X509 *issuer = read_certificate(authority->certificate, e);
    AUTO_KEY EVP_PKEY *key = issuer ? read_key(authority->key, e) : NULL;

    if (!issuer || !key)
        return err_wrap(e, "certificate authority");
    if (!X509_check_private_key(issuer, key))
        return openssl_error(e, ERR_INVALID, "certificate authority: key and certificate differ");
    return leaf_create(issuer, key, names, now, days, leaf, e);
}

/* -- judging -- */

int certificate_read_times(const char *pem, struct certificate_times *times, struct err *e)
{
    AUTO_X509 X509 *certificate = read_certificate(pem, e);

    if (!certificate)
        return -1;
    times->not_before = time_read(X509_get0_notBefore(certificate));
    times->not_after = time_read(X509_get0_notAfter(certificate));
    return 0;
}

bool certificate_is_due(struct certificate_times times, int64_t now)
{
    int64_t third = (times.not_after - times.not_before) / 3;

    return now < times.not_before || now >= times.not_after - third;
}

int certificate_match(const char *certificate, const char *key, struct err *e)
{
    AUTO_X509 X509 *leaf = read_certificate(certificate, e);
    AUTO_KEY EVP_PKEY *secret = leaf ? read_key(key, e) : NULL;

    if (!leaf || !secret)
        return -1;
    if (X509_check_private_key(leaf, secret))
        return 0;
    return openssl_error(e, ERR_INVALID, "the key does not belong to the certificate");
}

/* All certificates of a PEM text become trusted. */
static int store_add(X509_STORE *store, const char *bundle, struct err *e)
{
    AUTO_BIO BIO *bio = bio_of(bundle);
    unsigned count = 0;
    X509 *certificate;

    while (bio && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
        count += X509_STORE_add_cert(store, certificate) == 1;
        X509_free(certificate);
    }
    if (!count)
        return openssl_error(e, ERR_INVALID, "the bundle has no PEM certificate");
    ERR_clear_error(); /* "no start line" is how the end of the text shows */
    return 0;
}

static int chain_verify(X509 *leaf, X509_STORE *store, int64_t now, struct err *e)
{
    AUTO_CONTEXT X509_STORE_CTX *context = X509_STORE_CTX_new();
    X509_VERIFY_PARAM *rules;

    if (!context || !X509_STORE_CTX_init(context, store, leaf, NULL))
        return openssl_error(e, ERR_NOMEM, "certificate check");
    rules = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_time(rules, (time_t)now);
    X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_X509_STRICT);
    X509_VERIFY_PARAM_set_purpose(rules, X509_PURPOSE_SSL_SERVER);
    if (X509_verify_cert(context) == 1)
        return 0;
    ERR_clear_error();
    return err_set(e, ERR_INVALID, "certificate: %s",
                   X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
}

static int names_verify(X509 *leaf, const struct certificate_names *names, struct err *e)
{
    for (size_t i = 0; i < names->dns_count; i++)
        if (X509_check_host(leaf, names->dns[i], 0, 0, NULL) != 1)
            return err_set(e, ERR_INVALID, "certificate: not valid for \"%s\"", names->dns[i]);
    for (size_t i = 0; i < names->ip_count; i++)
        if (X509_check_ip_asc(leaf, names->ip[i], 0) != 1)
            return err_set(e, ERR_INVALID, "certificate: not valid for \"%s\"", names->ip[i]);
    return 0;
}

int certificate_verify(const char *leaf, const char *bundle, const struct certificate_names *names,
                       int64_t now, struct err *e)
{
    AUTO_X509 X509 *certificate = read_certificate(leaf, e);
    AUTO_STORE X509_STORE *store = X509_STORE_new();

    if (!certificate)
        return -1;
    if (!store || store_add(store, bundle, e) < 0 || chain_verify(certificate, store, now, e) < 0)
        return -1;
    return names_verify(certificate, names, e);
}
