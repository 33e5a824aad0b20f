/* watch.h - the promises, checked against the model. Each function calls play_broken on a
 * breach. */
#pragma once

#include "tests/property/play.h"

/* Usage of every queue and cohort is the sum of what reserving workloads hold; capacity is what the
 * declared quotas add up to; every workload is where it has to be, once; the engine's own check. */
void watch_state(struct play *play);

/* ---- around a cycle ---- */
struct cells; /* all cells of all nodes, as bytes */
struct cells *watch_cells(struct play *play);
/* The cells are, byte for byte, what they were; 'why' says in what case that is asked. Frees. */
void watch_cells_same(struct play *play, struct cells *before, const char *why);
void watch_cells_forget(struct cells *cells);

struct heads {             /* who has to be offered next */
    int workloads[QUEUES]; /* ABSENT: nobody, ANYBODY: the order is not known here */
};
enum { ANYBODY = -2 };
/* Every heap is in the documented order; its first one is the head. */
struct heads watch_order(struct play *play);
/* The decisions of the cycle are about exactly these heads. */
void watch_heads(struct play *play, const struct heads *heads);

/* Limits hold with this admission on top of everything that is held; whole gangs only. Then the
 * model takes the admission over. */
void watch_admission(struct play *play, const struct decision *decision);
/* A victim holds quota, and the preemptor's queue may preempt it. */
void watch_victim(struct play *play, const struct decision *decision, const struct victim *victim);
/* Nobody is parked who could start now. */
void watch_nobody_forgotten(struct play *play);
