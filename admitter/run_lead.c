#include "admitter/run_private.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "quota/base/log.h"
#include "quota/base/mem.h"

#define LEASE_STOP_MS 1000
#define LEDGER_WAIT_MS 20000

/* Only the leader opens the ledger: replicas may share one file on a common volume. */
static int lead(struct program *p, struct err *e)
{
    const struct ledger_found *found;
    struct loop_event *event;

    bool existed = access(p->arguments.ledger, F_OK) == 0;

    p->ledger = ledger_open(p->arguments.ledger, NULL, e);
    if (!p->ledger)
        return err_wrap(e, "--ledger");
    found = ledger_found(p->ledger);
    if (found->damaged)
        LOG(LOG_WARN, "the ledger was damaged; it is moved aside and history starts anew",
            KS("file", found->damaged), KS("damage", found->damage));
    event = event_create(EVENT_LEADING);
    event->ledger = p->ledger;
    event->ledger_is_new = !existed || found->damaged;
    loop_push(p->loop, event);
    return 0;
}

/* Kube thread: opening the ledger may take longer than a renewal, so main does it. */
static void started_leading(void *context)
{
    struct program *p = context;

    LOG(LOG_INFO, "leading", KS("identity", kube_lease_identity(p->lease)));
    atomic_store(&p->lead_wanted, true);
    eventfd_write(p->wake_fd, 1);
}

/* ---- orders to the kube thread ---- */

struct order {
    struct kube_command command;
    struct program *program;
};

static void order_drop(struct message *m)
{
    free(m);
}

static void order_post(struct program *p,
                       void (*run)(struct kube_command *command, struct kube_client *client))
{
    struct order *order = mem_alloc(sizeof(*order));

    order->command.message.drop = order_drop;
    order->command.run = run;
    order->program = p;
    kube_client_post(p->client, &order->command);
}

static void relist(struct kube_command *command, struct kube_client *client)
{
    struct order *order = (struct order *)command;

    (void)client;
    watch_set_relist(order->program->watches);
    free(order);
}

static void lease_stopped(void *context)
{
    kube_client_stop(((struct program *)context)->client);
}

static void lease_stop(struct kube_command *command, struct kube_client *client)
{
    struct order *order = (struct order *)command;

    (void)client;
    kube_lease_stop(order->program->lease, LEASE_STOP_MS, lease_stopped, order->program);
    free(order);
}

/* ---- leading ---- */

void program_take_lead(struct program *p)
{
    struct err e = { 0 };

    if (lead(p, &e) < 0) {
        if (p->lead_until == 0)
            p->lead_until = kube_now_ms() + LEDGER_WAIT_MS;
        if (e.code == ERR_CONFLICT && kube_now_ms() < p->lead_until)
            return; /* with the next tick */
        LOG(LOG_ERROR, "this replica cannot lead", KS("error", e.text));
        atomic_store(&p->lost_lease, true);
        kill(getpid(), SIGTERM);
        return;
    }
    atomic_store(&p->lead_wanted, false);
    order_post(p, relist);
}

static void stopped_leading(void *context)
{
    struct program *p = context;

    if (atomic_load(&p->probes.stopping))
        return;
    LOG(LOG_ERROR, "the lease was lost; stopping, so that another replica decides alone");
    atomic_store(&p->lost_lease, true);
    kill(getpid(), SIGTERM);
}

bool program_may_write(void *context)
{
    const struct program *p = context;

    return !p->lease || kube_lease_leading(p->lease);
}

int program_lease_start(struct program *p, struct err *e)
{
    const struct configuration *c = &p->configuration;
    struct kube_lease_options options = {
        .namespace =
            *c->leader_election.lease_namespace ? c->leader_election.lease_namespace : c->namespace,
        .name = c->leader_election.lease_name,
        .lease_duration_ms = c->leader_election.lease_duration / NANOSECONDS_PER_MILLISECOND,
        .renew_deadline_ms = c->leader_election.renew_deadline / NANOSECONDS_PER_MILLISECOND,
        .retry_period_ms = c->leader_election.retry_period / NANOSECONDS_PER_MILLISECOND,
        .started_leading = started_leading,
        .stopped_leading = stopped_leading,
        .context = p,
    };

    if (!c->leader_election.enabled) {
        atomic_store(&p->probes.lease_known, true);
        return lead(p, e);
    }
    p->lease = kube_lease_create(p->client, &options, e);
    return p->lease ? 0 : err_wrap(e, "leaderElection");
}

void program_lease_stop(struct program *p)
{
    order_post(p, lease_stop);
}
