"""Which answers are kept: the first, each change, else one in ten minutes; short, masked, and never in the way."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from adapters.memory import InMemoryLedger, InMemoryProfiles
from adapters.profile_files import FileProfiles, builtin_profiles_folder
from adapters.secrets import FileAndEnvSecrets
from collector.domain.chamber import ChamberSpec
from collector.domain.egress import EgressPolicies
from collector.domain.errors import MalformedAnswerError, SlotFailedError
from collector.mapping.answer import MappedAnswer, map_answer
from collector.mapping.measurement_rules import MeasurementRules
from collector.mapping.profile import Profile
from collector.ports import AnswerKind, ChamberAnswer
from collector.ports.answers import ANSWER_LIMIT
from collector.usecases.fetch import FetchReading
from collector.usecases.keep_answers import FLOOR_MS, REFRESH_MS, KeepAnswers, Seen
from collector.usecases.map_answer import MapAnswer
from collector.usecases.profiles import PinnedProfiles
from tests.unit.jumping_time import NOON_MS, JumpingClock, in_jumping_time
from tests.unit.round_doubles import Answer, ScriptedDevices
from tests.unit.round_stage import chamber

SUCCESS, FAILURE = AnswerKind.SUCCESS, AnswerKind.FAILURE


def profile(select: str = "t") -> Profile:
    return Profile(name="own", measurements=(MeasurementRules(name="temperature", select=select, unit="Cel"),))


class Keeper:
    """`AnswerKeeper` that remembers, or fails."""

    def __init__(self, offered: Callable[[ChamberAnswer], None] | None = None) -> None:
        self.kept: list[ChamberAnswer] = []
        self.offer = offered or self.kept.append


class Desk:
    """The use case over a keeper, and answers of one chamber second by second."""

    def __init__(self, keeper: Keeper | None = None) -> None:
        self.keeper = keeper or Keeper()
        self.keep = KeepAnswers(self.keeper)

    def success(self, at_ms: int, body: bytes, remarks: tuple[str, ...] = (), **changes: Any) -> None:
        seen = self.seen(at_ms, body, **changes)
        self.keep.success(seen, MappedAnswer((), remarks=remarks))

    def failure(self, at_ms: int, body: bytes, error: Exception) -> None:
        self.keep.failure(self.seen(at_ms, body), error)

    def seen(self, at_ms: int, body: bytes, secret: str | None = None, by: Profile | None = None, **spec: Any) -> Seen:
        return Seen(chamber(1, **spec), by or profile(), NOON_MS + at_ms, NOON_MS + at_ms + 90, body, secret)

    @property
    def when(self) -> list[int]:
        return [answer.slot_ms - NOON_MS for answer in self.keeper.kept]


def body(t: float, more: str = "") -> bytes:
    return f'{{"t": {t}, "at": "2026-03-01T12:{int(t) % 60:02}:00Z"{more}}}'.encode()


def test_the_first_is_kept_and_then_one_in_ten_minutes() -> None:
    desk = Desk()
    for second in range(1_500):
        desk.success(second * 1_000, body(20 + second % 7))
    assert desk.when == [0, REFRESH_MS, 2 * REFRESH_MS]
    answer = desk.keeper.kept[0]
    assert (answer.body, answer.size, answer.sha256) == (body(20), len(body(20)), hashlib.sha256(body(20)).digest())
    assert (answer.kind, answer.problem, answer.received_ms) == (SUCCESS, "", NOON_MS + 90)
    assert not answer.truncated


def test_a_change_of_keys_remarks_or_settings_is_kept_at_once_but_no_oftener_than_the_floor() -> None:
    desk = Desk()
    desk.success(0, body(20))
    desk.success(FLOOR_MS, body(21, ', "new": 1'))
    desk.success(FLOOR_MS + 1_000, body(21))  # back again, too soon
    desk.success(2 * FLOOR_MS, body(21))
    desk.success(3 * FLOOR_MS, body(21), ("range: 99.5 is above 40",))
    desk.success(4 * FLOOR_MS, body(21), ("range: 98.1 is above 40",))  # only the figure differs
    desk.success(5 * FLOOR_MS, body(21), version=2)
    assert desk.when == [0, FLOOR_MS, 2 * FLOOR_MS, 3 * FLOOR_MS, 5 * FLOOR_MS]
    assert desk.keeper.kept[3].remarks == ("range: 99.5 is above 40",)
    assert desk.keeper.kept[4].spec_version == 2


def test_each_kind_is_kept_when_it_follows_the_other() -> None:
    desk, refused = Desk(), MalformedAnswerError("decode: not JSON at character 17; the answer begins 'x'")
    desk.success(0, body(20))
    desk.failure(1_000, b"<html>", refused)
    desk.failure(30_000, b"<html>", MalformedAnswerError("decode: not JSON at character 4; the answer begins 'y'"))
    desk.success(31_000, body(20))
    desk.failure(61_000, b"<html>", refused)
    desk.failure(72_000, b"<html>", ZeroDivisionError())
    assert [(answer.kind, when // 1_000) for answer, when in zip(desk.keeper.kept, desk.when, strict=True)] == [
        (SUCCESS, 0),
        (FAILURE, 1),
        (SUCCESS, 31),
        (FAILURE, 61),
        (FAILURE, 72),
    ]
    assert desk.keeper.kept[1].problem == f"malformed: {refused.detail}"
    assert desk.keeper.kept[4].problem == "malformed: defect: ZeroDivisionError"


def test_chambers_are_looked_at_apart() -> None:
    desk = Desk()
    for name in ("a", "b", "a"):
        desk.success(0, body(20), id=name)
    assert [answer.chamber_id for answer in desk.keeper.kept] == ["a", "b"]


def test_a_long_answer_is_cut_and_says_so() -> None:
    desk, long = Desk(), b'{"t": "' + b"x" * ANSWER_LIMIT
    desk.success(0, long)
    [answer] = desk.keeper.kept
    assert (answer.body, answer.size, answer.truncated) == (long[:ANSWER_LIMIT], len(long), True)
    assert answer.sha256 == hashlib.sha256(long).digest()


def test_secrets_are_masked_and_the_hash_is_of_what_came() -> None:
    desk, came = Desk(), b'{"t": 21.5, "wifi_password": "x", "echo": "geheim!"}'
    desk.success(0, came, ("select: x is 'geheim!'",), secret="me:geheim!")
    [answer] = desk.keeper.kept
    assert answer.remarks == ("select: x is '***'",)
    assert answer.body == b'{"t": 21.5, "wifi_password": "***", "echo": "***"}'
    assert map_answer(profile(), answer.body) == map_answer(profile(), came)
    assert answer.sha256 == hashlib.sha256(came).digest()


def test_a_number_behind_such_a_name_stays_where_it_is_what_is_measured() -> None:
    desk = Desk()
    desk.success(0, b'{"pass_temp": 21.5, "password": "x"}', by=profile("pass_temp"))
    assert desk.keeper.kept[0].body == b'{"pass_temp": 21.5, "password": "***"}'
    desk.success(FLOOR_MS, b'{"pass_temp": "21.5 C"}', by=profile("pass_temp"))  # a text: better masked than shown
    assert desk.keeper.kept[1].body == b'{"pass_temp": "***"}'


def test_a_keeper_that_fails_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    def refuse(_: ChamberAnswer) -> None:
        raise RuntimeError("no")

    Desk(Keeper(refuse)).success(0, body(20))
    assert "could not be kept" in caplog.text


class Room:
    """`FetchReading` with a keeper."""

    def __init__(self) -> None:
        self.clock, self.keeper = JumpingClock(), Keeper()
        self.devices, self.ledger = ScriptedDevices(self.clock), InMemoryLedger()
        self.fetch = FetchReading(
            self.devices,
            PinnedProfiles(FileProfiles([builtin_profiles_folder()]), InMemoryProfiles(self.ledger)),
            FileAndEnvSecrets({"LAB3": "geheim!"}),
            EgressPolicies(),
            self.clock,
            mapping=MapAnswer(KeepAnswers(self.keeper)),
        )

    async def read(self, *bodies: bytes, **changes: Any) -> ChamberSpec:
        self.devices.script.extend(Answer(30, body=body) for body in bodies)
        spec = chamber(60, version=3, **changes)
        for _ in bodies:
            try:
                await self.fetch(spec, NOON_MS, 1_500)
            except SlotFailedError:
                self.clock.now_ms()
        return spec


@in_jumping_time
async def test_a_reading_and_a_failure_that_had_a_body_are_offered_with_what_is_known_of_them() -> None:
    room = Room()
    await room.read(b'{"temperature": 21.5, "x": "geheim!"}', b"<html>geheim!", secret_ref="env:LAB3")
    good, bad = room.keeper.kept
    assert (good.kind, good.body) == (SUCCESS, b'{"temperature": 21.5, "x": "***"}')
    assert (good.chamber_id, good.slot_ms, good.received_ms) == ("incubator-3", NOON_MS, NOON_MS + 30)
    assert (good.spec_version, good.profile_version) == (3, "")
    assert (bad.kind, bad.body) == (FAILURE, b"<html>***")
    assert bad.problem.startswith("malformed: decode: ")


@in_jumping_time
async def test_a_profile_that_is_not_at_hand_costs_the_attempt_and_the_device_is_not_asked() -> None:
    room = Room()
    room.ledger.away = True
    await room.read(b"{}", profile_version="0123456789ab")
    assert (room.keeper.kept, room.devices.calls) == ([], [])
