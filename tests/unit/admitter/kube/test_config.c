#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "admitter/kube/config.h"
#include "quota/base/file.h"
#include "quota/base/mem.h"

#define HEAD "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
#define CONTEXT "contexts: [{name: c, context: {cluster: a, user: b, namespace: team}}]\n"
#define CLUSTER "clusters: [{name: a, cluster: {server: 'https://10.0.0.1:6443/'}}]\n"

static struct kube_config *parse(const char *text, struct err *e)
{
    return kube_config_parse(str_of(text), "k", "/etc/kube", NULL, e);
}

static void a_whole_kubeconfig_is_read(void **state)
{
    struct err e;
    struct kube_config *c = parse(
        HEAD CONTEXT
        "clusters:\n- name: a\n  cluster:\n    server: https://[::1]:6443/prefix/\n"
        "    certificate-authority-data: UEVN\n    tls-server-name: api\n"
        "    proxy-url: http://proxy:3128\n"
        "users:\n- name: b\n  user:\n    client-certificate: pki/me.crt\n"
        "    client-key: /pki/me.key\n    token: abc\n    tokenFile: token\n    as: someone\n",
        &e);

    (void)state;
    if (!c)
        fail_msg("%s", e.text);
    assert_string_equal(c->server, "https://[::1]:6443/prefix");
    assert_string_equal(c->authority, "PEM");
    assert_string_equal(c->tls_server_name, "api");
    assert_string_equal(c->proxy_url, "http://proxy:3128");
    assert_string_equal(c->certificate_file, "/etc/kube/pki/me.crt");
    assert_string_equal(c->key_file, "/pki/me.key");
    assert_string_equal(c->token, "abc");
    assert_string_equal(c->token_file, "/etc/kube/token");
    assert_string_equal(c->impersonate, "someone");
    assert_string_equal(kube_config_namespace(c), "team");
    assert_false(c->insecure);
    kube_config_destroy(c);
}

static void a_plugin_is_read(void **state)
{
    struct err e;
    struct kube_config *c =
        parse(HEAD CONTEXT CLUSTER
              "users:\n- name: b\n  user:\n    exec:\n"
              "      apiVersion: client.authentication.k8s.io/v1beta1\n      command: bin/plugin\n"
              "      args: [get, token]\n      env:\n      - {name: A, value: B}\n"
              "      provideClusterInfo: true\n      interactiveMode: IfAvailable\n"
              "      installHint: none\n",
              &e);

    (void)state;
    if (!c)
        fail_msg("%s", e.text);
    assert_string_equal(c->exec->arguments[0], "/etc/kube/bin/plugin");
    assert_string_equal(c->exec->arguments[2], "token");
    assert_null(c->exec->arguments[3]);
    assert_string_equal(c->exec->environment[0], "A=B");
    assert_true(c->exec->cluster_info);
    kube_config_destroy(c);
}

#define USER(fields) HEAD CONTEXT CLUSTER "users: [{name: b, user: {" fields "}}]\n"
#define SERVER(fields)                                                                             \
    HEAD CONTEXT "clusters: [{name: a, cluster: {" fields "}}]\nusers: [{name: b, user: {}}]\n"

static const struct {
    const char *text, *message;
} refusals[] = {
    { "[]", "k: a kubeconfig is one object, this is not" },
    { "a: 1\n---\nb: 2\n", "k: a kubeconfig is one object, this is not" },
    { "kind: Secret\n", "k: kind: \"Secret\" must be Config" },
    { "kind: Config\n", "k: current-context: is required" },
    { "current-context: x\n", "k: no context named \"x\" in contexts" },
    { HEAD CONTEXT, "k: no cluster named \"a\" in clusters" },
    { HEAD CONTEXT CLUSTER, "k: no user named \"b\" in users" },
    { HEAD "contexts: [{name: c, context: {user: b}}]\n",
      "k: contexts[\"c\"].context.cluster: is required" },
    { HEAD "contexts: [{name: c, context: [1]}]\n",
      "k: contexts[\"c\"].context: must be an object" },
    { SERVER(""), "k: clusters[\"a\"].cluster.server: is required" },
    { SERVER("server: 'http://x'"),
      "k: clusters[\"a\"].cluster.server: \"http://x\" must begin with https://" },
    { SERVER("server: 'https://u@x'"), "k: clusters[\"a\"].cluster.server: must be a plain address "
                                       "without user, query or fragment" },
    { SERVER("server: 5"), "k: clusters[\"a\"].cluster.server: must be text" },
    { SERVER("server: 'https://x', certificate-authority-data: '%%'"),
      "k: clusters[\"a\"].cluster.certificate-authority-data: is not base64 of a PEM text" },
    { SERVER("server: 'https://x', insecure-skip-tls-verify: 1"),
      "k: clusters[\"a\"].cluster.insecure-skip-tls-verify: must be true or false" },
    { SERVER("server: 'https://x', insecure-skip-tls-verify: true, certificate-authority: a"),
      "k: clusters[\"a\"].cluster.insecure-skip-tls-verify: contradicts the certificate authority "
      "given beside it" },
    { SERVER("server: 'https://x', proxy-url: 'ftp://x'"),
      "k: clusters[\"a\"].cluster.proxy-url: must begin with http://, https:// or socks5://" },
    { USER("auth-provider: {name: gcp}"), "k: users[\"b\"].user.auth-provider: is not supported" },
    { USER("as-groups: [x]"), "k: users[\"b\"].user.as-groups: is not supported" },
    { USER("client-certificate: x"),
      "k: users[\"b\"].user.client-key: is required beside client-certificate" },
    { USER("password: x"), "k: users[\"b\"].user.username: is required beside password" },
    { USER("username: x, token: z"),
      "k: users[\"b\"].user.username: contradicts the token given beside it" },
    { USER("exec: {command: x, apiVersion: client.authentication.k8s.io/v1alpha1}"),
      "k: users[\"b\"].user.exec.apiVersion: must be client.authentication.k8s.io/v1 or "
      "client.authentication.k8s.io/v1beta1" },
    { USER("exec: {apiVersion: client.authentication.k8s.io/v1}"),
      "k: users[\"b\"].user.exec.command: is required" },
    { USER("exec: {apiVersion: client.authentication.k8s.io/v1, command: x, interactiveMode: "
           "Always}"),
      "k: users[\"b\"].user.exec.interactiveMode: \"Always\" needs a terminal, there is none" },
};

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(refusals); i++) {
        struct err e = { .code = ERR_NONE };

        assert_null(parse(refusals[i].text, &e));
        assert_int_equal(e.code, ERR_INVALID);
        assert_string_equal(e.text, refusals[i].message);
    }
}

