#include "admitter/kube/config.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <unistd.h>
#include "admitter/kube/stanza.h"
#include "quota/base/file.h"
#include "quota/base/mem.h"

#define FILE_LIMIT (4u << 20)
#define ACCOUNT_FOLDER "/var/run/secrets/kubernetes.io/serviceaccount"

static void secret_free(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

static void list_free(char **list)
{
    for (size_t i = 0; list && list[i]; i++)
        secret_free(list[i]);
    free(list);
}

void kube_config_destroy(struct kube_config *config)
{
    if (!config)
        return;
    free(config->source);
    free(config->server);
    free(config->default_namespace);
    free(config->tls_server_name);
    secret_free(config->proxy_url);
    free(config->authority_file);
    free(config->certificate_file);
    free(config->key_file);
    free(config->token_file);
    free(config->authority);
    free(config->certificate);
    secret_free(config->key);
    secret_free(config->token);
    free(config->username);
    secret_free(config->password);
    free(config->impersonate);
    if (config->exec) {
        free(config->exec->api_version);
        list_free(config->exec->arguments);
        list_free(config->exec->environment);
        free(config->exec);
    }
    free(config);
}

const char *kube_config_namespace(const struct kube_config *config)
{
    return config->default_namespace;
}

/* ---- clusters ---- */

static int server_check(const struct stanza *s, struct kube_config *config, struct err *e)
{
    size_t length;

    if (!config->server)
        return stanza_wrong(s, e, "server", "is required");
    if (strncmp(config->server, "https://", 8) != 0 || !config->server[8]) {
        AUTO_FREE char *what = mem_format("\"%.200s\" must begin with https://", config->server);

        return stanza_wrong(s, e, "server", what);
    }
    if (strpbrk(config->server, "?# @"))
        return stanza_wrong(s, e, "server",
                            "must be a plain address without user, query or fragment");
    length = strlen(config->server);
    while (length > 8 && config->server[length - 1] == '/')
        config->server[--length] = '\0';
    return 0;
}

static int proxy_check(const struct stanza *s, const struct kube_config *config, struct err *e)
{
    static const char *const schemes[] = { "http://", "https://", "socks5://" };

    if (!config->proxy_url)
        return 0;
    for (size_t i = 0; i < ARRAY_COUNT(schemes); i++)
        if (!strncmp(config->proxy_url, schemes[i], strlen(schemes[i])))
            return 0;
    return stanza_wrong(s, e, "proxy-url", "must begin with http://, https:// or socks5://");
}

static int cluster_read(const struct reading *r, const char *name, struct kube_config *config)
{
    struct stanza s;
    struct err *e = r->e;

    if (stanza_find(r, "clusters", "cluster", name, &s) < 0 ||
        stanza_text(&s, "server", &config->server, e) < 0 || server_check(&s, config, e) < 0 ||
        stanza_text(&s, "tls-server-name", &config->tls_server_name, e) < 0 ||
        stanza_bool(&s, "insecure-skip-tls-verify", &config->insecure, e) < 0 ||
        stanza_text(&s, "proxy-url", &config->proxy_url, e) < 0 || proxy_check(&s, config, e) < 0 ||
        stanza_data(&s, "certificate-authority-data", &config->authority, e) < 0)
        return -1;
    if (!config->authority &&
        stanza_path(&s, "certificate-authority", &config->authority_file, e) < 0)
        return -1;
    if (config->insecure && (config->authority || config->authority_file))
        return stanza_wrong(&s, e, "insecure-skip-tls-verify",
                            "contradicts the certificate authority given beside it");
    return 0;
}

/* ---- users ---- */

static int exec_environment(const struct stanza *s, const json_t *list, struct kube_exec *exec,
                            struct err *e)
{
    const json_t *item;
    size_t i;

    exec->environment = mem_array(json_array_size(list) + 1, sizeof(char *));
    json_array_foreach(list, i, item) {
        const char *name = json_string_value(json_object_get(item, "name"));
        const char *value = json_string_value(json_object_get(item, "value"));

        if (!name || !name[0] || strchr(name, '='))
            return stanza_wrong(s, e, "exec.env", "each item needs a name");
        exec->environment[i] = mem_format("%s=%s", name, value ? value : "");
    }
    return 0;
}

static int exec_arguments(const struct stanza *s, const json_t *list, const char *command,
                          struct kube_exec *exec, struct err *e)
{
    bool relative = command[0] != '/' && strchr(command, '/');
    const json_t *item;
    size_t i;

    exec->arguments = mem_array(json_array_size(list) + 2, sizeof(char *));
    exec->arguments[0] =
        relative ? mem_format("%s/%s", s->part->folder, command) : mem_dup(command);
    json_array_foreach(list, i, item) {
        if (!json_is_string(item))
            return stanza_wrong(s, e, "exec.args", "each item must be text");
        exec->arguments[i + 1] = mem_dup(json_string_value(item));
    }
    return 0;
}

static int exec_check(const struct stanza *s, const json_t *fields, struct err *e)
{
    const char *mode = json_string_value(json_object_get(fields, "interactiveMode"));
    const char *version = json_string_value(json_object_get(fields, "apiVersion"));
    const json_t *arguments = json_object_get(fields, "args");
    const json_t *environment = json_object_get(fields, "env");

    if (!s->part->folder)
        return stanza_wrong(s, e, "exec", "credential plugins are not allowed here");
    if (!version || (strcmp(version, "client.authentication.k8s.io/v1") != 0 &&
                     strcmp(version, "client.authentication.k8s.io/v1beta1") != 0))
        return stanza_wrong(
            s, e, "exec.apiVersion",
            "must be client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1");
    if (mode && !strcmp(mode, "Always"))
        return stanza_wrong(s, e, "exec.interactiveMode",
                            "\"Always\" needs a terminal, there is none");
    if (arguments && !json_is_null(arguments) && !json_is_array(arguments))
        return stanza_wrong(s, e, "exec.args", "must be a list");
    if (environment && !json_is_null(environment) && !json_is_array(environment))
        return stanza_wrong(s, e, "exec.env", "must be a list");
    return 0;
}

static int exec_read(const struct stanza *s, struct kube_config *config, struct err *e)
{
    const json_t *fields = json_object_get(s->fields, "exec");
    const char *command;

    if (!fields || json_is_null(fields))
        return 0;
    if (!json_is_object(fields))
        return stanza_wrong(s, e, "exec", "must be an object");
    if (exec_check(s, fields, e) < 0)
        return -1;
    command = json_string_value(json_object_get(fields, "command"));
    if (!command || !command[0])
        return stanza_wrong(s, e, "exec.command", "is required");
    config->exec = mem_alloc(sizeof(*config->exec));
    config->exec->api_version = mem_dup(json_string_value(json_object_get(fields, "apiVersion")));
    config->exec->cluster_info = json_is_true(json_object_get(fields, "provideClusterInfo"));
    if (exec_arguments(s, json_object_get(fields, "args"), command, config->exec, e) < 0)
        return -1;
    return exec_environment(s, json_object_get(fields, "env"), config->exec, e);
}

static int user_refusals(const struct stanza *s, struct err *e)
{
    static const char *const fields[] = { "auth-provider", "as-groups", "as-uid", "as-user-extra" };

    for (size_t i = 0; i < ARRAY_COUNT(fields); i++) {
        const json_t *value = json_object_get(s->fields, fields[i]);

        if (value && !json_is_null(value))
            return stanza_wrong(s, e, fields[i], "is not supported");
    }
    return 0;
}

static int user_combination(const struct stanza *s, const struct kube_config *c, struct err *e)
{
    bool has_certificate = c->certificate || c->certificate_file;
    bool has_key = c->key || c->key_file;

    if (has_certificate && !has_key)
        return stanza_wrong(s, e, "client-key", "is required beside client-certificate");
    if (has_key && !has_certificate)
        return stanza_wrong(s, e, "client-certificate", "is required beside client-key");
    if (c->username && (c->token || c->token_file))
        return stanza_wrong(s, e, "username", "contradicts the token given beside it");
    if (c->password && !c->username)
        return stanza_wrong(s, e, "username", "is required beside password");
    return 0;
}

static int user_read(const struct reading *r, const char *name, struct kube_config *config)
{
    struct stanza s;
    struct err *e = r->e;

    if (stanza_find(r, "users", "user", name, &s) < 0 || user_refusals(&s, e) < 0 ||
        stanza_data(&s, "client-certificate-data", &config->certificate, e) < 0 ||
        stanza_data(&s, "client-key-data", &config->key, e) < 0 ||
        stanza_text(&s, "token", &config->token, e) < 0 ||
        stanza_path(&s, "tokenFile", &config->token_file, e) < 0 ||
        stanza_text(&s, "username", &config->username, e) < 0 ||
        stanza_text(&s, "password", &config->password, e) < 0 ||
        stanza_text(&s, "as", &config->impersonate, e) < 0 || exec_read(&s, config, e) < 0)
        return -1;
    if (!config->certificate &&
        stanza_path(&s, "client-certificate", &config->certificate_file, e) < 0)
        return -1;
    if (!config->key && stanza_path(&s, "client-key", &config->key_file, e) < 0)
        return -1;
    return user_combination(&s, config, e);
}

/* ---- whole files ---- */

static const char *current_context(const struct reading *r)
{
    for (size_t i = 0; i < r->count; i++) {
        const char *name = json_string_value(json_object_get(r->parts[i].root, "current-context"));

        if (name && name[0])
            return name;
    }
    return NULL;
}

static int context_read(const struct reading *r, const char *context, struct kube_config *config)
{
    struct stanza s;
    const char *cluster, *user;

    if (!context)
        context = current_context(r);
    if (!context)
        return err_set(r->e, ERR_INVALID, "%s: current-context: is required", r->parts[0].name);
    if (stanza_find(r, "contexts", "context", context, &s) < 0 ||
        stanza_text(&s, "namespace", &config->default_namespace, r->e) < 0)
        return -1;
    cluster = json_string_value(json_object_get(s.fields, "cluster"));
    user = json_string_value(json_object_get(s.fields, "user"));
    if (!cluster || !cluster[0])
        return stanza_wrong(&s, r->e, "cluster", "is required");
    if (cluster_read(r, cluster, config) < 0)
        return -1;
    return user && user[0] ? user_read(r, user, config) : 0;
}

static struct kube_config *reading_finish(struct reading *r, const char *context)
{
    struct kube_config *config = mem_alloc(sizeof(*config));

    config->source = mem_dup(r->parts[0].name);
    if (context_read(r, context, config) < 0) {
        kube_config_destroy(config);
        config = NULL;
    }
    return config;
}

static void reading_end(struct reading *r)
{
    for (size_t i = 0; i < r->count; i++) {
        yaml_destroy(r->parts[i].stream);
        free(r->parts[i].folder);
    }
}

/* Takes over 'stream'. */
static int part_add(struct reading *r, struct yaml_stream *stream, const char *name,
                    const char *folder)
{
    struct part *part = &r->parts[r->count++];
    const char *kind;

    *part = (struct part){ stream, yaml_root(stream, 0), name, folder ? mem_dup(folder) : NULL };
    if (yaml_count(stream) != 1 || !json_is_object(part->root))
        return err_set(r->e, ERR_INVALID, "%s: a kubeconfig is one object, this is not", name);
    kind = json_string_value(json_object_get(part->root, "kind"));
    if (kind && strcmp(kind, "Config") != 0)
        return err_set(r->e, ERR_INVALID, "%s: kind: \"%.100s\" must be Config", name, kind);
    return 0;
}

/* 1: read, 0: the file does not exist, -1: error. */
static int file_add(struct reading *r, const char *path)
{
    AUTO_FREE char *absolute = realpath(path, NULL);
    AUTO_FREE char *copy = NULL;
    struct yaml_stream *stream = yaml_load_file(path, FILE_LIMIT, r->e);

    if (!stream && r->e->code == ERR_NOT_FOUND)
        return 0;
    if (!stream)
        return err_wrap(r->e, "kubeconfig");
    copy = mem_dup(absolute ? absolute : path);
    return part_add(r, stream, path, dirname(copy)) < 0 ? -1 : 1;
}

struct kube_config *kube_config_parse(struct str bytes, const char *name, const char *folder,
                                      const char *context, struct err *e)
{
    struct err local;
    struct reading r = { .e = e ? e : &local };
    struct yaml_stream *stream = yaml_load(bytes, name, r.e);
    struct kube_config *config = NULL;

    if (stream && part_add(&r, stream, name, folder) == 0)
        config = reading_finish(&r, context);
    reading_end(&r);
    return config;
}

static struct kube_config *load_path(const char *path, const char *context, struct err *e)
{
    struct reading r = { .e = e };
    int found = file_add(&r, path);
    struct kube_config *config = found > 0 ? reading_finish(&r, context) : NULL;

    if (found == 0)
        err_set(e, ERR_NOT_FOUND, "kubeconfig: the file %s does not exist", path);
    reading_end(&r);
    return config;
}

/* Files of the list that do not exist are passed over, as kubectl does. */
static struct kube_config *load_list(const char *list, const char *context, struct err *e)
{
    AUTO_FREE char *copy = mem_dup(list);
    struct reading r = { .e = e };
    struct kube_config *config = NULL;
    char *rest = copy, *path;
    int result = 0;

    while (result >= 0 && (path = strsep(&rest, ":"))) {
        if (r.count == FILES_MAX)
            result = err_set(e, ERR_INVALID, "KUBECONFIG: more than %d files", FILES_MAX);
        else if (path[0])
            result = file_add(&r, path);
    }
    if (result >= 0 && r.count > 0)
        config = reading_finish(&r, context);
    else if (result >= 0)
        err_set(e, ERR_NOT_FOUND, "KUBECONFIG: none of the files in \"%.300s\" exists", list);
    reading_end(&r);
    return config;
}

static struct kube_config *load_account(const char *folder, const char *host, const char *port,
                                        struct err *e)
{
    struct kube_config *config = mem_alloc(sizeof(*config));
    AUTO_FREE char *path = mem_format("%s/namespace", folder);
    AUTO_STRBUF struct strbuf name = STRBUF_INIT;
    struct str trimmed;
    struct err ignored;

    config->source = mem_dup("in-cluster service account");
    config->server =
        mem_format(strchr(host, ':') ? "https://[%s]:%s" : "https://%s:%s", host, port);
    config->token_file = mem_format("%s/token", folder);
    config->authority_file = mem_format("%s/ca.crt", folder);
    if (access(config->token_file, R_OK) < 0) {
        err_set(e, ERR_IO, "service account token %s: %s", config->token_file, strerror(errno));
        kube_config_destroy(config);
        return NULL;
    }
    if (file_read(path, 4096, &name, &ignored) == 0) {
        trimmed = str_trim(strbuf_view(&name));
        config->default_namespace = mem_dup_n(trimmed.text, trimmed.length);
    }
    return config;
}

struct kube_config *kube_config_load(const struct kube_config_source *source, struct err *e)
{
    const char *host = getenv("KUBERNETES_SERVICE_HOST");
    const char *port = getenv("KUBERNETES_SERVICE_PORT");
    struct err local;

    if (!e)
        e = &local;
    if (source->path)
        return load_path(source->path, source->context, e);
    if (source->list && source->list[0])
        return load_list(source->list, source->context, e);
    if (host && host[0] && port && port[0])
        return load_account(source->account ? source->account : ACCOUNT_FOLDER, host, port, e);
    err_set(e, ERR_NOT_FOUND,
            "no cluster: give --kubeconfig, set KUBECONFIG, or run inside a cluster");
    return NULL;
}
