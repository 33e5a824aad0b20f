/* exec.h - credential plugins: programs that print an ExecCredential.
 *
 * client.authentication.k8s.io v1 and v1beta1. The program runs beside the kube thread, which reads
 * its output when there is some. Kube thread only. */
#pragma once

#include <sys/types.h>
#include "admitter/kube/config.h"

struct exec_credential {
    char *token, *certificate, *key; /* PEM; NULL when not given */
    int64_t expires;                 /* nanoseconds since 1970, TIME_NONE: not said */
};
void exec_credential_finish(struct exec_credential *credential); /* wipes */

/* What the program printed. ERR_INVALID names the field. */
MUST_USE int exec_credential_parse(struct str bytes, const char *api_version,
                                   struct exec_credential *credential, struct err *e);

struct exec_run {
    int fd; /* its standard output, non-blocking; -1: not running */
    pid_t pid;
    struct strbuf output;
    int64_t started_ms;
    bool ended; /* it closed its output */
};

/* Start the program. 'authority' (PEM, may be NULL) goes into provideClusterInfo. */
MUST_USE int exec_run_start(struct exec_run *run, const struct kube_config *config,
                            const char *authority, int64_t now_ms, struct err *e);
/* 1: it has ended well and 'output' is whole; 0: not yet; -1: failed, *e says why. */
MUST_USE int exec_run_poll(struct exec_run *run, const char *command, int64_t now_ms,
                           struct err *e);
void exec_run_end(struct exec_run *run); /* kills it if need be */