static void kubeconfigs_out_of_secrets_may_not_reach_files_or_programs(void **state)
{
    static const char *const texts[] = {
        USER("tokenFile: x"),
        USER("exec: {apiVersion: client.authentication.k8s.io/v1, command: x}"),
        SERVER("server: 'https://x', certificate-authority: x"),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        struct err e;

        assert_null(kube_config_parse(str_of(texts[i]), "k", NULL, NULL, &e));
        assert_non_null(strstr(e.text, "not allowed here"));
    }
}

static void of_a_list_of_files_the_first_to_name_a_thing_wins(void **state)
{
    char folder[] = "/tmp/kube-config-XXXXXX";
    AUTO_FREE char *one = NULL, *two = NULL, *list = NULL;
    struct kube_config_source source;
    struct kube_config *c;
    struct err e;

    (void)state;
    assert_non_null(mkdtemp(folder));
    one = mem_format("%s/one", folder);
    two = mem_format("%s/two", folder);
    list = mem_format("%s/none:%s:%s", folder, one, two);
    assert_int_equal(file_write(one, str_of("current-context: c\n" CLUSTER), 0600, &e), 0);
    assert_int_equal(file_write(two,
                                str_of("current-context: d\n" CONTEXT
                                       "clusters: [{name: a, cluster: {server: 'https://other'}}]\n"
                                       "users: [{name: b, user: {tokenFile: t}}]\n"),
                                0600, &e),
                     0);
    source = (struct kube_config_source){ .list = list };
    c = kube_config_load(&source, &e);
    if (!c)
        fail_msg("%s", e.text);
    assert_string_equal(c->server, "https://10.0.0.1:6443");
    assert_true(str_ends(str_of(c->token_file), "/t") && c->token_file[0] == '/');
    kube_config_destroy(c);

    source = (struct kube_config_source){ .path = "/tmp/no/such/file" };
    assert_null(kube_config_load(&source, &e));
    assert_int_equal(e.code, ERR_NOT_FOUND);
    unlink(one);
    unlink(two);
    rmdir(folder);
}

static void the_pods_account_is_used_inside_a_cluster(void **state)
{
    char folder[] = "/tmp/kube-account-XXXXXX";
    struct kube_config_source source = { .account = folder };
    AUTO_FREE char *token = NULL, *name = NULL;
    struct kube_config *c;
    struct err e;

    (void)state;
    unsetenv("KUBERNETES_SERVICE_HOST");
    assert_null(kube_config_load(&source, &e));
    assert_int_equal(e.code, ERR_NOT_FOUND);
    assert_non_null(mkdtemp(folder));
    setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1);
    setenv("KUBERNETES_SERVICE_PORT", "443", 1);
    assert_null(kube_config_load(&source, &e));
    assert_int_equal(e.code, ERR_IO); /* no token there */
    token = mem_format("%s/token", folder);
    name = mem_format("%s/namespace", folder);
    assert_int_equal(file_write(token, STR("t"), 0600, &e), 0);
    assert_int_equal(file_write(name, STR("sluice-system\n"), 0600, &e), 0);
    c = kube_config_load(&source, &e);
    assert_non_null(c);
    assert_string_equal(c->server, "https://[fd00::1]:443");
    assert_string_equal(kube_config_namespace(c), "sluice-system");
    kube_config_destroy(c);
    unlink(token);
    unlink(name);
    rmdir(folder);
    unsetenv("KUBERNETES_SERVICE_HOST");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_kubeconfig_is_read),
        cmocka_unit_test(a_plugin_is_read),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(kubeconfigs_out_of_secrets_may_not_reach_files_or_programs),
        cmocka_unit_test(of_a_list_of_files_the_first_to_name_a_thing_wins),
        cmocka_unit_test(the_pods_account_is_used_inside_a_cluster),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
