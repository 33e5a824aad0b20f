/* job_slices.h - which Workload of an elastic job is the one to work with.
 *
 * An elastic job may grow while it runs: each growth is a Workload of its own, a slice, that
 * replaces the one before once it has quota. Pure. Rules: spec/integrations.md 1.20,
 * spec/lifecycle.md 11.1. */
#pragma once

#include "admitter/rules/job_rules.h"

enum slice_verdict {
    SLICE_CREATE,  /* a new one; 'slice' is the one it replaces, NULL for the first */
    SLICE_USE,     /* 'slice' describes the job */
    SLICE_RESIZE,  /* 'slice' does once it has the job's counts */
    SLICE_FINISH,  /* 'slice' has been replaced, or is out of step: 'reason' and 'message' */
    SLICE_FOREIGN, /* 'slice' has other pod sets: the ordinary rules */
};

struct slice_choice {
    const struct workload_facts *slice;
    const struct workload_facts *holder; /* the newest one with quota that is not evicted; NULL */
    const char *reason, *message;
};

/* 'workloads': of the job, oldest first. */
enum slice_verdict slice_choose(const struct job *job, const struct workload_facts *workloads,
                                size_t count, struct slice_choice *choice);

/* The chain that a slice belongs to: the name of its first one. Borrowed from the object. */
const char *slice_chain(const json_t *workload);

/* JSON Patch that gives a slice the counts of its job. New reference. */
json_t *slice_resize_patch(const struct job *job, const struct workload_facts *slice);
