#include "admitter/configuration/object.h"

#include <string.h>
#include "admitter/objects/names.h"
#include "quota/base/file.h"
#include "quota/base/mem.h"

#define NAMESPACE_FILE "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
#define NAMESPACE_DEFAULT "kueue-system"
#define NAMESPACE_LIMIT 4096
#define SECONDS(n) ((n)*NANOSECONDS_PER_SECOND)
#define MINUTES(n) SECONDS(60 * INT64_C(n))

static void default_int(struct given_int *field, int64_t value)
{
    if (!field->given)
        *field = (struct given_int){ true, value };
}

static void default_bool(struct given_bool *field, bool value)
{
    if (!field->given)
        *field = (struct given_bool){ true, value };
}

/* Absent only: a written "" stays. */
static void default_text(const char **field, const char *value)
{
    if (!*field)
        *field = value;
}

static void default_empty_text(const char **field, const char *value)
{
    if (!*field || !**field)
        *field = value;
}

/* The namespace of the pod this runs in; NULL outside a cluster. */
static const char *pod_namespace(struct arena *a)
{
    AUTO_STRBUF struct strbuf text = STRBUF_INIT;
    struct str name;

    if (file_read(NAMESPACE_FILE, NAMESPACE_LIMIT, &text, NULL) < 0)
        return NULL;
    name = str_trim(strbuf_view(&text));
    return name.length > 0 ? arena_dup(a, name) : NULL;
}

static void default_selector(struct reading *r)
{
    struct given_selector *selector = &r->object.managed_namespaces;
    struct label_requirement *requirement;

    if (selector->given)
        return;
    requirement = ARENA_NEW(r->arena, struct label_requirement);
    *requirement = (struct label_requirement){ .key = NAMESPACE_NAME_LABEL,
                                               .operator= SELECTOR_NOT_IN,
                                               .operator_text = "NotIn",
                                               .values = ARENA_ARRAY(r->arena, 2, const char *),
                                               .value_count = 2 };
    requirement->values[0] = "kube-system";
    requirement->values[1] = r->object.namespace;
    selector->given = true;
    selector->value = (struct label_selector){ .present = true,
                                               .requirements = requirement,
                                               .requirement_count = 1 };
}

static void default_manager(struct reading *r)
{
    struct configuration_object *o = &r->object;
    const char *pod = pod_namespace(r->arena);

    default_text(&o->namespace, pod ? pod : NAMESPACE_DEFAULT);
    default_bool(&o->manage_without_queue_name, false);
    default_selector(r);
    default_int(&o->webhook.port, 9443);
    default_text(&o->webhook.host, "");
    default_empty_text(&o->webhook.certificate_folder, "/tmp/k8s-webhook-server/serving-certs");
    default_bool(&o->leader_election.enabled, true);
    default_int(&o->leader_election.lease_duration, SECONDS(15));
    default_int(&o->leader_election.renew_deadline, SECONDS(10));
    default_int(&o->leader_election.retry_period, SECONDS(2));
    default_empty_text(&o->leader_election.lock, "leases");
    default_empty_text(&o->leader_election.name, "c1f6bfd2.kueue.x-k8s.io");
    default_empty_text(&o->leader_election.namespace, pod ? pod : "");
    default_text(&o->metrics.bind_address, ":8443");
    default_text(&o->health.bind_address, ":8081");
    default_empty_text(&o->health.readiness, "readyz");
    default_empty_text(&o->health.liveness, "healthz");
    default_text(&o->pprof_address, "");
}

static void default_metrics(struct configuration_object *o)
{
    default_bool(&o->metrics.cluster_queue_resources, false);
    /* Present without "enable" means off. */
    if (!o->metrics.local_queues.given)
        o->metrics.local_queues.enabled = (struct given_bool){ true, true };
}

static void default_certificates(struct configuration_object *o)
{
    default_bool(&o->certificates.enabled, true);
    if (!o->certificates.enabled.value)
        return;
    default_text(&o->certificates.service_name, "kueue-webhook-service");
    default_text(&o->certificates.secret_name, "kueue-webhook-server-cert");
}

static void default_wait(struct configuration_object *o)
{
    if (o->version == VERSION_1) {
        if (!o->wait_for_pods_ready.enabled.value) {
            memset(&o->wait_for_pods_ready, 0, sizeof(o->wait_for_pods_ready));
            return;
        }
        default_int(&o->wait_for_pods_ready.timeout, MINUTES(5));
        default_bool(&o->wait_for_pods_ready.block_admission, true);
    } else if (o->wait_for_pods_ready.timeout.value == 0) {
        o->wait_for_pods_ready.timeout = (struct given_int){ true, MINUTES(30) };
    }
    o->wait_for_pods_ready.given = true;
    default_bool(&o->wait_for_pods_ready.block_admission, false);
    default_int(&o->wait_for_pods_ready.recovery_timeout, o->wait_for_pods_ready.timeout.value);
    default_text(&o->wait_for_pods_ready.requeuing.timestamp, "Eviction");
    default_int(&o->wait_for_pods_ready.requeuing.base, 60);
    default_int(&o->wait_for_pods_ready.requeuing.maximum, 3600);
}

static void default_multikueue(struct configuration_object *o)
{
    default_int(&o->multikueue.gc_interval, MINUTES(1));
    default_empty_text(&o->multikueue.origin, "multikueue");
    default_int(&o->multikueue.worker_lost_timeout, MINUTES(15));
    default_text(&o->multikueue.dispatcher, "kueue.x-k8s.io/multikueue-dispatcher-all-at-once");
    if (o->version == VERSION_2 && strcmp(o->multikueue.dispatcher, DISPATCHER_INCREMENTAL) == 0) {
        o->multikueue.incremental.given = true;
        default_int(&o->multikueue.incremental.step_size, 3);
    }
}

static void default_fair_sharing(struct reading *r)
{
    struct configuration_object *o = &r->object;
    struct given_texts *strategies = &o->fair_sharing.strategies;

    if (o->version == VERSION_1 && !o->fair_sharing.enabled.value)
        memset(&o->fair_sharing, 0, sizeof(o->fair_sharing));
    if (o->fair_sharing.given && o->version == VERSION_1 && strategies->count == 0) {
        strategies->items = ARENA_ARRAY(r->arena, 2, const char *);
        strategies->items[0] = "LessThanOrEqualToFinalShare";
        strategies->items[1] = "LessThanInitialShare";
        strategies->count = 2;
    }
    if (o->admission_fair_sharing.given && o->admission_fair_sharing.sampling_interval.value == 0)
        o->admission_fair_sharing.sampling_interval = (struct given_int){ true, MINUTES(5) };
}

static void default_frameworks(struct reading *r)
{
    struct given_texts *names = &r->object.integrations.frameworks;

    if (names->count > 0)
        return;
    *names = (struct given_texts){ true, ARENA_ARRAY(r->arena, 1, const char *), 1 };
    names->items[0] = "batch/job";
}

void configuration_default(struct reading *r)
{
    struct configuration_object *o = &r->object;

    default_manager(r);
    default_metrics(o);
    default_certificates(o);
    default_wait(o);
    default_multikueue(o);
    default_fair_sharing(r);
    default_frameworks(r);
    default_text(&o->visibility.bind_address, "");
    default_int(&o->visibility.port, 8082);
}
