#include "webhook/webhook_private.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include "quota/base/clock.h"
#include "quota/base/file.h"

#define QUESTION "GET " SELF_CHECK_PATH " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
#define STATUS_LINE "HTTP/1.1 204 "

/* Where to reach ourselves: the bound address, or the loopback one if that means "all". */
static struct sockaddr_storage own_address(const struct webhook_server *server)
{
    static const struct in6_addr mapped = { { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0,
                                                1 } } };
    struct sockaddr_storage address = server->address;
    struct sockaddr_in6 six;
    struct sockaddr_in four;

    memcpy(&six, &address, sizeof(six));
    memcpy(&four, &address, sizeof(four));
    if (address.ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&six.sin6_addr)) {
        six.sin6_addr = mapped;
        memcpy(&address, &six, sizeof(six));
    } else if (address.ss_family == AF_INET && four.sin_addr.s_addr == htonl(INADDR_ANY)) {
        four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        memcpy(&address, &four, sizeof(four));
    }
    return address;
}

static int dial(const struct webhook_server *server, unsigned timeout_ms, struct err *e)
{
    struct sockaddr_storage address = own_address(server);
    struct timeval limit = { .tv_sec = timeout_ms / 1000,
                             .tv_usec = (suseconds_t)(timeout_ms % 1000) * 1000 };
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    if (fd >= 0 && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0 &&
        connect(fd, (struct sockaddr *)&address, server->address_length) == 0)
        return fd;
    err_set(e, errno == EINPROGRESS ? ERR_BUSY : ERR_IO, "connect: %s",
            errno == EINPROGRESS ? "no answer in time" : strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

static int check_status_line(const char *line, ssize_t length, struct err *e)
{
    if (length < 0)
        return err_set(e, ERR_BUSY, "no answer in time");
    if ((size_t)length < sizeof(STATUS_LINE) - 1 ||
        memcmp(line, STATUS_LINE, sizeof(STATUS_LINE) - 1) != 0)
        return err_set(e, ERR_IO, "the answer is not \"" STATUS_LINE "\"");
    return 0;
}

static int ask_plain(int fd, struct err *e)
{
    char line[64];

    if (send(fd, QUESTION, sizeof(QUESTION) - 1, MSG_NOSIGNAL) != sizeof(QUESTION) - 1)
        return err_set(e, ERR_IO, "send: %s", strerror(errno));
    return check_status_line(line, recv(fd, line, sizeof(line), 0), e);
}

/* The certificate that the listener shows is the one the source holds now. */
static int check_leaf(const struct webhook_server *server, gnutls_session_t session, struct err *e)
{
    AUTO_STRBUF struct strbuf leaf = STRBUF_INIT;
    unsigned count = 0;
    const gnutls_datum_t *shown = gnutls_certificate_get_peers(session, &count);

    if (!certificate_source_leaf(server->options.certificates, &leaf) || !shown || !count ||
        !str_equal(strbuf_view(&leaf), (struct str){ (char *)shown[0].data, shown[0].size }))
        return err_set(e, ERR_IO, "the listener shows another certificate than the current one");
    return 0;
}

static int ask_over(const struct webhook_server *server, gnutls_session_t session, int fd,
                    unsigned timeout_ms, struct err *e)
{
    char line[64];
    int code;

    gnutls_transport_set_int(session, fd);
    gnutls_handshake_set_timeout(session, timeout_ms);
    do
        code = gnutls_handshake(session);
    while (code == GNUTLS_E_INTERRUPTED);
    if (code < 0)
        return err_set(e, code == GNUTLS_E_TIMEDOUT || code == GNUTLS_E_AGAIN ? ERR_BUSY : ERR_IO,
                       "TLS handshake: %s", gnutls_strerror(code));
    if (check_leaf(server, session, e) < 0)
        return -1;
    if (gnutls_record_send(session, QUESTION, sizeof(QUESTION) - 1) < 0)
        return err_set(e, ERR_IO, "send over TLS failed");
    return check_status_line(line, gnutls_record_recv(session, line, sizeof(line)), e);
}

static int ask_tls(const struct webhook_server *server, int fd, unsigned timeout_ms, struct err *e)
{
    gnutls_certificate_credentials_t credentials = NULL;
    gnutls_session_t session = NULL;
    int result;

    if (gnutls_certificate_allocate_credentials(&credentials) < 0)
        return err_set(e, ERR_NOMEM, "TLS client");
    if (gnutls_init(&session, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL) < 0 ||
        gnutls_set_default_priority(session) < 0 ||
        gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials) < 0)
        result = err_set(e, ERR_NOMEM, "TLS client");
    else
        result = ask_over(server, session, fd, timeout_ms, e);
    if (session)
        gnutls_deinit(session);
    gnutls_certificate_free_credentials(credentials);
    return result;
}

static int ask(const struct webhook_server *server, unsigned timeout_ms, struct err *e)
{
    AUTO_CLOSE int fd = dial(server, timeout_ms, e);

    if (fd < 0)
        return -1;
    return server->options.certificates ? ask_tls(server, fd, timeout_ms, e) : ask_plain(fd, e);
}

int webhook_self_check(const struct webhook_server *server, int64_t now_seconds,
                       unsigned timeout_ms, struct err *e)
{
    const struct certificate_source *source = server->options.certificates;

    if (source && now_seconds >= certificate_source_expiry(source))
        return err_set(e, ERR_IO, "%s: the serving certificate has expired", server->name);
    /* Twice, because a rotation may fall between the handshake and the comparison. */
    if (ask(server, timeout_ms / 2, NULL) == 0 || ask(server, timeout_ms / 2, e) == 0)
        return 0;
    return err_wrap(e, "%s", server->name);
}
