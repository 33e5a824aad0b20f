#include "admitter/arguments.h"

#include <string.h>
#include "admitter/configuration/object.h"
#include "quota/base/clock.h"
#include "quota/base/mem.h"

#define ZAP_VERBOSITY_INFO 3

/* ---- lists ---- */

static const struct {
    const char *name;
    unsigned bit;
} parts[] = {
    { "core", COMPONENT_CORE },
    { "webhooks-core", COMPONENT_WEBHOOKS_CORE },
    { "scheduler", COMPONENT_SCHEDULER },
    { "tas", COMPONENT_TAS },
    { "provisioning", COMPONENT_PROVISIONING },
    { "multikueue", COMPONENT_MULTIKUEUE },
    { "elastic", COMPONENT_ELASTIC },
    { "concurrent-admission", COMPONENT_CONCURRENT_ADMISSION },
    { "failure-recovery", COMPONENT_FAILURE_RECOVERY },
    { "dra", COMPONENT_DRA },
    { "visibility", COMPONENT_VISIBILITY },
    { "retention", COMPONENT_RETENTION },
};

static const char *const tuning_names[TUNING_COUNT] = {
    [TUNING_REQUEUE_BATCH] = "requeueBatch",
    [TUNING_TAS_REQUEUE_BATCH] = "tasRequeueBatch",
    [TUNING_QUEUE_STATUS_INTERVAL] = "queueStatusInterval",
    [TUNING_POD_TERMINATION_GRACE] = "podTerminationGrace",
    [TUNING_MULTIKUEUE_GC] = "multikueueGC",
    [TUNING_MULTIKUEUE_EVENT_BATCH] = "multikueueEventBatch",
};

/* Walk a list "a,b"; false at its end. Empty pieces are left out. */
static bool next_piece(struct str *rest, struct str *piece)
{
    while (rest->length > 0) {
        struct str tail;

        str_cut(*rest, ',', piece, &tail);
        *rest = tail;
        *piece = str_trim(*piece);
        if (piece->length > 0)
            return true;
    }
    return false;
}

/* ---- --components ---- */

static int unknown_part(struct str name, struct err *e)
{
    AUTO_STRBUF struct strbuf known = STRBUF_INIT;

    for (size_t i = 0; i < ARRAY_COUNT(parts); i++)
        strbuf_printf(&known, "%s, ", parts[i].name);
    return err_set(
        e, ERR_INVALID,
        "--components: unknown part \"%.*s\"; known: all, none, %sjob:NAME, webhook:NAME "
        "with NAME as in integrations.frameworks",
        STR_ARGS(name), known.text);
}

static unsigned kind_bit(const char *framework)
{
    const struct job_kind *const *kinds = job_kinds();

    for (unsigned i = 0; kinds[i]; i++)
        if (strcmp(kinds[i]->framework, framework) == 0)
            return 1u << i;
    return 0;
}

/* Kinds that are made of pods bring the part for pods along. */
static unsigned part_bits(const char *framework)
{
    unsigned bits = kind_bit(framework);

    if (strcmp(framework, "deployment") == 0 || strcmp(framework, "statefulset") == 0 ||
        strcmp(framework, "leaderworkerset.x-k8s.io/leaderworkerset") == 0)
        bits |= kind_bit("pod");
    return bits;
}

static int add_job_part(struct arguments *out, struct str piece, struct str name, unsigned *bits,
                        struct err *e)
{
    const struct framework *framework = NULL;

    for (size_t i = 0; i < framework_count && !framework; i++)
        if (str_is(name, frameworks[i].name))
            framework = &frameworks[i];
    if (!framework)
        return unknown_part(piece, e);
    *bits |= part_bits(framework->name);
    if (!kind_bit(framework->name) && out->unsupported_count < ARRAY_COUNT(out->unsupported))
        out->unsupported[out->unsupported_count++] = framework->name;
    return 0;
}

