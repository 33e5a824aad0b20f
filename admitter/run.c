#include "admitter/run.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>
#include <jansson.h>
#include "admitter/dump.h"
#include "admitter/metrics/metrics.h"
#include "admitter/program_metrics.h"
#include "admitter/run_private.h"
#include "quota/base/log.h"
#include "quota/base/map.h"
#include "quota/base/mem.h"

#define TICK_MS 1000
#define FIRST_TICK_MS 10 /* until the webhook has answered */
#define SELF_CHECK_TICKS 5
#define CERTIFICATE_TICKS 30
#define BUNDLE_PAUSE_MS 5000
#define DRAIN_MS 1500
#define WEBHOOK_GRACE_MS 800

/* ---- the kube thread ---- */

static void *kube_run(void *context)
{
    struct program *p = context;

    log_thread_name("kube");
    kube_client_run(p->client);
    return NULL;
}

static int kube_start(struct program *p, struct err *e)
{
    const char *host = strstr(p->kube_config->server, "://");
    struct kube_client_options options = {
        .burst = p->configuration.client.burst,
        .refill_us = p->configuration.client.refill_us,
        .observe = program_metrics_request,
        .observe_context = (void *)(uintptr_t)(host ? host + 3 : p->kube_config->server),
    };

    p->client = kube_client_create(p->kube_config, &options, e);
    if (!p->client)
        return err_wrap(e, "kubeconfig %s", p->kube_config->source);
    p->writer = kube_writer_create(p->client);
    p->recorder = kube_recorder_create(p->client, p->writer, &(struct kube_recorder_options){ 0 });
    return 0;
}

static int loop_setup(struct program *p, struct err *e)
{
    struct loop_parts parts = { .settings = &p->configuration.loop,
                                .client = p->client,
                                .writer = p->writer,
                                .recorder = p->recorder,
                                .snapshot = p->snapshot,
                                .may_write = program_may_write,
                                .may_write_context = p };
    unsigned kinds, jobs;

    p->loop = loop_create(&parts);
    p->probes.loop = p->loop;
    watch_wanted(&p->configuration.loop, &kinds, &jobs);
    loop_want(p->loop, kinds, jobs);
    p->watches = watch_set_create(p->client, p->loop, &p->configuration.loop);
    return program_lease_start(p, e);
}

static int threads_start(struct program *p, struct err *e)
{
    loop_start(p->loop);
    p->loop_started = true;
    if (pthread_create(&p->kube_thread, NULL, kube_run, p) != 0)
        return err_set(e, ERR_NOMEM, "cannot start the kube thread");
    p->kube_started = true;
    return 0;
}

/* ---- main's tick ---- */

static void check_webhook(struct program *p)
{
    struct err e = { 0 };
    bool ok = webhook_self_check(p->webhook, time(NULL), 500, &e) == 0;

    if (!ok)
        LOG(LOG_WARN, "the webhook does not answer its own check", KS("error", e.text));
    atomic_store(&p->probes.webhook_ok, ok);
}

/* Whoever puts another bundle there again and again is not argued with at full speed. */
static bool bundle_is_due(struct program *p)
{
    int64_t now = kube_now_ms();

    if (!atomic_load(&p->bundle_touched) || now < p->bundle_not_before)
        return false;
    p->bundle_not_before = now + BUNDLE_PAUSE_MS;
    atomic_store(&p->bundle_touched, false);
    return true;
}

static void check_certificates(struct program *p, bool all)
{
    struct err e = { 0 };
    bool changed = false;
    int result;

    if (p->metrics_certificate &&
        metrics_certificate_refresh(p->metrics_certificate, time(NULL), &e) < 0)
        LOG(LOG_WARN, "the certificate of /metrics is kept as it is", KS("error", e.text));
    if (!p->certificates) {
        result = certificate_source_refresh(p->source, time(NULL), &changed, &e);
        if (changed)
            LOG(LOG_INFO, "serving certificate reloaded");
    } else {
        if (!all)
            return;
        result = certificates_sync(p->certificates, program_may_write(p), time(NULL), &e);
    }
    if (result < 0)
        LOG(LOG_WARN, "certificates could not be refreshed, the present ones are kept",
            KS("error", e.text));
}

