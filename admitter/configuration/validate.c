#include "admitter/configuration/object.h"

#include <arpa/inet.h>
#include <string.h>
#include "admitter/objects/names.h"
#include "quota/base/mem.h"
#include "quota/engine/selector.h"

#define DNS_1035_RULE                                                                              \
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "   \
    "alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123'," \
    " regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"

void configuration_too_many(struct reading *r, const char *path, size_t count, size_t limit)
{
    struct field_errors *errors = &r->errors;
    struct field_error *error;

    if (errors->count == errors->capacity) {
        errors->capacity = errors->capacity * 2 + 8;
        error = ARENA_ARRAY(errors->arena, errors->capacity, struct field_error);
        if (errors->count > 0)
            memcpy(error, errors->items, errors->count * sizeof(*error));
        errors->items = error;
    }
    error = &errors->items[errors->count++];
    error->kind = FIELD_TOO_MANY;
    error->path = path;
    error->body =
        arena_format(errors->arena, "Too many: %zu: must have at most %zu items", count, limit);
    error->text = arena_format(errors->arena, "%s: %s", path, error->body);
}

static void check_duration(struct reading *r, const char *path, const struct given_int *value)
{
    char text[DURATION_TEXT];

    if (value->given && value->value < 0)
        field_error_invalid_text(&r->errors, path, duration_print(value->value, text),
                                 NOT_NEGATIVE);
}

static void check_int(struct reading *r, const char *path, const struct given_int *value)
{
    if (value->given && value->value < 0)
        field_error_invalid_int(&r->errors, path, value->value, NOT_NEGATIVE);
}

static bool contains(const struct given_texts *texts, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(texts->items[i], text) == 0)
            return true;
    return false;
}

/* ---- 1: waitForPodsReady ---- */

static void check_requeuing(struct reading *r)
{
    static const char *const supported[] = { "Creation", "Eviction" };
    const struct configuration_object *o = &r->object;
    const char *timestamp = o->wait_for_pods_ready.requeuing.timestamp;

    if (strcmp(timestamp, "Creation") != 0 && strcmp(timestamp, "Eviction") != 0)
        field_error_not_supported(&r->errors, "waitForPodsReady.requeuingStrategy.timestamp",
                                  timestamp, supported, ARRAY_COUNT(supported));
    check_int(r, "waitForPodsReady.requeuingStrategy.backoffLimitCount",
              &o->wait_for_pods_ready.requeuing.limit);
    check_int(r, "waitForPodsReady.requeuingStrategy.backoffBaseSeconds",
              &o->wait_for_pods_ready.requeuing.base);
    check_int(r, "waitForPodsReady.requeuingStrategy.backoffMaxSeconds",
              &o->wait_for_pods_ready.requeuing.maximum);
}

static void check_wait(struct reading *r)
{
    const struct configuration_object *o = &r->object;

    if (!o->wait_for_pods_ready.given || r->out->gates.on[GATE_DISABLE_WAIT_FOR_PODS_READY])
        return;
    if (o->wait_for_pods_ready.timeout.value == 0)
        field_error_required(&r->errors, "waitForPodsReady.timeout", "must be specified");
    check_duration(r, "waitForPodsReady.timeout", &o->wait_for_pods_ready.timeout);
    check_duration(r, "waitForPodsReady.recoveryTimeout", &o->wait_for_pods_ready.recovery_timeout);
    check_requeuing(r);
}

/* ---- 2: integrations; 9: the namespace selector ---- */

static void check_selects(struct reading *r, const char *namespace)
{
    const struct given_selector *selector = &r->object.managed_namespaces;
    struct label label = { NAMESPACE_NAME_LABEL, namespace };

    if (selector_matches(&selector->value, &label, 1))
        field_error_invalid_json(&r->errors, "managedJobsNamespaceSelector", selector->source,
                                 "should not match the \"%s\" namespace", namespace);
}

static void check_selector(struct reading *r)
{
    const struct given_selector *selector = &r->object.managed_namespaces;
    const char *problem;

    if (!selector->source) /* the default */
        return;
    problem = selector_problem(&selector->value, r->arena);
    if (problem) {
        field_error_invalid_json(&r->errors, "managedJobsNamespaceSelector", selector->source, "%s",
                                 problem);
        return;
    }
    check_selects(r, "kube-system");
    check_selects(r, r->object.namespace);
}

