/* certificate_store.h - the certificates that all replicas share through one Secret, and when to
 * renew which.
 *
 * Only the leader changes the Secret (with its resourceVersion); the others load it and serve the
 * leaf. Pure: the time is an argument, seconds since 1970. Any thread, one store at a time.
 * Source: libraries.md 5.
 *
 * Stages of a change of authority, each written to the Secret before the next:
 *   steady    authority                 leaf from authority        bundle: authority
 *   prepared  authority, next           leaf from authority        bundle: authority + next
 *   switched  authority (was next), old leaf from the new one      bundle: authority + old
 *   steady again, old dropped. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include "quota/base/clock.h"
#include "quota/base/err.h"
#include "quota/base/str.h"
#include "webhook/certificate.h"

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

#define CERTIFICATE_SETTLE_SECONDS 60    /* from 'published_since' to SWITCHED */
#define CERTIFICATE_RETIRE_SECONDS 86400 /* from SWITCHED to RETIRED */

/* Take the one next step that is due at 'now'. Anything but CERTIFICATE_KEEP must be written to the
 * Secret (on a conflict: load again and ask again), then the bundle to the webhook configurations,
 * then the leaf to the certificate source. 'published_since': since when every webhook
 * configuration has been seen with the store's present bundle, 0: not all are; an authority is
 * switched only CERTIFICATE_SETTLE_SECONDS after that. On -1 the store is unchanged. */
MUST_USE int certificate_store_step(struct certificate_store *store,
                                    const struct certificate_names *names, int64_t now,
                                    int64_t published_since, enum certificate_action *action,
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
