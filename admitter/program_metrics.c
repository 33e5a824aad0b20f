#include "admitter/program_metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "admitter/loop/loop.h"
#include "admitter/metrics/metrics.h"
#include "quota/base/clock.h"
#include "quota/base/mem.h"

static const double latency_buckets[] = { 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10 };

enum process_value { CPU, RESIDENT, VIRTUAL, OPEN_FDS, MAX_FDS, START, PROCESS_VALUES };
static const struct {
    const char *name, *help;
    enum metric_type type;
} process_rows[PROCESS_VALUES] = {
    [CPU] = { "process_cpu_seconds_total", "CPU time used, user and system.", METRIC_COUNTER },
    [RESIDENT] = { "process_resident_memory_bytes", "Memory in RAM.", METRIC_GAUGE },
    [VIRTUAL] = { "process_virtual_memory_bytes", "Memory mapped.", METRIC_GAUGE },
    [OPEN_FDS] = { "process_open_fds", "Open file descriptors.", METRIC_GAUGE },
    [MAX_FDS] = { "process_max_fds", "Most file descriptors that may be open.", METRIC_GAUGE },
    [START] = { "process_start_time_seconds", "When the process began.", METRIC_GAUGE },
};

static struct {
    struct metric *webhook_requests, *webhook_latency, *requests;
    struct metric *adds, *depth, *reconciles;
    struct metric *process[PROCESS_VALUES];
} own;

static struct metric *add(const char *name, const char *help, enum metric_type type,
                          const char *const *labels, size_t label_count)
{
    const struct metric_info info = { .name = name,
                                      .help = help,
                                      .type = type,
                                      .labels = labels,
                                      .label_count = label_count,
                                      .buckets = type == METRIC_HISTOGRAM ? latency_buckets : NULL,
                                      .bucket_count = type == METRIC_HISTOGRAM
                                                          ? ARRAY_COUNT(latency_buckets)
                                                          : 0 };

    return metric_register(metrics_registry(), &info);
}

void program_metrics_start(void)
{
    static const char *const webhook[] = { "webhook", "code" };
    static const char *const request[] = { "code", "host", "method" };
    static const char *const queue[] = { "name", "controller", "priority" };
    static const char *const reconcile[] = { "controller", "result" };

    own.webhook_requests = add("controller_runtime_webhook_requests_total",
                               "Reviews answered, by path and HTTP status.", METRIC_COUNTER,
                               webhook, ARRAY_COUNT(webhook));
    own.webhook_latency = add("controller_runtime_webhook_latency_seconds",
                              "How long an answer took.", METRIC_HISTOGRAM, webhook, 1);
    own.requests =
        add("rest_client_requests_total", "Requests to the API server, by HTTP status and method.",
            METRIC_COUNTER, request, ARRAY_COUNT(request));
    own.adds = add("workqueue_adds_total", "Times something was to be looked at.", METRIC_COUNTER,
                   queue, ARRAY_COUNT(queue));
    own.depth = add("workqueue_depth", "Things that wait to be looked at.", METRIC_GAUGE, queue,
                    ARRAY_COUNT(queue));
    own.reconciles = add("controller_runtime_reconcile_total", "Things that were looked at.",
                         METRIC_COUNTER, reconcile, ARRAY_COUNT(reconcile));
    for (size_t i = 0; i < PROCESS_VALUES; i++)
        own.process[i] =
            add(process_rows[i].name, process_rows[i].help, process_rows[i].type, NULL, 0);
    metric_set(own.process[START], NULL, (double)time(NULL));
}

void program_metrics_webhook(void *context, const char *route, unsigned status, int64_t nanoseconds)
{
    char code[12];

    (void)context;
    if (!*route)
        return;
    snprintf(code, sizeof(code), "%u", status);
    metric_add(own.webhook_requests, (const char *const[]){ route, code }, 1);
    metric_observe(own.webhook_latency, (const char *const[]){ route }, (double)nanoseconds / 1e9);
}

void program_metrics_request(void *context, const char *method, unsigned status)
{
    char code[12] = "<error>";

    if (status > 0)
        snprintf(code, sizeof(code), "%u", status);
    metric_add(own.requests, (const char *const[]){ code, context, method }, 1);
}

/* ---- the process ---- */

static void refresh_memory(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    double size = (double)sysconf(_SC_PAGESIZE);
    char line[200], *rest;

    if (!file)
        return;
    if (fgets(line, sizeof(line), file)) {
        metric_set(own.process[VIRTUAL], NULL, (double)strtoll(line, &rest, 10) * size);
        metric_set(own.process[RESIDENT], NULL, (double)strtoll(rest, NULL, 10) * size);
    }
    fclose(file);
}

static void refresh_files(void)
{
    DIR *folder = opendir("/proc/self/fd");
    struct rlimit limit;
    int count = -1; /* the folder's own */

    if (folder) {
        for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
            count += entry->d_name[0] != '.';
        closedir(folder);
        metric_set(own.process[OPEN_FDS], NULL, count);
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        metric_set(own.process[MAX_FDS], NULL, (double)limit.rlim_cur);
}

static void refresh_work(const struct loop *loop)
{
    struct loop_work work[LOOP_WORK_KINDS];

    loop_work(loop, work);
    for (size_t i = 0; i < LOOP_WORK_KINDS; i++) {
        const char *const queue[] = { work[i].name, work[i].name, "" };

        metric_set(own.adds, queue, (double)work[i].added);
        metric_set(own.depth, queue, (double)work[i].waiting);
        metric_set(own.reconciles, (const char *const[]){ work[i].name, "success" },
                   (double)work[i].stepped);
    }
}

void program_metrics_refresh(const struct loop *loop)
{
    struct timespec used;

    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0)
        metric_set(own.process[CPU], NULL, (double)used.tv_sec + (double)used.tv_nsec / 1e9);
    refresh_memory();
    refresh_files();
    refresh_work(loop);
}
