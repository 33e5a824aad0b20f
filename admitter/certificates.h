/* certificates.h - our own serving certificate: shared by replicas through a Secret, known to the
 * API server through the caBundle of the webhook configurations and definitions.
 *
 * Main thread. Every call makes a few requests and waits for them. Any replica creates what is
 * missing; after that only the leader renews. Rules: spec/config.md 3.3, libraries.md 5. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "admitter/kube/client.h"
#include "admitter/kube/path.h"
#include "webhook/certificate_source.h"

struct certificates_options { /* texts are borrowed */
    const char *namespace;    /* of the Secret and the Service */
    const char *service; /* "<prefix>-webhook-service"; configuration names are derived from it */
    const char *secret;
    const char *host; /* a further address the webhook is reached at, or NULL */
};

struct certificates;
struct certificates *certificates_create(struct kube_client *client,
                                         const struct certificates_options *options,
                                         struct certificate_source *source);
void certificates_destroy(struct certificates *certificates); /* NULL is fine */

/* Where the bundle is published: two webhook configurations, then the definitions with a
 * conversion. The kind goes to *resource; the object's name is the caller's to free. */
enum { CERTIFICATES_HOOKS = 2, CERTIFICATES_PLACES = CERTIFICATES_HOOKS + 5 };
char *certificates_place(const struct certificates *certificates, unsigned place,
                         struct kube_resource *resource);

/* Load the Secret; take the one step that is due (anything at all only when 'leading', or when
 * there is nothing usable yet); serve the leaf; publish the bundle. 'now' in seconds since 1970.
 * After an error the next call goes on where this one stopped. */
MUST_USE int certificates_sync(struct certificates *certificates, bool leading, int64_t now,
                               struct err *e);
