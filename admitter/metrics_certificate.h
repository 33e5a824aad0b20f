/* metrics_certificate.h - the certificate that /metrics is served with.
 *
 * Files where there are any (mounted by the chart, say), otherwise a self-signed pair for localhost
 * that lives in memory only; scrapers of that one skip verification, as they do with Kueue.
 * Main thread; the server reads the source. Rules: spec/operations.md 2. */
#pragma once

#include <stdint.h>
#include "webhook/certificate_source.h"

struct metrics_certificate;
/* 'internal': internalCertManagement.enable. Without it the folder /etc/kueue/metrics/certs is
 * expected: ERR_NOT_FOUND, ERR_IO or ERR_INVALID when it does not hold a pair. */
struct metrics_certificate *metrics_certificate_create(bool internal, int64_t now_seconds,
                                                       struct err *e);
void metrics_certificate_destroy(struct metrics_certificate *certificate); /* NULL is fine */
struct certificate_source *metrics_certificate_source(struct metrics_certificate *certificate);
/* Follow changed files, renew our own in time. Cheap, for every few seconds. */
MUST_USE int metrics_certificate_refresh(struct metrics_certificate *certificate,
                                         int64_t now_seconds, struct err *e);