static void tick(struct program *p, unsigned count)
{
    if (p->lease)
        atomic_store(&p->probes.lease_known, kube_lease_known(p->lease));
    if (atomic_load(&p->lead_wanted))
        program_take_lead(p);
    if (!atomic_load(&p->probes.webhook_ok) || (count > 0 && count % SELF_CHECK_TICKS == 0))
        check_webhook(p);
    if (bundle_is_due(p))
        check_certificates(p, true);
    else if (count > 0 && count % SELF_CHECK_TICKS == 0)
        check_certificates(p, count % CERTIFICATE_TICKS == 0);
}

static bool is_settled(const struct program *p)
{
    return atomic_load(&p->probes.webhook_ok) && atomic_load(&p->probes.lease_known);
}

/* Until a signal asks to stop. */
static void serve(struct program *p, int signals)
{
    unsigned ticks = 0;

    for (;;) {
        struct pollfd fds[] = { { .fd = signals, .events = POLLIN },
                                { .fd = p->wake_fd, .events = POLLIN } };
        struct signalfd_siginfo info;
        eventfd_t woken;

        tick(p, is_settled(p) ? ticks++ : 0);
        if (poll(fds, ARRAY_COUNT(fds), is_settled(p) ? TICK_MS : FIRST_TICK_MS) <= 0)
            continue;
        if (fds[1].revents)
            eventfd_read(p->wake_fd, &woken);
        if (fds[0].revents && read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
            if (info.ssi_signo == SIGUSR2) {
                loop_call(p->loop, dump_write, NULL);
                continue;
            }
            LOG(LOG_INFO, "asked to stop", KI("signal", info.ssi_signo));
            return;
        }
    }
}

/* ---- stopping ---- */

static void end_at_once(int signal)
{
    (void)signal;
    _exit(1);
}

