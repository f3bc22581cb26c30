"""Temporal as far as a chamber needs it, in time that jumps: the real workflow's code, run by a runtime of some lines.

The workflow is not changed for it: the SDK's functions ask the loop for a runtime, and this one answers. What travels
goes through the SDK's own converter. A run that is gone (terminated, continued as new) does nothing any more.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar, cast

import temporalio.workflow as sdk
from temporalio.common import TypedSearchAttributes
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError

from collector.domain.errors import EngineAwayError, NotFoundError, RejectedError
from collector.messages import ChamberState
from collector.ports import Clock
from tests.unit.model_loop import EngineLoop, travelled
from workflows.chamber import ChamberWorkflow

T = TypeVar("T")
RUNNING: "ContextVar[Run]" = ContextVar("run of a workflow")
MOST_LOOKS = 5_000
"""At the clock, in one task of a workflow."""
RPC_S, SHORTEST_TIMER_S = 10.0, 1.0
HANDLERS = sdk._Definition.must_from_class(ChamberWorkflow)


class GoneError(BaseException):
    """The run of this code is over: no `except Exception` of it may go on."""


class SpinningError(BaseException):
    """A workflow that goes on without waiting: on the server its task would never end."""


class ContinuedError(BaseException):
    """The run continues as new with this state."""

    def __init__(self, state: ChamberState) -> None:
        super().__init__()
        self.state = state


class _Dispatch:
    """The loop's runtime: that of whichever run the code belongs to."""

    def __getattr__(self, name: str) -> Any:
        return getattr(RUNNING.get(), name)


def _remembering(
    loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T], context: Context | None = None
) -> "asyncio.Task[T]":
    task = asyncio.Task(work, loop=loop, context=context)
    run = (copy_context() if context is None else context).get(RUNNING)
    if run is not None:
        run.tasks.append(task)
    return task


def engine_loop() -> EngineLoop:
    """A loop in which workflows run."""
    return EngineLoop(_Dispatch(), _remembering)


class Scheduled(Protocol):
    """An activity that a workflow scheduled."""

    done: "asyncio.Future[Any]"

    def cancel(self) -> None:
        """The workflow asks it to end."""
        ...


class TaskQueue(Protocol):
    """Where activities go."""

    def schedule(self, name: str, request: object, result_type: type) -> Scheduled:
        """Somebody will carry it."""
        ...


@dataclass(frozen=True, slots=True)
class _Info:
    run: "Run"
    start_time: datetime
    typed_search_attributes: TypedSearchAttributes = TypedSearchAttributes.empty
    first_execution_run_id: str = "a run"
    run_id: str = "a run"
    namespace: str = "default"

    def is_continue_as_new_suggested(self) -> bool:
        return self.run.continues


