/* placement.h - asking the topology room, if there is one, where the pods of an assignment go.
 *
 * Engine thread. Call points of hooks.h: spec/scheduling.md 4.3 and 4.5.5 (after quota said Fit or
 * Preempt), 5.4.3 request_fits, 4.9 steps 1, 7, 10 and 12. Without the hooks everything has a
 * place. */
#pragma once

#include "quota/engine/assignment.h"

struct placement_question {
    const struct engine *engine;
    const struct item *item;
    struct assignment *assignment;
    struct item *const *gone; /* thought away */
    size_t gone_count;
    bool is_empty; /* all usage thought away */
    struct arena *a;
};

/* Does the place that the assignment remembers still hold? */
bool placement_still_fits(const struct placement_question *question);
/* The assignment takes the place it remembers, for those that come after it in this cycle. */
void placement_plan(const struct placement_question *question);

/* 5.4.3: would there be a place if these were gone? */
bool placement_without(const struct assign_input *input, struct assignment *assignment,
                       const struct target_list *victims);
/* 4.5.5: lower the mode of an assignment whose pods have no place. */
void placement_apply(const struct assign_input *input, struct assignment *assignment);
/* 4.3: the place that a preemptor will have when its victims are gone. */
void placement_behind_victims(const struct assign_input *input, struct assignment *assignment,
                              const struct target_list *targets);
