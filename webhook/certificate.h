/* certificate.h - our own certificate authority and serving certificate.
 *
 * ECDSA P-256, SHA-256, made with OpenSSL. Pure: the time is an argument (seconds since 1970), the
 * only outside source is OpenSSL's random numbers. PEM in and out; keys are PKCS#8. Any thread, one
 * store at a time. Sources: libraries.md 5; RFC 5280. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "quota/base/err.h"
#include "quota/base/str.h"

#define CERTIFICATE_AUTHORITY_DAYS 3650
#define CERTIFICATE_LEAF_DAYS 90

/* What the serving certificate must be valid for. Go's clients ignore the common name. */
struct certificate_names {
    const char *const *dns; /* "sluice-webhook-service.sluice-system.svc", ... */
    size_t dns_count;
    const char *const *ip; /* "127.0.0.1", "::1" */
    size_t ip_count;
};

struct certificate_pair {
    char *certificate; /* PEM, heap; NULL: none */
    char *key;         /* PEM, heap */
};
void certificate_pair_finish(struct certificate_pair *pair); /* the key's bytes are wiped */

/* A new self-signed authority, valid from a day before 'now' until 'days' after it. */
MUST_USE int certificate_authority_create(const char *common_name, int64_t now, int days,
                                          struct certificate_pair *authority, struct err *e);
/* A new serving certificate signed by 'authority', valid from five minutes before 'now'; never
 * outlives the authority. ERR_INVALID: no names, an
 * address that is none, or an unusable authority. */
MUST_USE int certificate_leaf_create(const struct certificate_pair *authority,
                                     const struct certificate_names *names, int64_t now, int days,
                                     struct certificate_pair *leaf, struct err *e);

struct certificate_times {
    int64_t not_before, not_after; /* seconds since 1970 */
};
/* Of the first certificate in a PEM text. */
MUST_USE int certificate_read_times(const char *pem, struct certificate_times *times,
                                    struct err *e);
/* Two thirds of its life are over (or it is not valid yet, or its clock is absurd). */
bool certificate_is_due(struct certificate_times times, int64_t now);
/* Is the leaf valid at 'now' for every name, and does some authority in 'bundle' (PEM, one or more)
 * vouch for it? The text of *e says what is wrong. */
MUST_USE int certificate_verify(const char *leaf, const char *bundle,
                                const struct certificate_names *names, int64_t now, struct err *e);
/* Does the key belong to the first certificate? */
MUST_USE int certificate_match(const char *certificate, const char *key, struct err *e);