static void check_frameworks(struct reading *r)
{
    const struct given_texts *names = &r->object.integrations.frameworks;
    const char **supported = ARENA_ARRAY(r->arena, framework_count, const char *);

    for (size_t i = 0; i < framework_count; i++)
        supported[i] = frameworks[i].name;
    for (size_t i = 0; i < names->count; i++) {
        const char *path = field_path(&r->errors, "integrations.frameworks[%zu]", i);

        if (!framework_find(names->items[i]))
            field_error_not_supported(&r->errors, path, names->items[i], supported,
                                      framework_count);
        else if (contains(names, i, names->items[i]))
            field_error_duplicate_text(&r->errors, path, names->items[i]);
        else if (strcmp(names->items[i], "sparkoperator.k8s.io/sparkapplication") == 0 &&
                 !r->out->gates.on[GATE_SPARK_APPLICATION_INTEGRATION])
            field_error_invalid_text(&r->errors, path, names->items[i],
                                     "sparkoperator.k8s.io/sparkapplication integration is alpha "
                                     "feature. please enable SparkApplicationIntegration "
                                     "featuregate");
    }
}

static bool is_enabled_type(const struct reading *r, const char *type, bool with_adapter)
{
    for (size_t i = 0; i < framework_count; i++)
        if (strcmp(frameworks[i].type, type) == 0 && (!with_adapter || frameworks[i].has_adapter) &&
            framework_is_enabled(&r->object, frameworks[i].name))
            return true;
    return false;
}

static void check_external(struct reading *r)
{
    const struct given_texts *types = &r->object.integrations.external;

    for (size_t i = 0; i < types->count; i++) {
        const char *path = field_path(&r->errors, "integrations.externalFrameworks[%zu]", i);

        if (!framework_type_is_well_formed(types->items[i]))
            field_error_invalid_text(&r->errors, path, types->items[i],
                                     "must be format, 'Kind.version.group.com'");
        else if (contains(types, i, types->items[i]) || is_enabled_type(r, types->items[i], false))
            field_error_duplicate_text(&r->errors, path, types->items[i]);
    }
}

static void check_integrations(struct reading *r)
{
    check_frameworks(r);
    check_external(r);
    if (framework_is_enabled(&r->object, "pod"))
        check_selector(r);
}

/* ---- 3: several clusters ---- */

static void check_exec(struct reading *r, const char *path, const struct exec_object *exec)
{
    static const char *const modes[] = { "Always", "IfAvailable", "Never" };
    const struct environment_row *env = exec->env.items;
    const char *mode = exec->interactive_mode ? exec->interactive_mode : "";

    if (!exec->command || !*exec->command)
        field_error_required(&r->errors, field_path(&r->errors, "%s.command", path),
                             "must be specified");
    if (!exec->api_version || !*exec->api_version)
        field_error_required(&r->errors, field_path(&r->errors, "%s.apiVersion", path),
                             "must be specified");
    for (size_t i = 0; i < exec->env.count; i++)
        if (!env[i].name || !*env[i].name)
            field_error_required(&r->errors, field_path(&r->errors, "%s.env.name", path),
                                 "must be specified");
    path = field_path(&r->errors, "%s.interactiveMode", path);
    if (!*mode)
        field_error_required(&r->errors, path, "must be specified");
    else if (strcmp(mode, modes[0]) != 0 && strcmp(mode, modes[1]) != 0 &&
             strcmp(mode, modes[2]) != 0)
        field_error_not_supported(&r->errors, path, mode, modes, ARRAY_COUNT(modes));
}

static void check_providers(struct reading *r, const char *path, const struct given_rows *rows)
{
    const struct provider_row *providers = rows->items;

    for (size_t i = 0; i < rows->count; i++) {
        if (!providers[i].name || !*providers[i].name)
            field_error_required(&r->errors, field_path(&r->errors, "%s.name", path),
                                 "must be specified");
        check_exec(r, field_path(&r->errors, "%s.execConfig", path), &providers[i].exec);
    }
}

static void check_profile(struct reading *r)
{
    const struct configuration_object *o = &r->object;
    const char *credentials = "multiKueue.clusterProfile.credentialsProviders";

    if (o->multikueue.profile.access.count > 0 && o->multikueue.profile.credentials.count > 0)
        field_error_forbidden(&r->errors, credentials,
                              "must not be specified when accessProviders is specified");
    if (o->multikueue.profile.access.count > 0)
        check_providers(r, "multiKueue.clusterProfile.accessProviders",
                        &o->multikueue.profile.access);
    else
        check_providers(r, credentials, &o->multikueue.profile.credentials);
}

