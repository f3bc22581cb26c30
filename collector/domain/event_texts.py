"""What an audit event says in words: the thing that an operation was about, and texts that give no secret away."""

import re
from collections.abc import Callable, Mapping

from collector.domain.access import Operation
from collector.domain.settling import clean

TARGET_LIMIT = 200
"""Characters of a target: whoever asks for what cannot be there chooses the path."""
TEXT_LIMIT = 1_024
MASK = "***"
_CREDENTIAL = re.compile(r"\b(ch[a-z]_[0-9a-f]{12}_)[A-Za-z0-9_-]{8,}")
_USER_INFO = re.compile(r"(://)[^/\s@\"'<>]{1,200}@")


def target_of(operation: Operation, path: str) -> str:
    """The thing in the path, `chamber/incubator-3`; empty where the path names none (it is about the organization)."""
    kind, name = next(iter(_places(operation, path)), ("", ""))
    return f"{kind}/{clean(name)}"[:TARGET_LIMIT] if kind else ""


def beside_target(operation: Operation, path: str) -> dict[str, str]:
    """What else the path names: `{"detector": "temperature"}`, `{"operation": "power-test"}`."""
    return {kind: clean(name)[:TARGET_LIMIT] for kind, name in _places(operation, path)[1:]}


def harmless(text: str, limit: int = TEXT_LIMIT) -> str:
    """The text as an event keeps it: cut, storable, and `***` for credentials of ours and for user-info in URLs."""
    cut = clean(text[: 4 * limit])
    return _USER_INFO.sub(rf"\1{MASK}@", _CREDENTIAL.sub(rf"\1{MASK}", cut))[:limit]


def each_text(value: object, change: Callable[[str], str]) -> object:
    """A value of an event's detail with every text in it changed, names of objects too."""
    match value:
        case str():
            return change(value)
        case Mapping():
            return {change(str(name)): each_text(inner, change) for name, inner in value.items()}
        case list() | tuple():
            return [each_text(inner, change) for inner in value]
    return value


def _places(operation: Operation, path: str) -> list[tuple[str, str]]:
    """Kind and value of each place of the operation's path, in order."""
    if operation.http is None:
        return []
    wanted, given = operation.http[1].split("/"), path.split("/")
    if len(wanted) != len(given):
        return []
    pairs = [(name[1:-1], value) for name, value in zip(wanted, given, strict=True) if name.startswith("{")]
    return [(name.removesuffix("_id").removesuffix("_name"), value) for name, value in pairs]
