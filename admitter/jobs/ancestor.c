#include "admitter/jobs/ancestor.h"

#include <string.h>
#include "quota/base/mem.h"

#define ANCESTOR_LIMIT 10

static bool uid_seen(const char *const *seen, size_t count, const char *uid)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(seen[i], uid) == 0)
            return true;
    return false;
}

/* May the walk go on to this owner? */
static int chain_check(const char *const *seen, size_t count, const char *uid, struct err *e)
{
    if (*uid && uid_seen(seen, count, uid))
        return err_set(e, ERR_INVALID, "cyclic ownership");
    if (count > ANCESTOR_LIMIT)
        return err_set(e, ERR_CONFLICT, "managed owner chain limit reached");
    return 0;
}

static int owner_missing(const struct owner_kind *kind, const char *name, struct err *e)
{
    return err_set(e, ERR_NOT_FOUND, "workload owner not found\n%s%s%s \"%s\" not found",
                   kind->kind, *kind->group ? "." : "", kind->group, name);
}

int ancestor_find(const struct ancestor_search *search, const struct job_owner *owner,
                  const char *uid, const char *namespace, struct arena *arena, struct ancestor *top,
                  struct err *e)
{
    const char *seen[ANCESTOR_LIMIT + 2] = { uid };
    struct job_owner at = *owner;
    size_t count = 1;
    int found = 0;

    while (at.name) {
        int kind = owner_kinds_find(search->kinds, at.api_version, at.kind), answer;
        struct owner_facts facts;

        if (kind < 0)
            return found;
        answer =
            search->find(search->context, (unsigned)kind, namespace, at.name, arena, &facts, e);
        if (answer < 0)
            return owner_missing(&search->kinds->items[kind], at.name, e);
        if (answer == 0 || strcmp(facts.uid, at.uid) != 0)
            return found;
        if (search->kinds->items[kind].is_managed &&
            (search->manage_without_queue_name || *facts.queue_name)) {
            *top = (struct ancestor){ (unsigned)kind, at.name, facts };
            found = 1;
        }
        if (chain_check(seen, count, facts.uid, e) < 0)
            return -1;
        seen[count++] = facts.uid;
        at = facts.owner;
    }
    return found;
}