static void check_remote_frameworks(struct reading *r)
{
    const struct given_rows *rows = &r->object.multikueue.external;
    const struct named_row *items = rows->items;

    for (size_t i = 0; i < rows->count; i++) {
        const char *path = field_path(&r->errors, "multiKueue.externalFrameworks[%zu].name", i);
        const char *name = items[i].name ? items[i].name : "";
        size_t earlier = 0;

        if (!framework_type_is_well_formed(name)) {
            field_error_invalid_text(&r->errors, path, name,
                                     "must be in 'kind.version.group' format");
            continue;
        }
        while (earlier < i && strcmp(items[earlier].name ? items[earlier].name : "", name) != 0)
            earlier++;
        if (earlier < i)
            field_error_duplicate_text(&r->errors, path, name);
        if (is_enabled_type(r, name, true))
            field_error_invalid_text(&r->errors, path, name,
                                     "conflicts with a built-in MultiKueue adapter");
    }
}

static void check_dispatcher(struct reading *r)
{
    const struct configuration_object *o = &r->object;
    const struct given_int *step = &o->multikueue.incremental.step_size;
    const char *path = "multiKueue.incrementalDispatcherConfig";

    if (!o->multikueue.incremental.given)
        return;
    if (strcmp(o->multikueue.dispatcher, DISPATCHER_INCREMENTAL) != 0) {
        field_error_invalid_omitted(&r->errors, path,
                                    "incrementalDispatcherConfig is only valid when dispatcherName "
                                    "is set to the incremental dispatcher");
        return;
    }
    if (step->given && step->value < 1)
        field_error_invalid_int(&r->errors, field_path(&r->errors, "%s.stepSize", path),
                                step->value, "must be greater than or equal to 1");
}

static void check_multikueue(struct reading *r)
{
    check_duration(r, "multiKueue.gcInterval", &r->object.multikueue.gc_interval);
    check_duration(r, "multiKueue.workerLostTimeout", &r->object.multikueue.worker_lost_timeout);
    field_check_label_value(&r->errors, "multiKueue.origin", r->object.multikueue.origin);
    check_remote_frameworks(r);
    check_profile(r);
    check_dispatcher(r);
}

/* ---- 4, 5: fair sharing ---- */

static bool strategies_are_supported(const struct given_texts *strategies)
{
    bool final = strcmp(strategies->items[0], "LessThanOrEqualToFinalShare") == 0;

    if (strategies->count == 1)
        return final || strcmp(strategies->items[0], "LessThanInitialShare") == 0;
    return strategies->count == 2 && final &&
           strcmp(strategies->items[1], "LessThanInitialShare") == 0;
}

static void check_fair_sharing(struct reading *r)
{
    static const char *const supported[] = { "LessThanOrEqualToFinalShare", "LessThanInitialShare",
                                             "LessThanOrEqualToFinalShare,LessThanInitialShare" };
    const struct given_texts *strategies = &r->object.fair_sharing.strategies;
    const char *path = "fairSharing.preemptionStrategies";
    AUTO_STRBUF struct strbuf joined = STRBUF_INIT;

    if (!r->object.fair_sharing.given)
        return;
    if (strategies->count == 0) {
        field_error_required(&r->errors, path, "must be specified");
        return;
    }
    for (size_t i = 0; i < strategies->count; i++)
        strbuf_printf(&joined, "%s%s", i > 0 ? "," : "", strategies->items[i]);
    if (!strategies_are_supported(strategies))
        field_error_not_supported(&r->errors, path, joined.text, supported, ARRAY_COUNT(supported));
}

static void check_admission_fair_sharing(struct reading *r)
{
    const struct configuration_object *o = &r->object;
    const char *path = "admissionFairSharing.usageSamplingInterval", *key;
    char text[DURATION_TEXT];
    json_t *weight;

    if (!o->admission_fair_sharing.given)
        return;
    check_duration(r, "admissionFairSharing.usageHalfLifeTime",
                   &o->admission_fair_sharing.half_life);
    if (o->admission_fair_sharing.sampling_interval.value <= 0)
        field_error_invalid_text(
            &r->errors, path,
            duration_print(o->admission_fair_sharing.sampling_interval.value, text),
            "must be greater than 0");
    json_object_foreach((json_t *)(uintptr_t)o->admission_fair_sharing.weights, key, weight)
        if (json_number_value(weight) < 0)
            field_error_invalid_json(
                &r->errors, field_path(&r->errors, "admissionFairSharing.resourceWeights[%s]", key),
                o->admission_fair_sharing.weights, NOT_NEGATIVE);
}

/* ---- 6: certificates ---- */

