/* life_cycle.h - the life of a Workload as a state machine: states, events, next states.
 *
 * The state is not stored anywhere, it follows from the conditions. The table in life_cycle.c says
 * which event may happen in which state and what state follows. The rules (workload_rules.c) name
 * the states they apply to and the events they may cause, and no status of a Workload is written
 * before life_check has found its change in the table. Other programs may write what they want; the
 * table binds this one. Pure. Rules: spec/api.md 5.2, spec/lifecycle.md. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include "quota/base/err.h"

enum life_state {
    LIFE_PENDING,  /* no quota */
    LIFE_RESERVED, /* quota, but admission checks or a topology are still open */
    LIFE_ADMITTED, /* its pods may run */
    LIFE_EVICTED,  /* told to stop; the quota is held until its pods are gone */
    LIFE_FINISHED, /* for good */
    LIFE_STATES
};

enum life_event {
    LIFE_TELL,    /* something is said about it, nothing happens */
    LIFE_RESERVE, /* the scheduler gives it quota */
    LIFE_START,   /* ... and nothing else is open: admitted in the same write */
    LIFE_ADMIT,   /* the last check is Ready */
    LIFE_EVICT,   /* preempted, timed out, drained, deactivated, refused by a check */
    LIFE_RELEASE, /* the quota is given back: evicted and stopped, or lost before it was admitted */
    LIFE_FINISH,  /* the job has ended */
    LIFE_EVENTS,
    LIFE_IMPOSSIBLE = LIFE_EVENTS /* no event leads there */
};

#define LIFE_BIT(value) (1u << (value))
#define LIFE_ANY_STATE (LIFE_BIT(LIFE_STATES) - 1)
#define LIFE_WITH_QUOTA (LIFE_BIT(LIFE_RESERVED) | LIFE_BIT(LIFE_ADMITTED) | LIFE_BIT(LIFE_EVICTED))

/* 'workload' is a whole object, here and below. */
enum life_state life_state_of(const json_t *workload);
/* May this happen in this state? Then *next is the state that follows. */
bool life_next(enum life_state state, enum life_event event, enum life_state *next);
/* The event that explains the difference between two versions of one Workload. */
enum life_event life_event_between(const json_t *before, const json_t *after);
/* What contradicts itself in a status, for people; NULL: nothing does. */
const char *life_flaw(const json_t *workload);

/* May 'after' be written over 'before'? -1 and ERR_INVALID when no event leads there or when the
 * result would contradict itself and 'before' did not. */
MUST_USE int life_check(const json_t *before, const json_t *after, struct err *e);

const char *life_state_name(enum life_state state); /* "pending" */
