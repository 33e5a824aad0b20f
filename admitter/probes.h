/* probes.h - /healthz, /readyz, /metrics and the debug endpoints: plain GET routes.
 *
 * Server threads; answers come from atomics and the metrics registry, the debug endpoints ask the
 * engine thread and wait for it. Health paths take "verbose" and "exclude=NAME", answer 500 when
 * something is wrong, and have their one check below them (/readyz/readyz), which says what.
 * Rules: spec/process.md, spec/operations.md 2 and 3. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include "admitter/loop/loop.h"
#include "webhook/route.h"
#include "webhook/server.h"

struct probes {
    struct loop *loop;
    atomic_bool stopping;    /* ready no more */
    atomic_bool webhook_ok;  /* the last self-check; kept by main */
    atomic_bool lease_known; /* always true without leader election */
    const char *readiness_path, *liveness_path;
    struct metrics_access *access; /* NULL: /metrics is open to everybody who can connect */
};

MUST_USE int probes_register_health(struct probes *probes, struct route_table *routes,
                                    struct err *e);
MUST_USE int probes_register_metrics(struct probes *probes, struct route_table *routes, bool debug,
                                     struct err *e);
