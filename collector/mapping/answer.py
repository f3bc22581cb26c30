"""From the bytes of an answer to measurements."""

from collections.abc import Sequence
from dataclasses import dataclass

from collector.domain.errors import DeniedError, MalformedAnswerError
from collector.domain.memory import Memory
from collector.domain.outcome import Measurement
from collector.mapping.circumstances import Circumstances
from collector.mapping.decode import decode
from collector.mapping.excerpt import excerpt
from collector.mapping.identity import serial_number
from collector.mapping.judging import Judgement, told
from collector.mapping.measure import Measured, measure
from collector.mapping.observed_time import device_time
from collector.mapping.profile import Profile
from collector.mapping.select import holds, select, shown
from collector.mapping.steps import one_answer
from collector.mapping.tree import Tree

UNKNOWN = Circumstances()


@dataclass(frozen=True, slots=True)
class MappedAnswer:
    """What an answer says.

    Attributes:
        measurements: in the profile's order; at least one has a value.
        observed_ms: the device's own time, if the profile reads one and it can be trusted.
        memory: what the next reading is judged by; None when the profile judges each by itself.
        remarks: why something is not `good`, or not used, each a sentence that begins with its stage.
    """

    measurements: tuple[Measurement, ...]
    observed_ms: int | None = None
    memory: Memory | None = None
    remarks: tuple[str, ...] = ()


def map_answer(profile: Profile, body: bytes, known: Circumstances = UNKNOWN) -> MappedAnswer:
    """Decode, identity, select, number, unit, time, quality. The same answer and circumstances give the same.

    Raises:
        MalformedAnswerError: detail says stage, path and a short excerpt.
        DeniedError: the device answered and said no.
        MisconfiguredError: a unit that the table does not know, or another device than the chamber's.
    """
    with one_answer():
        return _mapped(profile, decode(profile.body, body), body, known)


def _mapped(profile: Profile, decoded: Tree, body: bytes, known: Circumstances) -> MappedAnswer:
    tree = _rooted(profile, decoded, body)
    _refuse_denial(profile, tree, body)
    serial = serial_number(profile, tree, known)
    measured = [measure(rules, tree) for rules in profile.measurements]
    _refuse_useless(measured, body)
    time = None if profile.time is None else device_time(profile.time, tree, known)
    judgement = Judgement(profile, known, time)
    measurements = judgement.of([one for one in measured if not one.left_out])
    observed_ms = None if time is None else time.observed_ms
    return MappedAnswer(measurements, observed_ms, judgement.memory(serial), tuple(judgement.remarks))


def _rooted(profile: Profile, tree: Tree, body: bytes) -> Tree:
    root = profile.body.root
    if root is None:
        return tree
    found = select(root, tree)
    if not isinstance(found, dict | list):
        raise MalformedAnswerError(f"root: {shown(root)} finds no object; the answer begins {excerpt(body)}")
    return found


def _refuse_denial(profile: Profile, tree: Tree, body: bytes) -> None:
    rule = profile.denied_when
    if rule is not None and holds(select(rule, tree)):
        raise DeniedError(f"denied: {shown(rule)} holds; the answer begins {excerpt(body)}")


def _refuse_useless(measured: Sequence[Measured], body: bytes) -> None:
    useful = False
    for one in measured:
        if one.measurement.value is not None:
            useful = useful or not one.rules.diagnostic
        elif one.rules.required:
            problem = f"{one.stage}: {told(one)}, and it is required"
            raise MalformedAnswerError(f"{problem}; the answer begins {excerpt(body)}")
    if not useful:
        first = next(one for one in measured if not one.rules.diagnostic)
        problem = f"{first.stage}: no measurement has a value; the first, {told(first)}"
        raise MalformedAnswerError(f"{problem}; the answer begins {excerpt(body)}")
