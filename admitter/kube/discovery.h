/* discovery.h - what the server is and which kinds it has. Owner thread of the client; each call
 * runs the loop until the answer is there, so not inside callbacks. For start-up and the command
 * line; reflectors find out about absent kinds by themselves. */
#pragma once

#include "admitter/kube/client.h"
#include "admitter/kube/path.h"

struct kube_version {
    int major, minor;     /* 0 when the server gives no numbers */
    char git_version[64]; /* "v1.36.3" */
};
MUST_USE int kube_server_version(struct kube_client *client, struct kube_version *version,
                                 struct err *e);

/* Does the server have this kind? An unknown group is "no", not an error. */
MUST_USE int kube_resource_exists(struct kube_client *client, const struct kube_resource *resource,
                                  bool *exists, struct err *e);
