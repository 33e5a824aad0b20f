#include "admitter/kube/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "admitter/kube/yaml.h"
#include "quota/base/clock.h"
#include "quota/base/mem.h"

#define OUTPUT_LIMIT (1u << 20)
#define RUN_LIMIT_MS 30000

extern char **environ;

static void wipe(char **secret)
{
    if (*secret)
        explicit_bzero(*secret, strlen(*secret));
    free(*secret);
    *secret = NULL;
}

void exec_credential_finish(struct exec_credential *credential)
{
    wipe(&credential->token);
    wipe(&credential->certificate);
    wipe(&credential->key);
    credential->expires = TIME_NONE;
}

/* ---- its answer ---- */

static int status_text(const json_t *status, const char *field, char **out, struct err *e)
{
    const json_t *value = json_object_get(status, field);

    if (!value || json_is_null(value))
        return 0;
    if (!json_is_string(value))
        return err_set(e, ERR_INVALID, "ExecCredential: status.%s: must be text", field);
    if (json_string_length(value))
        *out = mem_dup(json_string_value(value));
    return 0;
}

static int status_read(const json_t *status, struct exec_credential *c, struct err *e)
{
    AUTO_FREE char *expires = NULL;

    if (status_text(status, "token", &c->token, e) < 0 ||
        status_text(status, "clientCertificateData", &c->certificate, e) < 0 ||
        status_text(status, "clientKeyData", &c->key, e) < 0 ||
        status_text(status, "expirationTimestamp", &expires, e) < 0)
        return -1;
    if (!c->certificate != !c->key)
        return err_set(e, ERR_INVALID,
                       "ExecCredential: status.clientCertificateData and "
                       "clientKeyData must come together");
    if (!c->token && !c->certificate)
        return err_set(e, ERR_INVALID, "ExecCredential: status: has neither token nor certificate");
    if (c->token && strpbrk(c->token, "\r\n"))
        return err_set(e, ERR_INVALID, "ExecCredential: status.token: holds a line break");
    if (expires && time_parse(str_of(expires), &c->expires, e) < 0)
        return err_wrap(e, "ExecCredential: status.expirationTimestamp");
    return 0;
}

int exec_credential_parse(struct str bytes, const char *api_version,
                          struct exec_credential *credential, struct err *e)
{
    json_error_t problem;
    AUTO_JSON json_t *root = json_loadb(bytes.text ? bytes.text : "", bytes.length, 0, &problem);
    const char *kind = json_string_value(json_object_get(root, "kind"));
    const char *version = json_string_value(json_object_get(root, "apiVersion"));
    const json_t *status = json_object_get(root, "status");

    *credential = (struct exec_credential){ .expires = TIME_NONE };
    if (!root)
        return err_set(e, ERR_INVALID, "ExecCredential: not JSON: %s at byte %d", problem.text,
                       problem.position);
    if (!kind || strcmp(kind, "ExecCredential") != 0)
        return err_set(e, ERR_INVALID, "ExecCredential: kind: \"%.100s\" must be ExecCredential",
                       kind ? kind : "");
    if (!version || strcmp(version, api_version) != 0)
        return err_set(e, ERR_INVALID, "ExecCredential: apiVersion: \"%.100s\" must be %s",
                       version ? version : "", api_version);
    if (!json_is_object(status))
        return err_set(e, ERR_INVALID, "ExecCredential: status: is required");
    if (status_read(status, credential, e) == 0)
        return 0;
    exec_credential_finish(credential);
    return -1;
}

/* ---- running it ---- */

static json_t *base64_text(const char *text)
{
    size_t length = strlen(text);
    AUTO_FREE unsigned char *out = mem_alloc(4 * (length / 3) + 8);

    EVP_EncodeBlock(out, (const unsigned char *)text, (int)length);
    return json_string((const char *)out);
}

/* The text of KUBERNETES_EXEC_INFO. Heap. */
static char *info_text(const struct kube_config *config, const char *authority)
{
    AUTO_JSON json_t *root =
        json_pack("{s:s, s:s, s:{s:b}}", "apiVersion", config->exec->api_version, "kind",
                  "ExecCredential", "spec", "interactive", 0);
    json_t *cluster;

    if (config->exec->cluster_info) {
        cluster = json_pack("{s:s}", "server", config->server);
        if (config->tls_server_name)
            json_object_set_new(cluster, "tls-server-name", json_string(config->tls_server_name));
        if (config->insecure)
            json_object_set_new(cluster, "insecure-skip-tls-verify", json_true());
        if (config->proxy_url)
            json_object_set_new(cluster, "proxy-url", json_string(config->proxy_url));
        if (authority)
            json_object_set_new(cluster, "certificate-authority-data", base64_text(authority));
        json_object_set_new(json_object_get(root, "spec"), "cluster", cluster);
    }
    return json_dumps(root, JSON_COMPACT);
}

