"""What stands before every method: who is not admitted, and whatever goes wrong, ends with a status that says why."""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import grpc
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError

from api.grpc.call import CALL, Call
from api.grpc.errors import Refused, problem_of, refused
from api.grpc.spans import call_span, note_call
from api.grpc.timing import CallTimer, timed
from api.problems import ProblemError
from api.services import Services
from api.streams import Streams
from api.timing import EdgeMetrics
from collector.domain.access import Operation
from collector.domain.access_table import of_grpc
from collector.domain.errors import InvalidFieldError, UnauthenticatedError
from collector.ports import NO_TRACING
from collector.ports.events import Source
from collector.usecases.admit import REMEDY
from collector.usecases.events import Told

if TYPE_CHECKING:  # generic for type checkers only
    Context = grpc.aio.ServicerContext[Any, Any]
    Handler = grpc.RpcMethodHandler[Any, Any]
else:
    Context, Handler = grpc.aio.ServicerContext, grpc.RpcMethodHandler

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Undecodable:
    """Bytes that are not the message: the server itself would call them a defect of its own."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is called.

    Attributes:
        name: `/chamberlog.v1.Chambers/GetChamber`.
        behaviour: what answers.
    """

    name: str
    behaviour: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A call that wanted to change something, and what came of it.

    Attributes:
        call: of whom.
        operation: the row of the access table.
        request: as it came; bytes that were none are something else than a message.
        answer: None when it was refused, or failed.
        problem: why; None when it was done.
        account: organization and user of a sign-in that failed, where there is such an account.
    """

    call: Call
    operation: Operation
    request: Any
    answer: Any = None
    problem: ProblemError | None = None
    account: tuple[str, str] | None = None


Finished = Callable[[Done], Coroutine[Any, Any, None]]
"""Told of each change; what it raises is answered in place of what was done."""


@dataclass
class Running:
    """What still goes on.

    Attributes:
        writing: changes: they are finished though their caller has left.
        streaming: answers without an end; those of health are among them.
        answering: all others.
    """

    writing: set["asyncio.Task[Any]"] = field(default_factory=set)
    streaming: set["asyncio.Task[Any]"] = field(default_factory=set)
    answering: set["asyncio.Task[Any]"] = field(default_factory=set)


class Gate(grpc.aio.ServerInterceptor):
    """Asks `Admit` before each method, and turns every error into a status."""

    def __init__(
        self,
        services: Services,
        streams: Streams,
        finished: Finished | None = None,
        metrics: EdgeMetrics | None = None,
    ) -> None:
        self._services, self._streams, self._finished, self._metrics = services, streams, finished, metrics
        self.running = Running()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """The method with the gate before it; one that there is not is said not to be there to those who are known."""
        handler = await continuation(handler_call_details)
        name = str(handler_call_details.method)
        if handler is None:
            return self._streamed(_Asked(name, _unknown), None)
        take = _lenient(handler.request_deserializer)
        if handler.response_streaming:
            return self._streamed(_Asked(name, handler.stream_stream or handler.unary_stream), handler, take)
        return self._single(_Asked(name, handler.unary_unary), handler, take)

    def _single(self, asked: _Asked, handler: Handler, take: Callable[[bytes], Any]) -> Handler:
        async def behave(request: Any, context: Context) -> Any:
            with _counted(self.running.answering), timed(self._metrics, asked.name, context):
                return await self._guarded(asked, request, context, self._spanned)

        return grpc.unary_unary_rpc_method_handler(behave, take, handler.response_serializer)

    def _streamed(self, asked: _Asked, handler: Handler | None, take: Callable[[bytes], Any] = bytes) -> Handler:
        async def behave(request: Any, context: Context) -> None:
            with _counted(self.running.streaming), timed(self._metrics, asked.name, context) as timer:
                await self._guarded(asked, request, context, partial(_tell, timer))

        if handler is not None and not handler.request_streaming:
            return grpc.unary_stream_rpc_method_handler(behave, take, handler.response_serializer)
        return grpc.stream_stream_rpc_method_handler(behave, take, handler.response_serializer if handler else None)

    async def _guarded(
        self, asked: _Asked, request: Any, context: Context, go: Callable[[_Asked, Any, Context], Awaitable[Any]]
    ) -> Any:
        try:
            CALL.set(await self._admitted(asked.name, context))
            _check_there(asked.name)
            return await go(asked, request, context)
        except grpc.aio.AbortError:
            raise  # health and reflection end calls by themselves
        except Exception as error:  # noqa: BLE001  # a bug is logged there, and told without its text
            kind = _descriptor(request)
            await _end(context, refused(problem_of(error, kind), kind))

    async def _admitted(self, name: str, context: Context) -> Call:
        metadata = tuple(context.invocation_metadata() or ())
        if len([key for key, _ in metadata if key == "authorization"]) > 1:  # anybody's guess which one counts
            raise UnauthenticatedError("there are several credentials", REMEDY)
        told = Told(source=Source.GRPC)
        admission = await self._services.identify(of_grpc(name), metadata, address_of(context.peer()), told)
        return Call(use=self._services, streams=self._streams, admission=admission)

    async def _spanned(self, asked: _Asked, request: Any, context: Context) -> Any:
        call, tracing, kind = CALL.get(), self._services.tracing, _descriptor(request)
        if tracing is NO_TRACING:
            return await self._answer(asked, request, context)
        with call_span(tracing, asked.name, call, tuple(context.invocation_metadata() or ())) as span:
            try:
                answer = await self._answer(asked, request, context)
            except grpc.aio.AbortError:
                raise
            except Exception as error:  # noqa: BLE001  # raised below, behind the span: most are no fault of ours
                problem = problem_of(error, kind)
                note_call(span, asked.name, call, request, refused(problem, kind).code)
            else:
                note_call(span, asked.name, call, request, grpc.StatusCode.OK)
                return answer
        raise problem

    async def _answer(self, asked: _Asked, request: Any, context: Context) -> Any:
        """A read ends with its caller; a change that has begun is finished and noted, whoever still listens."""
        operation = of_grpc(asked.name)
        if operation is None or not operation.writes:
            return await _answered(asked, request, context)
        task = asyncio.create_task(self._change(asked, operation, request, context))
        self.running.writing.add(task)
        task.add_done_callback(self._written)
        return await asyncio.shield(task)

    async def _change(self, asked: _Asked, operation: Operation, request: Any, context: Context) -> Any:
        try:
            answer = await _answered(asked, request, context)
        except Exception as error:
            problem = problem_of(error, _descriptor(request))
            account = error.account if isinstance(error, UnauthenticatedError) else None
            done = Done(call=CALL.get(), operation=operation, request=request, problem=problem, account=account)
            await self._note(done)
            raise problem from error
        await self._note(Done(call=CALL.get(), operation=operation, request=request, answer=answer))
        return answer

    async def _note(self, done: Done) -> None:
        if self._finished is None:
            return
        if done.problem is None or done.call.admission.principal is not None:
            await self._finished(done)
            return
        # beside the answer: what it takes would tell which accounts there are
        task = asyncio.ensure_future(self._finished(done))
        self.running.writing.add(task)
        task.add_done_callback(self._written)

    def _written(self, task: "asyncio.Task[Any]") -> None:
        self.running.writing.discard(task)
        if not task.cancelled() and task.exception() is not None:  # looked at: its caller may be gone
            log.debug("a change was refused", exc_info=task.exception())


@contextmanager
def _counted(running: set["asyncio.Task[Any]"]) -> Iterator[None]:
    task = asyncio.current_task()
    assert task is not None
    running.add(task)
    try:
        yield
    finally:
        running.discard(task)


def address_of(peer: str) -> str:
    """`127.0.0.1` of `ipv4:127.0.0.1:50412`, `::1` of `ipv6:[::1]:50412`; anything else stays as it is."""
    kind, _, rest = unquote(peer).partition(":")
    if kind not in ("ipv4", "ipv6"):
        return peer
    return rest.rpartition(":")[0].strip("[]")


def _check_there(name: str) -> None:
    if of_grpc(name) is None:  # what stands in no row is shut, whatever answers there
        raise ProblemError(501, "there is no such method; reflection lists those there are")


def _check_decoded(request: Any) -> None:
    if isinstance(request, _Undecodable):
        raise InvalidFieldError("message", "its bytes are not the method's request", "see proto/chamberlog/v1")


async def _unknown(_: Any, __: Context) -> None:
    """Never reached: what is not there stands in no row."""


async def _answered(asked: _Asked, request: Any, context: Context) -> Any:
    _check_decoded(request)
    return await asked.behaviour(request, context)


async def _tell(timer: CallTimer, asked: _Asked, request: Any, context: Context) -> None:
    """Send what comes as it comes; None says only that it has begun."""
    _check_decoded(request)
    if not inspect.isasyncgenfunction(asked.behaviour):
        timer.begun()
        await asked.behaviour(request, context)
        return
    async for item in asked.behaviour(request, context):
        if item is None:
            timer.begun()
            await context.send_initial_metadata(())
        else:
            await context.write(item)


async def _end(context: Context, how: Refused) -> None:
    await context.abort(how.code, how.message, how.metadata)


def _lenient(take: Callable[[bytes], Any] | None) -> Callable[[bytes], Any]:
    def taken(data: bytes) -> Any:
        try:
            return data if take is None else take(data)
        except DecodeError:
            return _Undecodable()

    return taken


def _descriptor(request: Any) -> Descriptor | None:
    found = getattr(request, "DESCRIPTOR", None)
    return found if isinstance(found, Descriptor) else None
