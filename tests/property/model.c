#include "tests/property/model.h"

#include "quota/base/clock.h"

static int least_of(int a, int b)
{
    return a < b ? a : b;
}

static int most_of(int a, int b)
{
    return a > b ? a : b;
}

/* ---- workloads ---- */

int model_held(const struct model_workload *workload, int cell)
{
    int sum = 0;

    if (!workload->exists || !workload->holds)
        return 0;
    for (int s = 0; s < workload->pod_set_count; s++) {
        const struct model_pod_set *set = &workload->pod_sets[s];
        int pods = set->held_count;

        if (workload->told)
            pods = least_of(pods, set->count - set->reclaimed);
        if (set->flavor == cell / RESOURCES)
            sum += pods * set->amounts[cell % RESOURCES];
    }
    return sum;
}

int model_request(const struct model_workload *workload, int resource)
{
    int sum = 0;

    for (int s = 0; s < workload->pod_set_count; s++) {
        const struct model_pod_set *set = &workload->pod_sets[s];

        sum += (set->count - set->reclaimed) * set->amounts[resource];
    }
    return sum;
}

/* ---- the tree (2.2, 2.3) ---- */

static const struct model_node *node_of(const struct model *model, bool is_queue, int index)
{
    return is_queue ? &model->queues[index].node : &model->cohorts[index];
}

bool model_is_cyclic(const struct model *model, bool is_queue, int index)
{
    const struct model_node *node = node_of(model, is_queue, index);
    int steps = 0;

    for (; node->parent != ABSENT; node = &model->cohorts[node->parent])
        if (++steps > COHORTS)
            return true;
    return false;
}

static int local_part(const struct model *model, bool is_queue, int index, int cell)
{
    int lending = node_of(model, is_queue, index)->limits[cell].lending;

    return lending == ABSENT ? 0
                             : most_of(0, model_capacity(model, is_queue, index, cell) - lending);
}

/* Sum over the children of what each passes up. */
static int children_sum(const struct model *model, int cohort, int cell,
                        int (*part)(const struct model *, bool, int, int))
{
    int sum = 0;

    for (int c = 0; c < COHORTS; c++)
        if (model->cohorts[c].parent == cohort)
            sum += part(model, false, c, cell);
    for (int q = 0; q < QUEUES; q++)
        if (model->queues[q].node.exists && model->queues[q].node.parent == cohort)
            sum += part(model, true, q, cell);
    return sum;
}

static int lent_part(const struct model *model, bool is_queue, int index, int cell)
{
    return model_capacity(model, is_queue, index, cell) - local_part(model, is_queue, index, cell);
}

int model_capacity(const struct model *model, bool is_queue, int index, int cell)
{
    int nominal = node_of(model, is_queue, index)->limits[cell].nominal;

    return is_queue ? nominal : nominal + children_sum(model, index, cell, lent_part);
}

static int usage_above(const struct model *model, bool is_queue, int index, int cell)
{
    return most_of(0, model_usage(model, is_queue, index, cell) -
                          local_part(model, is_queue, index, cell));
}

int model_usage(const struct model *model, bool is_queue, int index, int cell)
{
    int sum = 0;

    if (!is_queue)
        return children_sum(model, index, cell, usage_above);
    for (int w = 0; w < WORKLOADS; w++)
        if (model->workloads[w].queue == index)
            sum += model_held(&model->workloads[w], cell);
    return sum;
}

int model_available(const struct model *model, bool is_queue, int index, int cell)
{
    const struct model_node *node = node_of(model, is_queue, index);
    int capacity = model_capacity(model, is_queue, index, cell);
    int usage = model_usage(model, is_queue, index, cell), local, above;

    if (node->parent == ABSENT)
        return capacity - usage;
    local = local_part(model, is_queue, index, cell);
    above = model_available(model, false, node->parent, cell);
    if (node->limits[cell].borrowing != ABSENT)
        above = least_of(above, capacity - local - most_of(0, usage - local) +
                                    node->limits[cell].borrowing);
    return most_of(0, local - usage) + above;
}

/* ---- queues ---- */

bool model_queue_is_active(const struct model *model, int queue)
{
    const struct model_queue *own = &model->queues[queue];

    for (int f = 0; f < FLAVORS; f++)
        if (!model->flavors[f])
            return false;
    return own->node.exists && !own->stopped && (!own->checked || model->check_exists);
}

bool model_is_queued(const struct model *model, const struct model_workload *workload)
{
    const struct model_local *local = &model->locals[workload->namespace][workload->queue];

    return workload->exists && !workload->inactive && !workload->holds && local->exists &&
           !local->stopped && model->queues[workload->queue].node.exists;
}

bool model_may_start(const struct model *model, const struct model_workload *workload)
{
    const struct model_namespace *namespace = &model->namespaces[workload->namespace];

    if (!model_is_queued(model, workload) || !model_queue_is_active(model, workload->queue) ||
        model_is_cyclic(model, true, workload->queue))
        return false;
    if (!namespace->exists || (model->queues[workload->queue].selective && !namespace->chosen))
        return false;
    if (workload->requeue != TIME_NONE && workload->requeue > model->now)
        return false;
    for (int s = 0; s < workload->pod_set_count; s++)
        if (namespace->most_cores != ABSENT &&
            workload->pod_sets[s].amounts[0] > namespace->most_cores)
            return false;
    return true;
}

bool model_fits(const struct model *model, const struct model_workload *workload)
{
    for (int f = 0; f < FLAVORS; f++) {
        bool fits = true;

        for (int r = 0; r < RESOURCES; r++) {
            int available = model_available(model, true, workload->queue, f * RESOURCES + r);

            fits = fits && most_of(0, available) >= model_request(workload, r);
        }
        if (fits)
            return true;
    }
    return false;
}

static int64_t queue_time(const struct model_workload *workload)
{
    bool moves = workload->eviction == EVICTION_PODS_READY || workload->eviction == EVICTION_CHECK;

    return moves ? workload->evicted : workload->created;
}

bool model_before(const struct model *model, int a, int b)
{
    const struct model_workload *left = &model->workloads[a], *right = &model->workloads[b];

    if (left->priority != right->priority)
        return left->priority > right->priority;
    if (queue_time(left) != queue_time(right))
        return queue_time(left) < queue_time(right);
    return a < b;
}
