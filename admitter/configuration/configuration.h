/* configuration.h - Kueue's Configuration file (config.kueue.x-k8s.io, v1beta1 and v1beta2), read,
 * defaulted, checked and turned into what the parts of the program take.
 *
 * Loaded once by main (or the simulator) before any thread starts; read-only afterwards, so any
 * thread may look. All memory, the lists inside 'loop' included, belongs to 'arena' and lives until
 * configuration_finish. Durations are nanoseconds. Rules: spec/config.md. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "admitter/configuration/gates.h"
#include "admitter/metrics/metrics.h"
#include "admitter/rules/settings.h"
#include "quota/base/arena.h"
#include "quota/base/err.h"
#include "webhook/tls_choice.h"

struct listen_address {
    bool enabled;     /* false: no server */
    const char *host; /* "" = all interfaces */
    uint16_t port;
};

struct configuration {
    struct arena arena;
    struct loop_settings loop;
    struct gates gates;
    const char *namespace; /* own one: Secrets, Services, Lease; may be "" when written so */

    struct {
        struct listen_address address;
        const char *certificate_folder; /* tls.crt and tls.key */
    } webhook;
    struct {
        bool internal; /* our own authority; false: certificates come in folders */
        const char *service_name, *secret_name;
    } certificates;
    struct {
        struct listen_address address;
        bool cluster_queue_resources;
        bool local_queues;                          /* gate and section together */
        struct label_selector local_queue_selector; /* absent: all */
        struct custom_label *custom_labels;         /* empty with gate CustomMetricLabels off */
        size_t custom_label_count;
    } metrics;
    struct {
        struct listen_address address;
        const char *readiness_path, *liveness_path; /* "/readyz", "/healthz" */
    } health;
    struct {
        bool enabled;
        int64_t lease_duration, renew_deadline, retry_period;
        const char *lease_name;
        const char *lease_namespace; /* the pod's own when not written; "" outside a cluster */
    } leader_election;
    struct tls_choice tls; /* of every TLS server */
    struct {
        unsigned burst;    /* requests to the API server at once; 0: no limit */
        int64_t refill_us; /* then one more after so many microseconds */
    } client;
    struct {
        int64_t gc_interval, worker_lost_timeout;
        const char *origin, *dispatcher;
        int32_t step_size;
    } multikueue;
    struct listen_address visibility;
    const char *pprof_address;        /* "" = off */
    bool ignore_undeclared_resources; /* quotaCheckStrategy: IgnoreUndeclared, gate on */

    const char *effective; /* as a v1beta2 file, defaults included; NULL when loading failed */
    const char **warnings; /* accepted but without effect here; to be logged once */
    size_t warning_count;
    const char **problems; /* when loading failed: each error on its own, in order */
    size_t problem_count;
};

/* Read 'path' (NULL or "": no file, the defaults of v1beta2), set the gates, fill in defaults,
 * check everything.
 *
 *   feature_gates  value of the command-line flag; NULL when the flag was not given
 *   out            always to be released with configuration_finish, also after an error
 *
 * ERR_INVALID: the text has the first problems, out->problems all of them, with line, field and
 * value. ERR_NOT_FOUND, ERR_IO: the file. */
MUST_USE int configuration_load(const char *path, const char *feature_gates,
                                struct configuration *out, struct err *e);
/* The same from bytes; 'name' stands in messages. */
MUST_USE int configuration_read(struct str bytes, const char *name, const char *feature_gates,
                                struct configuration *out, struct err *e);
void configuration_finish(struct configuration *configuration);

/* What metrics_start takes; points into the configuration. */
void configuration_metrics(const struct configuration *configuration, struct metrics_options *out);

/* ":8443", "127.0.0.1:0", "[::1]:80"; "0" and "" mean off. ERR_INVALID names the text. The host
 * lives in 'a'. */
MUST_USE int listen_address_parse(const char *text, struct arena *a, struct listen_address *out,
                                  struct err *e);
