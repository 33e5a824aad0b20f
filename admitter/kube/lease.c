#include "admitter/kube/lease.h"

#include <jansson.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>
#include "admitter/kube/lease_record.h"
#include "admitter/kube/path.h"
#include "admitter/kube/yaml.h"
#include "quota/base/clock.h"
#include "quota/base/log.h"
#include "quota/base/mem.h"

enum asking { ASKING_NOTHING, ASKING_READ, ASKING_WRITE, ASKING_RELEASE };

struct kube_lease {
    struct kube_client *client;
    struct kube_lease_options options;
    char *namespace, *name, *identity, *path, *collection;
    struct kube_call *call;
    enum asking asking;
    struct kube_timer timer;    /* the next attempt */
    struct kube_timer deadline; /* leadership ends */
    struct lease_record seen;   /* the record as last seen */
    bool has_seen;
    int64_t seen_at_ms;         /* when it last changed */
    int64_t sent_at_ms;         /* of the write in flight */
    struct lease_record wanted; /* what that write says */
    bool leading;               /* started_leading was called, stopped_leading not yet */
    char *told;                 /* the leader new_leader was told of */
    unsigned failures;
    bool stopping;
    void (*stopped)(void *context);
    void *stopped_context;
    _Atomic int64_t until_ms; /* we lead while the clock is below */
    atomic_bool known;
};

static void attempt(void *context);

/* Goes on while the machine sleeps, so that waking up late is noticed. */
static int64_t lease_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec * 1000 + now.tv_nsec / NANOSECONDS_PER_MILLISECOND;
}

static int64_t real_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * NANOSECONDS_PER_SECOND + now.tv_nsec;
}

/* ---- leading and not leading ---- */

bool kube_lease_leading(const struct kube_lease *lease)
{
    return lease_now_ms() < lease->until_ms;
}

static void leader_tell(struct kube_lease *lease)
{
    const char *holder = lease->has_seen ? lease->seen.holder : "";

    if (lease->told && !strcmp(lease->told, holder))
        return;
    free(lease->told);
    lease->told = mem_dup(holder);
    LOG(LOG_INFO, "leader of the lease", KS("lease", lease->path), KS("holder", holder));
    if (lease->options.new_leader)
        lease->options.new_leader(lease->options.context, holder);
}

static void leading_end(struct kube_lease *lease, const char *why)
{
    lease->until_ms = 0;
    kube_timer_cancel(lease->client, &lease->deadline);
    if (!lease->leading)
        return;
    lease->leading = false;
    LOG(LOG_WARN, "stopped leading", KS("lease", lease->path), KS("reason", why));
    if (lease->options.stopped_leading)
        lease->options.stopped_leading(lease->options.context);
}

static void deadline_passed(void *context)
{
    struct kube_lease *lease = context;

    if (kube_lease_leading(lease)) /* the two clocks may differ by a tick */
        kube_timer_set(lease->client, &lease->deadline, lease->until_ms - lease_now_ms());
    else
        leading_end(lease, "the lease could not be renewed in time");
}

/* A write of ours was accepted; it counts from when it was sent. */
static void leading_extend(struct kube_lease *lease)
{
    int64_t until_ms = lease->sent_at_ms + lease->options.renew_deadline_ms;

    if (until_ms <= lease_now_ms())
        return; /* answered too late to be worth anything */
    lease->until_ms = until_ms;
    kube_timer_set(lease->client, &lease->deadline, until_ms - lease_now_ms());
    if (lease->leading)
        return;
    lease->leading = true;
    LOG(LOG_INFO, "started leading", KS("lease", lease->path), KS("identity", lease->identity));
    if (lease->options.started_leading)
        lease->options.started_leading(lease->options.context);
}

/* ---- what the server says ---- */

/* The record as it stands at the server. Only its changes count, on our own clock. */
static void record_seen(struct kube_lease *lease, struct lease_record *record)
{
    bool changed = !lease->has_seen || !lease_record_same(&lease->seen, record);

    if (changed)
        lease->seen_at_ms = lease_now_ms();
    lease_record_finish(&lease->seen);
    lease->seen = *record;
    lease->has_seen = true;
    lease->known = true;
    if (strcmp(lease->seen.holder, lease->identity) != 0)
        leading_end(lease, "somebody else holds the lease");
    leader_tell(lease);
}

static bool is_ours(const struct kube_lease *lease)
{
    return lease->has_seen && !strcmp(lease->seen.holder, lease->identity);
}

/* May it be taken? Free, ours, or its holder has not renewed for as long as it promised to. */
static bool is_takeable(const struct kube_lease *lease)
{
    int64_t length_ms = lease->seen.duration_seconds > 0 ? lease->seen.duration_seconds * 1000
                                                         : lease->options.lease_duration_ms;

    if (!lease->has_seen || !lease->seen.holder[0] || is_ours(lease))
        return true;
    return lease_now_ms() - lease->seen_at_ms >= length_ms;
}

static void attempt_in(struct kube_lease *lease, int64_t delay_ms)
{
    kube_timer_set(lease->client, &lease->timer, delay_ms);
}

