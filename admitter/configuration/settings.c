#include "admitter/configuration/object.h"

#include <string.h>
#include "quota/base/mem.h"
#include "quota/engine/selector.h"

#define STEP_SIZE_DEFAULT 3
#define RATE_DEFAULT 300 /* requests per second */
#define BURST_DEFAULT 500
#define PERIOD_MAX_US (1000000LL * 3600 * 24 * 365)

/* ---- jobs ---- */

static unsigned kind_bit(const char *framework)
{
    const struct job_kind *const *known = job_kinds();

    for (unsigned i = 0; known[i]; i++)
        if (strcmp(known[i]->framework, framework) == 0)
            return 1u << i;
    return 0;
}

/* Kinds that are made of pods, which therefore must be looked after too. */
static bool needs_pods(const char *framework)
{
    return strcmp(framework, "deployment") == 0 || strcmp(framework, "statefulset") == 0 ||
           strcmp(framework, "leaderworkerset.x-k8s.io/leaderworkerset") == 0;
}

static void set_frameworks(struct reading *r)
{
    const struct given_texts *names = &r->object.integrations.frameworks,
                             *externals = &r->object.integrations.external;
    struct loop_settings *loop = &r->out->loop;
    const char **enabled = ARENA_ARRAY(r->arena, names->count + 1, const char *);
    size_t count = 0;
    bool pods = false;

    loop->job_reconcilers = 0;
    for (size_t i = 0; i < names->count; i++) {
        enabled[count++] = names->items[i];
        loop->job_reconcilers |= kind_bit(names->items[i]);
        pods = pods || needs_pods(names->items[i]);
        if (!kind_bit(names->items[i]))
            configuration_warn(r,
                               "integrations.frameworks[%zu]: \"%s\" has no effect but on the jobs "
                               "that it owns: this kind is not supported yet",
                               i, names->items[i]);
    }
    if (pods)
        enabled[count++] = "pod";
    loop->job_reconcilers |= pods ? kind_bit("pod") : 0;
    loop->job_webhooks = loop->job_reconcilers;
    owner_kinds_init(&loop->owners, r->arena, enabled, count, externals->items, externals->count);
}

/* What custom metric labels read from Workloads travels with the job's labels and annotations. */
static void set_copied_keys(struct reading *r)
{
    const struct given_texts *keys = &r->object.integrations.label_keys;
    const struct configuration *out = r->out;
    struct loop_settings *loop = &r->out->loop;
    size_t count = keys->count + out->metrics.custom_label_count;
    const char **labels = ARENA_ARRAY(r->arena, count + 1, const char *);
    const char **annotations = ARENA_ARRAY(r->arena, count + 1, const char *);

    loop->label_key_count = loop->annotation_key_count = 0;
    for (size_t i = 0; i < keys->count; i++)
        labels[loop->label_key_count++] = keys->items[i];
    for (size_t i = 0; i < out->metrics.custom_label_count; i++) {
        const struct custom_label *custom = &out->metrics.custom_labels[i];

        if (custom->kind != LABEL_FROM_WORKLOAD)
            continue;
        if (custom->annotation)
            annotations[loop->annotation_key_count++] = custom->annotation;
        else if (custom->label)
            labels[loop->label_key_count++] = custom->label;
    }
    loop->label_keys_to_copy = labels;
    loop->annotation_keys_to_copy = annotations;
}

static void set_jobs(struct reading *r)
{
    struct loop_settings *loop = &r->out->loop;

    set_frameworks(r);
    set_copied_keys(r);
    loop->jobs.manage_without_queue_name = r->object.manage_without_queue_name.value;
    loop->managed_namespaces = r->object.managed_namespaces.value;
    loop->own_namespace = r->out->namespace;
}

/* ---- life of Workloads ---- */

static void set_wait(struct reading *r)
{
    const struct configuration_object *o = &r->object;
    struct loop_settings *loop = &r->out->loop;

    loop->wait_for_pods_ready =
        o->wait_for_pods_ready.given && !r->out->gates.on[GATE_DISABLE_WAIT_FOR_PODS_READY];
    loop->engine.wait_for_pods_ready = loop->wait_for_pods_ready;
    if (!loop->wait_for_pods_ready)
        return;
    loop->pods_ready_timeout = o->wait_for_pods_ready.timeout.value;
    loop->pods_ready_recovery_timeout = o->wait_for_pods_ready.recovery_timeout.value;
    if (o->wait_for_pods_ready.requeuing.limit.given)
        loop->backoff_limit_count = (int32_t)o->wait_for_pods_ready.requeuing.limit.value;
    loop->backoff_base = o->wait_for_pods_ready.requeuing.base.value * NANOSECONDS_PER_SECOND;
    loop->backoff_max = o->wait_for_pods_ready.requeuing.maximum.value * NANOSECONDS_PER_SECOND;
    loop->engine.block_admission = o->wait_for_pods_ready.block_admission.value;
    loop->engine.requeue_by_creation =
        strcmp(o->wait_for_pods_ready.requeuing.timestamp, "Creation") == 0;
}