static int add_part(struct arguments *out, struct str piece, struct err *e)
{
    struct str kind, name;

    if (str_cut(piece, ':', &kind, &name)) {
        if (str_is(kind, "job"))
            return add_job_part(out, piece, name, &out->job_reconcilers, e);
        if (str_is(kind, "webhook"))
            return add_job_part(out, piece, name, &out->job_webhooks, e);
        return unknown_part(piece, e);
    }
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        if (str_is(piece, parts[i].name)) {
            out->components |= parts[i].bit;
            return 0;
        }
    }
    return unknown_part(piece, e);
}

static int set_components(struct arguments *out, const char *value, struct err *e)
{
    struct str rest = str_of(value), piece;

    out->all_components = strcmp(value, "all") == 0;
    out->components = out->job_reconcilers = out->job_webhooks = out->unsupported_count = 0;
    if (out->all_components || strcmp(value, "none") == 0)
        return 0;
    if (*value == '\0')
        return err_set(e, ERR_INVALID, "--components: empty; \"none\" runs no part at all");
    while (next_piece(&rest, &piece))
        if (add_part(out, piece, e) < 0)
            return -1;
    return 0;
}

/* ---- --tuning ---- */

static int unknown_key(struct str key, struct err *e)
{
    AUTO_STRBUF struct strbuf known = STRBUF_INIT;

    for (size_t i = 0; i < TUNING_COUNT; i++)
        strbuf_printf(&known, "%s%s", i > 0 ? ", " : "", tuning_names[i]);
    return err_set(e, ERR_INVALID, "--tuning: unknown key \"%.*s\"; known: %s", STR_ARGS(key),
                   known.text);
}

static int set_key(struct arguments *out, struct str piece, struct err *e)
{
    struct str key, value;
    int64_t period;
    size_t i = 0;

    if (!str_cut(piece, '=', &key, &value))
        return err_set(e, ERR_INVALID, "--tuning: \"%.*s\" has no value, KEY=VALUE is expected",
                       STR_ARGS(piece));
    while (i < TUNING_COUNT && !str_is(key, tuning_names[i]))
        i++;
    if (i == TUNING_COUNT)
        return unknown_key(key, e);
    if (duration_parse(value, &period, NULL) < 0 || period < 0)
        return err_set(e, ERR_INVALID,
                       "--tuning: %s: \"%.*s\" is no duration such as \"500ms\" or \"1m30s\"",
                       tuning_names[i], STR_ARGS(value));
    out->tuning[i] = period;
    return 0;
}

static int set_tuning(struct arguments *out, const char *value, struct err *e)
{
    struct str rest = str_of(value), piece;

    while (next_piece(&rest, &piece))
        if (set_key(out, piece, e) < 0)
            return -1;
    return 0;
}

/* ---- flags ---- */

static int set_configuration(struct arguments *out, const char *value, struct err *e)
{
    (void)e;
    out->configuration = value;
    return 0;
}

static int set_kubeconfig(struct arguments *out, const char *value, struct err *e)
{
    (void)e;
    out->kubeconfig = value;
    return 0;
}

static int set_feature_gates(struct arguments *out, const char *value, struct err *e)
{
    (void)e;
    out->feature_gates = value;
    return 0;
}

static int set_ledger(struct arguments *out, const char *value, struct err *e)
{
    if (*value == '\0')
        return err_set(e, ERR_INVALID, "--ledger: empty; a file or \":memory:\" is expected");
    out->ledger = value;
    return 0;
}

static int set_log_level(struct arguments *out, const char *value, struct err *e)
{
    if (!log_level_parse(value, &out->log_level))
        return err_set(e, ERR_INVALID,
                       "--log-level: unknown level \"%s\"; known: debug, info, warn, error", value);
    return 0;
}

