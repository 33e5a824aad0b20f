/* batch_job.h - the kind batch/v1 Job, framework "batch/job". Rules: spec/integrations.md 2.1. */
#pragma once

#include "admitter/jobs/job.h"

extern const struct job_kind batch_job_kind;