static bool is_replaced(const char *entry, char *const *added)
{
    size_t name = strcspn(entry, "=") + 1;

    for (size_t i = 0; added[i]; i++)
        if (!strncmp(entry, added[i], name))
            return true;
    return !strncmp(entry, "KUBERNETES_EXEC_INFO=", name);
}

/* Our environment, with the plugin's own entries. The array is heap, its texts are borrowed. */
static char **environment_make(char *const *added, char *info)
{
    size_t ours = 0, extra = 0, n = 0;
    char **list;

    while (environ[ours])
        ours++;
    while (added[extra])
        extra++;
    list = mem_array(ours + extra + 2, sizeof(*list));
    for (size_t i = 0; i < ours; i++)
        if (!is_replaced(environ[i], added))
            list[n++] = environ[i];
    for (size_t i = 0; i < extra; i++)
        list[n++] = added[i];
    list[n] = info;
    return list;
}

/* Its own process group, so that it can be ended with its children; default signals. */
static int spawn(pid_t *pid, char **arguments, char **environment, int out)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    int problem;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    problem = posix_spawnp(pid, arguments[0], &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return problem;
}

int exec_run_start(struct exec_run *run, const struct kube_config *config, const char *authority,
                   int64_t now_ms, struct err *e)
{
    AUTO_FREE char *json = info_text(config, authority);
    AUTO_FREE char *info = mem_format("KUBERNETES_EXEC_INFO=%s", json ? json : "");
    AUTO_FREE char **environment = environment_make(config->exec->environment, info);
    int ends[2], problem;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_set(e, ERR_IO, "credential plugin: pipe: %s", strerror(errno));
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    problem = spawn(&run->pid, config->exec->arguments, environment, ends[1]);
    close(ends[1]);
    if (problem) {
        close(ends[0]);
        return err_set(e, ERR_IO, "credential plugin %s: %s", config->exec->arguments[0],
                       strerror(problem));
    }
    run->fd = ends[0];
    run->started_ms = now_ms;
    run->ended = false;
    strbuf_reset(&run->output);
    return 0;
}

/* Take what it has printed so far. */
static int output_take(struct exec_run *run, const char *command, struct err *e)
{
    char piece[4096];
    ssize_t n;

    while ((n = read(run->fd, piece, sizeof(piece))) > 0) {
        strbuf_add(&run->output, piece, (size_t)n);
        if (run->output.length > OUTPUT_LIMIT)
            return err_set(e, ERR_INVALID, "credential plugin %s: prints more than 1 MiB", command);
    }
    explicit_bzero(piece, sizeof(piece));
    if (n == 0)
        run->ended = true;
    else if (errno != EAGAIN && errno != EINTR)
        return err_set(e, ERR_IO, "credential plugin %s: %s", command, strerror(errno));
    return 0;
}

/* 1 ended well, 0 not ended, -1 ended badly. */
static int exit_check(struct exec_run *run, const char *command, struct err *e)
{
    int status = 0;
    pid_t pid = waitpid(run->pid, &status, WNOHANG);

    if (pid == 0)
        return 0;
    run->pid = 0;
    if (pid > 0 && WIFSIGNALED(status))
        return err_set(e, ERR_IO, "credential plugin %s: ended by signal %d", command,
                       WTERMSIG(status));
    if (pid > 0 && WEXITSTATUS(status) != 0)
        return err_set(e, ERR_IO, "credential plugin %s: exit status %d", command,
                       WEXITSTATUS(status));
    return 1;
}

int exec_run_poll(struct exec_run *run, const char *command, int64_t now_ms, struct err *e)
{
    int result = 0;

    if (!run->ended && output_take(run, command, e) < 0)
        return -1;
    if (run->ended)
        result = exit_check(run, command, e);
    if (result == 0 && now_ms - run->started_ms > RUN_LIMIT_MS)
        return err_set(e, ERR_BUSY, "credential plugin %s: no answer within %d s", command,
                       RUN_LIMIT_MS / 1000);
    return result;
}

void exec_run_end(struct exec_run *run)
{
    if (run->fd < 0)
        return;
    close(run->fd);
    run->fd = -1;
    if (run->pid > 0) {
        kill(-run->pid, SIGKILL);
        waitpid(run->pid, NULL, 0);
    }
    run->pid = 0;
    if (run->output.text)
        explicit_bzero(run->output.text, run->output.length);
    strbuf_finish(&run->output);
}