static bool is_dns_1035(const char *text)
{
    size_t length = strlen(text);

    if (length == 0 || text[0] < 'a' || text[0] > 'z' || text[length - 1] == '-')
        return false;
    return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

static void check_certificates(struct reading *r)
{
    const struct configuration_object *o = &r->object;
    const char *path = "internalCertManagement.webhookServiceName";

    if (!o->certificates.enabled.value)
        return;
    if (strlen(o->certificates.service_name) > 63)
        field_error_invalid_text(&r->errors, path, o->certificates.service_name,
                                 "must be no more than 63 characters");
    if (!is_dns_1035(o->certificates.service_name))
        field_error_invalid_text(&r->errors, path, o->certificates.service_name, DNS_1035_RULE);
    field_check_dns_subdomain(&r->errors, "internalCertManagement.webhookSecretName",
                              o->certificates.secret_name);
}

/* ---- 10, 12, 14, and what start-up would refuse anyway ---- */

static void check_retention(struct reading *r)
{
    check_duration(r, "objectRetentionPolicies.workloads.afterFinished",
                   &r->object.retention.workloads.after_finished);
    check_duration(r, "objectRetentionPolicies.workloads.afterDeactivatedByKueue",
                   &r->object.retention.workloads.after_deactivated);
}

static void check_visibility(struct reading *r)
{
    const char *address = r->object.visibility.bind_address;
    int64_t port = r->object.visibility.port.value;
    struct in6_addr space;

    if (*address && inet_pton(AF_INET, address, &space) != 1 &&
        inet_pton(AF_INET6, address, &space) != 1)
        field_error_invalid_text(&r->errors, "visibilityServer.bindAddress", address,
                                 "must be a valid IP address");
    if (port < 1 || port > UINT16_MAX)
        field_error_invalid_int(&r->errors, "visibilityServer.bindPort", port,
                                "must be a valid port number (1-65535)");
}

static void check_quota_strategy(struct reading *r)
{
    static const char *const supported[] = { "BlockUndeclared", "IgnoreUndeclared" };
    const char *strategy = r->object.resources.quota_check;
    const char *path = "resources.quotaCheckStrategy";

    if (!strategy || !r->out->gates.on[GATE_QUOTA_CHECK_STRATEGY])
        return;
    if (strcmp(strategy, "IgnoreUndeclared") == 0 && r->object.resources.exclude_prefixes.count > 0)
        field_error_invalid_text(
            &r->errors, path, strategy,
            "excludeResourcePrefixes is not allowed when quotaCheckStrategy is "
            "IgnoreUndeclared");
    if (strcmp(strategy, supported[0]) != 0 && strcmp(strategy, supported[1]) != 0)
        field_error_not_supported(&r->errors, path, strategy, supported, ARRAY_COUNT(supported));
}

static void check_address(struct reading *r, const char *path, const char *address)
{
    struct listen_address parsed;
    struct err e;

    if (listen_address_parse(address, r->arena, &parsed, &e) < 0)
        field_error_invalid_text(&r->errors, path, address, "%s", e.text);
}

static void check_election(struct reading *r)
{
    const struct configuration_object *o = &r->object;
    static const char *const supported[] = { "leases" };
    int64_t lease = o->leader_election.lease_duration.value;
    int64_t deadline = o->leader_election.renew_deadline.value;
    int64_t retry = o->leader_election.retry_period.value;
    char text[DURATION_TEXT];

    if (!o->leader_election.enabled.value)
        return;
    if (strcmp(o->leader_election.lock, "leases") != 0)
        field_error_not_supported(&r->errors, "leaderElection.resourceLock",
                                  o->leader_election.lock, supported, 1);
    if (lease <= deadline)
        field_error_invalid_text(&r->errors, "leaderElection.leaseDuration",
                                 duration_print(lease, text), "must be greater than renewDeadline");
    if (retry < 1 || deadline / 6 <= retry / 5)
        field_error_invalid_text(
            &r->errors, "leaderElection.retryPeriod", duration_print(retry, text),
            "must be greater than 0, and 1.2 times it less than renewDeadline");
}

static void check_start(struct reading *r)
{
    int64_t port = r->object.webhook.port.value;

    if (port < 0 || port > UINT16_MAX)
        field_error_invalid_int(&r->errors, "webhook.port", port, "must be between 0 and 65535");
    check_address(r, "metrics.bindAddress", r->object.metrics.bind_address);
    check_address(r, "health.healthProbeBindAddress", r->object.health.bind_address);
    check_election(r);
}

void configuration_validate(struct reading *r)
{
    check_wait(r);
    check_integrations(r);
    check_multikueue(r);
    check_fair_sharing(r);
    check_admission_fair_sharing(r);
    check_certificates(r);
    configuration_validate_transformations(r);
    configuration_validate_devices(r);
    check_selector(r);
    check_retention(r);
    configuration_validate_tls(r);
    check_visibility(r);
    configuration_validate_metrics(r);
    check_quota_strategy(r);
    check_start(r);
}
