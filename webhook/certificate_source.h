/* certificate_source.h - the serving certificate of this moment, shared by threads.
 *
 * Main sets or refreshes it; server threads read it at each TLS handshake. A pair is immutable once
 * set and counted, so a reader never sees half of a change. Open connections keep the certificate
 * they began with. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "quota/base/err.h"
#include "quota/base/str.h"

struct certificate_source;
struct certificate_source *certificate_source_create(void);
void certificate_source_destroy(struct certificate_source *source); /* NULL is fine */

/* Serve this pair from the next handshake on. 'certificate' is PEM, leaf first, then any
 * intermediates; 'key' is PEM (PKCS#8, or the older EC and RSA forms). Both are copied.
 * ERR_INVALID: not PEM, no certificate, or the key does not belong to it; the old pair stays. */
MUST_USE int certificate_source_set(struct certificate_source *source, struct str certificate,
                                    struct str key, struct err *e);

/* Serve tls.crt and tls.key of a folder (a mounted Secret, cert-manager). Reads them once now, so
 * errors show at start: ERR_NOT_FOUND, ERR_IO, ERR_INVALID, with the path. Also remembers the
 * folder when this fails, so that a later refresh can succeed. */
MUST_USE int certificate_source_watch_folder(struct certificate_source *source, const char *folder,
                                             struct err *e);

/* Read the folder again, if there is one; cheap, for every few seconds. *changed tells whether
 * another pair is served now. A pair that is broken, does not match or has expired at 'now'
 * (seconds since 1970) is refused with an error and the old one stays; the same broken content is
 * reported once. Call from one thread. */
MUST_USE int certificate_source_refresh(struct certificate_source *source, int64_t now_seconds,
                                        bool *changed, struct err *e);

bool certificate_source_ready(const struct certificate_source *source); /* has a pair */
/* End of validity of the current leaf, seconds since 1970; 0 without a pair. */
int64_t certificate_source_expiry(const struct certificate_source *source);
/* The current leaf as DER into 'out' (appended). False without a pair. */
bool certificate_source_leaf(const struct certificate_source *source, struct strbuf *out);

/* The pair for one handshake, fresh GnuTLS objects that the caller (GnuTLS with
 * GNUTLS_CERT_RETR_DEINIT_ALL) owns. 'chain' points to a gnutls_pcert_st array, 'key' to a
 * gnutls_privkey_t; declared loosely so that this header needs no GnuTLS. -1 without a pair. */
int certificate_source_handshake(const struct certificate_source *source, void *chain,
                                 unsigned *chain_length, void *key);
