/* main.c - one binary, several verbs. */
#include <stdio.h>
#include <string.h>
#include "admitter/explain/explain.h"
#include "admitter/ledger_command.h"
#include "admitter/run.h"
#include "admitter/simulate/simulate.h"
#include "quota/base/mem.h"

static int version_main(int argc, char **argv)
{
    (void)argc, (void)argv;
    puts("sluice " SLUICE_VERSION);
    return 0;
}

static int help_main(int argc, char **argv);

static const struct verb {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} verbs[] = {
    { "run", run_main, "run the controller" },
    { "simulate", simulate_main, "run the same engine on manifests, without a cluster" },
    { "explain", explain_main, "why a workload of a live cluster waits, and what would let it in" },
    { "ledger", ledger_main, "check, export or query a ledger file" },
    { "version", version_main, "print the version" },
    { "help", help_main, "this list; `admitter VERB --help` says more" },
};

static int help_main(int argc, char **argv)
{
    (void)argc, (void)argv;
    puts("usage: admitter VERB [options]\n");
    for (size_t i = 0; i < ARRAY_COUNT(verbs); i++)
        printf("  %-10s %s\n", verbs[i].name, verbs[i].help);
    return 0;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "help";

    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    if (strcmp(name, "--version") == 0)
        name = "version";
    for (size_t i = 0; i < ARRAY_COUNT(verbs); i++)
        if (strcmp(verbs[i].name, name) == 0)
            return verbs[i].run(argc - 1, argv + 1);
    fprintf(stderr, "admitter: unknown verb \"%s\"\n", name);
    help_main(0, NULL);
    return 2;
}
