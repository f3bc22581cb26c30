"""A chamber's life in any order, from enrolment to enrolment, with everything real but Temporal, device and clock.

The rules do what people, devices, servers and workers do; what must hold is looked at after each.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from adapters.memory import InMemoryLedger
from collector.domain.chamber import ChamberSpec
from collector.domain.errors import (
    BlockedError,
    DeniedError,
    DeviceStatusError,
    DeviceTimeoutError,
    DeviceUnauthorizedError,
    DeviceUnreachableError,
    MalformedAnswerError,
)
from collector.domain.instants import iso
from collector.usecases.change import PauseWish
from tests.unit.ledger_checks import Checks
from tests.unit.ledger_world import ModelPorts, ModelWorld, memory_ports
from workflows.chamber import ChamberWorkflow

HOUR, DAY = 3_600_000, 86_400_000
LIFE = settings(
    max_examples=80,
    stateful_step_count=40,
    phases=[Phase.generate],  # to shrink a failing life takes longer than a test may; do it by hand
    derandomize=True,  # the same lives each time: others are looked for by hand, with more time
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],  # an example is a whole life
)
FROZEN_MS = 10_000
INTERVALS = st.sampled_from([1_000, 7_000, 10_000, 60_000, 61_000, HOUR, DAY])
TIMES = st.one_of(
    st.integers(100, 3_000), st.integers(1_000, 60_000), st.integers(60_000, 900_000), st.sampled_from([HOUR, 3 * DAY])
)
MOST_SLOTS = 40
"""Of one step: the next one matters more than the hundredth slot."""
SPAN_MS, FAILOVER_MS = 20_000, 60_000
"""Of rounds of several slots (short ones, so that many end), and the longest until others go on with a killed one."""
FAILURES = st.sampled_from(
    [
        None,
        None,
        DeviceUnreachableError("reset"),
        DeviceTimeoutError("nothing"),
        DeviceStatusError("503"),
        DeviceUnauthorizedError("401"),
        DeniedError("no"),
        MalformedAnswerError("not JSON"),
        BlockedError("10.0.0.1:80"),
        KeyError("a defect"),
    ]
)
REASONS = st.sampled_from(["", "door"])
RARELY = st.sampled_from([False, False, False, True])
LEAPS = st.sampled_from([None, None, 1, 900, 30_000, HOUR, 2 * DAY])
"""A pause's end, this long after its order."""


