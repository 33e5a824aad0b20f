/* arguments.h - the command line of "admitter run".
 *
 * Used once by main before any thread starts. Order of use: arguments_parse, configuration_load
 * with the path and the gates found, arguments_apply. A mistake is a usage error: exit status 2
 * with the text, which names what was wrong and lists what is known. Rules: spec/process.md. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "admitter/configuration/configuration.h"
#include "quota/base/err.h"
#include "quota/base/log.h"

#define ARGUMENTS_LEDGER_DEFAULT "sluice-ledger.db"
#define ARGUMENTS_UNSET (-1) /* a period that was not given */

enum tuning {
    TUNING_REQUEUE_BATCH,
    TUNING_TAS_REQUEUE_BATCH,
    TUNING_QUEUE_STATUS_INTERVAL,
    TUNING_POD_TERMINATION_GRACE,
    TUNING_MULTIKUEUE_GC,
    TUNING_MULTIKUEUE_EVENT_BATCH,
    TUNING_COUNT
};

struct arguments {             /* texts are borrowed from argv */
    const char *configuration; /* --config; "" = none */
    const char *kubeconfig;    /* "" = KUBECONFIG, then in-cluster */
    const char *feature_gates; /* NULL: not given */
    const char *ledger;
    enum log_level log_level;
    bool metrics_plaintext, debug_endpoints;
    bool help; /* --help was there: print the usage, exit 0 */

    bool all_components;                    /* the default: everything that is configured */
    unsigned components;                    /* enum component bits */
    unsigned job_reconcilers, job_webhooks; /* bits of job_kinds() */
    const char *unsupported[16];            /* parts whose job kind is known but not made here */
    unsigned unsupported_count;             /* at most 16 are remembered */
    const char *ignored[8];                 /* flags of Kueue's logger without effect here */
    unsigned ignored_count;                 /* at most 8 are remembered */
    int64_t tuning[TUNING_COUNT];           /* nanoseconds, or ARGUMENTS_UNSET */
};

/* 'argv' without the program and the verb. "--flag value", "--flag=value" and one dash are all
 * right; the last of several counts. ERR_INVALID: an unknown flag, part, key or level, a missing or
 * bad value, an argument that belongs to no flag. */
MUST_USE int arguments_parse(int argc, char *const *argv, struct arguments *out, struct err *e);

/* What runs and how often, over what the configuration says. Parts of job kinds that are not made
 * here yet are added to its warnings. */
void arguments_apply(const struct arguments *arguments, struct configuration *configuration);

/* How to call "admitter run", for people. */
void arguments_usage(FILE *out);
