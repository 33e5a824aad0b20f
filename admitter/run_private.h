/* run_private.h - what the files of "admitter run" share: run.c (start, tick, stop), run_lead.c
 * (the lease and the ledger), run_servers.c (certificates, routes and ports). Main thread, unless a
 * function says otherwise. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include "admitter/arguments.h"
#include "admitter/certificates.h"
#include "admitter/configuration/configuration.h"
#include "admitter/kube/lease.h"
#include "admitter/loop/hooks.h"
#include "admitter/loop/watch.h"
#include "admitter/metrics_access.h"
#include "admitter/bundle_watch.h"
#include "admitter/metrics_certificate.h"
#include "admitter/probes.h"
#include "quota/ledger/ledger.h"

struct program {
    struct arguments arguments;
    struct configuration configuration;
    struct kube_config *kube_config;
    struct ledger *ledger;
    struct snapshot *snapshot;
    struct loop *loop;
    struct hooks *hooks;
    struct route_table *hook_routes, *health_routes, *metrics_routes;
    struct certificate_source *source;
    struct metrics_certificate *metrics_certificate; /* NULL: plain, or the webhook's */
    struct webhook_server *webhook, *health, *metrics;
    struct metrics_access *access;
    struct probes probes;
    /* main's own client, for certificates */
    struct kube_client *main_client;
    struct certificates *certificates;
    struct bundle_watch *bundle_watch;
    atomic_bool bundle_touched; /* somebody changed what our CA bundle stands in */
    int64_t bundle_not_before;  /* look for that no earlier, CLOCK_MONOTONIC ms */
    /* the kube thread and what it owns */
    struct kube_client *client;
    struct kube_writer *writer;
    struct kube_recorder *recorder;
    struct kube_lease *lease;
    struct watch_set *watches;
    pthread_t kube_thread;
    bool kube_started, loop_started;
    atomic_bool lost_lease;
    atomic_bool lead_wanted; /* the lease is ours; main opens the ledger and tells the loop */
    int64_t lead_until;      /* give up opening the ledger then, CLOCK_MONOTONIC ms */
    int wake_fd;
};

/* Elect a leader, or lead at once where the configuration says so. */
MUST_USE int program_lease_start(struct program *p, struct err *e);
/* The lease is held: open the ledger, tell the loop, list everything anew. The last leader may
 * still have the file open for a moment: then again with the next tick. */
void program_take_lead(struct program *p);
/* Of a struct program: is the lease ours, or is there none? Any thread. */
bool program_may_write(void *context);
/* Give the lease back, then end the kube thread; does not wait for either. */
void program_lease_stop(struct program *p);

/* Certificates, then every port. The webhooks answer from here on. */
MUST_USE int program_servers_start(struct program *p, struct err *e);
