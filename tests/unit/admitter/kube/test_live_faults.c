/* A relay before the real API server that cuts connections in the middle of answers: what is
 * reported must still be the truth, and every write must come to an end. Skipped without
 * SLUICE_TEST_KUBECONFIG. */
#include "tests/unit/admitter/kube/support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#define PAIRS 64
#define OBJECTS 400

/* One client connection and its way to the server. */
struct pair {
    int near, far; /* -1: free */
    size_t budget; /* bytes from the server until it is cut */
};

struct relay {
    int listener;
    uint16_t port, server_port;
    pthread_t thread;
    atomic_bool cutting, stop;
    _Atomic unsigned cuts;
    struct pair pairs[PAIRS];
    unsigned seed;
};

static int loopback(uint16_t port, bool listening)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(port),
                                   .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int result = listening ? bind(fd, (struct sockaddr *)&address, sizeof(address))
                           : connect(fd, (struct sockaddr *)&address, sizeof(address));

    if (result < 0 || (listening && listen(fd, 64) < 0))
        abort();
    return fd;
}

static void pair_close(struct pair *p)
{
    struct linger at_once = { 1, 0 };

    setsockopt(p->near, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(p->near);
    close(p->far);
    p->near = p->far = -1;
}

static bool copy(int from, int to, size_t *budget)
{
    char bytes[16384];
    ssize_t n = read(from, bytes, sizeof(bytes));

    if (n <= 0)
        return false;
    if (budget && (size_t)n > *budget) {
        ssize_t ignored = write(to, bytes, *budget);

        (void)ignored;
        return false;
    }
    if (budget)
        *budget -= (size_t)n;
    return write(to, bytes, (size_t)n) == n;
}

static void relay_accept(struct relay *r)
{
    int fd = accept(r->listener, NULL, NULL);

    for (unsigned i = 0; fd >= 0 && i < PAIRS; i++)
        if (r->pairs[i].near < 0) {
            r->pairs[i] = (struct pair){ fd, loopback(r->server_port, false),
                                         20000 + (size_t)rand_r(&r->seed) % 300000 };
            return;
        }
    close(fd);
}

static void relay_pair(struct relay *r, struct pair *p, const struct pollfd *near,
                       const struct pollfd *far)
{
    size_t endless = SIZE_MAX;
    bool well = true;

    if (near->revents)
        well = copy(p->near, p->far, NULL);
    if (well && far->revents)
        well = copy(p->far, p->near, r->cutting ? &p->budget : &endless);
    if (!well) {
        pair_close(p);
        r->cuts++;
    }
}

static void *relay_run(void *context)
{
    struct relay *r = context;
    struct pollfd fds[2 * PAIRS + 1];

    while (!r->stop) {
        fds[2 * PAIRS] = (struct pollfd){ r->listener, POLLIN, 0 };
        for (unsigned i = 0; i < PAIRS; i++) {
            fds[2 * i] = (struct pollfd){ r->pairs[i].near, POLLIN, 0 };
            fds[2 * i + 1] = (struct pollfd){ r->pairs[i].far, POLLIN, 0 };
        }
        poll(fds, 2 * PAIRS + 1, 50);
        for (unsigned i = 0; i < PAIRS; i++)
            if (r->pairs[i].near >= 0 && (fds[2 * i].revents || fds[2 * i + 1].revents))
                relay_pair(r, &r->pairs[i], &fds[2 * i], &fds[2 * i + 1]);
        if (fds[2 * PAIRS].revents)
            relay_accept(r);
    }
    return NULL;
}

static void relay_start(struct relay *r, const char *server)
{
    struct sockaddr_in address;
    socklen_t length = sizeof(address);

    *r = (struct relay){ .server_port = (uint16_t)atoi(strrchr(server, ':') + 1),
                         .listener = loopback(0, true),
                         .cutting = true,
                         .seed = 7 };
    for (unsigned i = 0; i < PAIRS; i++)
        r->pairs[i].near = r->pairs[i].far = -1;
    getsockname(r->listener, (struct sockaddr *)&address, &length);
    r->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&r->thread, NULL, relay_run, r), 0);
}

