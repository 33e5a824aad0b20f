/* metrics_access.h - who may read /metrics over HTTPS: TokenReview, then SubjectAccessReview.
 *
 * What the API server says about a token is kept for a minute, that it may read a path for five
 * minutes, that it may not for half a minute; tokens themselves are not kept. Used by a server with
 * one thread, which owns the client made here and waits for the API server, ten seconds at most.
 * Rules: spec/operations.md 2. */
#pragma once

#include <stdbool.h>
#include "admitter/kube/config.h"
#include "webhook/route.h"

struct metrics_access;
struct metrics_access *metrics_access_create(const struct kube_config *config); /* borrowed */
void metrics_access_destroy(struct metrics_access *access); /* after the server; NULL is fine */
/* May the sender of this request get 'path'? Otherwise the answer is in 'response': 401 without a
 * token, 403 when it is known and may not, 500 when it is refused or nobody can say. */
bool metrics_access_allowed(struct metrics_access *access, const struct request *request,
                            const char *path, struct response *response);
