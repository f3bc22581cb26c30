"""The connection to Temporal, and the search attributes that must exist before any chamber starts."""

import asyncio
import ipaddress
import logging
import time
from datetime import timedelta

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import CountWorkflowExecutionsRequest
from temporalio.client import Client
from temporalio.envconfig import ClientConnectConfig
from temporalio.runtime import Runtime
from temporalio.service import GrpcCompression, RetryConfig, RPCError, RPCStatusCode

from adapters.temporal_settings import ADDRESS, NAMESPACE, blamed, blamed_after_all, connect_config, explained
from collector import wire
from collector.domain.errors import EngineAwayError, InvalidFieldError

CONFIG_FILE = "TEMPORAL_CONFIG_FILE"
CONFIG_REMEDY = "correct the TEMPORAL_ variables, or the files that they name"
FIRST_WAIT_S, LONGEST_WAIT_S = 0.25, 10.0
"""Back-off while connecting: short enough that `up` does not wait, long enough not to hammer a server that starts."""
CONNECT_TIMEOUT = timedelta(seconds=3)
"""A host that swallows packets must not hold a request for the minutes the operating system would wait."""
API_RETRIES = RetryConfig(
    initial_interval_millis=100, max_interval_millis=1_000, max_elapsed_time_millis=4_000, max_retries=6
)
"""The API answers 503 within seconds and lets the caller repeat; the SDK would try for longer."""
ONCE_S = 5.0
"""How long the API's start waits for a server that accepts connections and says nothing."""
REGISTER_TIMEOUT = timedelta(seconds=10)
CLOSED = (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNIMPLEMENTED, RPCStatusCode.UNAUTHENTICATED)
"""What a server answers that does not let its clients register search attributes, as Temporal Cloud."""

SEARCH_ATTRIBUTES = {
    wire.SEARCH_ORGANIZATION: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    wire.SEARCH_SECTION: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    wire.SEARCH_STATUS: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    wire.SEARCH_PROFILE: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    wire.SEARCH_INTERVAL_SECONDS: IndexedValueType.INDEXED_VALUE_TYPE_INT,
}

SHOWN_TYPES = {
    IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD: "Keyword",
    IndexedValueType.INDEXED_VALUE_TYPE_INT: "Int",
}

log = logging.getLogger(__name__)


async def connect(*, retry_for_s: float | None, identity: str = "", runtime: Runtime | None = None) -> Client:
    """Connect now; what a worker needs.

    Address, namespace, TLS and API key come from the environment and the TOML file of `temporalio.envconfig`.

    Args:
        retry_for_s: how long to try again with back-off while the server is away; None = for ever, 0 = once.
        identity: of the process, as Temporal shows it; the SDK's own when empty.
        runtime: see `adapters.temporal_runtime`; the SDK's own, which measures nothing, when None.

    Raises:
        EngineAwayError: it was away all that time.
        InvalidFieldError: a setting is wrong, or the server was reached and it will never work like this.
    """
    config, waited = connect_config(), FIRST_WAIT_S
    give_up = None if retry_for_s is None else time.monotonic() + retry_for_s
    while True:
        try:
            return await Client.connect(
                **config,
                connect_timeout=CONNECT_TIMEOUT,
                identity=identity or None,
                runtime=runtime,
                grpc_compression=_compression(config["target_host"]),
            )
        except (RuntimeError, RPCError) as error:
            why = await _hopeful(error, config)
            if give_up is not None and time.monotonic() + waited > give_up:
                raise EngineAwayError(f"Temporal at {config['target_host']} cannot be reached: {why}") from error
            log.warning("Temporal at %s is away, next try in %.1f s: %s", config["target_host"], waited, why)
        except ValueError as error:
            raise _wrong_address(config, error) from error
        await asyncio.sleep(waited)
        waited = min(2 * waited, LONGEST_WAIT_S)


async def connect_lazily(runtime: Runtime | None = None) -> Client:
    """A client that connects with its first call, and again after a failure: the API starts with Temporal away.

    While it cannot connect its calls raise `RuntimeError`. A worker cannot use it.

    Args:
        runtime: as for `connect`.

    Raises:
        InvalidFieldError: a setting is wrong.
    """
    return await _for_api(connect_config(), runtime, lazy=True)


async def connect_if_there(runtime: Runtime | None = None) -> Client:
    """As `connect_lazily`, but a server that is there is spoken to at once: settings that will never work are found.

    Args:
        runtime: as for `connect`.

    Raises:
        InvalidFieldError: a setting is wrong, or the server was reached and it will never work like this.
    """
    config = connect_config()
    try:
        async with asyncio.timeout(ONCE_S):
            return await _for_api(config, runtime, lazy=False)
    except TimeoutError:
        log.warning("Temporal at %s does not answer yet", config["target_host"])
    except (RuntimeError, RPCError) as error:
        log.warning("Temporal at %s is away yet: %s", config["target_host"], await _hopeful(error, config))
    return await _for_api(config, runtime, lazy=True)