/* Those who wait spread out, so that they do not all ask in the same moment. */
static void attempt_later(struct kube_lease *lease)
{
    int64_t period = lease->options.retry_period_ms;

    if (!kube_lease_leading(lease))
        period += (int64_t)kube_random(lease->client, (uint64_t)period / 5 + 1);
    attempt_in(lease, period);
}

/* ---- requests ---- */

static void answered(void *context, const struct kube_result *result);

static void ask(struct kube_lease *lease, enum asking asking, struct kube_request *request)
{
    request->class = KUBE_CLASS_WRITE;
    request->timeout_ms = lease->options.renew_deadline_ms / 2;
    request->done = answered;
    request->context = lease;
    lease->asking = asking;
    lease->call = kube_request_start(lease->client, request);
}

static void lease_read(struct kube_lease *lease)
{
    struct kube_request request = { .method = "GET", .path = lease->path };

    ask(lease, ASKING_READ, &request);
}

/* Create it, or change it with the version we have seen: whoever was faster wins. */
static void lease_write(struct kube_lease *lease, enum asking asking)
{
    AUTO_STRBUF struct strbuf body = STRBUF_INIT;
    bool create = !lease->has_seen;
    struct kube_request request = {
        .method = create ? "POST" : "PATCH",
        .path = create ? lease->collection : lease->path,
        .content_type = create ? "application/json" : "application/merge-patch+json",
    };

    lease_record_json(&lease->wanted, create ? lease->name : NULL, &body);
    request.body = strbuf_view(&body);
    lease->sent_at_ms = lease_now_ms();
    ask(lease, asking, &request);
}

/* What the record should say now that we hold it. */
static void want_ours(struct kube_lease *lease)
{
    bool ours = is_ours(lease);
    struct lease_record *want = &lease->wanted;
    int64_t now = real_now();

    lease_record_finish(want);
    want->holder = mem_dup(lease->identity);
    want->version = mem_dup(lease->has_seen ? lease->seen.version : "");
    want->duration_seconds = (lease->options.lease_duration_ms + 999) / 1000;
    want->renew_time = now;
    want->acquire_time =
        ours && lease->seen.acquire_time != TIME_NONE ? lease->seen.acquire_time : now;
    want->transitions = lease->has_seen ? lease->seen.transitions + !ours : 0;
}

/* The leader renews without reading first; others look whether it is free. */
static void attempt(void *context)
{
    struct kube_lease *lease = context;

    if (is_ours(lease) && kube_lease_leading(lease)) {
        want_ours(lease);
        lease_write(lease, ASKING_WRITE);
    } else {
        lease_read(lease);
    }
}

static void failed(struct kube_lease *lease, const struct err *e)
{
    LOG(lease->failures++ ? LOG_WARN : LOG_INFO, "lease request failed", KS("lease", lease->path),
        KS("error", e->text));
    attempt_later(lease);
}

static bool body_read(struct kube_lease *lease, const struct kube_result *result)
{
    struct lease_record record;
    struct err e;

    if (lease_record_parse(result->body, &record, &e) < 0) {
        failed(lease, &e);
        return false;
    }
    lease->failures = 0;
    record_seen(lease, &record);
    return true;
}

static void take(struct kube_lease *lease)
{
    want_ours(lease);
    lease_write(lease, ASKING_WRITE);
}

static void read_answered(struct kube_lease *lease, const struct kube_result *result)
{
    if (result->error.code == ERR_NOT_FOUND) {
        lease->has_seen = false;
        lease->known = true;
        leader_tell(lease);
        take(lease);
    } else if (result->error.code != ERR_NONE) {
        failed(lease, &result->error);
    } else if (body_read(lease, result)) {
        if (is_takeable(lease))
            take(lease);
        else
            attempt_later(lease);
    }
}

static void write_answered(struct kube_lease *lease, const struct kube_result *result)
{
    if (result->error.code == ERR_NOT_FOUND && !kube_lease_leading(lease)) {
        lease->has_seen = false;
        failed(lease, &result->error); /* perhaps there is no such namespace: a person must know */
        return;
    }
    switch (result->error.code) {
    case ERR_NONE:
        if (!body_read(lease, result))
            return;
        if (is_ours(lease))
            leading_extend(lease);
        attempt_later(lease);
        break;
    case ERR_CONFLICT:
    case ERR_EXISTS:
    case ERR_NOT_FOUND: /* the record is not what we thought: look, without delay while we lead */
        lease->has_seen = lease->has_seen && result->error.code == ERR_CONFLICT;
        if (kube_lease_leading(lease))
            lease_read(lease);
        else
            attempt_later(lease);
        break;
    default:
        failed(lease, &result->error);
    }
}

/* ---- stopping ---- */

static void stop_over(void *context)
{
    struct kube_lease *lease = context;
    void (*stopped)(void *) = lease->stopped;

    kube_timer_cancel(lease->client, &lease->timer);
    if (lease->call)
        kube_request_cancel(lease->call);
    lease->call = NULL;
    lease->stopped = NULL;
    if (stopped)
        stopped(lease->stopped_context);
}

