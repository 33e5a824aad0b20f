#include "admitter/rules/life_cycle.h"

#include "admitter/objects/json_read.h"
#include "admitter/objects/condition.h"

/* One row per state and event that may meet; everything else is impossible. */
static const struct move {
    enum life_state from;
    enum life_event event;
    enum life_state to;
} moves[] = {
    { LIFE_PENDING, LIFE_TELL, LIFE_PENDING },     /* why it waits */
    { LIFE_PENDING, LIFE_RESERVE, LIFE_RESERVED }, /* checks are open */
    { LIFE_PENDING, LIFE_START, LIFE_ADMITTED },
    { LIFE_PENDING, LIFE_EVICT, LIFE_PENDING }, /* deactivated while it waits: nothing to stop */
    { LIFE_PENDING, LIFE_FINISH, LIFE_FINISHED },

    { LIFE_RESERVED, LIFE_TELL, LIFE_RESERVED }, /* check states, an order to deactivate */
    { LIFE_RESERVED, LIFE_ADMIT, LIFE_ADMITTED },
    { LIFE_RESERVED, LIFE_EVICT, LIFE_EVICTED },
    { LIFE_RESERVED, LIFE_RELEASE, LIFE_PENDING }, /* its queue was stopped or is gone */
    { LIFE_RESERVED, LIFE_FINISH, LIFE_FINISHED },

    { LIFE_ADMITTED, LIFE_TELL, LIFE_ADMITTED }, /* readiness, reclaimable pods */
    { LIFE_ADMITTED, LIFE_EVICT, LIFE_EVICTED }, /* the only way back: pods have to stop first */
    { LIFE_ADMITTED, LIFE_FINISH, LIFE_FINISHED },

    { LIFE_EVICTED, LIFE_TELL, LIFE_EVICTED },
    { LIFE_EVICTED, LIFE_RELEASE, LIFE_PENDING },
    { LIFE_EVICTED, LIFE_FINISH, LIFE_FINISHED },

    { LIFE_FINISHED, LIFE_TELL, LIFE_FINISHED },
};

enum life_state life_state_of(const json_t *workload)
{
    if (condition_true(workload, "Finished"))
        return LIFE_FINISHED;
    if (!condition_true(workload, "QuotaReserved"))
        return LIFE_PENDING;
    if (condition_true(workload, "Evicted"))
        return LIFE_EVICTED;
    return condition_true(workload, "Admitted") ? LIFE_ADMITTED : LIFE_RESERVED;
}

bool life_next(enum life_state state, enum life_event event, enum life_state *next)
{
    for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
        if (moves[i].from != state || moves[i].event != event)
            continue;
        *next = moves[i].to;
        return true;
    }
    return false;
}

static bool turned_true(const json_t *before, const json_t *after, const char *type)
{
    return condition_true(after, type) && !condition_true(before, type);
}

static enum life_event event_named(const json_t *before, const json_t *after)
{
    if (turned_true(before, after, "Finished"))
        return LIFE_FINISH;
    if (turned_true(before, after, "QuotaReserved"))
        return condition_true(after, "Admitted") ? LIFE_START : LIFE_RESERVE;
    if (turned_true(after, before, "QuotaReserved"))
        return LIFE_RELEASE;
    if (turned_true(before, after, "Evicted"))
        return LIFE_EVICT;
    return turned_true(before, after, "Admitted") ? LIFE_ADMIT : LIFE_TELL;
}

enum life_event life_event_between(const json_t *before, const json_t *after)
{
    enum life_event event = event_named(before, after);
    enum life_state next;

    if (!life_next(life_state_of(before), event, &next) || next != life_state_of(after))
        return LIFE_IMPOSSIBLE;
    return event;
}

const char *life_flaw(const json_t *workload)
{
    bool has_admission = json_at(workload, "status", "admission", NULL) != NULL;

    if (condition_true(workload, "QuotaReserved") && !has_admission)
        return "it has quota without an admission";
    if (condition_is(workload, "QuotaReserved", "False") && has_admission)
        return "it has an admission without quota";
    if (condition_true(workload, "Admitted") && !condition_true(workload, "QuotaReserved"))
        return "it is admitted without quota";
    if (condition_true(workload, "Preempted") && !condition_true(workload, "Evicted"))
        return "it is preempted and not evicted";
    return NULL;
}

int life_check(const json_t *before, const json_t *after, struct err *e)
{
    const char *flaw = life_flaw(after);

    if (life_event_between(before, after) == LIFE_IMPOSSIBLE)
        return err_set(e, ERR_INVALID, "nothing leads from %s to %s",
                       life_state_name(life_state_of(before)),
                       life_state_name(life_state_of(after)));
    if (flaw && !life_flaw(before))
        return err_set(e, ERR_INVALID, "%s", flaw);
    return 0;
}

const char *life_state_name(enum life_state state)
{
    static const char *const names[] = { "pending", "reserved", "admitted", "evicted", "finished" };

    return names[state];
}
