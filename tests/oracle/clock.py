"""Points in time as nanoseconds since 1970, and their text forms."""
import datetime
import re

SECOND = 10**9
_UNITS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND}


def parse(text):
    """RFC 3339, UTC, to the second."""
    moment = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)
    return int(moment.timestamp()) * SECOND


def render(nanoseconds):
    """RFC 3339 with as many digits of a second as needed."""
    moment = datetime.datetime.fromtimestamp(nanoseconds // SECOND, datetime.timezone.utc)
    rest = nanoseconds % SECOND
    digits = f".{rest:09d}".rstrip("0") if rest else ""
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + digits + "Z"


def duration(text):
    """A Go duration."""
    return sum(int(float(number) * _UNITS[unit]) for number, unit in re.findall(r"([0-9.]+)(ns|us|ms|s|m|h)", text))