static void set_retention(struct reading *r)
{
    const struct given_int *finished = &r->object.retention.workloads.after_finished;
    const struct given_int *deactivated = &r->object.retention.workloads.after_deactivated;

    r->out->loop.retain_finished = finished->given ? finished->value : -1;
    r->out->loop.retain_deactivated = deactivated->given ? deactivated->value : -1;
}

/* ---- engine ---- */

/* A number or text of the file as the quantity it says; it was checked while decoding. */
static struct quantity quantity_of_json(const json_t *value)
{
    AUTO_STRBUF struct strbuf text = STRBUF_INIT;
    struct quantity quantity = quantity_of(0, QUANTITY_DECIMAL);

    if (json_is_string(value))
        strbuf_puts(&text, json_string_value(value));
    else
        yaml_json(value, &text);
    if (quantity_parse(strbuf_view(&text), &quantity, NULL) < 0)
        return quantity_of(0, QUANTITY_DECIMAL);
    return quantity;
}

static void set_fair_sharing(struct reading *r)
{
    const struct given_texts *strategies = &r->object.fair_sharing.strategies;
    struct engine_options *engine = &r->out->loop.engine;

    engine->fair_sharing = r->object.fair_sharing.given;
    r->out->loop.fair_sharing_status = engine->fair_sharing;
    engine->fair_strategy_count = 0;
    for (size_t i = 0; engine->fair_sharing && i < strategies->count; i++)
        engine->fair_strategies[engine->fair_strategy_count++] =
            strcmp(strategies->items[i], "LessThanInitialShare") == 0 ? FAIR_INITIAL_SHARE
                                                                      : FAIR_FINAL_SHARE;
}

static void set_admission_fair_sharing(struct reading *r)
{
    json_t *weights = (json_t *)(uintptr_t)r->object.admission_fair_sharing.weights, *weight;
    struct engine_options *engine = &r->out->loop.engine;
    const char *resource;

    engine->admission_fair_sharing =
        r->object.admission_fair_sharing.given && r->out->gates.on[GATE_ADMISSION_FAIR_SHARING];
    engine->usage_half_life = r->object.admission_fair_sharing.half_life.value;
    engine->usage_sampling_interval = r->object.admission_fair_sharing.sampling_interval.value;
    engine->resource_weights =
        arena_array(r->arena, json_object_size(weights) + 1, sizeof(*engine->resource_weights));
    engine->resource_weight_count = 0;
    json_object_foreach(weights, resource, weight) {
        engine->resource_weights[engine->resource_weight_count].resource =
            arena_strdup(r->arena, resource);
        engine->resource_weights[engine->resource_weight_count++].weight = quantity_of_json(weight);
    }
}

static void set_outputs(struct reading *r, const json_t *outputs, struct resource_list *list)
{
    const char *resource;
    json_t *factor;

    list->items = ARENA_ARRAY(r->arena, json_object_size(outputs) + 1, struct resource_quantity);
    json_object_foreach((json_t *)(uintptr_t)outputs, resource, factor)
        list->items[list->count++] = (struct resource_quantity){ arena_strdup(r->arena, resource),
                                                                 quantity_of_json(factor) };
}

/* All sources of a mapping are of one kind, by validation. */
static void set_measures(struct reading *r, const struct given_rows *rows,
                         struct device_mapping *mapping)
{
    const struct device_source_row *sources = rows->items;

    mapping->measures = ARENA_ARRAY(r->arena, rows->count + 1, struct device_measure);
    mapping->measure_count = rows->count;
    for (size_t i = 0; i < rows->count; i++) {
        const struct device_source *source =
            sources[i].capacity.given ? &sources[i].capacity : &sources[i].counter;

        mapping->by_capacity = sources[i].capacity.given;
        mapping->measures[i] = (struct device_measure){ source->name, source->driver,
                                                        source->selector.cel.expression };
    }
}

static void set_devices(struct reading *r)
{
    const struct given_rows *rows = &r->object.resources.device_mappings;
    const struct device_mapping_row *mappings = rows->items;
    struct engine_options *engine = &r->out->loop.engine;

    engine->device_mapping_count = rows->count;
    engine->device_mappings = ARENA_ARRAY(r->arena, rows->count + 1, struct device_mapping);
    for (size_t i = 0; i < rows->count; i++) {
        engine->device_mappings[i] =
            (struct device_mapping){ .resource = mappings[i].name,
                                     .classes = mappings[i].classes.items,
                                     .class_count = mappings[i].classes.count };
        set_measures(r, &mappings[i].sources, &engine->device_mappings[i]);
    }
}

