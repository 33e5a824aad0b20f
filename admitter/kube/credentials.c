#include "admitter/kube/kube_private.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include "quota/base/clock.h"
#include "quota/base/file.h"
#include "quota/base/log.h"
#include "quota/base/mem.h"

#define FILE_LIMIT (1u << 20)
#define CHECK_EVERY_MS 60000
#define RENEW_BEFORE (30 * NANOSECONDS_PER_SECOND)
#define RETRY_AFTER_MS 5000 /* after a plugin failed */
#define REFUSED_AGAIN_MS 10000

static void wipe(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

/* ---- files ---- */

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* 1: has new content, 0: as before, -1: cannot be read (the old content stays). */
static int file_check(struct watched_file *f, struct err *e)
{
    AUTO_STRBUF struct strbuf bytes = STRBUF_INIT;
    struct str text;
    struct stat now;
    bool same;

    if (!f->path)
        return 0;
    if (stat(f->path, &now) < 0)
        return err_set(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", f->path,
                       strerror(errno));
    if (f->text && is_same(&f->seen, &now))
        return 0;
    if (file_read(f->path, FILE_LIMIT, &bytes, e) < 0)
        return -1;
    text = str_trim(strbuf_view(&bytes));
    if (text.length == 0 || memchr(text.text, 0, text.length))
        return err_set(e, ERR_INVALID, "%s: is empty or not text", f->path);
    same = f->text && str_is(text, f->text);
    f->seen = now;
    if (same)
        return 0;
    wipe(f->text);
    f->text = mem_dup_n(text.text, text.length);
    return 1;
}

static int token_check(const char *token, const char *where, struct err *e)
{
    for (; token && *token; token++)
        if ((unsigned char)*token <= ' ' || (unsigned char)*token >= 0x7f)
            return err_set(e, ERR_INVALID, "%s: the token holds characters a header cannot carry",
                           where);
    return 0;
}

/* A token file whose new content cannot be sent is treated as unreadable. */
static int token_file_check(struct watched_file *f, struct err *e)
{
    char *before = f->text ? mem_dup(f->text) : NULL;
    int result = file_check(f, e);

    if (result > 0 && token_check(f->text, f->path, e) < 0) {
        wipe(f->text);
        f->text = before;
        return -1;
    }
    wipe(before);
    return result;
}

static void note(int result, const struct err *e, bool *changed)
{
    if (result > 0)
        *changed = true;
    if (result < 0)
        LOG(LOG_WARN, "credentials cannot be re-read, the old ones stay", KS("error", e->text));
}

static void files_reread(struct credentials *c, int64_t now_ms)
{
    bool changed = false;
    struct err e;

    c->checked_at_ms = now_ms;
    note(file_check(&c->authority, &e), &e, &changed);
    note(file_check(&c->certificate, &e), &e, &changed);
    note(file_check(&c->key, &e), &e, &changed);
    note(token_file_check(&c->token, &e), &e, &changed);
    if (changed) {
        c->generation++;
        LOG(LOG_INFO, "credentials re-read", KI("generation", c->generation));
    }
}

int credentials_init(struct credentials *c, const struct kube_config *config, struct err *e)
{
    *c = (struct credentials){ .config = config, .generation = 1, .checked_at_ms = kube_now_ms() };
    c->run.fd = -1;
    c->plugin.expires = TIME_NONE;
    c->authority.path = config->authority_file;
    c->certificate.path = config->certificate_file;
    c->key.path = config->key_file;
    c->token.path = config->token_file;
    if (file_check(&c->authority, e) < 0)
        return err_wrap(e, "certificate authority");
    if (file_check(&c->certificate, e) < 0)
        return err_wrap(e, "client certificate");
    if (file_check(&c->key, e) < 0)
        return err_wrap(e, "client key");
    if (token_check(config->token, config->source, e) < 0)
        return -1;
    if (token_file_check(&c->token, e) < 0 && !config->token)
        return err_wrap(e, "token");
    return 0;
}

void credentials_finish(struct kube_client *client)
{
    struct credentials *c = &client->credentials;

    kube_timer_cancel(client, &c->timer);
    exec_run_end(&c->run);
    exec_credential_finish(&c->plugin);
    wipe(c->authority.text);
    wipe(c->certificate.text);
    wipe(c->key.text);
    wipe(c->token.text);
}

static const char *authority_text(const struct credentials *c)
{
    return c->config->authority ? c->config->authority : c->authority.text;
}

/* ---- the plugin ---- */

static int64_t real_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * NANOSECONDS_PER_SECOND + now.tv_nsec;
}

