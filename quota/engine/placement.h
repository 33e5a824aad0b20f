/* placement.h - asking the topology room, if there is one, whether an assignment can be placed.
 *
 * Engine thread. Call points of hooks.h: spec/scheduling.md 4.5.5 (after quota said Fit or Preempt),
 * 5.4.3 request_fits, 4.9 step 1. Without the hook everything can be placed. */
#pragma once

#include "quota/engine/assignment.h"
#include "quota/engine/hooks.h"

struct placement_question {
    const struct engine *engine;
    const struct item *item;
    const struct assignment *assignment;
    struct item *const *victims; /* thought away */
    size_t victim_count;
    bool empty; /* all usage thought away */
    struct arena *a;
};

/* False fills *failure. */
bool placement_holds(const struct placement_question *question, struct placement_failure *failure);

/* 4.5.5: lower the mode of an assignment whose pods have no place. */
void placement_apply(const struct assign_input *input, struct assignment *assignment);
