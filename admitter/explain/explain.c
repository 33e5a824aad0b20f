#include "admitter/explain/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "admitter/configuration/configuration.h"
#include "admitter/explain/cluster.h"
#include "admitter/explain/report.h"
#include "admitter/objects/json_read.h"
#include "admitter/simulate/world.h"
#include "quota/base/mem.h"

#define STATUS_UNREACHABLE 1
#define STATUS_USAGE 2
#define STATUS_NOT_FOUND 3
#define STATUS_AMBIGUOUS 4
#define STATUS_FORBIDDEN 5

static const char usage[] =
    "Usage: admitter explain workload|job NAME [-n NAMESPACE] [-o text|json] [--kubeconfig FILE]\n"
    "                        [--context NAME] [--config FILE] [--feature-gates A=true,B=false]\n"
    "\n"
    "Says in one sentence with numbers why a workload waits and what would let it in.\n"
    "\n"
    "  -n NAMESPACE      default: the namespace of the context\n"
    "  -o FORMAT         text (default) or json\n"
    "  --kubeconfig FILE otherwise KUBECONFIG, otherwise the pod's account\n"
    "  --config FILE     the controller's Configuration, when it sets fair sharing, resource\n"
    "                    transformations or gates\n"
    "\n"
    "Exit status: 0 explained, 1 the API server cannot be asked, 2 wrong usage, 3 not found or "
    "not\n"
    "managed, 4 ambiguous, 5 forbidden.\n";

/* ---- arguments ---- */

struct options {
    const char *kind, *name;
    const char *namespace, *output, *kubeconfig, *context, *config, *gates; /* NULL: not given */
    bool is_job, help;
};

struct flag {
    const char *name, *other;
    size_t place; /* of a text in struct options */
};
#define FLAG(long_name, short_name, member)                                                        \
    {                                                                                              \
        long_name, short_name, offsetof(struct options, member)                                    \
    }
static const struct flag flags[] = {
    FLAG("--namespace", "-n", namespace), FLAG("--output", "-o", output),
    FLAG("--kubeconfig", "", kubeconfig), FLAG("--context", "", context),
    FLAG("--config", "", config),         FLAG("--feature-gates", "", gates),
};

static bool is_flag(const char *argument, const char *name, const char **value)
{
    size_t length = strlen(name);

    if (length == 0 || strncmp(argument, name, length) != 0 ||
        (argument[length] && argument[length] != '='))
        return false;
    *value = argument[length] ? argument + length + 1 : NULL;
    return true;
}

static int read_flag(int argc, char **argv, int *at, struct options *options, struct err *e)
{
    for (size_t i = 0; i < ARRAY_COUNT(flags); i++) {
        const char *value = NULL;

        if (!is_flag(argv[*at], flags[i].name, &value) &&
            !is_flag(argv[*at], flags[i].other, &value))
            continue;
        if (!value && *at + 1 >= argc)
            return err_set(e, ERR_INVALID, "%s: needs a value", argv[*at]);
        *(const char **)((char *)options + flags[i].place) = value ? value : argv[++*at];
        return 0;
    }
    return err_set(e, ERR_INVALID, "unknown argument \"%s\"", argv[*at]);
}

static int read_word(const char *word, struct options *options, struct err *e)
{
    if (!options->kind)
        options->kind = word;
    else if (!options->name)
        options->name = word;
    else
        return err_set(e, ERR_INVALID, "one name at a time, not also \"%s\"", word);
    return 0;
}

static int check_options(struct options *options, struct err *e)
{
    const char *kind = options->kind ? options->kind : "";

    if (strcmp(kind, "workload") != 0 && strcmp(kind, "job") != 0)
        return err_set(e, ERR_INVALID, "expected workload or job, got \"%s\"", kind);
    options->is_job = strcmp(kind, "job") == 0;
    if (!options->name)
        return err_set(e, ERR_INVALID, "name the %s", kind);
    if (strcmp(options->output, "text") != 0 && strcmp(options->output, "json") != 0)
        return err_set(e, ERR_INVALID, "-o: expected text or json, got \"%s\"", options->output);
    return 0;
}

static int read_options(int argc, char **argv, struct options *options, struct err *e)
{
    *options = (struct options){ .output = "text" };
    for (int at = 1; at < argc; at++) {
        if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0) {
            options->help = true;
            return 0;
        }
        if ((*argv[at] == '-' ? read_flag(argc, argv, &at, options, e)
                              : read_word(argv[at], options, e)) < 0)
            return -1;
    }
    return check_options(options, e);
}

/* ---- the engine on the cluster as it is ---- */

static const char *queue_of(const struct simulate_facts *facts,
                            const struct explain_subject *subject)
{
    const char *name = json_string_at(json_object_get(subject->workload, "spec"), "queueName");

    for (size_t i = 0; i < facts->local_queues.count; i++)
        if (strcmp(facts->local_queues.items[i].namespace, subject->namespace) == 0 &&
            strcmp(facts->local_queues.items[i].name, name) == 0)
            return facts->local_queues.items[i].cluster_queue;
    return "";
}

