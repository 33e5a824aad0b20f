/* report.h - an explanation as data and as one sentence. Pure; one thread.
 *
 * Members of the object, in this order: "version" (1), "workload", "job" (only when asked for one),
 * "state" (Finished, Admitted, QuotaReserved, Evicting, Deactivated, Pending), "reason" and
 * "message" of the condition that says so, "clusterQueue", "localQueue", "summary" (the sentence);
 * for pending ones also "position" {ahead, waiting, first, strictFIFO}, "fits", "podSets" [{name,
 * count, problem, flavors [{flavor, verdict, refusal, resources [{resource, requested, before,
 * available, maximum, missing, never, limit {kind, owner, ownerKind, value, used}, unlent, heldBy
 * [{workload, clusterQueue, amount, evicted}]}]}]}], "preempts" [{workload, clusterQueue}] and
 * "remedies" [text]; for those that hold quota "admissionChecks" [{name, state, message}];
 * "hidden": lists that could not be read. Amounts are canonical quantities. */
#pragma once

#include <jansson.h>
#include "admitter/explain/cluster.h"
#include "quota/engine/explain.h"

struct explain_facts {
    const struct explain_subject *subject;
    const char *cluster_queue;             /* of its LocalQueue; "" when unknown */
    const struct explanation *explanation; /* NULL: it holds quota, or its queue is no use */
    struct wait_reason why;                /* what the engine says of its queue; texts may be "" */
    json_t *hidden;
    int64_t now;
};
json_t *explain_report(const struct explain_facts *facts); /* new reference */

/* "4", "512Mi": an amount as people write it. 'buffer' has QUANTITY_TEXT bytes; returns it. */
const char *explain_amount(const char *resource, int64_t amount, char *buffer);
