/* shape_private.h - shared by shape.c, shape_key.c and shape_copy.c, and nobody else. */
#pragma once

#include "quota/engine/shape.h"

/* ---- shape_key.c: canonical bytes, appended to a buffer ---- */

/* Everything that a pod set says but its count. */
void key_pod_set(struct strbuf *key, const struct pod_set *pod_set);
void key_template(struct strbuf *key, const struct pod_template *pod);
void key_devices(struct strbuf *key, const struct device_requests *devices);
void key_text(struct strbuf *key, const char *text); /* NULL differs from "" */
/* What 3.9 compares, of the adjusted template. */
void key_equivalence(struct strbuf *key, const struct pod_set *pod_set,
                     const struct pod_template *adjusted, struct amounts requests,
                     const char *allowed_flavors);

/* ---- shape_copy.c: copies of facts in one piece of memory ---- */

/* Made in two passes over the same calls: the first with memory NULL only counts. */
struct packer {
    char *memory;
    size_t used;
};
void *pack_take(struct packer *p, size_t size); /* 16-byte aligned; NULL in the first pass */
void pack_pod_set(struct packer *p, const struct pod_set *from, struct pod_set *to);
void pack_template(struct packer *p, const struct pod_template *from, struct pod_template *to);