def timing(interval_ms: int) -> dict[str, Any]:
    """The fields of a spec that follow from an interval."""
    span_ms = SPAN_MS if interval_ms < SPAN_MS else None
    return {"interval_ms": interval_ms, "timeout_ms": min(2_000, interval_ms // 2), "round_span_ms": span_ms}


def a_spec(interval_ms: int, number: int = 0) -> ChamberSpec:
    """A chamber with nothing special."""
    return ChamberSpec(
        id=f"chamber-{number}",
        organization="default",
        section="default",
        url="http://192.168.1.20/now",
        profile="generic-json",
        **timing(interval_ms),
    )


class LedgerModel(RuleBasedStateMachine):
    """One chamber over the memory twins; subclasses choose the workflow's class and the ports."""

    workflow: type[ChamberWorkflow] = ChamberWorkflow
    most_slots = MOST_SLOTS

    def ports(self, ledger: InMemoryLedger) -> ModelPorts:
        """The ports over the ledger."""
        return memory_ports(ledger)

    @initialize(interval_ms=INTERVALS, aligned=st.booleans(), number=st.integers(0, 9))
    def enrol(self, interval_ms: int, aligned: bool, number: int) -> None:
        spec = replace(a_spec(interval_ms, number), aligned=aligned)
        self.world = ModelWorld(spec, self.ports, self.workflow)
        self.checks, self.quiet_since = Checks(self.world), 0
        assert self.world.enrol(spec) == ""

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            self.everything_works_again()
        finally:
            self.world.close()

    # ---- time

    @rule(ms=TIMES, continues=st.booleans())
    def pass_time(self, ms: int, continues: bool) -> None:
        world = self.world
        if world.run is not None:
            world.run.continues = continues
        world.let_pass(ms, self.most_slots)

    @precondition(lambda self: self.world.state is not None)
    @rule(slots=st.integers(1, 25))
    def pass_slots(self, slots: int) -> None:
        state = self.world.state
        assert state is not None
        self.world.let_pass(slots * state.spec.interval_ms, self.most_slots)

    @precondition(lambda self: self.world.state is not None)
    @rule(slots=st.integers(0, 3), offset_ms=st.sampled_from([0, 10, 22, 27, 500]))
    def reach_a_slot(self, slots: int, offset_ms: int) -> None:
        """To the middle of a fetch, or shortly after it."""
        state = self.world.state
        assert state is not None
        now_ms = self.world.clock.now_ms()
        slot = state.spec.grid.after(now_ms) + slots * state.spec.interval_ms
        self.world.let_pass(slot + offset_ms - now_ms, self.most_slots)

    # ---- workers, device, store

    @rule(last_beat=st.booleans(), failover_ms=st.sampled_from([1_000, 5_000, FAILOVER_MS]))
    def kill_the_workers(self, last_beat: bool, failover_ms: int) -> None:
        self.world.workers.last_beat, self.world.workers.failover_ms = last_beat, failover_ms
        self.world.workers.kill()
        self.world.let_pass(1)

    @rule(ms=TIMES, killed=st.booleans())
    def nobody_runs(self, ms: int, killed: bool) -> None:
        """Processes stand still, for longer than others wait for them, or are dead and come back later."""
        if killed:
            self.world.workers.kill()
        else:
            self.world.workers.freeze()
        self.world.stand_still(max(ms, FROZEN_MS + 1))

    @rule(rounds=st.integers(0, 1), saves=st.integers(0, 3))
    def lose_answers(self, rounds: int, saves: int) -> None:
        """Of the next round, and of the next saves, which are committed all the same."""
        self.world.workers.lose_answers, self.world.store.mute = rounds, saves

    @rule(failure=FAILURES, takes_ms=st.sampled_from([0, 20, 900, 5_000]), wide=RARELY)
    def change_the_device(self, failure: Exception | None, takes_ms: int, wide: bool) -> None:
        device = self.world.device
        device.failure, device.takes_ms, device.wide = failure, takes_ms, wide

    @rule()
    def take_the_store_away(self) -> None:
        self.world.ledger.away = True

    @precondition(lambda self: self.world.ledger.away)
    @rule()
    def bring_the_store_back(self) -> None:
        self.world.ledger.away = False
        self.world.let_pass(1)

    # ---- people

    @rule(reason=REASONS, leap=LEAPS, delivered=st.booleans())
    def pause(self, reason: str, leap: int | None, delivered: bool) -> None:
        until = None if leap is None else self.world.clock.now_ms() + leap
        self.say(delivered, lambda: self.world.pause(PauseWish(reason, until)))

    @rule(delivered=st.booleans())
    def resume(self, delivered: bool) -> None:
        self.say(delivered, self.world.resume)

    @rule(interval_ms=INTERVALS, aligned=st.booleans(), delivered=st.booleans())
    def configure(self, interval_ms: int, aligned: bool, delivered: bool) -> None:
        self.say(delivered, lambda: self.world.configure(**timing(interval_ms), aligned=aligned))

    @rule(reason=REASONS, leap=LEAPS)
    def signal_pause(self, reason: str, leap: int | None) -> None:
        wish = {"reason": reason, "by": "door staff"}
        if leap is not None:
            wish["until"] = iso(self.world.clock.now_ms() + leap)
        self.world.signal("pause", wish)

    @rule()
    def signal_resume(self) -> None:
        self.world.signal("resume", {"by": "door staff"})

    @rule(interval_ms=INTERVALS)
    def signal_set_interval(self, interval_ms: int) -> None:
        self.world.signal("set_interval", interval_ms / 1000)

    # ---- ends and starts

    @precondition(lambda self: self.world.run is not None)
    @rule()
    def terminate(self) -> None:
        self.world.terminate()

    @rule()
    def start_what_is_missing(self) -> None:
        """As people do: an order of any kind starts a chamber whose workflow is gone, also one that is to retire."""
        kept = self.world.ledger.chambers[self.world.spec.id]
        self.say(True, self.world.retire if kept.retiring else self.world.configure)

    @rule(delivered=st.booleans())
    def retire(self, delivered: bool) -> None:
        self.say(delivered, self.world.retire)

    @rule(interval_ms=INTERVALS)
    def enrol_again(self, interval_ms: int) -> None:
        spec = replace(self.world.spec, **timing(interval_ms))
        self.say(True, lambda: self.world.enrol(spec))

    def say(self, delivered: bool, order: Callable[[], str]) -> None:
        """Give an order; undelivered, the row has it and the chamber does not hear of it."""
        self.world.fleet.away = not delivered
        problem = order()
        self.world.fleet.away = False
        if problem:
            note(problem)

    # ---- what holds

    @precondition(lambda self: self.world.device.serial > self.quiet_since + 10)
    @rule()
    def everything_works_again(self) -> None:
        """Mend all, start what is missing, let two rounds pass: then nothing is open of the past."""
        world = self.world
        world.workers.lose_answers = world.store.mute = 0
        world.device.failure, world.device.takes_ms = None, 20
        world.ledger.away = False
        world.let_pass(FAILOVER_MS + 5_000)
        self.start_what_is_missing()
        interval_ms = 0 if world.idle or world.state is None else world.state.spec.interval_ms
        world.let_pass(2 * max(interval_ms, SPAN_MS) + 5_000)
        self.checks.all()
        self.checks.all_is_stored()
        self.quiet_since = world.device.serial

    @invariant()
    def the_ledger_keeps_its_promises(self) -> None:
        if hasattr(self, "world"):
            self.checks.all()
