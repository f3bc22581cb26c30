"""What several services answer with: instants, durations, words of a closed list."""

from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.timestamp_pb2 import Timestamp


def moment(instant_ms: int) -> Timestamp:
    """An instant."""
    return Timestamp(seconds=instant_ms // 1000, nanos=instant_ms % 1000 * 1_000_000)


def moment_or_none(instant_ms: int | None) -> Timestamp | None:
    """An instant, if there is one."""
    return None if instant_ms is None else moment(instant_ms)


def duration(milliseconds: int) -> Duration:
    """A length of time that is not negative."""
    return Duration(seconds=milliseconds // 1000, nanos=milliseconds % 1000 * 1_000_000)


def duration_or_none(milliseconds: int | None) -> Duration | None:
    """A length of time, if there is one."""
    return None if milliseconds is None else duration(milliseconds)


def number_of(kind: EnumTypeWrapper, word: str | None) -> Any:
    """The number of `paused` in `ChamberStatus`; 0 for none, and for a word that the proto does not know yet."""
    prefix = kind.Name(0).removesuffix("UNSPECIFIED")
    name = f"{prefix}{word.upper().replace('-', '_')}" if word else ""
    return kind.Value(name) if name in kind.keys() else 0  # noqa: SIM118  # it is no mapping
