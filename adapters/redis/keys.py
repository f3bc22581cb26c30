"""The shape of every key: nothing is kept outside an organization's own part."""

PREFIX = "chamberlog"
"""First word of every key, so that a shared server shows whose it is."""


def latest_reading(organization: str, chamber_id: str) -> str:
    """`chamberlog:{organization}:latest:{chamber}`: a string, `<slot in ms> <packed reading as JSON>`, with a TTL."""
    return f"{PREFIX}:{organization}:latest:{chamber_id}"


def live_events(organization: str) -> str:
    """`chamberlog:{organization}:live`: a stream with a TTL that watchers renew; who publishes finds it or nobody."""
    return f"{PREFIX}:{organization}:live"


def active_chambers(organization: str) -> str:
    """`chamberlog:{organization}:active`: a hash with a TTL; `ticket`, who may keep a list; `list`, columns as JSON."""
    return f"{PREFIX}:{organization}:active"


def rate_limit(traffic: str, subject: str) -> str:
    """`{limit:<class>:<subject>}`, which the library writes behind `chamberlog:`: how often somebody asked lately.

    The window of now is at the key itself, the one before at `.../-1`. Of a subject, not of an organization: who asks
    has the same count wherever he acts, and an address has no organization.
    """
    return f"limit:{traffic}:{subject}"
