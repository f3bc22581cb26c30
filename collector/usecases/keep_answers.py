"""Which answers of devices are kept for people, and how: seldom, short, and without secrets."""

import hashlib
import logging
import re
from dataclasses import dataclass

from collector.domain.chamber import ChamberSpec
from collector.domain.errors import ChamberlogError, MalformedAnswerError, SlotFailedError
from collector.mapping.answer import MappedAnswer, map_answer
from collector.mapping.masking import blanked, masked
from collector.mapping.profile import Profile
from collector.ports import AnswerKeeper, AnswerKind, ChamberAnswer
from collector.ports.answers import ANSWER_LIMIT

REFRESH_MS = 600_000
"""A kept answer is refreshed so seldom while nothing about it changes."""
FLOOR_MS = 10_000
"""And never more often, however its answers alternate."""
MARKS_LIMIT = 50_000
"""Chambers and kinds that a process remembers, at 200 bytes each: beyond, the oldest are kept once more."""
REMARKS_LIMIT, REMARK_LIMIT = 32, 500
_VARYING = b"0123456789.+-"
_FIGURES = re.compile(r"[-+]?\d[\d.,:]*")
_KEYS = re.compile(rb"\b[A-Za-z_][\w-]*(?=[\"']?\s?[:=>{])")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer as it came.

    Attributes:
        spec: of the chamber.
        profile: that reads it.
        slot_ms: for which slot.
        received_ms: when it had come.
        body: decompressed.
        secret: the chamber's own, resolved.
    """

    spec: ChamberSpec
    profile: Profile
    slot_ms: int
    received_ms: int
    body: bytes
    secret: str | None = None


@dataclass(slots=True)
class _Marks:
    """What an answer is recognised by; `shape` is cheap, and the same one has the same keys."""

    kept_ms: int
    spec_version: int
    said: str
    shape: int
    keys: int


class KeepAnswers:
    """Offers the answers that are worth keeping.

    Of each chamber and kind: the first one; one whose keys, remarks or problem differ, or that follows one of the other
    kind; else one in ten minutes. All others cost a look at their shape.
    """

    def __init__(self, keeper: AnswerKeeper) -> None:
        self._keeper = keeper
        self._marks: dict[tuple[str, AnswerKind], _Marks] = {}
        self._kinds: dict[str, AnswerKind] = {}

    def success(self, seen: Seen, mapped: MappedAnswer) -> None:
        """An answer that was read. Never raises."""
        self._take(seen, AnswerKind.SUCCESS, "", mapped.remarks)

    def failure(self, seen: Seen, error: Exception) -> None:
        """An answer that could not be read, and why. Never raises."""
        if not isinstance(error, SlotFailedError):
            error = MalformedAnswerError(f"defect: {type(error).__name__}")
        self._take(seen, AnswerKind.FAILURE, f"{error.reason.value}: {error.detail}", ())

    def _take(self, seen: Seen, kind: AnswerKind, problem: str, remarks: tuple[str, ...]) -> None:
        try:
            if self._is_worth_it(seen, kind, _FIGURES.sub("#", " ".join((problem.partition(";")[0], *remarks)))):
                self._keeper.offer(_answer(seen, kind, problem, remarks))
        except Exception:
            log.exception("an answer of chamber %s could not be kept", seen.spec.id)

    def _is_worth_it(self, seen: Seen, kind: AnswerKind, said: str) -> bool:
        key, spec = (seen.spec.id, kind), seen.spec
        other = self._kinds.get(spec.id, kind) is not kind
        self._kinds[spec.id] = kind
        before = self._marks.get(key)
        head = seen.body[:ANSWER_LIMIT]
        shape = hash(head.translate(None, _VARYING))
        same_shape = before is not None and before.shape == shape
        keys = before.keys if before is not None and same_shape else hash(frozenset(_KEYS.findall(head)))
        marks = _Marks(seen.received_ms, spec.version, said, shape, keys)
        if before is not None:
            age_ms = abs(seen.received_ms - before.kept_ms)
            different = other or (before.spec_version, before.said, before.keys) != (marks.spec_version, said, keys)
            if age_ms < (FLOOR_MS if different else REFRESH_MS):
                before.shape = shape if keys == before.keys else before.shape
                return False
        self._remember(key, marks)
        return True

    def _remember(self, key: tuple[str, AnswerKind], marks: _Marks) -> None:
        self._marks.pop(key, None)
        self._marks[key] = marks
        if len(self._marks) > MARKS_LIMIT:
            chamber_id, kind = next(iter(self._marks))
            del self._marks[chamber_id, kind]
            self._kinds.pop(chamber_id, None)


def _answer(seen: Seen, kind: AnswerKind, problem: str, remarks: tuple[str, ...]) -> ChamberAnswer:
    return ChamberAnswer(
        chamber_id=seen.spec.id,
        kind=kind,
        slot_ms=seen.slot_ms,
        received_ms=seen.received_ms,
        body=_shown(seen, kind)[:ANSWER_LIMIT],
        size=len(seen.body),
        sha256=hashlib.sha256(seen.body).digest(),
        problem=_told(problem, seen.secret),
        remarks=tuple(_told(remark, seen.secret) for remark in remarks[:REMARKS_LIMIT]),
        spec_version=seen.spec.version,
        profile_version=seen.spec.profile_version,
    )


def _told(text: str, secret: str | None) -> str:
    return blanked(text.encode(errors="replace"), secret).decode()[:REMARK_LIMIT]


def _shown(seen: Seen, kind: AnswerKind) -> bytes:
    """The body without secrets; where a number behind such a name is what is measured, it stays."""
    head = seen.body[:ANSWER_LIMIT]
    shown = masked(head, seen.secret)
    if kind is AnswerKind.FAILURE or shown == head or len(seen.body) > ANSWER_LIMIT or _same(seen, shown):
        return shown
    milder = masked(head, seen.secret, numbers=False)
    return milder if _same(seen, milder) else shown


def _same(seen: Seen, shown: bytes) -> bool:
    try:
        return map_answer(seen.profile, shown).measurements == map_answer(seen.profile, seen.body).measurements
    except ChamberlogError:
        return False
