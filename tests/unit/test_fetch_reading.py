"""One attempt to read a chamber: what is asked, what becomes of the answer, what a failure is called."""

import asyncio
import logging

import pytest

from adapters.memory import InMemoryLedger, InMemoryProfiles, InMemoryRegistry
from adapters.profile_files import FileProfiles, builtin_profiles_folder
from adapters.secrets import FileAndEnvSecrets
from collector.domain.chamber import ChamberSpec
from collector.domain.egress import EgressPolicies, EgressPolicy, parse_rule
from collector.domain.errors import (
    DeniedError,
    DeviceTimeoutError,
    DeviceUnreachableError,
    InvalidFieldError,
    MalformedAnswerError,
    MisconfiguredError,
    SlotFailedError,
)
from collector.domain.outcome import GapReason, Reading
from collector.domain.profile_document import unknown_profile
from collector.mapping.credentials import Credentials
from collector.mapping.measurement_rules import MeasurementRules
from collector.mapping.profile import Profile
from collector.mapping.request_rules import RequestRules
from collector.usecases.enrol import CheckSpec
from collector.usecases.fetch import FetchReading
from collector.usecases.profiles import OfferedProfiles
from tests.unit.jumping_time import NOON_MS, JumpingClock, in_jumping_time
from tests.unit.round_doubles import Answer, ScriptedDevices
from tests.unit.round_stage import PROFILES, chamber

LAB = EgressPolicy((parse_rule("192.168.1.0/24:80"),))
TEMPERATURE = MeasurementRules(name="temperature", select="t", unit="Cel", required=True)


class OneProfile:
    """`SpecProfiles` of one profile, which takes its time."""

    def __init__(self, profile: Profile, takes_s: float = 0.0) -> None:
        self._profile, self._takes_s = profile, takes_s

    async def of(self, spec: ChamberSpec) -> Profile:
        await asyncio.sleep(self._takes_s)
        if spec.profile != self._profile.name:
            raise unknown_profile(spec, self._profile.name)
        return self._profile


class Room:
    """`FetchReading` over a scripted device."""

    def __init__(self, profile: Profile | None = None, *, takes_s: float = 0.0, **environment: str) -> None:
        self.clock = JumpingClock()
        self.devices = ScriptedDevices(self.clock)
        self._fetch = FetchReading(
            self.devices,
            OneProfile(profile, takes_s) if profile else PROFILES,
            FileAndEnvSecrets({"CHAMBERLOG_SECRET_FOLDERS": "/nowhere", **environment}),
            EgressPolicies({"default/default": LAB}),
            self.clock,
        )

    async def read(self, spec: ChamberSpec, budget_ms: int = 1_500) -> Reading:
        return (await self._fetch(spec, NOON_MS, budget_ms)).reading

    async def failure(self, spec: ChamberSpec) -> SlotFailedError:
        with pytest.raises(SlotFailedError) as caught:
            await self.read(spec)
        return caught.value


@in_jumping_time
async def test_the_request_is_what_profile_spec_and_policy_say() -> None:
    profile = Profile(
        name="own",
        measurements=(TEMPERATURE,),
        request=RequestRules(path="/now?all=1", headers={"Accept": "application/json"}, auth="bearer", max_bytes=900),
    )
    room = Room(profile, LAB3_TOKEN="s3cret")
    room.devices.script.append(Answer(body=b'{"t": 4.5}'))
    spec = chamber(60, profile="own", url="http://192.168.1.20", secret_ref="env:LAB3_TOKEN", version=4)
    reading = await room.read(spec, budget_ms=1_234)
    (call,) = room.devices.calls
    assert call.request.url == "http://192.168.1.20/now?all=1"
    assert call.request.headers == {"Accept": "application/json", "Authorization": "Bearer s3cret"}
    assert (call.request.budget_ms, call.request.max_bytes, call.request.verify_tls) == (1_234, 900, True)
    assert call.request.egress == LAB
    assert reading.spec_version == 4


@in_jumping_time
async def test_a_slow_look_up_of_the_profile_leaves_less_for_the_device_or_does_not_ask_it() -> None:
    profile = Profile(name="own", measurements=(TEMPERATURE,))
    room = Room(profile, takes_s=1.0)
    room.devices.script.append(Answer(body=b'{"t": 4.5}'))
    await room.read(chamber(60, profile="own"))
    assert [call.request.budget_ms for call in room.devices.calls] == [500]
    late = Room(profile, takes_s=1.45)
    error = await late.failure(chamber(60, profile="own"))
    assert (error.reason, error.retryable, late.devices.calls) == (GapReason.MISSED, True, [])


@in_jumping_time
async def test_another_section_has_another_policy_and_self_signed_certificates_are_the_owners_choice() -> None:
    room = Room()
    await room.read(chamber(60, section="cold-store", verify_tls=False))
    (call,) = room.devices.calls
    assert (call.request.egress, call.request.verify_tls) == (EgressPolicy(), False)


@in_jumping_time
async def test_a_wall_clock_that_jumps_does_not_stretch_the_fetch() -> None:
    room = Room()
    room.devices.script.append(Answer(200))
    jump = 3_600_000

    def set_back() -> None:
        room.clock.set_back_ms = jump

    room.clock.later(100, set_back)
    reading = await room.read(chamber(60))
    assert (reading.requested_ms, reading.received_ms) == (NOON_MS, NOON_MS + 200)


