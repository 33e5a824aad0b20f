/* metrics_access.h - who may read /metrics over HTTPS: TokenReview, then SubjectAccessReview.
 *
 * The API server is asked once per token and minute; answers are kept. Used by a server with one
 * thread, which owns the client made here. Rules: spec/operations.md (metrics endpoint). */
#pragma once

#include <stdbool.h>
#include "admitter/kube/config.h"
#include "webhook/route.h"

struct metrics_access;
struct metrics_access *metrics_access_create(const struct kube_config *config); /* borrowed */
void metrics_access_destroy(struct metrics_access *access); /* after the server; NULL is fine */
/* May the sender of this request get 'path'? Otherwise the answer (401, 403, 500) is in 'response'. */
bool metrics_access_allowed(struct metrics_access *access, const struct request *request,
                            const char *path, struct response *response);
