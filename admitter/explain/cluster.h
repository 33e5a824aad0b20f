/* cluster.h - what `admitter explain` reads of a cluster. One thread. */
#pragma once

#include <jansson.h>
#include "admitter/kube/client.h"
#include "admitter/simulate/documents.h"

struct explain_subject {
    json_t *workload;       /* owned */
    char *namespace, *name; /* of the Workload; owned */
    char *job;              /* "namespace/name" when a job was asked for; owned, else NULL */
};
void explain_subject_finish(struct explain_subject *subject);

/* The Workload of that name, or the one of a batch Job. ERR_NOT_FOUND: there is none, or the job is
 * not managed; ERR_EXISTS: several Workloads of the job are not finished; ERR_FORBIDDEN; others:
 * the API server could not be asked. The text is for people. */
MUST_USE int explain_find_workload(struct kube_client *client, const char *namespace,
                                   const char *name, struct explain_subject *subject,
                                   struct err *e);
MUST_USE int explain_find_job(struct kube_client *client, const char *namespace, const char *name,
                              struct explain_subject *subject, struct err *e);

/* All objects that a decision depends on, as documents. Lists that the caller may not read are left
 * out and named in 'hidden' (array of texts). -1: the API server could not be asked. */
MUST_USE int explain_read_cluster(struct kube_client *client, struct simulate_documents *documents,
                                  json_t *hidden, struct err *e);
/* Is everything there that quota figures are made of? */
bool explain_has_figures(const json_t *hidden);
