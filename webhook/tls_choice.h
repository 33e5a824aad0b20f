/* tls_choice.h - which versions, cipher suites and groups of TLS a server offers.
 *
 * Names and numbers are IANA's, as the configuration writes them; the result is in GnuTLS's own
 * words. Pure; any thread. Rules: spec/operations.md 6.
 *
 * TLS 1.3 keeps all its suites whatever the list says, as in Go. For TLS 1.2 GnuTLS takes key
 * exchanges, ciphers and MACs apart, so what is offered is the product of those that the list
 * names: with two suites that differ in more than one of them, their crossings too. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "quota/base/str.h"

struct tls_choice {
    bool only_1_3;                    /* false: TLS 1.2 and 1.3 */
    const char *const *cipher_suites; /* for TLS 1.2; none: GnuTLS's own choice */
    size_t cipher_suite_count;
    const int32_t *curves; /* most wanted first; none, or none that GnuTLS has: its own choice */
    size_t curve_count;
};

/* The priorities of a server with this choice (NULL: the defaults), appended to 'out'. */
void tls_choice_priorities(const struct tls_choice *choice, struct strbuf *out);
/* The same for a session that has come down to TLS 1.2, where alone the list of suites counts.
 * Nothing is appended when there is no list. */
void tls_choice_priorities_1_2(const struct tls_choice *choice, struct strbuf *out);