/* Kueue's spelling: a name, or a verbosity, of which the first three are what is worth knowing. */
static int set_zap_log_level(struct arguments *out, const char *value, struct err *e)
{
    int64_t verbosity;

    if (str_to_int64(str_of(value), &verbosity) && verbosity > 0)
        out->log_level = verbosity > ZAP_VERBOSITY_INFO ? LOG_DEBUG : LOG_INFO;
    else if (strcmp(value, "panic") == 0)
        out->log_level = LOG_ERROR;
    else if (!log_level_parse(value, &out->log_level) || out->log_level == LOG_WARN)
        return err_set(e, ERR_INVALID,
                       "--zap-log-level: unknown level \"%s\"; known: debug, info, error, panic, "
                       "or a number above 0",
                       value);
    return 0;
}

static int set_switch(bool *target, const char *flag, const char *value, struct err *e)
{
    if (!str_to_bool(str_of(value), target))
        return err_set(e, ERR_INVALID, "%s: \"%s\" is neither true nor false", flag, value);
    return 0;
}

static int set_metrics_plaintext(struct arguments *out, const char *value, struct err *e)
{
    return set_switch(&out->metrics_plaintext, "--metrics-plaintext", value, e);
}

static int set_debug_endpoints(struct arguments *out, const char *value, struct err *e)
{
    return set_switch(&out->debug_endpoints, "--debug-endpoints", value, e);
}

static int set_help(struct arguments *out, const char *value, struct err *e)
{
    return set_switch(&out->help, "--help", value, e);
}

static const struct flag {
    const char *name;
    int (*set)(struct arguments *out, const char *value, struct err *e); /* NULL: no effect */
    bool is_switch; /* may stand without a value */
    const char *value, *help;
} flags[] = {
    { "config", set_configuration, false, "FILE", "configuration, config.kueue.x-k8s.io" },
    { "kubeconfig", set_kubeconfig, false, "FILE", "default: KUBECONFIG, then the pod's account" },
    { "feature-gates", set_feature_gates, false, "A=true,B=false", "not beside featureGates" },
    { "components", set_components, false, "LIST", "parts to run, all (default) or none" },
    { "tuning", set_tuning, false, "KEY=VALUE,...", "internal periods" },
    { "metrics-plaintext", set_metrics_plaintext, true, "",
      "metrics over HTTP, no authentication" },
    { "debug-endpoints", set_debug_endpoints, true, "", "/debug/state and /debug/afs" },
    { "ledger", set_ledger, false, "FILE", "or :memory:, default " ARGUMENTS_LEDGER_DEFAULT },
    { "log-level", set_log_level, false, "LEVEL", "debug, info (default), warn, error" },
    { "zap-log-level", set_zap_log_level, false, "LEVEL", "Kueue's; above 3 means debug" },
    { "zap-devel", NULL, true, "", "Kueue's, without effect" },
    { "zap-encoder", NULL, false, "NAME", "Kueue's, without effect: always JSON" },
    { "zap-stacktrace-level", NULL, false, "LEVEL", "Kueue's, without effect" },
    { "zap-time-encoding", NULL, false, "NAME", "Kueue's, without effect" },
    { "help", set_help, true, "", "this text" },
};

static const struct flag *find_flag(struct str name)
{
    for (size_t i = 0; i < ARRAY_COUNT(flags); i++)
        if (str_is(name, flags[i].name))
            return &flags[i];
    return NULL;
}

static int unknown_flag(const char *text, struct err *e)
{
    AUTO_STRBUF struct strbuf known = STRBUF_INIT;

    for (size_t i = 0; i < ARRAY_COUNT(flags); i++)
        strbuf_printf(&known, "%s--%s", i > 0 ? ", " : "", flags[i].name);
    return err_set(e, ERR_INVALID, "unknown flag \"%s\"; known: %s", text, known.text);
}

static int apply_flag(const struct flag *flag, const char *value, struct arguments *out,
                      struct err *e)
{
    if (flag->set)
        return flag->set(out, value, e);
    if (out->ignored_count < ARRAY_COUNT(out->ignored))
        out->ignored[out->ignored_count++] = flag->name;
    return 0;
}

