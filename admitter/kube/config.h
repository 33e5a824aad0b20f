/* config.h - where the API server is and who we are to it.
 *
 * Reads kubeconfig files or the service account of the pod. The result does not change after
 * loading and may be shared by threads and clients; what changes with time (token files, CA files,
 * exec plugins) is re-read by the client. Rules: spec/process.md "Kubeconfig". */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include "quota/base/err.h"
#include "quota/base/str.h"

/* A credential plugin of client.authentication.k8s.io v1 or v1beta1. */
struct kube_exec {
    char *api_version;
    char **arguments;   /* NULL-terminated; [0] is the command */
    char **environment; /* NULL-terminated "NAME=value" to add */
    bool cluster_info;  /* provideClusterInfo */
};

/* All texts NULL when absent. Of a file and inline data the inline data counts. */
struct kube_config {
    char *source; /* where this came from, for messages */
    char *server; /* "https://host:port[/prefix]", no slash at the end */
    char *default_namespace;
    char *tls_server_name; /* name to check the server's certificate against */
    char *proxy_url;
    bool insecure; /* the server's certificate is not checked */
    char *authority_file, *certificate_file, *key_file, *token_file;
    char *authority, *certificate, *key; /* PEM */
    char *token;
    char *username, *password; /* basic authentication, both or none */
    char *impersonate;
    struct kube_exec *exec;
};

/* Options of kube_config_load; all may be NULL. */
struct kube_config_source {
    const char *path;    /* --kubeconfig: this file only */
    const char *list;    /* KUBECONFIG: files joined by ':'; the first to name a thing wins */
    const char *context; /* instead of current-context */
    const char *account; /* folder of the service account
                            [/var/run/secrets/kubernetes.io/serviceaccount] */
};

/* 'path', else 'list' when not empty, else the pod's account (KUBERNETES_SERVICE_HOST and _PORT).
 * ERR_INVALID names file, field and value; ERR_NOT_FOUND: a named file is missing, or nothing at
 * all is configured; ERR_IO. The caller destroys the result. */
struct kube_config *kube_config_load(const struct kube_config_source *source, struct err *e);
/* One kubeconfig given as bytes; relative file names count from 'folder' (NULL: no files allowed,
 * and no exec plugins: for kubeconfigs out of Secrets). */
struct kube_config *kube_config_parse(struct str bytes, const char *name, const char *folder,
                                      const char *context, struct err *e);
void kube_config_destroy(struct kube_config *config); /* NULL is fine; secrets are wiped */

/* The namespace of the pod, else of the context, else NULL. Borrowed. */
const char *kube_config_namespace(const struct kube_config *config);
