#include "admitter/simulate/simulate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "quota/base/clock.h"
#include "quota/base/mem.h"

static const char usage[] =
    "Usage: admitter simulate -f PATH [-f PATH]... [--config FILE] [--feature-gates "
    "A=true,B=false]\n"
    "                         [--now RFC3339] [--duration D] [--cycles N | --until-idle]\n"
    "                         [-o table|json]\n"
    "\n"
    "Runs the scheduler on manifests, without a cluster.\n"
    "\n"
    "  -f PATH           a file, a folder (*.yaml, *.yml, *.json below it) or - for standard "
    "input\n"
    "  --config FILE     the controller's Configuration\n"
    "  --feature-gates   gates to switch, as for the controller\n"
    "  --now TIME        where the clock starts; default: the latest time in the input\n"
    "  --duration D      how long a job runs that does not say so (annotation\n"
    "                    sluice.dev/simulated-duration); default: for ever\n"
    "  --cycles N        run N cycles with the clock standing still\n"
    "  --until-idle      go on until nothing can change (default)\n"
    "  -o FORMAT         table (default) or json\n";

/* ---- arguments ---- */

struct flag {
    const char *name;   /* "--config" */
    const char *short_; /* "-f", or NULL */
    bool takes_value;
    int (*set)(struct simulate_options *options, const char *value, struct err *e);
};

static int set_path(struct simulate_options *options, const char *value, struct err *e)
{
    (void)e;
    options->paths = mem_resize(options->paths, options->path_count + 1, sizeof(*options->paths));
    options->paths[options->path_count++] = value;
    return 0;
}

static int set_config(struct simulate_options *options, const char *value, struct err *e)
{
    (void)e;
    options->config_path = value;
    return 0;
}

static int set_gates(struct simulate_options *options, const char *value, struct err *e)
{
    (void)e;
    options->feature_gates = value;
    return 0;
}

static int set_now(struct simulate_options *options, const char *value, struct err *e)
{
    return time_parse(str_of(value), &options->now, e) < 0 ? err_wrap(e, "--now") : 0;
}

static int set_duration(struct simulate_options *options, const char *value, struct err *e)
{
    if (duration_parse(str_of(value), &options->duration, e) < 0)
        return err_wrap(e, "--duration");
    if (options->duration < 0)
        return err_set(e, ERR_INVALID, "--duration: expected no negative duration, got \"%s\"",
                       value);
    return 0;
}

static int set_cycles(struct simulate_options *options, const char *value, struct err *e)
{
    if (!str_to_int64(str_of(value), &options->cycles) || options->cycles < 0)
        return err_set(e, ERR_INVALID, "--cycles: expected a number from 0 on, got \"%s\"", value);
    return 0;
}

static int set_until_idle(struct simulate_options *options, const char *value, struct err *e)
{
    (void)value;
    (void)e;
    options->cycles = -1;
    return 0;
}

static int set_output(struct simulate_options *options, const char *value, struct err *e)
{
    options->json = strcmp(value, "json") == 0;
    if (!options->json && strcmp(value, "table") != 0)
        return err_set(e, ERR_INVALID, "-o: expected table or json, got \"%s\"", value);
    return 0;
}

static int set_help(struct simulate_options *options, const char *value, struct err *e)
{
    (void)value;
    (void)e;
    options->help = true;
    return 0;
}

static const struct flag flags[] = {
    { "--filename", "-f", true, set_path },
    { "--config", NULL, true, set_config },
    { "--feature-gates", NULL, true, set_gates },
    { "--now", NULL, true, set_now },
    { "--duration", NULL, true, set_duration },
    { "--cycles", NULL, true, set_cycles },
    { "--until-idle", NULL, false, set_until_idle },
    { "--output", "-o", true, set_output },
    { "--help", "-h", false, set_help },
};

