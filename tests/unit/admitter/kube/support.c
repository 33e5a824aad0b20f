#include "tests/unit/admitter/kube/support.h"

#include "quota/base/json.h"

const struct kube_resource config_maps = { "", "v1", "configmaps" };

bool live_has_server(void)
{
    return getenv("SLUICE_TEST_KUBECONFIG") != NULL;
}

/* ConfigMaps of tests that ran before must not disturb: each test has its own namespace. */
int live_setup(void **state)
{
    static unsigned serial;
    struct kube_config_source source = { .path = getenv("SLUICE_TEST_KUBECONFIG") };
    struct live *l = mem_alloc(sizeof(*l));
    AUTO_FREE char *body = NULL;
    struct err e;

    kube_global_init();
    l->config = kube_config_load(&source, &e);
    if (!l->config || !(l->client = kube_client_create(l->config, NULL, &e))) {
        fprintf(stderr, "%s\n", e.text);
        return -1;
    }
    l->folder = getenv("SLUICE_TEST_CLUSTER");
    snprintf(l->namespace, sizeof(l->namespace), "kube-%d-%u", (int)getpid(), ++serial);
    body = mem_format("{\"metadata\":{\"name\":\"%s\"}}", l->namespace);
    if (live_request(l, "POST", "/api/v1/namespaces", body, NULL) != ERR_NONE)
        return -1;
    *state = l;
    return 0;
}

int live_teardown(void **state)
{
    struct live *l = *state;

    kube_client_destroy(l->client);
    kube_config_destroy(l->config);
    free(l);
    return 0;
}

void live_cluster(const struct live *l, const char *verb, const char *what)
{
    AUTO_FREE char *command =
        mem_format("tests/cluster/cluster %s %s %s >/dev/null", verb, l->folder, what);

    assert_int_equal(system(command), 0);
}

bool live_until(struct kube_client *client, bool (*done)(void *context), void *context,
                int64_t limit_ms)
{
    int64_t end = kube_now_ms() + 4 * limit_ms;

    while (!done(context)) {
        if (kube_now_ms() > end)
            return false;
        kube_client_step(client, 50);
    }
    return true;
}

void live_run(struct kube_client *client, int64_t for_ms)
{
    int64_t end = kube_now_ms() + for_ms;

    while (kube_now_ms() < end)
        kube_client_step(client, (int)(end - kube_now_ms()));
}

enum err_code live_request(struct live *l, const char *method, const char *path, const char *body,
                           struct strbuf *answer)
{
    bool patch = !strcmp(method, "PATCH");
    struct kube_request request = {
        .class = KUBE_CLASS_WRITE,
        .method = method,
        .path = path,
        .content_type = patch ? "application/merge-patch+json" : NULL,
        .body = str_of(body),
    };
    struct err e = { .code = ERR_NONE };

    if (kube_request_wait(l->client, &request, answer, NULL, &e) == 0)
        return ERR_NONE;
    return e.code;
}

/* ---- mirror ---- */

void mirror_init(struct mirror *m)
{
    *m = (struct mirror){ .objects = map_create() };
}

void mirror_finish(struct mirror *m)
{
    map_destroy(m->objects);
}

/* data.n of a ConfigMap, plus 1; 1 when absent. */
static uintptr_t number_of(struct str object)
{
    AUTO_ARENA struct arena a = ARENA_INIT;
    struct json_reader r;
    struct str key;
    uintptr_t number = 1;

    json_open(&r, object);
    if (!json_enter_object(&r))
        return number;
    while (json_member(&r, &key)) {
        if (!str_is(key, "data") || !json_enter_object(&r)) {
            if (!str_is(key, "data"))
                json_skip(&r);
            continue;
        }
        while (json_member(&r, &key))
            if (str_is(key, "n"))
                number = (uintptr_t)atol(json_text(&r, &a)) + 1;
            else
                json_skip(&r);
    }
    return number;
}

static void mirror_put(struct mirror *m, const struct kube_change *change, struct str key)
{
    uintptr_t number = number_of(change->object);
    bool known = map_get(m->objects, key) != NULL;

    if (known != (change->kind == KUBE_MODIFIED))
        fail_msg("%.*s: %s", STR_ARGS(key), known ? "added twice" : "modified before added");
    if (known && (uintptr_t)map_get(m->objects, key) > number)
        m->backwards++;
    map_put(m->objects, key, (void *)number);
    *(known ? &m->modified : &m->added) += 1;
}

void mirror_change(void *context, const struct kube_change *change)
{
    struct mirror *m = context;
    AUTO_FREE char *text =
        mem_format("%.*s/%.*s", STR_ARGS(change->namespace), STR_ARGS(change->name));

    switch (change->kind) {
    case KUBE_ADDED:
    case KUBE_MODIFIED:
        mirror_put(m, change, str_of(text));
        break;
    case KUBE_DELETED:
        if (!map_remove(m->objects, str_of(text)))
            fail_msg("%s: deleted before added", text);
        m->deleted++;
        m->gone_empty += change->object.length == 0;
        break;
    case KUBE_SYNCED:
        m->synced++;
        break;
    case KUBE_ABSENT:
        m->absent++;
        break;
    }
}

bool mirror_is_synced(void *context)
{
    return ((struct mirror *)context)->synced > 0;
}

bool mirror_has_all(void *context)
{
    struct mirror *m = context;

    return m->synced > 0 && map_count(m->objects) == m->want;
}

struct kube_reflector *mirror_start(struct kube_client *client, struct mirror *m,
                                    const struct kube_resource *resource, const char *namespace,
                                    bool paged)
{
    struct kube_reflector_options options = { .resource = *resource,
                                              .namespace = namespace,
                                              .field_selector = "metadata.name!=kube-root-ca.crt",
                                              .paged_list = paged,
                                              .change = mirror_change,
                                              .context = m };

    mirror_init(m);
    return kube_reflector_create(client, &options);
}

/* ---- storm ---- */

static void storm_done(struct kube_write *write, const struct kube_result *result)
{
    struct storm *s = write->context;

    s->done++;
    if (result->error.code != ERR_NONE && s->failed++ == 0)
        s->first_failure = result->error;
}

void storm_push(struct storm *s, enum kube_write_kind kind, char *path, const char *order,
                const char *body, ...)
{
    struct strbuf text = STRBUF_INIT;
    char buffer[4096];
    struct kube_write *write;
    va_list arguments;

    va_start(arguments, body);
    vsnprintf(buffer, sizeof(buffer), body, arguments);
    va_end(arguments);
    strbuf_puts(&text, buffer);
    write = kube_write_create(kind, path, &text);
    write->order = order ? mem_dup(order) : NULL;
    write->done = storm_done;
    write->context = s;
    write->deadline_ms = 10 * 60000; /* a storm takes its time */
    s->pushed++;
    kube_writer_push(s->writer, write);
}

bool storm_over(void *context)
{
    struct storm *s = context;

    return s->done == s->pushed;
}
