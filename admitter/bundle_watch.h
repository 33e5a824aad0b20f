/* bundle_watch.h - notices when somebody else changes an object that our CA bundle stands in.
 *
 * Watches the metadata of the two webhook configurations and of the definitions with a conversion,
 * each by its name, so that no right on others is needed. What changed is not looked at: the next
 * certificates_sync does. Create before the client's loop runs, destroy after it has ended; in
 * between 'changed' is called on the kube thread. Rules: spec/operations.md 7 "CA injection". */
#pragma once

#include "admitter/certificates.h"

struct bundle_watch;
typedef void bundle_changed_fn(void *context);

struct bundle_watch *bundle_watch_create(struct kube_client *client,
                                         const struct certificates *certificates,
                                         bundle_changed_fn *changed, void *context);
void bundle_watch_destroy(struct bundle_watch *watch); /* NULL is fine */