/* The flag an argument names; *value is what follows "=", or NULL. */
static const struct flag *flag_find(const char *argument, const char **value)
{
    size_t length = strcspn(argument, "=");

    *value = argument[length] ? argument + length + 1 : NULL;
    for (size_t i = 0; i < ARRAY_COUNT(flags); i++) {
        const char *name = flags[i].name, *short_name = flags[i].short_;

        if (strlen(name) == length && strncmp(argument, name, length) == 0)
            return &flags[i];
        if (short_name && strlen(short_name) == length &&
            strncmp(argument, short_name, length) == 0)
            return &flags[i];
    }
    return NULL;
}

static int flag_apply(int argc, char **argv, int *at, struct simulate_options *options,
                      struct err *e)
{
    const char *value;
    const struct flag *flag = flag_find(argv[*at], &value);

    if (!flag)
        return err_set(e, ERR_INVALID, "unknown argument \"%s\"", argv[*at]);
    if (value && !flag->takes_value)
        return err_set(e, ERR_INVALID, "%s: takes no value", flag->name);
    if (flag->takes_value && !value) {
        if (*at + 1 >= argc)
            return err_set(e, ERR_INVALID, "%s: needs a value", argv[*at]);
        value = argv[++*at];
    }
    return flag->set(options, value, e);
}

int simulate_arguments(int argc, char **argv, struct simulate_options *options, struct err *e)
{
    bool cycles = false, until_idle = false;

    *options = (struct simulate_options){ .now = TIME_NONE, .duration = -1, .cycles = -1 };
    for (int at = 1; at < argc; at++) {
        cycles |= strncmp(argv[at], "--cycles", strlen("--cycles")) == 0;
        until_idle |= strcmp(argv[at], "--until-idle") == 0;
        if (flag_apply(argc, argv, &at, options, e) < 0)
            return -1;
    }
    if (cycles && until_idle)
        return err_set(e, ERR_INVALID, "--cycles and --until-idle exclude each other");
    if (options->path_count == 0 && !options->help)
        return err_set(e, ERR_INVALID, "-f: name at least one file, folder or -");
    return 0;
}

/* ---- the verb ---- */

static bool terminal_has_colour(void)
{
    return isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
}

static int output_write(const struct strbuf *out, struct err *e)
{
    if (out->length && fwrite(out->text, 1, out->length, stdout) != out->length)
        return err_set(e, ERR_IO, "standard output: cannot write");
    if (fflush(stdout) != 0)
        return err_set(e, ERR_IO, "standard output: cannot write");
    return 0;
}

static int documents_read(const struct simulate_options *options,
                          struct simulate_documents *documents, struct err *e)
{
    for (size_t i = 0; i < options->path_count; i++)
        if (simulate_documents_read(documents, options->paths[i], e) < 0)
            return -1;
    return 0;
}

/* The output of a broken engine is its dump, and goes where errors go. */
static int simulate_files(const struct simulate_options *options, struct err *e)
{
    struct simulate_documents documents = { 0 };
    AUTO_STRBUF struct strbuf out = { 0 };
    AUTO_STRBUF struct strbuf warnings = { 0 };
    int status = 2;

    if (documents_read(options, &documents, e) == 0)
        status = simulate_run(&documents, options, &out, &warnings, e);
    simulate_documents_finish(&documents);
    if (status != 2 && warnings.length)
        fprintf(stderr, "%s", warnings.text);
    if (status == 1)
        fprintf(stderr, "%s", out.text ? out.text : "");
    if (status == 0 && output_write(&out, e) < 0)
        return 2;
    return status;
}

int simulate_main(int argc, char **argv)
{
    struct simulate_options options;
    struct err e = { 0 };
    int status = 2;

    if (simulate_arguments(argc, argv, &options, &e) == 0) {
        if (options.help) {
            free(options.paths);
            return printf("%s", usage) < 0 ? 2 : 0;
        }
        options.colour = !options.json && terminal_has_colour();
        status = simulate_files(&options, &e);
    }
    free(options.paths);
    if (status != 0)
        fprintf(stderr, "admitter simulate: %s%s\n", status == 1 ? "invariant broken: " : "",
                e.text);
    return status;
}