static void relay_end(struct relay *r)
{
    r->stop = true;
    pthread_join(r->thread, NULL);
    for (unsigned i = 0; i < PAIRS; i++)
        if (r->pairs[i].near >= 0)
            pair_close(&r->pairs[i]);
    close(r->listener);
}

static void patch_all(struct live *l, struct storm *s, unsigned n)
{
    for (unsigned i = 0; i < OBJECTS; i++) {
        AUTO_FREE char *name = mem_format("m-%u", i);

        storm_push(s, KUBE_MERGE_PATCH, kube_path(&config_maps, l->namespace, name, NULL), name,
                   "{\"data\":{\"n\":\"%u\"}}", n);
    }
}

static bool mirror_reached(void *context)
{
    struct mirror *m = context;
    struct map_entry entry;

    for (size_t at = 0; map_next(m->objects, &at, &entry);)
        if ((uintptr_t)entry.value < m->want)
            return false;
    return map_count(m->objects) == OBJECTS && m->synced > 0;
}

static void cut_connections_change_nothing_but_the_time_it_takes(void **state)
{
    struct live *l = *state;
    struct kube_config config = *l->config;
    struct relay relay;
    struct storm direct = { .writer = kube_writer_create(l->client) }, s = { .writer = NULL };
    struct mirror streamed, paged;
    struct kube_reflector *stream, *pages;
    struct kube_client *client;

    for (unsigned i = 0; i < OBJECTS; i++)
        storm_push(&direct, KUBE_CREATE, kube_path(&config_maps, l->namespace, NULL, NULL), NULL,
                   "{\"metadata\":{\"name\":\"m-%u\"},\"data\":{\"n\":\"0\"}}", i);
    assert_true(live_until(l->client, storm_over, &direct, 30000));
    relay_start(&relay, config.server);
    config.server = mem_format("https://127.0.0.1:%u", relay.port);
    client = kube_client_create(&config, NULL, NULL);
    s.writer = kube_writer_create(client);
    stream = mirror_start(client, &streamed, &config_maps, l->namespace, false);
    pages = mirror_start(client, &paged, &config_maps, l->namespace, true);
    streamed.want = paged.want = OBJECTS;
    assert_true(live_until(client, mirror_has_all, &streamed, 60000));
    assert_true(live_until(client, mirror_has_all, &paged, 60000));
    for (unsigned n = 1; n <= 10; n++)
        patch_all(l, &s, n);
    assert_true(live_until(client, storm_over, &s, 60000));
    if (s.failed)
        fail_msg("%u failed: %s", s.failed, s.first_failure.text);
    streamed.want = paged.want = 11; /* data.n plus 1 */
    assert_true(live_until(client, mirror_reached, &streamed, 60000));
    assert_true(live_until(client, mirror_reached, &paged, 60000));
    print_message("%u cuts, %llu writes repeated, %llu failures of the reflectors\n", relay.cuts,
                  (unsigned long long)kube_writer_count(s.writer).repeated,
                  (unsigned long long)(kube_reflector_count(stream).failures +
                                       kube_reflector_count(pages).failures));
    assert_true(relay.cuts > 10);
    assert_true(streamed.deleted == 0 && paged.deleted == 0);
    kube_reflector_destroy(stream);
    kube_reflector_destroy(pages);
    kube_writer_destroy(s.writer);
    kube_client_destroy(client);
    kube_writer_destroy(direct.writer);
    relay_end(&relay);
    free(config.server);
    mirror_finish(&streamed);
    mirror_finish(&paged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(cut_connections_change_nothing_but_the_time_it_takes,
                                        live_setup, live_teardown),
    };

    if (!live_has_server()) {
        printf("skip: SLUICE_TEST_KUBECONFIG is not set\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
