/* world.h - the part of a cluster that a simulation needs: workloads as they are stored,
 * the engine that decides on them, and a clock.
 *
 * What the API server, the job controllers and the kubelets would do to a Workload between two
 * cycles is done here: a decision becomes conditions, a victim gives its quota back, a job ends.
 * Each change is shown to the engine as the watch would show it. Rules: spec/simulate.md "What one
 * cycle does"; spec/scheduling.md 4.13, 4.14, 5.8. One thread; facts must outlive the world. */
#pragma once

#include "admitter/simulate/facts.h"
#include "quota/base/heap.h"
#include "quota/engine/engine.h"

struct simulate_workload {
    struct workload facts; /* as stored now; conditions are our own copies */
    size_t condition_capacity;
    const char *key;  /* "namespace/name" */
    int64_t duration; /* -1: for ever */
    int64_t due;      /* end of its run or of what holds it back; TIME_NONE */
    uint32_t place;   /* in the heap of due times */
    bool finished, evicting;
    void *admission; /* heap memory behind facts.admission */
};

struct simulate_event {
    const char *object, *reason;
    bool warning;
};
struct simulate_events { /* of one cycle; texts live in the arena of the cycle */
    struct simulate_event *items;
    size_t count, capacity;
};

struct simulate_world;

/* 'steps': nothing that is delayed in the live controller becomes due (--cycles). */
struct simulate_world *simulate_world_create(const struct simulate_facts *facts,
                                             const struct loop_settings *settings, bool steps);
void simulate_world_destroy(struct simulate_world *world); /* NULL is fine */

struct engine *simulate_world_engine(struct simulate_world *world);
int64_t simulate_world_now(const struct simulate_world *world);

/* Carry out what a cycle decided; 'events' gets what would be recorded, in order. True: quota was
 * reserved, or an eviction was begun. */
bool simulate_world_apply(struct simulate_world *world, const struct cycle_result *result,
                          struct arena *arena, struct simulate_events *events);
/* Everybody who is being evicted stops: quota released, queued again. True: there was somebody. */
bool simulate_world_release(struct simulate_world *world);

/* Be told of what happens between cycles: a workload "Finished", "Stopped" (its eviction is
 * through) or "Requeued" (its backoff is over). */
typedef void simulate_happening_fn(void *context, const char *key, const char *what, int64_t now);
void simulate_world_observe(struct simulate_world *world, simulate_happening_fn *happened,
                            void *context);

/* When something happens by itself; TIME_NONE: never. */
int64_t simulate_world_next(const struct simulate_world *world);
/* A fingerprint of what happens by itself and how far ahead; equal outlooks at two points in time
 * have the same fingerprint. */
uint64_t simulate_world_outlook(const struct simulate_world *world);
/* Let the clock reach 'now' (never backwards) and everything due happen. True: something did. */
bool simulate_world_advance(struct simulate_world *world, int64_t now);

/* Why a workload without quota waits. */
struct simulate_waiting {
    const char *key, *cluster_queue; /* cluster_queue "" when it has none */
    const char *reason, *message;
};
/* By key; texts live in 'arena'. */
struct simulate_waiting *simulate_world_waiting(struct simulate_world *world, struct arena *arena,
                                                size_t *count);