async def _for_api(config: ClientConnectConfig, runtime: Runtime | None, *, lazy: bool) -> Client:
    try:
        return await Client.connect(
            **config,
            lazy=lazy,
            runtime=runtime,
            connect_timeout=CONNECT_TIMEOUT,
            retry_config=API_RETRIES,
            grpc_compression=_compression(config["target_host"]),
        )
    except ValueError as error:
        raise _wrong_address(config, error) from error


async def _hopeful(error: Exception, config: ClientConnectConfig) -> str:
    """What went wrong, if trying again may help.

    Raises:
        InvalidFieldError: it cannot.
    """
    setting = blamed(error, config) or await blamed_after_all(error, config)
    if setting is not None:
        raise setting from error
    return explained(error)


def shown_target(client: Client) -> str:
    """Where a client connects to: host:port and namespace, no key."""
    return f"{client.service_client.config.target_host} ({client.namespace})"


async def register_search_attributes(client: Client) -> None:
    """Make the chambers' search attributes exist in the client's namespace. Again: nothing changes.

    Types are compared first: the server silently ignores adding a name anew with another type, and a workflow that
    then sets it never gets on. A server that lets nobody list or add them is asked for each by a query.

    Raises:
        InvalidFieldError: field `search_attributes`, when a name exists with another type, or does not exist and
            cannot be made from here; field `TEMPORAL_NAMESPACE`, when there is no such namespace.
        EngineAwayError: the server cannot be reached.
    """
    try:
        try:
            await _register(client)
        except RPCError as error:
            if error.status not in CLOSED:
                raise
            await _require_all(client)
    except (RuntimeError, RPCError) as error:
        if isinstance(error, RPCError) and error.status is RPCStatusCode.NOT_FOUND:
            remedy = f"name one that is there, or make it: temporal operator namespace create -n {client.namespace}"
            raise InvalidFieldError(NAMESPACE, f"there is no namespace {client.namespace!r}", remedy) from error
        raise EngineAwayError(f"search attributes cannot be registered: {explained(error)}") from error


async def _register(client: Client) -> None:
    missing = _missing(await _registered(client))
    if missing:
        request = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
        await client.operator_service.add_search_attributes(request, timeout=REGISTER_TIMEOUT)
        _missing(await _registered(client))


async def _require_all(client: Client) -> None:
    """By queries that only work where the attribute exists; one of type Text for a Keyword is not seen so."""
    lacking = [name for name in SEARCH_ATTRIBUTES if not await _can_be_asked_for(client, name)]
    if not lacking:
        return
    wanted = " ".join(f"{name}={SHOWN_TYPES[SEARCH_ATTRIBUTES[name]]}" for name in lacking)
    raise InvalidFieldError(
        "search_attributes",
        f"the namespace {client.namespace!r} lacks {wanted}, and this client may not make them",
        "let its operator make them (`temporal operator search-attribute create`; in Temporal Cloud `tcld namespace "
        "search-attributes add`, or the page of the namespace), then start again",
    )


async def _can_be_asked_for(client: Client, name: str) -> bool:
    value = "1" if SEARCH_ATTRIBUTES[name] == IndexedValueType.INDEXED_VALUE_TYPE_INT else '"1"'
    request = CountWorkflowExecutionsRequest(namespace=client.namespace, query=f"{name}={value}")
    try:
        await client.workflow_service.count_workflow_executions(request, retry=True, timeout=REGISTER_TIMEOUT)
    except RPCError as error:
        if error.status is not RPCStatusCode.INVALID_ARGUMENT:
            raise
        return False
    return True


async def _registered(client: Client) -> dict[str, "IndexedValueType.ValueType"]:
    request = ListSearchAttributesRequest(namespace=client.namespace)
    answer = await client.operator_service.list_search_attributes(request, retry=True, timeout=REGISTER_TIMEOUT)
    return dict(answer.custom_attributes)


def _missing(have: dict[str, "IndexedValueType.ValueType"]) -> dict[str, "IndexedValueType.ValueType"]:
    wrong = [name for name, wanted in SEARCH_ATTRIBUTES.items() if have.get(name, wanted) != wanted]
    if wrong:
        raise InvalidFieldError(
            "search_attributes",
            f"{', '.join(wrong)} exist in Temporal with another type",
            "remove them with `temporal operator search-attribute remove`, or use another namespace",
        )
    return {name: wanted for name, wanted in SEARCH_ATTRIBUTES.items() if name not in have}


def _compression(target_host: str) -> GrpcCompression:
    """None on this machine: there compressing costs more than the bytes do."""
    host = target_host.rpartition(":")[0].strip("[]")
    try:
        near = ipaddress.ip_address(host).is_loopback
    except ValueError:
        near = host == "localhost"
    return GrpcCompression.NONE if near else GrpcCompression.GZIP


def _wrong_address(config: ClientConnectConfig, error: ValueError) -> InvalidFieldError:
    return InvalidFieldError(ADDRESS, f"{config['target_host']!r}: {error}", "write host:port")
