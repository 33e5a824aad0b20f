/* path.h - request paths and queries of the Kubernetes API. Pure; any thread. */
#pragma once

#include "quota/base/str.h"

/* A kind of object at the API server. Texts are borrowed; group "" is the core group. */
struct kube_resource {
    const char *group;   /* "batch", "" */
    const char *version; /* "v1" */
    const char *plural;  /* "jobs" */
};

/* "/apis/batch/v1/namespaces/a/jobs/b/status"; NULL or "" leaves a part out. Names are
 * percent-encoded, so that no name can reach another path. Heap; the caller frees. */
char *kube_path(const struct kube_resource *resource, const char *namespace, const char *name,
                const char *subresource);
/* Append "name=value" with '&' where needed, percent-encoded. */
void kube_query(struct strbuf *query, const char *name, const char *value);
