/* fair_ledger.h - what each LocalQueue consumed lately, for the files of admission fair sharing and
 * nobody else.
 *
 * Engine thread. A ledger belongs to its LocalQueue and is made when there is something to record.
 * Rules: spec/scheduling.md 6.3 - 6.6. */
#pragma once

#include "quota/engine/engine_private.h"

struct fair_row {
    uint32_t resource;
    __int128 nano;
};
struct fair_rows {
    struct fair_row *items;
    size_t count, capacity;
};
struct penalty { /* 6.5 */
    const struct item *item;
    struct fair_rows amounts;
};
struct fair_ledger {
    struct fair_rows consumed; /* C */
    struct penalty *penalties; /* P */
    size_t penalty_count, penalty_capacity;
    int64_t updated;
    struct fair_rows order; /* C + P as the heap last saw it */
    struct quantity order_weight;
};

/* admission_fair_sharing.c */
void fair_rows_add(struct fair_rows *rows, uint32_t resource, __int128 nano); /* to its row */
void fair_rows_clear(struct fair_rows *rows);
/* An amount (milli-cores, whole units) in billionths of the unit. */
__int128 fair_amount_nano(const struct engine *engine, uint32_t resource, int64_t amount);
__int128 fair_resource_weight(const struct engine *engine, uint32_t resource); /* billionths */
/* Is it enabled, and does the LocalQueue's ClusterQueue go by it? NULL is fine. */
bool fair_applies_to(const struct engine *engine, const struct local_queue_record *queue);

/* fair_sampling.c */
/* C becomes decay(C, U, elapsed) as of now (6.6). The caller plans and refreshes after it. */
void fair_decay(struct engine *engine, struct local_queue_record *queue, int64_t now);
