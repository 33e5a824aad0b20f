/* Random worlds under random events, checked at every step; a failing one is cut down to a small
 * case.
 *
 *   property [--first SEED] [--worlds N] [--steps N] [--jobs N] [--out FOLDER]
 *   property --replay CASE...     perform stored cases; with --trace in words
 *
 * Each world runs in a process of its own, so that a crash or an endless loop is a finding like any
 * other. A finding ends up in FOLDER/seed-<N>.case. Closes with "N passed, N failed". */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "quota/base/map.h"
#include "quota/base/mem.h"
#include "tests/property/play.h"

enum { ATTEMPTS = 2000, SECONDS_PER_WORLD = 120, TWICE_EVERY = 16, PROGRESS = 500, JOBS_MAX = 64 };

struct verdict { /* written by the world's process */
    char what[512];
    uint64_t digest;
};

struct settings {
    unsigned long first, worlds, steps, jobs;
    const char *out;
    bool replay, trace;
};

/* ---- one world in a process of its own ---- */

static void world_broken(void *context, const char *what)
{
    struct verdict *verdict = context;

    snprintf(verdict->what, sizeof(verdict->what), "%s", what);
    _exit(1);
}

static void world_run(const struct operation_list *list, struct verdict *verdict, FILE *trace)
{
    static struct play play;

    alarm(SECONDS_PER_WORLD);
    play.trace = trace;
    play_begin(&play, list->world, world_broken, verdict);
    for (size_t i = 0; i < list->count; i++)
        play_operation(&play, list->items[i]);
    verdict->digest = play.digest;
    play_end(&play);
}

/* 'hash_seed' decides the order inside hash maps, which no decision may depend on. */
static pid_t world_begin(const struct operation_list *list, struct verdict *verdict,
                         uint64_t hash_seed, FILE *trace)
{
    pid_t child;

    *verdict = (struct verdict){ 0 };
    fflush(NULL);
    child = fork();
    if (child < 0) {
        perror("property: fork");
        exit(2);
    }
    if (child > 0)
        return child;
    map_seed(hash_seed);
    world_run(list, verdict, trace);
    fflush(NULL);
    _exit(0);
}

/* Did it keep its promises, going by how its process ended? */
static bool world_is_fine(int status, struct verdict *verdict)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (verdict->what[0] == '\0')
        snprintf(verdict->what, sizeof(verdict->what), "ended by %s %d",
                 WIFSIGNALED(status) ? "signal" : "status",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return false;
}

static bool world_try(const struct operation_list *list, struct verdict *verdict,
                      uint64_t hash_seed, FILE *trace)
{
    int status;

    waitpid(world_begin(list, verdict, hash_seed, trace), &status, 0);
    return world_is_fine(status, verdict);
}

/* Twice, with other hashing: the same operations give the same decisions. */
static bool world_holds(const struct operation_list *list, struct verdict *verdict, bool twice)
{
    uint64_t digest;

    if (!world_try(list, verdict, 1, NULL))
        return false;
    digest = verdict->digest;
    if (!twice)
        return true;
    if (!world_try(list, verdict, 2, NULL))
        return false;
    if (verdict->digest == digest)
        return true;
    snprintf(verdict->what, sizeof(verdict->what), "the same operations, other decisions");
    return false;
}

/* ---- cutting down ---- */

/* Leave out 'count' operations from 'at' on; keep it so when the case still fails. */
static bool cut(struct operation_list *list, size_t at, size_t count, bool twice,
                struct verdict *verdict)
{
    struct operation_list less = { list->world, mem_array(list->count + 1, sizeof(*less.items)),
                                   list->count - count };

    memcpy(less.items, list->items, at * sizeof(*less.items));
    memcpy(less.items + at, list->items + at + count, (less.count - at) * sizeof(*less.items));
    if (world_holds(&less, verdict, twice)) {
        operations_finish(&less);
        return false;
    }
    operations_finish(list);
    *list = less;
    return true;
}

static void shrink(struct operation_list *list, bool twice, struct verdict *verdict)
{
    size_t size = list->count / 2 + 1;
    int attempts = 0;

    while (size > 0) {
        bool shorter = false;

        for (size_t at = 0; at < list->count && attempts < ATTEMPTS; attempts++) {
            size_t count = size < list->count - at ? size : list->count - at;

            if (cut(list, at, count, twice, verdict))
                shorter = true;
            else
                at += count;
        }
        size = shorter && size == 1 ? 1 : size / 2;
        if (attempts >= ATTEMPTS)
            break;
    }
    world_holds(list, verdict, twice); /* the words of the case that is left */
}

static void finding_keep(const struct settings *settings, unsigned long seed,
                         struct operation_list *list, struct verdict *verdict)
{
    AUTO_FREE char *path = mem_format("%s/seed-%lu.case", settings->out, seed);
    bool twice = verdict->what[0] == 't';
    size_t before = list->count;
    FILE *file;