/* One flag at argv[*at]; *at moves on to its last word. */
static int take_flag(int argc, char *const *argv, int *at, struct arguments *out, struct err *e)
{
    const char *word = argv[*at], *text = word + (word[1] == '-' ? 2 : 1);
    struct str name, tail;
    bool has_value = str_cut(str_of(text), '=', &name, &tail);
    const struct flag *flag = find_flag(name);

    if (!flag)
        return unknown_flag(word, e);
    if (has_value)
        return apply_flag(flag, tail.text, out, e);
    if (flag->is_switch)
        return apply_flag(flag, "true", out, e);
    if (*at + 1 >= argc)
        return err_set(e, ERR_INVALID, "flag --%s needs a value", flag->name);
    return apply_flag(flag, argv[++*at], out, e);
}

int arguments_parse(int argc, char *const *argv, struct arguments *out, struct err *e)
{
    *out = (struct arguments){ .configuration = "",
                               .kubeconfig = "",
                               .ledger = ARGUMENTS_LEDGER_DEFAULT,
                               .log_level = LOG_INFO,
                               .all_components = true };
    for (size_t i = 0; i < TUNING_COUNT; i++)
        out->tuning[i] = ARGUMENTS_UNSET;
    for (int i = 0; i < argc; i++) {
        if (argv[i][0] != '-' || argv[i][1] == '\0')
            return err_set(e, ERR_INVALID, "unexpected argument \"%s\"", argv[i]);
        if (take_flag(argc, argv, &i, out, e) < 0)
            return -1;
    }
    return 0;
}

/* ---- into the settings ---- */

static void apply_period(int64_t period, int64_t *target)
{
    if (period != ARGUMENTS_UNSET)
        *target = period;
}

static void apply_tuning(const struct arguments *arguments, struct loop_settings *loop)
{
    const int64_t *tuning = arguments->tuning;

    apply_period(tuning[TUNING_REQUEUE_BATCH], &loop->engine.requeue_batch);
    apply_period(tuning[TUNING_TAS_REQUEUE_BATCH], &loop->tas_requeue_batch);
    apply_period(tuning[TUNING_QUEUE_STATUS_INTERVAL], &loop->queue_status_interval);
    apply_period(tuning[TUNING_POD_TERMINATION_GRACE], &loop->pod_termination_grace);
    apply_period(tuning[TUNING_MULTIKUEUE_GC], &loop->multikueue_gc);
    apply_period(tuning[TUNING_MULTIKUEUE_EVENT_BATCH], &loop->multikueue_event_batch);
}

static void add_warning(struct configuration *c, const char *text)
{
    const char **all = ARENA_ARRAY(&c->arena, c->warning_count + 1, const char *);

    if (c->warning_count > 0)
        memcpy(all, c->warnings, c->warning_count * sizeof(*all));
    all[c->warning_count++] = text;
    c->warnings = all;
}

void arguments_apply(const struct arguments *arguments, struct configuration *configuration)
{
    struct loop_settings *loop = &configuration->loop;

    apply_tuning(arguments, loop);
    for (unsigned i = 0; i < arguments->ignored_count; i++)
        add_warning(configuration, arena_format(&configuration->arena, "--%s has no effect",
                                                arguments->ignored[i]));
    if (arguments->all_components)
        return;
    loop->components = arguments->components;
    if (!(loop->components & COMPONENT_DRA))
        loop_settings_leave_devices(loop);
    loop->job_reconcilers = arguments->job_reconcilers;
    loop->job_webhooks = arguments->job_webhooks;
    for (unsigned i = 0; i < arguments->unsupported_count; i++)
        add_warning(
            configuration,
            arena_format(&configuration->arena,
                         "--components: \"%s\" has no effect: this kind is not supported yet",
                         arguments->unsupported[i]));
}

void arguments_usage(FILE *out)
{
    fputs("admitter run [flags]\n\n", out);
    for (size_t i = 0; i < ARRAY_COUNT(flags); i++)
        fprintf(out, "  --%s %s\n      %s\n", flags[i].name, flags[i].value, flags[i].help);
}
