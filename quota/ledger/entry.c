#include "quota/ledger/entry.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "quota/base/mem.h"

/* Copies go through one pass twice: first with 'at' NULL, which only counts. */
struct packer {
    char *at;
    size_t size;
};

static void *pack(struct packer *p, const void *from, size_t size, size_t align)
{
    void *to = NULL;

    p->size = (p->size + align - 1) / align * align;
    if (p->at) {
        to = p->at + p->size;
        if (size > 0)
            memcpy(to, from, size);
    }
    p->size += size;
    return to;
}

static void pack_text(struct packer *p, const char **text)
{
    const char *from = *text ? *text : "";
    char *to = pack(p, from, strlen(from) + 1, 1);

    if (to)
        *text = to;
}

static void pack_text_or_null(struct packer *p, const char **text)
{
    if (*text)
        pack_text(p, text);
}

static void pack_amounts(struct packer *p, const struct ledger_amount **amounts, size_t count)
{
    const struct ledger_amount *from = *amounts;
    struct ledger_amount *to = pack(p, from, count * sizeof(*from), _Alignof(struct ledger_amount));

    for (size_t i = 0; i < count; i++) {
        struct ledger_amount amount = from[i];

        pack_text(p, &amount.flavor);
        pack_text(p, &amount.resource);
        if (to)
            to[i] = amount;
    }
    if (to)
        *amounts = to;
}

static void pack_pod_sets(struct packer *p, struct ledger_intent *intent)
{
    const struct ledger_pod_set *from = intent->pod_sets;
    struct ledger_pod_set *to =
        pack(p, from, intent->pod_set_count * sizeof(*from), _Alignof(struct ledger_pod_set));

    for (size_t i = 0; i < intent->pod_set_count; i++) {
        struct ledger_pod_set pod_set = from[i];

        pack_text(p, &pod_set.name);
        pack_amounts(p, &pod_set.amounts, pod_set.amount_count);
        if (to)
            to[i] = pod_set;
    }
    if (to)
        intent->pod_sets = to;
}

static void pack_identity(struct packer *p, const char **uid, const char **namespace,
                          const char **name, const char **cluster_queue)
{
    pack_text(p, uid);
    pack_text(p, namespace);
    pack_text(p, name);
    pack_text(p, cluster_queue);
}

/* Replaces the pointers in 'r' by copies once p->at is set. */
static void pack_record(struct packer *p, struct ledger_record *r)
{
    switch (r->kind) {
    case LEDGER_INTENT:
        pack_identity(p, &r->intent.uid, &r->intent.namespace, &r->intent.name,
                      &r->intent.cluster_queue);
        pack_pod_sets(p, &r->intent);
        break;
    case LEDGER_RESOLUTION:
        pack_text(p, &r->resolution.reason);
        break;
    case LEDGER_USAGE:
        pack_identity(p, &r->usage.uid, &r->usage.namespace, &r->usage.name,
                      &r->usage.cluster_queue);
        pack_amounts(p, &r->usage.amounts, r->usage.amount_count);
        break;
    case LEDGER_DECISION:
        pack_identity(p, &r->decision.uid, &r->decision.namespace, &r->decision.name,
                      &r->decision.cluster_queue);
        pack_text(p, &r->decision.outcome);
        pack_text(p, &r->decision.reason);
        pack_text(p, &r->decision.message);
        pack_text(p, &r->decision.inputs);
        break;
    case LEDGER_OBJECT:
        pack_text(p, &r->object.kind);
        pack_text(p, &r->object.name);
        pack_text_or_null(p, &r->object.spec);
        break;
    case LEDGER_WORKLOAD:
        pack_identity(p, &r->workload.uid, &r->workload.namespace, &r->workload.name,
                      &r->workload.cluster_queue);
        pack_text(p, &r->workload.queue);
        break;
    case LEDGER_SHARE:
        pack_text(p, &r->share.queue);
        pack_text_or_null(p, &r->share.consumed);
        break;
    }
}

static void entry_drop(struct message *m)
{
    entry_destroy((struct entry *)m);
}

struct entry *entry_of_record(const struct ledger_record *record, ledger_done_fn *done,
                              void *context)
{
    struct ledger_record copy = *record;
    struct packer p = { NULL, sizeof(struct entry) };
    struct entry *entry;

    pack_record(&p, &copy);
    entry = mem_alloc(p.size);
    p = (struct packer){ (char *)entry, sizeof(struct entry) };
    entry->record = *record;
    pack_record(&p, &entry->record);
    entry->message.drop = entry_drop;
    entry->kind = ENTRY_RECORD;
    entry->done = done;
    entry->context = context;
    return entry;
}

struct entry *entry_create(enum entry_kind kind, void *context)
{
    struct entry *entry = mem_alloc(sizeof(*entry));

    entry->message.drop = entry_drop;
    entry->kind = kind;
    entry->context = context;
    return entry;
}

void entry_destroy(struct entry *entry)
{
    if (!entry)
        return;
    free(entry->error);
    free(entry->path);
    free((void *)(uintptr_t)entry->query.workload);
    free((void *)(uintptr_t)entry->query.queue);
    free(entry);
}