static void set_resources(struct reading *r)
{
    const struct configuration_object *o = &r->object;
    const struct transformation_row *rows = o->resources.transformations.items;
    struct engine_options *engine = &r->out->loop.engine;

    engine->exclude_prefixes = o->resources.exclude_prefixes.items;
    engine->exclude_prefix_count = o->resources.exclude_prefixes.count;
    engine->transformation_count = o->resources.transformations.count;
    engine->transformations =
        ARENA_ARRAY(r->arena, engine->transformation_count + 1, struct resource_transformation);
    for (size_t i = 0; i < engine->transformation_count; i++) {
        struct resource_transformation *made = &engine->transformations[i];

        made->input = rows[i].input ? rows[i].input : "";
        made->replace = rows[i].strategy && strcmp(rows[i].strategy, "Replace") == 0;
        made->multiply_by =
            rows[i].multiply_by && *rows[i].multiply_by ? rows[i].multiply_by : NULL;
        set_outputs(r, rows[i].outputs, &made->outputs);
    }
    r->out->ignore_undeclared_resources = r->out->gates.on[GATE_QUOTA_CHECK_STRATEGY] &&
                                          o->resources.quota_check &&
                                          strcmp(o->resources.quota_check, "IgnoreUndeclared") == 0;
    r->out->loop.ignore_undeclared = r->out->ignore_undeclared_resources;
    set_devices(r);
}

/* ---- servers ---- */

static const char *endpoint(struct reading *r, const char *name)
{
    return name[0] == '/' ? name : arena_format(r->arena, "/%s", name);
}

static struct listen_address address_of(struct reading *r, const char *text)
{
    struct listen_address address = { false, "", 0 };

    return listen_address_parse(text, r->arena, &address, NULL) == 0
               ? address
               : (struct listen_address){ false, "", 0 };
}

static void set_servers(struct reading *r)
{
    const struct configuration_object *o = &r->object;
    struct configuration *out = r->out;
    int64_t port = o->webhook.port.value;

    out->webhook.address =
        (struct listen_address){ true, o->webhook.host, (uint16_t)(port == 0 ? 9443 : port) };
    out->webhook.certificate_folder = o->webhook.certificate_folder;
    out->health.address = address_of(r, o->health.bind_address);
    out->health.readiness_path = endpoint(r, o->health.readiness);
    out->health.liveness_path = endpoint(r, o->health.liveness);
    out->metrics.address = address_of(r, o->metrics.bind_address);
    out->visibility =
        (struct listen_address){ r->out->gates.on[GATE_VISIBILITY_ON_DEMAND],
                                 o->visibility.bind_address, (uint16_t)o->visibility.port.value };
    out->pprof_address = strcmp(o->pprof_address, "0") == 0 ? "" : o->pprof_address;
    out->certificates.internal = o->certificates.enabled.value;
    out->certificates.service_name =
        o->certificates.service_name ? o->certificates.service_name : "";
    out->certificates.secret_name = o->certificates.secret_name ? o->certificates.secret_name : "";
}

static void set_election(struct reading *r)
{
    const struct configuration_object *o = &r->object;
    struct configuration *out = r->out;

    out->leader_election.enabled = o->leader_election.enabled.value;
    out->leader_election.lease_duration = o->leader_election.lease_duration.value;
    out->leader_election.renew_deadline = o->leader_election.renew_deadline.value;
    out->leader_election.retry_period = o->leader_election.retry_period.value;
    out->leader_election.lease_name = o->leader_election.name;
    out->leader_election.lease_namespace = o->leader_election.namespace;
}

/* Only what is written limits: without it, writes adapt to what the API server takes. A rate of 0
 * never gives anything back, as in Kueue. */
static void set_client(struct reading *r)
{
    const struct given_number *qps = &r->object.client.qps;
    const struct given_int *burst = &r->object.client.burst;
    double rate = qps->given ? qps->value : RATE_DEFAULT;

    if ((!qps->given && !burst->given) || rate < 0)
        return;
    r->out->client.burst =
        burst->given ? (burst->value < 1 ? 1 : (unsigned)burst->value) : BURST_DEFAULT;
    r->out->client.refill_us = rate * PERIOD_MAX_US < 1e6 ? PERIOD_MAX_US : (int64_t)(1e6 / rate);
}

static void set_tls(struct reading *r)
{
    const char *minimum = r->object.tls.minimum;

    r->out->tls = (struct tls_choice){
        .only_1_3 = minimum && strcmp(minimum, "VersionTLS13") == 0,
        .cipher_suites = r->object.tls.cipher_suites.items,
        .cipher_suite_count = r->object.tls.cipher_suites.count,
        .curves = r->object.tls.curves.items,
        .curve_count = r->object.tls.curves.count,
    };
}

