/* object_meta.h - metadata of a Kubernetes object, decoded. Plain data in the caller's arena. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "quota/engine/model.h"

struct owner_reference {
    const char *api_version, *kind, *name, *uid;
    bool controller;
};

struct object_meta { /* texts are "" when absent */
    const char *namespace, *name, *uid, *resource_version;
    int64_t generation;
    int64_t created; /* creationTimestamp; TIME_NONE when absent */
    int64_t deleted; /* deletionTimestamp; TIME_NONE: not being deleted */
    struct label *labels, *annotations;
    size_t label_count, annotation_count;
    const char **finalizers;
    size_t finalizer_count;
    struct owner_reference *owners;
    size_t owner_count;
};

/* The value, or NULL when absent. */
const char *object_meta_label(const struct object_meta *meta, const char *key);
const char *object_meta_annotation(const struct object_meta *meta, const char *key);