/* Reasons that are about queues and the workload, not about quota. */
static bool is_obstacle(const char *reason)
{
    static const char *const obstacles[] = { "Misconfigured", "Suspended", "AdmissionGated",
                                             "Inadmissible" };

    for (size_t i = 0; i < ARRAY_COUNT(obstacles); i++)
        if (strcmp(reason, obstacles[i]) == 0)
            return true;
    return false;
}

static json_t *report_of(const struct explain_subject *subject, const struct simulate_facts *facts,
                         const struct loop_settings *settings, json_t *hidden)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct simulate_world *world = simulate_world_create(facts, settings, true);
    struct engine *engine = simulate_world_engine(world);
    struct explanation explanation;
    struct explain_facts all = { .subject = subject,
                                 .cluster_queue = queue_of(facts, subject),
                                 .why = { "", "", "" },
                                 .hidden = hidden,
                                 .now = facts->start };
    struct wait_reason why;
    json_t *report;

    /* Without queues and workloads the figures would be wrong: only what the Workload says itself
     * counts then. Whether its queue is open needs the rest as well. */
    if (explain_has_figures(hidden) &&
        engine_explain(engine, subject->namespace, subject->name, &arena, &explanation))
        all.explanation = &explanation;
    if (json_array_size(hidden) == 0 &&
        engine_wait_reason(engine, subject->namespace, subject->name, &arena, &why) &&
        is_obstacle(why.reason))
        all.why = why;
    report = explain_report(&all);
    simulate_world_destroy(world);
    return report;
}

static json_t *explain(struct kube_client *client, const struct explain_subject *subject,
                       const struct configuration *configuration, struct err *e)
{
    struct simulate_documents documents = { 0 };
    struct simulate_facts facts = { 0 };
    json_t *hidden = json_array(), *report = NULL;

    if (explain_read_cluster(client, &documents, hidden, e) == 0 &&
        simulate_facts_read(&facts, &documents, &configuration->loop,
                            (int64_t)time(NULL) * NANOSECONDS_PER_SECOND, -1, e) == 0) {
        for (size_t i = 0; i < facts.cluster_queues.count; i++)
            facts.cluster_queues.items[i].ignore_undeclared |=
                configuration->ignore_undeclared_resources;
        report = report_of(subject, &facts, &configuration->loop, hidden);
    }
    simulate_facts_finish(&facts);
    simulate_documents_finish(&documents);
    json_decref(hidden);
    return report;
}

/* ---- output ---- */

static void print_text(const json_t *report)
{
    const json_t *hidden = json_object_get(report, "hidden");
    json_t *name;
    size_t i;

    puts(json_string_at(report, "summary"));
    json_array_foreach(hidden, i, name)
        fprintf(stderr, "admitter explain: no right to list %s%s\n", json_string_value(name),
                explain_has_figures(hidden) ? "" : ": without figures");
}

static void print_json(const json_t *report)
{
    AUTO_FREE char *text = json_dumps(report, JSON_INDENT(2));

    puts(text);
}

static int status_of(const struct err *e)
{
    switch (e->code) {
    case ERR_NOT_FOUND:
        return STATUS_NOT_FOUND;
    case ERR_EXISTS:
        return STATUS_AMBIGUOUS;
    case ERR_FORBIDDEN:
        return STATUS_FORBIDDEN;
    default:
        return STATUS_UNREACHABLE;
    }
}

/* ---- the verb ---- */

static int ask(const struct options *options, const struct kube_config *config,
               const struct configuration *configuration, struct err *e)
{
    struct kube_client *client =
        kube_client_create(config, &(struct kube_client_options){ .body_limit = 1u << 30 }, e);
    const char *namespace = options->namespace ? options->namespace : kube_config_namespace(config);
    struct explain_subject subject = { 0 };
    json_t *report = NULL;
    int found = -1;

    namespace = namespace ? namespace : "default";
    if (client)
        found = options->is_job
                    ? explain_find_job(client, namespace, options->name, &subject, e)
                    : explain_find_workload(client, namespace, options->name, &subject, e);
    if (found == 0)
        report = explain(client, &subject, configuration, e);
    if (report && strcmp(options->output, "json") == 0)
        print_json(report);
    else if (report)
        print_text(report);
    explain_subject_finish(&subject);
    kube_client_destroy(client);
    found = report ? 0 : status_of(e);
    json_decref(report);
    return found;
}

static int run(const struct options *options, struct err *e)
{
    struct kube_config_source where = { .path = options->kubeconfig,
                                        .list = getenv("KUBECONFIG"),
                                        .context = options->context };
    struct configuration configuration = { 0 };
    struct kube_config *config;
    int status = STATUS_USAGE;

    if (configuration_load(options->config, options->gates, &configuration, e) == 0) {
        kube_global_init();
        config = kube_config_load(&where, e);
        status = config ? ask(options, config, &configuration, e) : STATUS_USAGE;
        kube_config_destroy(config);
    }
    configuration_finish(&configuration);
    return status;
}

int explain_main(int argc, char **argv)
{
    struct options options;
    struct err e = { 0 };
    int status = STATUS_USAGE;

    if (read_options(argc, argv, &options, &e) == 0) {
        if (options.help)
            return fputs(usage, stdout) < 0 ? 2 : 0;
        status = run(&options, &e);
    }
    if (status != 0)
        fprintf(stderr, "admitter explain: %s\n", e.text);
    return status;
}
