/* certificate.h - our own certificate authority and serving certificate, and when to renew them.
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

/* A new self-signed authority, valid from five minutes before 'now' for 'days'. */
MUST_USE int certificate_authority_create(const char *common_name, int64_t now, int days,
                                          struct certificate_pair *authority, struct err *e);
/* A new serving certificate signed by 'authority'; never outlives it. ERR_INVALID: no names, an
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

/* Everything the replicas share through one Secret. Only the leader changes it (with the Secret's
 * resourceVersion); the others load it and serve the leaf.
 *
 * Stages of a change of authority, each written to the Secret before the next:
 *   steady    authority                 leaf from authority        bundle: authority
 *   prepared  authority, next           leaf from authority        bundle: authority + next
 *   switched  authority (was next), old leaf from the new one      bundle: authority + old
 *   steady again, old dropped. */
struct certificate_store {
    struct certificate_pair authority; /* signs the leaf */
    struct certificate_pair next;      /* will sign; its certificate is already in the bundle */
    char *old;                         /* certificate of the authority before; no key */
    struct certificate_pair leaf;
    int64_t stage_time; /* when 'next' or 'old' was set; 0 when steady */
};
void certificate_store_finish(struct certificate_store *store); /* usable again, empty */

enum certificate_action {
    CERTIFICATE_KEEP,     /* nothing to do */
    CERTIFICATE_CREATED,  /* authority and leaf made, the store was empty or unusable */
    CERTIFICATE_RENEWED,  /* new leaf from the same authority: due, or other names */
    CERTIFICATE_PREPARED, /* next authority made: publish the bundle */
    CERTIFICATE_SWITCHED, /* next became the authority, new leaf */
    CERTIFICATE_RETIRED,  /* the old authority left the bundle */
};
const char *certificate_action_name(enum certificate_action action); /* "renewed", for the log */

#define CERTIFICATE_SETTLE_SECONDS 60    /* after the bundle was seen everywhere, before SWITCHED */
#define CERTIFICATE_RETIRE_SECONDS 86400 /* after SWITCHED, before RETIRED */

/* Take the one next step that is due at 'now'. Anything but CERTIFICATE_KEEP must be written to the
 * Secret (on a conflict: load again and ask again), then the bundle to the webhook configurations,
 * then the leaf to the certificate source. 'bundle_published': every webhook configuration has been
 * seen with the store's present bundle; without it an authority is never switched. On -1 the store
 * is unchanged. */
MUST_USE int certificate_store_step(struct certificate_store *store,
                                    const struct certificate_names *names, int64_t now,
                                    bool bundle_published, enum certificate_action *action,
                                    struct err *e);
/* The PEM text for caBundle, appended: present authority first, then next or old. */
void certificate_store_bundle(const struct certificate_store *store, struct strbuf *out);

/* The store as the data of a Secret: flat keys, values not base64. */
#define CERTIFICATE_STORE_KEYS 8
struct certificate_entry {
    const char *key;  /* "tls.crt", "tls.key", "ca.crt", "ca.key", "next-ca.crt", "next-ca.key",
                         "old-ca.crt", "stage-time" (RFC 3339) */
    struct str value; /* borrowed */
};
/* Entries of what is set; 'stage_text' (TIME_TEXT bytes) holds the one that is not stored as text.
 * Returns the count. Keys not named here are to be removed from the Secret. */
size_t certificate_store_save(const struct certificate_store *store,
                              struct certificate_entry entries[CERTIFICATE_STORE_KEYS],
                              char *stage_text);
/* Copy from entries; unknown keys are ignored, missing ones are empty. ERR_INVALID names the key
 * that is not usable (not PEM, or key and certificate do not belong together); the store is then
 * empty, and certificate_store_step makes a new one. */
MUST_USE int certificate_store_load(struct certificate_store *store,
                                    const struct certificate_entry *entries, size_t count,
                                    struct err *e);
