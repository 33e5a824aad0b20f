/* job_copy.h - a struct job in one piece of heap memory, for keeping. Pure. */
#pragma once

#include "admitter/jobs/job.h"

/* Everything it points to is copied; one free() releases it. */
struct job *job_copy(const struct job *job) __attribute__((returns_nonnull));
