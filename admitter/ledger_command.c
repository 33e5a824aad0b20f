#include "admitter/ledger_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "quota/base/clock.h"
#include "quota/base/mem.h"
#include "quota/ledger/ledger.h"

static int usage(FILE *out)
{
    fputs("usage: admitter ledger check FILE            look for damage and broken rules\n"
          "       admitter ledger export FILE COPY      a consistent copy, for your own queries\n"
          "       admitter ledger history FILE [--workload NAMESPACE/NAME] [--queue NAME]\n"
          "                [--since TIME] [--until TIME] [--limit N] [-o table|json]\n"
          "FILE must not be in use by a running controller. TIME is RFC 3339.\n",
          out);
    return out == stdout ? 0 : 2;
}

static int report(int result, const struct err *e)
{
    if (result == 0)
        return 0;
    fprintf(stderr, "admitter ledger: %s\n", e->text);
    return 1;
}

static int check(int argc, char **argv)
{
    struct err e = { 0 };

    return argc == 1 ? report(ledger_file_check(argv[0], stdout, &e), &e) : usage(stderr);
}

static int export(int argc, char **argv)
{
    struct err e = { 0 };

    return argc == 2 ? report(ledger_file_export(argv[0], argv[1], &e), &e) : usage(stderr);
}

static int wrong(const char *option, const char *value, const char *expected)
{
    fprintf(stderr, "admitter ledger history: %s %s: expected %s\n", option, value, expected);
    return -1;
}

static int option_read(const char *option, const char *value, struct ledger_query *query)
{
    int64_t number;

    if (strcmp(option, "--workload") == 0)
        query->workload = value;
    else if (strcmp(option, "--queue") == 0)
        query->queue = value;
    else if (strcmp(option, "--since") == 0 || strcmp(option, "--until") == 0)
        return time_parse(str_of(value), option[2] == 's' ? &query->since : &query->until, NULL) < 0
                   ? wrong(option, value, "a time such as 2026-01-31T12:00:00Z")
                   : 0;
    else if (strcmp(option, "--limit") == 0) {
        if (!str_to_int64(str_of(value), &number) || number < 0)
            return wrong(option, value, "a number of rows");
        query->limit = (uint64_t)number;
    } else if (strcmp(option, "-o") == 0) {
        if (strcmp(value, "table") != 0 && strcmp(value, "json") != 0)
            return wrong(option, value, "table or json");
        query->json = strcmp(value, "json") == 0;
    } else {
        return wrong(option, value, "a known option; see admitter ledger --help");
    }
    return 0;
}

static int history(int argc, char **argv)
{
    struct ledger_query query = { .since = TIME_NONE, .until = TIME_NONE };
    struct err e = { 0 };

    if (argc < 1 || argc % 2 == 0)
        return usage(stderr);
    for (int i = 1; i < argc; i += 2)
        if (option_read(argv[i], argv[i + 1], &query) < 0)
            return 2;
    return report(ledger_file_history(argv[0], &query, stdout, &e), &e);
}

int ledger_main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    if (strcmp(what, "check") == 0)
        return check(argc - 2, argv + 2);
    if (strcmp(what, "export") == 0)
        return export(argc - 2, argv + 2);
    if (strcmp(what, "history") == 0)
        return history(argc - 2, argv + 2);
    return usage(strcmp(what, "--help") == 0 || strcmp(what, "-h") == 0 ? stdout : stderr);
}
