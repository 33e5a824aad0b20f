#include "admitter/bundle_watch.h"

#include <stdlib.h>
#include "admitter/kube/reflector.h"
#include "quota/base/mem.h"

struct bundle_watch {
    bundle_changed_fn *changed;
    void *context;
    struct kube_reflector *places[CERTIFICATES_PLACES];
};

/* What is listed at first was published to a moment ago. */
static void place_changed(void *context, const struct kube_change *change)
{
    const struct bundle_watch *watch = context;

    if (!change->listing && (change->kind == KUBE_ADDED || change->kind == KUBE_MODIFIED))
        watch->changed(watch->context);
}

struct bundle_watch *bundle_watch_create(struct kube_client *client,
                                         const struct certificates *certificates,
                                         bundle_changed_fn *changed, void *context)
{
    struct bundle_watch *watch = mem_alloc(sizeof(*watch));

    watch->changed = changed;
    watch->context = context;
    for (unsigned i = 0; i < CERTIFICATES_PLACES; i++) {
        struct kube_reflector_options options = {
            .metadata_only = true, .optional = true, .change = place_changed, .context = watch
        };
        AUTO_FREE char *name = certificates_place(certificates, i, &options.resource);
        AUTO_FREE char *selector = mem_format("metadata.name=%s", name);

        options.field_selector = selector;
        watch->places[i] = kube_reflector_create(client, &options);
    }
    return watch;
}

void bundle_watch_destroy(struct bundle_watch *watch)
{
    if (!watch)
        return;
    for (unsigned i = 0; i < CERTIFICATES_PLACES; i++)
        kube_reflector_destroy(watch->places[i]);
    free(watch);
}
