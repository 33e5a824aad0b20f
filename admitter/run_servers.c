#include "admitter/run_private.h"

#include <sys/eventfd.h>
#include <time.h>
#include "admitter/program_metrics.h"
#include "quota/base/log.h"

static void bundle_changed(void *context)
{
    struct program *p = context;

    atomic_store(&p->bundle_touched, true);
    eventfd_write(p->wake_fd, 1);
}

static int certificates_start(struct program *p, struct err *e)
{
    const struct configuration *c = &p->configuration;
    struct certificates_options options = { .namespace = c->namespace,
                                            .service = c->certificates.service_name,
                                            .secret = c->certificates.secret_name,
                                            .host = c->webhook.address.host };

    p->source = certificate_source_create();
    if (!c->certificates.internal)
        return certificate_source_watch_folder(p->source, c->webhook.certificate_folder, e) < 0
                   ? err_wrap(e, "webhook.certDir")
                   : 0;
    p->main_client = kube_client_create(p->kube_config, &(struct kube_client_options){ 0 }, e);
    if (!p->main_client)
        return -1;
    p->certificates = certificates_create(p->main_client, &options, p->source);
    p->bundle_watch = bundle_watch_create(p->client, p->certificates, bundle_changed, p);
    return certificates_sync(p->certificates, false, time(NULL), e);
}

static int server_start(const struct listen_address *address, struct webhook_server_options options,
                        struct webhook_server **server, struct err *e)
{
    if (!address->enabled)
        return 0;
    options.host = *address->host ? address->host : NULL;
    options.port = address->port;
    *server = webhook_server_start(&options, e);
    return *server ? 0 : err_wrap(e, "%s", options.name);
}

/* What /metrics is served with; NULL: nothing. */
static struct certificate_source *metrics_source(struct program *p)
{
    const struct configuration *c = &p->configuration;
    struct err e = { 0 };

    if (p->arguments.metrics_plaintext || !c->metrics.address.enabled)
        return NULL;
    p->metrics_certificate = metrics_certificate_create(c->certificates.internal, time(NULL), &e);
    if (p->metrics_certificate)
        return metrics_certificate_source(p->metrics_certificate);
    LOG(LOG_WARN, "no certificate for metrics, the webhook's is used", KS("error", e.text));
    return p->source;
}

static int listen_all(struct program *p, struct err *e)
{
    const struct configuration *c = &p->configuration;
    struct webhook_server_options webhook = {
        .name = "webhook",
        .certificates = p->source,
        .tls = &c->tls,
        .routes = p->hook_routes,
        .observe = program_metrics_webhook,
    };
    struct webhook_server_options health = { .name = "health",
                                             .threads = 1,
                                             .routes = p->health_routes };
    struct webhook_server_options metrics = { .name = "metrics",
                                              .threads = 1,
                                              .certificates = metrics_source(p),
                                              .tls = &c->tls,
                                              .routes = p->metrics_routes };

    if (server_start(&c->webhook.address, webhook, &p->webhook, e) < 0 ||
        server_start(&c->health.address, health, &p->health, e) < 0)
        return -1;
    return server_start(&c->metrics.address, metrics, &p->metrics, e);
}

int program_servers_start(struct program *p, struct err *e)
{
    const struct configuration *c = &p->configuration;
    bool plain = p->arguments.metrics_plaintext;

    p->probes.readiness_path = c->health.readiness_path;
    p->probes.liveness_path = c->health.liveness_path;
    p->health_routes = route_table_create();
    p->metrics_routes = route_table_create();
    p->hook_routes = route_table_create();
    p->hooks = hooks_create(&c->loop, p->snapshot);
    if (!plain)
        p->access = p->probes.access = metrics_access_create(p->kube_config);
    if (hooks_register(p->hooks, p->hook_routes, e) < 0 ||
        probes_register_health(&p->probes, p->health_routes, e) < 0 ||
        probes_register_metrics(&p->probes, p->metrics_routes, p->arguments.debug_endpoints, e) < 0)
        return -1;
    if (certificates_start(p, e) < 0)
        return -1;
    return listen_all(p, e);
}