/* ---- metrics ---- */

static enum label_source_kind source_kind(const char *kind)
{
    static const char *const names[] = { "ClusterQueue", "Cohort", "LocalQueue", "Workload" };

    for (size_t i = 0; kind && i < ARRAY_COUNT(names); i++)
        if (strcmp(names[i], kind) == 0)
            return (enum label_source_kind)i;
    return LABEL_FROM_CLUSTER_QUEUE;
}

static struct custom_label custom_label_of(const struct custom_label_row *row)
{
    bool has_label = row->label && *row->label,
         has_annotation = row->annotation && *row->annotation;

    return (struct custom_label){ .name = row->name,
                                  .kind = source_kind(row->kind),
                                  .label = has_label        ? row->label
                                           : has_annotation ? NULL
                                                            : row->name,
                                  .annotation = has_annotation ? row->annotation : NULL,
                                  .tracked = row->tracked.items,
                                  .tracked_count = row->tracked.count };
}

static void set_custom_labels(struct reading *r)
{
    const struct given_rows *rows = &r->object.metrics.custom_labels;
    const struct custom_label_row *items = rows->items;
    struct configuration *out = r->out;

    if (rows->count > 0 && !out->gates.on[GATE_CUSTOM_METRIC_LABELS]) {
        configuration_warn(r,
                           "metrics.customLabels is configured but CustomMetricLabels feature gate "
                           "is disabled; custom labels will have no effect");
        return;
    }
    out->metrics.custom_labels = ARENA_ARRAY(r->arena, rows->count + 1, struct custom_label);
    for (size_t i = 0; i < rows->count; i++)
        out->metrics.custom_labels[i] = custom_label_of(&items[i]);
    out->metrics.custom_label_count = rows->count;
}

static void set_metrics(struct reading *r)
{
    const struct configuration_object *o = &r->object;
    struct configuration *out = r->out;

    out->metrics.cluster_queue_resources = o->metrics.cluster_queue_resources.value;
    out->metrics.local_queues =
        o->metrics.local_queues.enabled.value && out->gates.on[GATE_LOCAL_QUEUE_METRICS];
    if (!selector_problem(&o->metrics.local_queues.selector.value, r->arena))
        out->metrics.local_queue_selector = o->metrics.local_queues.selector.value;
    set_custom_labels(r);
}

static void set_multikueue(struct reading *r)
{
    const struct configuration_object *o = &r->object;
    const struct given_int *step = &o->multikueue.incremental.step_size;
    bool honoured = r->out->gates.on[GATE_MULTIKUEUE_INCREMENTAL_DISPATCHER_CONFIG];

    r->out->multikueue.gc_interval = o->multikueue.gc_interval.value;
    r->out->loop.multikueue_gc = o->multikueue.gc_interval.value;
    r->out->multikueue.worker_lost_timeout = o->multikueue.worker_lost_timeout.value;
    r->out->multikueue.origin = o->multikueue.origin;
    r->out->multikueue.dispatcher = o->multikueue.dispatcher;
    r->out->multikueue.step_size =
        step->given && honoured ? (int32_t)step->value : STEP_SIZE_DEFAULT;
}

void configuration_settings(struct reading *r)
{
    loop_settings_default(&r->out->loop);
    gates_apply(&r->out->gates, &r->out->loop);
    r->out->namespace = r->object.namespace;
    set_metrics(r);
    set_jobs(r);
    set_wait(r);
    set_retention(r);
    set_fair_sharing(r);
    set_admission_fair_sharing(r);
    set_resources(r);
    set_servers(r);
    set_election(r);
    set_tls(r);
    set_client(r);
    set_multikueue(r);
}

void configuration_metrics(const struct configuration *configuration, struct metrics_options *out)
{
    const bool *on = configuration->gates.on;

    *out = (struct metrics_options){
        .standalone = !configuration->leader_election.enabled,
        .lease_name = configuration->leader_election.lease_name,
        .resources = configuration->metrics.cluster_queue_resources,
        .local_queues = configuration->metrics.local_queues,
        .local_queue_selector = &configuration->metrics.local_queue_selector,
        .cohorts = on[GATE_METRICS_FOR_COHORTS],
        .creation_latency = on[GATE_METRIC_FOR_WORKLOAD_CREATION_LATENCY],
        .unadmitted = on[GATE_UNADMITTED_WORKLOADS_OBSERVABILITY],
        .hashes = on[GATE_SCHEDULING_EQUIVALENCE_HASHING],
        .custom_labels = configuration->metrics.custom_labels,
        .custom_label_count = configuration->metrics.custom_label_count,
    };
}
