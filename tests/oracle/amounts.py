"""Amounts: quantities in, integers in base units for deciding, quantities out (scheduling.md 0.1, 0.2).

cpu is counted in milli-cores, everything else in whole units. UNLIMITED is INT64_MAX.
"""
from fractions import Fraction

UNLIMITED = 2**63 - 1
LOWEST = -(2**63)

DECIMAL = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"]
BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]
SCALE = {suffix: Fraction(1000) ** (index - 3) for index, suffix in enumerate(DECIMAL)}
SCALE.update({suffix: Fraction(1024) ** index for index, suffix in enumerate(BINARY) if suffix})


def parse(text):
    """The exact value of a Kubernetes quantity."""
    text = str(text)
    for suffix in sorted(SCALE, key=len, reverse=True):
        if suffix and text.endswith(suffix) and "e" not in text:
            return Fraction(text[: -len(suffix)]) * SCALE[suffix]
    return Fraction(text)


def is_binary_notation(text):
    return str(text).endswith("i")


def units(resource, value):
    """Rounded up to base units, without bounds."""
    scaled = value * 1000 if resource == "cpu" else value
    return -((-scaled) // 1)


def quota(resource, text):
    """A nominal quota or limit."""
    value = parse(text)
    limit = UNLIMITED // 1000 if resource == "cpu" else UNLIMITED
    return UNLIMITED if value >= limit else int(units(resource, value))


def clamp(value):
    return max(LOWEST, min(UNLIMITED, value))


def request(resource, value):
    """A request, from its exact value."""
    return clamp(int(units(resource, value)))


def add(a, b):
    return UNLIMITED if UNLIMITED in (a, b) else clamp(a + b)


def subtract(a, b):
    if a == UNLIMITED:
        return 0 if b == UNLIMITED else UNLIMITED
    return LOWEST if b == UNLIMITED else clamp(a - b)


def divide(a, b):
    """Toward zero; 0/0 stays 0."""
    if b == 0:
        return 0
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) == (b < 0) else -quotient


def is_binary(resource):
    return resource in ("memory", "ephemeral-storage") or resource.startswith("hugepages-")


def _factored(value, suffixes, base):
    index = 0
    while value and value % base == 0 and index + 1 < len(suffixes):
        value //= base
        index += 1
    return f"{value}{suffixes[index]}"


def render(resource, value):
    """The canonical quantity of a number in base units."""
    if resource == "cpu":
        return "0" if value == 0 else _factored(value, DECIMAL[2:], 1000)
    if is_binary(resource) and value % 1024 == 0 and abs(value) >= 1024:
        return _factored(value, BINARY, 1024)
    return _factored(value, DECIMAL[3:], 1000)


def render_amount(resource, value):
    """As render, for quotas and what is left of them."""
    return "<unlimited>" if value == UNLIMITED else render(resource, value)


def hash_order(names):
    """Resource names in the order in which requests are looked at (0.3)."""

    def fnv(name):
        state = 0xCBF29CE484222325
        for byte in name.encode():
            state = ((state ^ byte) * 0x100000001B3) % 2**64
        return state

    return sorted(names, key=lambda name: (fnv(name), name))
