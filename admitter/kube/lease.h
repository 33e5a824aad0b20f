/* lease.h - leader election by a coordination.k8s.io/v1 Lease, compatible with client-go's.
 *
 * Remote times are never compared: a holder is given up when its record has not changed for a lease
 * duration on our own monotonic clock, so stepping clocks cannot make two leaders. We stop being
 * leader the moment renew_deadline passes without a successful renewal, whatever the network does;
 * the time counts from *sending* the last successful renewal. Kube thread, but see the
 * questions. Rights needed: get, create and patch of leases. */
#pragma once

#include "admitter/kube/client.h"

struct kube_lease_options { /* texts copied; zero means the default in brackets */
    const char *namespace, *name;
    const char *identity;      /* NULL: host name and a random UUID */
    int64_t lease_duration_ms; /* [15000] longer than renew_deadline */
    int64_t renew_deadline_ms; /* [10000] longer than 1.2 retry periods */
    int64_t retry_period_ms;   /* [2000] */
    bool keep_on_stop;         /* leave the record as it is when stopping */
    void (*started_leading)(void *context);
    /* Lost or given up. Anything the leader still has in flight must be let go. */
    void (*stopped_leading)(void *context);
    void (*new_leader)(void *context, const char *identity); /* "" when nobody; may be NULL */
    void *context;
};

struct kube_lease;
/* Begins to try at once. NULL and ERR_INVALID when the durations do not fit each other. */
struct kube_lease *kube_lease_create(struct kube_client *client,
                                     const struct kube_lease_options *options, struct err *e);
/* Give the lease back (empty holder) and call 'stopped' when that is done or 'limit_ms' passed. */
void kube_lease_stop(struct kube_lease *lease, int64_t limit_ms, void (*stopped)(void *context),
                     void *context);
void kube_lease_destroy(struct kube_lease *lease); /* without giving it back; NULL is fine */

bool kube_lease_leading(const struct kube_lease *lease); /* any thread; exact to the millisecond */
bool kube_lease_known(const struct kube_lease *lease);   /* the record was read at least once */
const char *kube_lease_identity(const struct kube_lease *lease);
