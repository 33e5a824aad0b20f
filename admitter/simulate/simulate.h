/* simulate.h - `admitter simulate`: the engine on manifests, without a cluster.
 *
 * Rules: spec/simulate.md. One thread; reads files, writes nothing but its output. */
#pragma once

#include <stdio.h>
#include "admitter/simulate/documents.h"

struct simulate_options {
    const char **paths; /* -f, in order */
    size_t path_count;
    const char *config_path;   /* NULL: defaults */
    struct str config_text;    /* instead of a file, when not empty */
    const char *feature_gates; /* NULL: not given */
    int64_t now;               /* TIME_NONE: the input decides */
    int64_t duration;          /* of jobs that do not say; -1: for ever */
    int64_t cycles;            /* -1: until idle */
    bool json, colour, help;
};

/* The whole verb: arguments, input, run, output. argv[0] is "simulate". Returns the exit status: 0
 * done, 1 the engine broke an invariant, 2 bad input or usage. */
int simulate_main(int argc, char **argv);

/* Arguments alone. ERR_INVALID names the flag. 'options->paths' is heap memory of the caller. */
MUST_USE int simulate_arguments(int argc, char **argv, struct simulate_options *options,
                                struct err *e);

/* Run on documents that were read already and append the output to 'out', warnings (one line each)
 * to 'warnings'. Returns the exit status; nothing is appended to 'out' when it is 2, and *e says
 * why when it is not 0. */
MUST_USE int simulate_run(const struct simulate_documents *documents,
                          const struct simulate_options *options, struct strbuf *out,
                          struct strbuf *warnings, struct err *e);