static bool plugin_valid(const struct credentials *c)
{
    return (c->plugin.token || c->plugin.certificate) && !c->refused &&
           (c->plugin.expires == TIME_NONE || c->plugin.expires > real_now());
}

static bool plugin_due(const struct credentials *c)
{
    return !plugin_valid(c) ||
           (c->plugin.expires != TIME_NONE && c->plugin.expires - RENEW_BEFORE < real_now());
}

static void plugin_failed(struct credentials *c)
{
    c->retry_at_ms = kube_now_ms() + RETRY_AFTER_MS;
    LOG(LOG_WARN, "credential plugin failed", KS("error", c->problem.text));
}

static int plugin_take(struct credentials *c, struct str output)
{
    struct exec_credential fresh;

    if (exec_credential_parse(output, c->config->exec->api_version, &fresh, &c->problem) < 0 ||
        token_check(fresh.token, "ExecCredential: status.token", &c->problem) < 0)
        return -1;
    exec_credential_finish(&c->plugin);
    c->plugin = fresh;
    c->refused = false;
    c->generation++;
    err_clear(&c->problem);
    return 0;
}

static void plugin_poll(void *context)
{
    struct kube_client *client = context;
    struct credentials *c = &client->credentials;
    int result = exec_run_poll(&c->run, c->config->exec->arguments[0], kube_now_ms(), &c->problem);

    if (result == 0) {
        kube_timer_set(client, &c->timer, c->run.ended ? 5 : 1000);
        if (c->run.ended)
            kube_client_unlisten(client, c->run.fd);
        return;
    }
    kube_timer_cancel(client, &c->timer);
    kube_client_unlisten(client, c->run.fd);
    if (result > 0)
        result = plugin_take(c, strbuf_view(&c->run.output));
    exec_run_end(&c->run);
    c->run_ended_ms = kube_now_ms();
    if (result < 0)
        plugin_failed(c);
}

static void plugin_start(struct kube_client *client)
{
    struct credentials *c = &client->credentials;

    kube_timer_init(&c->timer, plugin_poll, client);
    if (exec_run_start(&c->run, c->config, authority_text(c), kube_now_ms(), &c->problem) < 0) {
        plugin_failed(c);
        return;
    }
    kube_client_listen(client, c->run.fd, plugin_poll, client);
    kube_timer_set(client, &c->timer, 1000);
}

enum credentials_state credentials_prepare(struct kube_client *client)
{
    struct credentials *c = &client->credentials;
    int64_t now_ms = kube_now_ms();

    if (now_ms - c->checked_at_ms >= CHECK_EVERY_MS)
        files_reread(c, now_ms);
    if (!c->config->exec)
        return CREDENTIALS_READY;
    if (plugin_due(c) && c->run.fd < 0 && now_ms >= c->retry_at_ms)
        plugin_start(client);
    if (plugin_valid(c))
        return CREDENTIALS_READY;
    return c->run.fd >= 0 ? CREDENTIALS_PENDING : CREDENTIALS_FAILED;
}

bool credentials_refused(struct kube_client *client, uint64_t generation)
{
    struct credentials *c = &client->credentials;
    int64_t now_ms = kube_now_ms();

    if (generation == c->generation)
        files_reread(c, now_ms);
    if (generation != c->generation || c->run.fd >= 0)
        return true;
    if (!c->config->exec || now_ms - c->run_ended_ms < REFUSED_AGAIN_MS)
        return false;
    c->refused = true;
    return true;
}

/* ---- use ---- */

static void blob_set(CURL *easy, CURLoption option, const char *text)
{
    struct curl_blob blob = { (void *)(uintptr_t)text, strlen(text), CURL_BLOB_COPY };

    curl_easy_setopt(easy, option, &blob);
}

void credentials_apply(const struct credentials *c, CURL *easy)
{
    const char *authority = authority_text(c);
    const char *certificate = c->config->certificate ? c->config->certificate : c->certificate.text;
    const char *key = c->config->key ? c->config->key : c->key.text;

    if (c->plugin.certificate) {
        certificate = c->plugin.certificate;
        key = c->plugin.key;
    }
    if (c->config->insecure) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    } else if (authority) {
        blob_set(easy, CURLOPT_CAINFO_BLOB, authority);
    }
    if (certificate && key) {
        blob_set(easy, CURLOPT_SSLCERT_BLOB, certificate);
        blob_set(easy, CURLOPT_SSLKEY_BLOB, key);
    }
}

void credentials_header(const struct credentials *c, struct strbuf *out)
{
    const char *token = c->plugin.token;

    if (!token)
        token = c->token.text ? c->token.text : c->config->token;
    if (token)
        strbuf_printf(out, "Authorization: Bearer %s", token);
}