@in_jumping_time
async def test_a_profile_that_is_not_there_is_named_with_those_that_are() -> None:
    room = Room(Profile(name="own", measurements=(TEMPERATURE,)))
    error = await room.failure(chamber(60, profile="ghost"))
    assert isinstance(error, MisconfiguredError)
    assert error.detail == "profile 'ghost' is not known to this worker; it has own"
    assert room.devices.calls == []


@in_jumping_time
async def test_a_secret_that_is_not_there_is_misconfigured_and_nothing_is_sent() -> None:
    room = Room()
    error = await room.failure(chamber(60, secret_ref="env:LAB3_TOKEN"))
    assert isinstance(error, MisconfiguredError)
    assert "LAB3_TOKEN" in error.detail
    assert room.devices.calls == []


@in_jumping_time
async def test_a_failure_of_the_device_keeps_its_own_words() -> None:
    room = Room()
    room.devices.script.append(Answer(5, DeviceUnreachableError("dns: no such host")))
    error = await room.failure(chamber(60))
    assert (type(error), error.detail, error.reason) == (
        DeviceUnreachableError,
        "dns: no such host",
        GapReason.UNREACHABLE,
    )


@in_jumping_time
async def test_an_answer_that_comes_too_late_is_a_timeout() -> None:
    room = Room()
    room.devices.script.append(Answer(9_000))
    assert isinstance(await room.failure(chamber(60)), DeviceTimeoutError)
    assert room.clock.now_ms() == NOON_MS + 1_500


@in_jumping_time
async def test_an_answer_that_cannot_be_mapped_is_malformed_and_a_denial_is_denied() -> None:
    room = Room(Profile(name="own", measurements=(TEMPERATURE,), denied_when="error"))
    room.devices.script.extend([Answer(body=b"<html>"), Answer(body=b'{"t": null}'), Answer(body=b'{"error": "busy"}')])
    spec = chamber(60, profile="own")
    assert isinstance(await room.failure(spec), MalformedAnswerError)
    missing = await room.failure(spec)
    assert isinstance(missing, MalformedAnswerError)
    assert "temperature" in missing.detail
    assert isinstance(await room.failure(spec), DeniedError)


@in_jumping_time
async def test_a_defect_is_a_malformed_answer_and_goes_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    room = Room()
    room.devices.script.append(Answer(5, RuntimeError("url with http://user:password@host")))
    with caplog.at_level(logging.ERROR):
        error = await room.failure(chamber(60))
    assert (type(error), error.detail) == (MalformedAnswerError, "defect: RuntimeError")
    assert [record.levelname for record in caplog.records] == ["ERROR"]


@in_jumping_time
async def test_reading_again_reads_the_device_again() -> None:
    room = Room()
    first, second = await room.read(chamber(60)), await room.read(chamber(60))
    assert len(room.devices.calls) == 2
    assert first != second


@in_jumping_time
async def test_a_password_in_the_query_and_one_for_a_challenge_stand_in_no_url_and_no_text() -> None:
    query = RequestRules(path="/cm?cmnd=Status%2010", auth="query", auth_query=("user", "password"))
    for rules in (query, RequestRules(auth="digest")):
        room = Room(Profile(name="own", measurements=(TEMPERATURE,), request=rules), LAB3="admin:hunter2")
        room.devices.script.append(Answer(body=b'{"t": 4.5}'))
        await room.read(chamber(60, profile="own", url="http://192.168.1.20", secret_ref="env:LAB3"))
        (call,) = room.devices.calls
        assert "hunter2" not in call.request.url + repr(call.request)
        assert (call.request.parameters, call.request.digest) in (
            ((("user", "admin"), ("password", "hunter2")), None),
            ((), Credentials("admin", "hunter2")),
        )


@in_jumping_time
async def test_an_answer_that_repeats_the_password_is_not_quoted() -> None:
    rules = RequestRules(auth="query", auth_query=("user", "password"))
    room = Room(Profile(name="own", measurements=(TEMPERATURE,), request=rules), LAB3="admin:hunter2")
    room.devices.script.append(Answer(body=b"<p>No /now?user=admin&password=hunter2</p>"))
    error = await room.failure(chamber(60, profile="own", secret_ref="env:LAB3"))
    assert isinstance(error, MalformedAnswerError)
    assert "hunter2" not in str(error)
    assert error.__cause__ is None


@in_jumping_time
async def test_a_url_that_could_write_is_not_asked() -> None:
    rules = RequestRules(path="/atmoweb?Temp1Read=", only_empty_parameters=True)
    room = Room(Profile(name="own", measurements=(TEMPERATURE,), request=rules))
    error = await room.failure(chamber(60, profile="own", url="http://192.168.1.20/atmoweb?TempSet=30"))
    assert isinstance(error, MisconfiguredError)
    assert room.devices.calls == []


async def test_a_url_that_could_write_is_refused_at_enrolment_with_a_remedy() -> None:
    ledger = InMemoryLedger(lambda: NOON_MS)
    offered = OfferedProfiles(FileProfiles([builtin_profiles_folder()]), InMemoryProfiles(ledger))
    check = CheckSpec(InMemoryRegistry(ledger), offered)
    with pytest.raises(InvalidFieldError) as caught:
        await check(chamber(60, profile="memmert-atmoweb", url="http://192.168.1.20/atmoweb?TempSet=30"))
    assert (caught.value.field, "NAME=" in caught.value.remedy) == ("url", True)
    await check(chamber(60, profile="memmert-atmoweb", url="http://192.168.1.20/atmoweb?TempSet="))