/* An empty holder with a duration of one second, as client-go leaves it. */
static void want_released(struct kube_lease *lease)
{
    struct lease_record *want = &lease->wanted;

    lease_record_finish(want);
    want->holder = mem_dup("");
    want->version = mem_dup(lease->seen.version);
    want->duration_seconds = 1;
    want->renew_time = want->acquire_time = real_now();
    want->transitions = lease->seen.transitions;
}

/* A renewal was under way when we were told to stop: its answer has the version to release. */
static void release_after(struct kube_lease *lease, const struct kube_result *result)
{
    struct lease_record record;

    if (result->error.code == ERR_NONE && lease_record_parse(result->body, &record, NULL) == 0) {
        lease_record_finish(&lease->seen);
        lease->seen = record;
    }
    want_released(lease);
    lease_write(lease, ASKING_RELEASE);
}

static void answered(void *context, const struct kube_result *result)
{
    struct kube_lease *lease = context;

    lease->call = NULL;
    if (lease->asking == ASKING_RELEASE)
        stop_over(lease);
    else if (lease->stopping)
        release_after(lease, result);
    else if (lease->asking == ASKING_READ)
        read_answered(lease, result);
    else
        write_answered(lease, result);
}

void kube_lease_stop(struct kube_lease *lease, int64_t limit_ms, void (*stopped)(void *context),
                     void *context)
{
    bool held = is_ours(lease) && kube_lease_leading(lease);

    lease->stopping = true;
    lease->stopped = stopped;
    lease->stopped_context = context;
    kube_timer_cancel(lease->client, &lease->timer);
    leading_end(lease, "stopping");
    kube_timer_init(&lease->timer, stop_over, lease);
    if (!held || lease->options.keep_on_stop) {
        kube_timer_set(lease->client, &lease->timer, 0); /* stop_over drops what is in flight */
        return;
    }
    kube_timer_set(lease->client, &lease->timer, limit_ms);
    if (!lease->call) {
        want_released(lease);
        lease_write(lease, ASKING_RELEASE);
    }
}

/* ---- making and asking ---- */

static char *identity_make(void)
{
    char host[256] = "";
    unsigned char b[16] = { 0 };

    gethostname(host, sizeof(host) - 1);
    if (getrandom(b, sizeof(b), 0) < 0)
        snprintf((char *)b, sizeof(b), "%d", (int)getpid());
    return mem_format("%s_%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                      host, b[0], b[1], b[2], b[3], b[4], b[5], (b[6] & 0x0f) | 0x40, b[7],
                      (b[8] & 0x3f) | 0x80, b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

static int options_check(struct kube_lease_options *o, struct err *e)
{
    if (!o->lease_duration_ms)
        o->lease_duration_ms = 15000;
    if (!o->renew_deadline_ms)
        o->renew_deadline_ms = 10000;
    if (!o->retry_period_ms)
        o->retry_period_ms = 2000;
    if (o->retry_period_ms < 1)
        return err_set(e, ERR_INVALID, "leaderElection.retryPeriod: must be positive");
    if (o->renew_deadline_ms * 5 <= o->retry_period_ms * 6)
        return err_set(e, ERR_INVALID,
                       "leaderElection.renewDeadline: must be longer than 1.2 "
                       "times leaderElection.retryPeriod");
    if (o->lease_duration_ms <= o->renew_deadline_ms)
        return err_set(e, ERR_INVALID,
                       "leaderElection.leaseDuration: must be longer than "
                       "leaderElection.renewDeadline");
    return 0;
}

struct kube_lease *kube_lease_create(struct kube_client *client,
                                     const struct kube_lease_options *options, struct err *e)
{
    static const struct kube_resource leases = { "coordination.k8s.io", "v1", "leases" };
    struct kube_lease_options checked = *options;
    struct kube_lease *lease;

    if (options_check(&checked, e) < 0)
        return NULL;
    lease = mem_alloc(sizeof(*lease));
    lease->client = client;
    lease->options = checked;
    lease->namespace = mem_dup(options->namespace);
    lease->name = mem_dup(options->name);
    lease->identity = options->identity ? mem_dup(options->identity) : identity_make();
    lease->path = kube_path(&leases, lease->namespace, lease->name, NULL);
    lease->collection = kube_path(&leases, lease->namespace, NULL, NULL);
    kube_timer_init(&lease->timer, attempt, lease);
    kube_timer_init(&lease->deadline, deadline_passed, lease);
    kube_timer_set(client, &lease->timer, 0);
    return lease;
}

void kube_lease_destroy(struct kube_lease *lease)
{
    if (!lease)
        return;
    if (lease->call)
        kube_request_cancel(lease->call);
    kube_timer_cancel(lease->client, &lease->timer);
    kube_timer_cancel(lease->client, &lease->deadline);
    lease_record_finish(&lease->seen);
    lease_record_finish(&lease->wanted);
    free(lease->told);
    free(lease->namespace);
    free(lease->name);
    free(lease->identity);
    free(lease->path);
    free(lease->collection);
    free(lease);
}

bool kube_lease_known(const struct kube_lease *lease)
{
    return lease->known;
}

const char *kube_lease_identity(const struct kube_lease *lease)
{
    return lease->identity;
}