/* Whoever asks a second time does not want to wait (spec/operations.md 4.4). */
static void heed_another_signal(void)
{
    struct sigaction action = { .sa_handler = end_at_once };
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* False: some are still on their way. */
static bool wait_for_writes(const struct program *p)
{
    for (int waited = 0; waited < DRAIN_MS; waited += 10) {
        struct kube_writer_counts counts = kube_writer_count(p->writer);

        if (counts.waiting + counts.in_flight == 0)
            return true;
        usleep(10000);
    }
    return false;
}

/* Give the lease back, then end the kube thread. With writes on their way the lease is left to
 * expire: the next leader must not decide before they have landed. */
static void kube_stop(struct program *p, bool quiet)
{
    if (!p->kube_started)
        return;
    if (p->lease && quiet)
        program_lease_stop(p);
    else
        kube_client_stop(p->client);
    pthread_join(p->kube_thread, NULL);
}

static void program_stop(struct program *p)
{
    bool quiet;

    atomic_store(&p->probes.stopping, true);
    if (p->loop_started)
        loop_stop(p->loop);
    quiet = !p->kube_started || wait_for_writes(p);
    ledger_close(p->ledger); /* before the lease goes: the next leader may want the same file */
    p->ledger = NULL;
    kube_stop(p, quiet);
    webhook_server_stop(p->webhook, WEBHOOK_GRACE_MS);
    webhook_server_stop(p->metrics, 100);
    webhook_server_stop(p->health, 100);
    watch_set_destroy(p->watches);
    bundle_watch_destroy(p->bundle_watch);
    kube_lease_destroy(p->lease);
    kube_recorder_destroy(p->recorder);
    kube_writer_destroy(p->writer);
    kube_client_destroy(p->client);
    loop_destroy(p->loop);
    certificates_destroy(p->certificates);
    kube_client_destroy(p->main_client);
    hooks_destroy(p->hooks);
    route_table_destroy(p->hook_routes);
    route_table_destroy(p->health_routes);
    route_table_destroy(p->metrics_routes);
    metrics_access_destroy(p->access);
    certificate_source_destroy(p->source);
    metrics_certificate_destroy(p->metrics_certificate);
    snapshot_destroy(p->snapshot);
    kube_config_destroy(p->kube_config);
    metrics_stop();
    configuration_finish(&p->configuration);
}

/* ---- starting ---- */

static int signals_open(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

static void seed(void)
{
    uint64_t random = 0;

    if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
        random = (uint64_t)time(NULL);
    map_seed(random);
    json_object_seed(0);
}

/* All problems of the configuration, however many, else the one error. */
static int usage_error(const struct configuration *c, const struct err *e)
{
    for (size_t i = 0; i < c->problem_count; i++)
        fprintf(stderr, "admitter run: %s\n", c->problems[i]);
    if (c->problem_count == 0)
        fprintf(stderr, "admitter run: %s\n", e->text);
    return 2;
}

/* Each on its own line: one LOG would leave out all but the first. */
static void log_warnings(const struct configuration *c)
{
    for (size_t i = 0; i < c->warning_count; i++) {
        const struct log_key key = KS("text", c->warnings[i]);
        struct log_site site = { 0 };

        log_write(&site, LOG_WARN, "configuration", &key, 1);
    }
}

/* Arguments and configuration: -1 means exit status 2. */
static int program_configure(struct program *p, int argc, char **argv, struct err *e)
{
    if (arguments_parse(argc - 1, argv + 1, &p->arguments, e) < 0)
        return -1;
    if (p->arguments.help)
        return 0;
    log_level_set(p->arguments.log_level);
    if (configuration_load(p->arguments.configuration, p->arguments.feature_gates,
                           &p->configuration, e) < 0)
        return -1;
    LOG(LOG_INFO, "Configuration loaded", KS("config", p->configuration.effective));
    arguments_apply(&p->arguments, &p->configuration);
    log_warnings(&p->configuration);
    return 0;
}

static void start_metrics(const struct configuration *c)
{
    struct metrics_options options;

    configuration_metrics(c, &options);
    metrics_start(&options);
    program_metrics_start();
}

static int program_start(struct program *p, struct err *e)
{
    struct kube_config_source where = { .path = *p->arguments.kubeconfig ? p->arguments.kubeconfig
                                                                         : NULL,
                                        .list = getenv("KUBECONFIG") };

    p->kube_config = kube_config_load(&where, e);
    if (!p->kube_config)
        return -1;
    p->snapshot = snapshot_create();
    if (kube_start(p, e) < 0 || loop_setup(p, e) < 0)
        return -1;
    /* The webhooks answer before the first write of our own, which may have to pass them. */
    return program_servers_start(p, e) < 0 ? -1 : threads_start(p, e);
}

int run_main(int argc, char **argv)
{
    struct program *p = mem_alloc(sizeof(*p));
    struct err e = { 0 };
    int signals = signals_open(), status;

    p->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    log_thread_name("main");
    seed();
    if (program_configure(p, argc, argv, &e) < 0) {
        status = usage_error(&p->configuration, &e);
        program_stop(p);
        free(p);
        return status;
    }
    if (p->arguments.help) {
        arguments_usage(stdout);
        program_stop(p);
        free(p);
        return 0;
    }
    kube_global_init();
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    start_metrics(&p->configuration);
    status = program_start(p, &e);
    if (status == 0) {
        LOG(LOG_INFO, "started", KS("version", SLUICE_VERSION),
            KS("server", p->kube_config->server),
            KI("webhook_port", webhook_server_port(p->webhook)));
        serve(p, signals);
        heed_another_signal();
    } else {
        LOG(LOG_ERROR, "cannot start", KS("error", e.text));
    }
    status = status == 0 && !atomic_load(&p->lost_lease) ? 0 : 1;
    program_stop(p);
    close(signals);
    close(p->wake_fd);
    free(p);
    return status;
}
