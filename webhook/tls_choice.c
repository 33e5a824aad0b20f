#include "webhook/tls_choice.h"

#include <string.h>
#include "quota/base/mem.h"

struct word {
    char iana[24], gnutls[24];
};

static const struct word key_exchanges[] = {
    { "ECDHE_RSA", "+ECDHE-RSA" },
    { "ECDHE_ECDSA", "+ECDHE-ECDSA" },
    { "RSA", "+RSA" },
};

/* What stands between "_WITH_" and the hash. */
static const struct word ciphers[] = {
    { "AES_128_GCM", "+AES-128-GCM" },
    { "AES_256_GCM", "+AES-256-GCM" },
    { "AES_128_CBC", "+AES-128-CBC" },
    { "AES_256_CBC", "+AES-256-CBC" },
    { "RC4_128", "+ARCFOUR-128" },
    { "3DES_EDE_CBC", "+3DES-CBC" },
    { "CHACHA20_POLY1305", "+CHACHA20-POLY1305" },
};

static const struct {
    int32_t number;
    const char *gnutls;
} groups[] = {
    { 23, ":+GROUP-SECP256R1" },
    { 24, ":+GROUP-SECP384R1" },
    { 25, ":+GROUP-SECP521R1" },
    { 29, ":+GROUP-X25519" },
};

static const char *translate(const struct word *words, size_t count, struct str iana)
{
    for (size_t i = 0; i < count; i++)
        if (str_is(iana, words[i].iana))
            return words[i].gnutls;
    return NULL;
}

/* With a block cipher the hash, which ends the name, is the MAC. */
static const char *mac_of(const char *name, const char *hash)
{
    if (strstr(name, "_GCM_") || strstr(name, "_CHACHA20_"))
        return "+AEAD";
    return strcmp(hash, "_SHA256") == 0 ? "+SHA256" : "+SHA1";
}

/* "TLS_<key exchange>_WITH_<cipher>_<hash>"; a suite of TLS 1.3 has no "_WITH_" and adds
 * nothing. */
static void add_suite(struct strbuf *out, const char *name)
{
    const char *with = strstr(name, "_WITH_"), *hash = strrchr(name, '_');
    struct str exchange, cipher;
    const char *exchange_word, *cipher_word;

    if (!with)
        return;
    exchange = (struct str){ name + 4, (size_t)(with - name) - 4 };
    exchange_word = translate(key_exchanges, ARRAY_COUNT(key_exchanges), exchange);
    if (strstr(with, "CHACHA20_POLY1305")) /* the older names end here, without a hash */
        hash = with + strlen("_WITH_CHACHA20_POLY1305");
    cipher = (struct str){ with + 6, (size_t)(hash - with) - 6 };
    cipher_word = translate(ciphers, ARRAY_COUNT(ciphers), cipher);
    if (exchange_word && cipher_word)
        strbuf_printf(out, ":%s:%s:%s", exchange_word, cipher_word, mac_of(name, hash));
}

static const char *group_of(int32_t number)
{
    for (size_t i = 0; i < ARRAY_COUNT(groups); i++)
        if (groups[i].number == number)
            return groups[i].gnutls;
    return NULL;
}

static void add_groups(struct strbuf *out, const struct tls_choice *choice)
{
    bool cleared = false;

    for (size_t i = 0; choice && i < choice->curve_count; i++) {
        const char *group = group_of(choice->curves[i]);

        if (!group)
            continue;
        if (!cleared)
            strbuf_puts(out, ":-GROUP-ALL");
        cleared = true;
        strbuf_puts(out, group);
    }
}

void tls_choice_priorities(const struct tls_choice *choice, struct strbuf *out)
{
    strbuf_puts(out, "NORMAL:-VERS-ALL:+VERS-TLS1.3");
    if (!choice || !choice->only_1_3)
        strbuf_puts(out, ":+VERS-TLS1.2");
    for (size_t i = 0; choice && i < choice->cipher_suite_count; i++)
        add_suite(out, choice->cipher_suites[i]);
    add_groups(out, choice);
}

void tls_choice_priorities_1_2(const struct tls_choice *choice, struct strbuf *out)
{
    if (!choice || choice->cipher_suite_count == 0)
        return;
    strbuf_puts(out, "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:-CIPHER-ALL:-MAC-ALL");
    for (size_t i = 0; i < choice->cipher_suite_count; i++)
        add_suite(out, choice->cipher_suites[i]);
    add_groups(out, choice);
}
