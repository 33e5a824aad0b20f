/* support.h - what the tests against a real API server share. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "admitter/kube/client.h"
#include "admitter/kube/path.h"
#include "admitter/kube/reflector.h"
#include "admitter/kube/writer.h"
#include "quota/base/map.h"
#include "quota/base/mem.h"

/* The control plane under test: SLUICE_TEST_KUBECONFIG, and SLUICE_TEST_CLUSTER (the folder of a
 * tests/cluster instance) for tests that break it. */
struct live {
    struct kube_config *config;
    struct kube_client *client;
    const char *folder; /* NULL: must not be broken */
    char namespace[64];
};

bool live_has_server(void);
int live_setup(void **state);
int live_teardown(void **state);
/* "tests/cluster/cluster <verb> <folder> <what>"; its exit status must be 0. */
void live_cluster(const struct live *l, const char *verb, const char *what);

/* Run the loop until 'done' answers true; false after four times 'limit_ms', which are a quiet
 * machine's. */
bool live_until(struct kube_client *client, bool (*done)(void *context), void *context,
                int64_t limit_ms);
void live_run(struct kube_client *client, int64_t for_ms);

extern const struct kube_resource config_maps;
/* One request, its error code; the body goes to 'body' when not NULL. */
enum err_code live_request(struct live *l, const char *method, const char *path, const char *body,
                           struct strbuf *answer);

/* What a reflector has reported. */
struct mirror {
    struct map *objects; /* "namespace/name" -> its "data.n" plus 1 */
    unsigned added, modified, deleted, synced, absent, gone_empty;
    unsigned backwards; /* events whose data.n was lower than before */
    size_t want;        /* for mirror_has_all */
};
void mirror_init(struct mirror *m);
void mirror_finish(struct mirror *m);
void mirror_change(void *context, const struct kube_change *change);
bool mirror_is_synced(void *context);
bool mirror_has_all(void *context); /* synced, and 'want' objects */
struct kube_reflector *mirror_start(struct kube_client *client, struct mirror *m,
                                    const struct kube_resource *resource, const char *namespace,
                                    bool paged);

/* Many writes at once. */
struct storm {
    struct kube_writer *writer;
    unsigned pushed, done, failed;
    struct err first_failure;
};
void storm_push(struct storm *s, enum kube_write_kind kind, char *path, const char *order,
                const char *body, ...) __attribute__((format(printf, 5, 6)));
bool storm_over(void *context);
