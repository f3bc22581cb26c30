"""Any text, by a regular expression with named groups."""

from functools import lru_cache

import regex

from collector.mapping.body_rules import BodyRules
from collector.mapping.decoders.refusals import UndecodableError
from collector.mapping.tree import Tree, Unended

TIME_LIMIT_S = 0.1
"""Of the process's CPU. The recorded shapes take microseconds; a pattern that explodes must not hold up the worker."""
TEXT_LIMIT, GROUPS_LIMIT = 40_000, 160_000
"""Characters, and characters times groups: a group that is repeated for each character keeps 80 bytes of each."""


def decode(rules: BodyRules, text: str) -> Tree:
    """Find the pattern once; what it finds anywhere in the text counts.

    Raises:
        UndecodableError: it is not there, or takes too long.
    """
    pattern = _compiled(rules.pattern or "")
    limit = min(TEXT_LIMIT, GROUPS_LIMIT // pattern.groups)
    if len(text) > limit:
        raise UndecodableError(f"more than {limit:,} characters")
    try:
        found = pattern.search(text, timeout=TIME_LIMIT_S)
    except TimeoutError:
        raise UndecodableError(f"the pattern takes longer than {TIME_LIMIT_S} s") from None
    except (MemoryError, RecursionError):
        raise UndecodableError("the pattern takes too much memory") from None
    if found is None:
        raise UndecodableError("the pattern is not found")
    groups = {name: text for name, text in found.groupdict().items() if text is not None}
    return groups if rules.ends_with else {name: Unended(text) for name, text in groups.items()}


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> regex.Pattern[str]:
    return regex.compile(pattern, cache_pattern=False)
