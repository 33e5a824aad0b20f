#include <netinet/in.h>
#include <netinet/tcp.h>
#include "admitter/kube/kube_private.h"
#include "quota/base/mem.h"

/* What every option is for: libraries.md 2, "Options that matter". */

static int socket_options(void *context, curl_socket_t fd, curlsocktype purpose)
{
    unsigned milliseconds = 20000;

    (void)context;
    (void)purpose;
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof(milliseconds));
    return CURL_SOCKOPT_OK;
}

static struct curl_slist *header_add(struct curl_slist *list, const char *name, const char *value)
{
    AUTO_FREE char *line = mem_format("%s: %s", name, value);

    return curl_slist_append(list, line);
}

struct curl_slist *call_headers(const struct kube_call *call)
{
    const struct kube_client *client = call->client;
    AUTO_STRBUF struct strbuf authorization = STRBUF_INIT;
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");

    list = header_add(list, "Accept", call->accept ? call->accept : "application/json");
    if (call->body)
        list = header_add(list, "Content-Type",
                          call->content_type ? call->content_type : "application/json");
    if (client->host)
        list = curl_slist_append(list, client->host);
    if (client->config->impersonate)
        list = header_add(list, "Impersonate-User", client->config->impersonate);
    credentials_header(&client->credentials, &authorization);
    if (authorization.length) {
        list = curl_slist_append(list, authorization.text);
        explicit_bzero(authorization.text, authorization.length);
    }
    return list;
}

static void connection_options(const struct kube_client *client, CURL *easy)
{
    const struct kube_config *config = client->config;

    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, config->proxy_url ? config->proxy_url : "");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                     client->options.http_version == 2 ? (long)CURL_HTTP_VERSION_2TLS
                                                       : (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, client->options.http_version == 2 ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, 3000L);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, 80L);
    curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, 600L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 20L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 5L);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, socket_options);
    if (client->connect_to)
        curl_easy_setopt(easy, CURLOPT_CONNECT_TO, client->connect_to);
    if (config->username) {
        curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl_easy_setopt(easy, CURLOPT_USERNAME, config->username);
        curl_easy_setopt(easy, CURLOPT_PASSWORD, config->password ? config->password : "");
    }
    credentials_apply(&client->credentials, easy);
}

static void request_options(struct kube_call *call, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_URL, call->url);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, call->client->user_agent);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
    if (call->body) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_length);
    }
    if (call->body || strcmp(call->method, "GET") != 0)
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)call->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, call->class == KUBE_CLASS_WRITE ? 16384L : 262144L);
}

void call_options(struct kube_call *call)
{
    connection_options(call->client, call->easy);
    request_options(call, call->easy);
}
