/* status.h - what an HTTP answer of the API server means. Pure; any thread.
 *
 *   404 NOT_FOUND   409 EXISTS (reason AlreadyExists), else CONFLICT   410 GONE (also 504/400 with
 *   reason Expired)   400, 405, 406, 413, 415, 422 INVALID   401, 403 FORBIDDEN
 *   429, 503, 504 BUSY   other 5xx and everything unreadable IO */
#pragma once

#include "quota/base/err.h"
#include "quota/base/str.h"

/* Parts of a Status object; texts are cut to fit. */
struct kube_status {
    int code;
    char reason[40];
    char message[400];
    int64_t retry_after_seconds; /* details.retryAfterSeconds, -1: none */
};
/* False when 'body' is no Status object. */
bool kube_status_parse(struct str body, struct kube_status *status);

/* Fill *e from an answer that is not 2xx; the text is "<method> <path>: <message> (<code>)".
 * 'reason' (40 bytes) and 'retry_after_seconds' may be NULL. Returns the code. */
enum err_code kube_status_error(unsigned http_status, struct str body, const char *method,
                                const char *path, char *reason, int64_t *retry_after_seconds,
                                struct err *e);