@dataclass(eq=False)
class Run:
    """One run of a chamber's workflow, and the runtime that its code sees.

    Attributes:
        continues: the server suggests to continue as new.
        handlers: updates in progress.
    """

    clock: Clock
    queue: TaskQueue
    chamber: ChamberWorkflow
    continues: bool = False
    handlers: int = 0
    gone: bool = False
    tasks: "list[asyncio.Task[Any]]" = field(default_factory=list)
    conditions: "list[tuple[Callable[[], bool], asyncio.Future[None]]]" = field(default_factory=list)

    def __post_init__(self) -> None:
        self._looks = 0
        self.context = copy_context()
        self.context.run(RUNNING.set, self)
        self.info = _Info(self, datetime.fromtimestamp(self.clock.now_ms() / 1000, UTC))

    # ---- from outside

    async def live(self) -> None:
        """Run the workflow to its end.

        Raises:
            ContinuedError: it continues as new.
            GoneError: it was terminated.
        """
        main = asyncio.create_task(self.chamber.run(self.chamber.s), context=self.context)
        await asyncio.wait([main])
        error = main.exception()
        self.vanish()
        if error is not None:
            raise error

    def vanish(self) -> None:
        """The run is over: nothing of it goes on."""
        self.gone = True
        for task in self.tasks:
            task.cancel()

    def look(self) -> bool:
        """Wake those whose condition came true."""
        self._looks = 0
        true = [future for holds, future in self.conditions if not future.done() and self.context.run(holds)]
        for future in true:
            future.set_result(None)
        return bool(true)

    def signal(self, name: str | None, *args: object) -> None:
        """Deliver a signal; None = one that the workflow has no handler for, whose name is the first of `args`."""
        handler = HANDLERS.signals[name].fn
        self.context.copy().run(handler, self.chamber, *args)

    async def update(self, name: str, request: object) -> Any:
        """Deliver an update and wait for its answer.

        Raises:
            RejectedError, NotFoundError, EngineAwayError: as the fleet's control says.
        """
        handler = HANDLERS.updates[name]
        context = self.context.copy()
        try:
            if handler.validator is not None:
                context.run(handler.validator, self.chamber, request)
        except ApplicationError as error:
            raise RejectedError(error.message, error.type or "") from None
        self.handlers += 1
        task = asyncio.create_task(cast("Any", handler.fn)(self.chamber, request), context=context)
        task.add_done_callback(self._answered)
        await asyncio.wait([task], timeout=RPC_S)
        if not task.done():
            raise EngineAwayError("no answer in time")
        if task.cancelled() or isinstance(task.exception(), GoneError):
            raise NotFoundError("the workflow ended")
        return task.result()

    def _answered(self, task: "asyncio.Task[Any]") -> None:
        self.handlers -= 1
        if not task.cancelled():
            task.exception()

    # ---- the runtime

    def _alive(self) -> None:
        if self.gone:
            raise GoneError

    def workflow_time_ns(self) -> int:
        self._alive()
        self._looks += 1
        if self._looks > MOST_LOOKS:
            raise SpinningError
        return self.clock.now_ms() * 1_000_000

    def workflow_info(self) -> _Info:
        self._alive()
        return self.info

    def workflow_is_replaying(self) -> bool:
        self._alive()
        return False

    def workflow_all_handlers_finished(self) -> bool:
        return self.handlers == 0

    def workflow_cancellation_reason(self) -> str | None:
        self._alive()
        return None

    def workflow_continue_as_new(self, state: ChamberState, **_: object) -> None:
        self._alive()
        self.gone = True
        raise ContinuedError(travelled(state, ChamberState))

    def workflow_patch(self, _: str, **__: object) -> bool:
        return True

    def workflow_memo_value(self, _: str, default: object, **__: object) -> object:
        return default

    def workflow_upsert_memo(self, _: Mapping[str, object], **__: object) -> None:
        self._alive()

    def workflow_upsert_search_attributes(self, _: object, **__: object) -> None:
        self._alive()

    def workflow_set_current_details(self, _: str) -> None:
        self._alive()

    async def workflow_wait_condition(self, holds: Callable[[], bool], **options: Any) -> None:
        timeout_s: float | None = options.get("timeout")
        self._alive()
        entry = holds, asyncio.get_running_loop().create_future()
        self.conditions.append(entry)
        try:
            async with asyncio.timeout(None if timeout_s is None else max(timeout_s, SHORTEST_TIMER_S)):
                await entry[1]
        finally:
            self.conditions.remove(entry)
            self._alive()

    def workflow_start_activity(
        self,
        name: str,
        request: object,
        *,
        result_type: type,
        cancellation_type: sdk.ActivityCancellationType = sdk.ActivityCancellationType.TRY_CANCEL,
        **_: object,
    ) -> "asyncio.Task[Any]":
        self._alive()
        work = self.queue.schedule(name, request, result_type)
        return asyncio.create_task(self._answer_of(work, cancellation_type))

    async def _answer_of(self, work: Scheduled, kind: sdk.ActivityCancellationType) -> Any:
        while True:
            try:
                return await asyncio.shield(work.done)
            except asyncio.CancelledError:
                self._alive()
                work.cancel()
                if kind is sdk.ActivityCancellationType.TRY_CANCEL:
                    raise unanswered(CancelledError("cancelled")) from None


def unanswered(cause: Exception) -> ActivityError:
    """What a workflow gets of an activity that ended without a result."""
    error = ActivityError(
        "no answer", scheduled_event_id=1, started_event_id=2, identity="", activity_type="", activity_id="",
        retry_state=None,
    )  # fmt: skip
    error.__cause__ = cause
    return error


class Failures:
    """Collects errors of tasks that nobody awaits, so that they are not lost."""

    def __init__(self) -> None:
        self._errors: list[BaseException] = []

    def take(self, task: "asyncio.Task[Any]") -> None:
        """A task has ended."""
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._errors.append(error)

    def show(self) -> None:
        """Raise the first of them."""
        if self._errors:
            raise self._errors[0]


def quiet(future: "asyncio.Future[Any]") -> None:
    """Nobody may be left to ask for its error."""
    with contextlib.suppress(asyncio.CancelledError):
        future.exception()