    shrink(list, twice, verdict);
    printf("seed %lu: %s\n  %zu of %zu operations: %s\n", seed, verdict->what, list->count, before,
           path);
    file = fopen(path, "w");
    if (!file) {
        perror(path);
        return;
    }
    fprintf(file, "# %s\n", verdict->what);
    operations_write(list, file);
    fclose(file);
}

/* ---- many worlds ---- */

struct job {
    pid_t child;
    unsigned long seed;
    struct operation_list list;
    struct verdict *verdict; /* shared memory */
};

static void job_begin(struct job *job, unsigned long seed, size_t steps)
{
    job->seed = seed;
    operations_make(&job->list, seed, steps);
    job->child = world_begin(&job->list, job->verdict, 1, NULL);
}

static struct job *job_of(struct job *jobs, unsigned long count, pid_t child)
{
    for (unsigned long i = 0; i < count; i++)
        if (jobs[i].child == child)
            return &jobs[i];
    return NULL;
}

/* True: the world kept its promises. */
static bool job_end(const struct settings *settings, struct job *job, int status)
{
    bool fine = world_is_fine(status, job->verdict);
    struct verdict *verdict = job->verdict;

    job->child = 0;
    if (fine && job->seed % TWICE_EVERY == 0)
        fine = world_holds(&job->list, verdict, true);
    if (!fine)
        finding_keep(settings, job->seed, &job->list, verdict);
    operations_finish(&job->list);
    return fine;
}

static unsigned long worlds_run(const struct settings *settings, struct verdict *verdicts)
{
    struct job jobs[JOBS_MAX] = { 0 };
    unsigned long next = settings->first, end = settings->first + settings->worlds;
    unsigned long ended = 0, broken = 0;

    for (unsigned long running = 0; next < end || running > 0;) {
        struct job *job = job_of(jobs, settings->jobs, 0);
        int status;

        if (next < end && job) {
            job->verdict = &verdicts[job - jobs];
            job_begin(job, next++, settings->steps);
            running++;
            continue;
        }
        job = job_of(jobs, settings->jobs, wait(&status));
        if (!job)
            continue;
        running--;
        broken += !job_end(settings, job, status);
        if (++ended % PROGRESS == 0)
            printf("%lu worlds so far, %lu broken\n", ended, broken);
    }
    printf("%lu worlds, %lu operations, %lu broken\n", settings->worlds,
           settings->worlds * settings->steps, broken);
    return broken;
}

/* ---- stored cases ---- */

static bool case_replay(const struct settings *settings, const char *path, struct verdict *verdict)
{
    struct operation_list list = { 0 };
    FILE *file = fopen(path, "r");
    bool fine = false;

    if (!file || !operations_read(&list, file))
        snprintf(verdict->what, sizeof(verdict->what), "cannot be read");
    else if (settings->trace)
        fine = world_try(&list, verdict, 1, stdout);
    else
        fine = world_holds(&list, verdict, true);
    if (!fine)
        printf("%s: %s\n", path, verdict->what);
    if (file)
        fclose(file);
    operations_finish(&list);
    return fine;
}

/* ---- arguments ---- */

static bool number_set(struct settings *settings, const char *name, const char *value)
{
    unsigned long number = strtoul(value, NULL, 10);

    if (strcmp(name, "--first") == 0)
        settings->first = number;
    else if (strcmp(name, "--worlds") == 0)
        settings->worlds = number;
    else if (strcmp(name, "--steps") == 0)
        settings->steps = number;
    else if (strcmp(name, "--jobs") == 0)
        settings->jobs = number > JOBS_MAX ? JOBS_MAX : number;
    else if (strcmp(name, "--out") == 0)
        settings->out = value;
    else
        return false;
    return true;
}

/* The index of the first argument that is not a setting; 0: one is not known. */
static int settings_read(struct settings *settings, int argc, char **argv)
{
    int at = 1;

    *settings = (struct settings){ 1, 100, 1000, 1, ".", false, false };
    for (; at < argc && argv[at][0] == '-'; at++) {
        if (strcmp(argv[at], "--replay") == 0)
            settings->replay = true;
        else if (strcmp(argv[at], "--trace") == 0)
            settings->trace = true;
        else if (at + 1 >= argc || !number_set(settings, argv[at], argv[at + 1]))
            return 0;
        else
            at++;
    }
    return settings->jobs > 0 ? at : 0;
}

int main(int argc, char **argv)
{
    struct settings settings;
    int at = settings_read(&settings, argc, argv);
    struct verdict *verdicts = mmap(NULL, JOBS_MAX * sizeof(*verdicts), PROT_READ | PROT_WRITE,
                                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    unsigned passed = 0, failed = 0;

    if (at == 0 || verdicts == MAP_FAILED) {
        fprintf(stderr, "property: see the head of tests/property/property.c\n");
        return 2;
    }
    for (; settings.replay && at < argc; at++)
        case_replay(&settings, argv[at], verdicts) ? passed++ : failed++;
    if (!settings.replay)
        worlds_run(&settings, verdicts) == 0 ? passed++ : failed++;
    printf("%u passed, %u failed\n", passed, failed);
    return failed > 0;
}
