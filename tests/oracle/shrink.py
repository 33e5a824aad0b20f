"""Makes a world that shows a difference as small as possible."""
import copy


def _paths(value, path=()):
    """Every place below a value, outermost first."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        yield path + (key,)
        yield from _paths(inner, path + (key,))


def _without(value, path):
    smaller = copy.deepcopy(value)
    holder = smaller
    for key in path[:-1]:
        holder = holder[key]
    del holder[path[-1]]
    return smaller


def _exists(value, path):
    for key in path:
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and isinstance(key, int) and key < len(value):
            value = value[key]
        else:
            return False
    return True


def _halves(items, shows):
    """Drop runs of list elements, long runs first."""
    size = len(items) // 2
    while size:
        start = 0
        while start < len(items):
            smaller = items[:start] + items[start + size:]
            if shows(smaller):
                items = smaller
            else:
                start += size
        size //= 2
    return items


def shrink(world, shows):
    """world: [documents, Configuration, gates]; shows: does it still differ?"""
    changed = True
    while changed:
        changed = False
        documents = _halves(world[0], lambda smaller: shows([smaller, world[1], world[2]]))
        if len(documents) < len(world[0]):
            world, changed = [documents, world[1], world[2]], True
        for path in list(_paths(world)):
            if len(path) < 2 or not _exists(world, path):
                continue
            smaller = _without(world, path)
            if shows(smaller):
                world, changed = smaller, True
    return world
