"""The connection to Temporal, and the search attributes that must exist before any chamber starts."""

import asyncio
import ipaddress
import logging
import os
import time
from datetime import timedelta
from pathlib import Path

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.service import GrpcCompression, RetryConfig, RPCError

from collector import wire
from collector.domain.errors import EngineAwayError, InvalidFieldError

DEFAULT_ADDRESS = "localhost:7233"
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
REGISTER_TIMEOUT = timedelta(seconds=10)

SEARCH_ATTRIBUTES = {
    wire.SEARCH_ORGANIZATION: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    wire.SEARCH_SECTION: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    wire.SEARCH_STATUS: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    wire.SEARCH_PROFILE: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    wire.SEARCH_INTERVAL_SECONDS: IndexedValueType.INDEXED_VALUE_TYPE_INT,
}

log = logging.getLogger(__name__)


async def connect(*, retry_for_s: float | None, identity: str = "", beat: timedelta | None = None) -> Client:
    """Connect now; what a worker needs.

    Address, namespace, TLS and API key come from the environment and the TOML file of `temporalio.envconfig`.

    Args:
        retry_for_s: how long to try again with back-off while the server is away; None = for ever, 0 = once.
        identity: of the process, as Temporal shows it; the SDK's own when empty.
        beat: distance of the signs of life that its workers give; the SDK's own when None.

    Raises:
        EngineAwayError: it was away all that time.
        InvalidFieldError: the address cannot be one.
    """
    config, waited = _config(), FIRST_WAIT_S
    runtime = None if beat is None else Runtime(telemetry=TelemetryConfig(), worker_heartbeat_interval=beat)
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
            if give_up is not None and time.monotonic() + waited > give_up:
                raise EngineAwayError(f"Temporal at {config['target_host']} cannot be reached: {error}") from error
            log.warning("Temporal at %s is away, next try in %.1f s: %s", config["target_host"], waited, error)
        except ValueError as error:
            raise _wrong_address(config, error) from error
        await asyncio.sleep(waited)
        waited = min(2 * waited, LONGEST_WAIT_S)


async def connect_lazily() -> Client:
    """A client that connects with its first call, and again after a failure: the API starts with Temporal away.

    While it cannot connect its calls raise `RuntimeError`. A worker cannot use it.

    Raises:
        InvalidFieldError: the address cannot be one.
    """
    config = _config()
    try:
        return await Client.connect(
            **config,
            lazy=True,
            connect_timeout=CONNECT_TIMEOUT,
            retry_config=API_RETRIES,
            grpc_compression=_compression(config["target_host"]),
        )
    except ValueError as error:
        raise _wrong_address(config, error) from error


def shown_target(client: Client) -> str:
    """Where a client connects to: host:port and namespace, no key."""
    return f"{client.service_client.config.target_host} ({client.namespace})"


async def register_search_attributes(client: Client) -> None:
    """Make the chambers' search attributes exist in the client's namespace. Again: nothing changes.

    Types are compared first: the server silently ignores adding a name anew with another type, and a workflow that
    then sets it never gets on.

    Raises:
        InvalidFieldError: field `search_attributes`, when a name exists with another type.
        EngineAwayError: the server cannot be reached or refuses.
    """
    try:
        missing = _missing(await _registered(client))
        if missing:
            request = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
            await client.operator_service.add_search_attributes(request, timeout=REGISTER_TIMEOUT)
            _missing(await _registered(client))
    except (RuntimeError, RPCError) as error:
        raise EngineAwayError(f"search attributes cannot be registered: {error}") from error


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


def _config() -> ClientConnectConfig:
    """What the environment says.

    Raises:
        InvalidFieldError: a file that it names cannot be read, or the address cannot be one.
    """
    try:
        named = os.environ.get(CONFIG_FILE)
        if named:
            Path(named).open().close()  # the SDK takes one that is not there for an empty one
        config = ClientConfig.load_client_connect_config()
    except (RuntimeError, OSError, ValueError) as error:
        raise InvalidFieldError(CONFIG_FILE, _why(error), CONFIG_REMEDY) from None
    config.setdefault("target_host", DEFAULT_ADDRESS)
    host, _, port = config["target_host"].rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:  # a client that connects lazily would never say so
        raise _wrong_address(config, ValueError("it does not end in a port"))
    return config


def _why(error: Exception) -> str:
    """One line: further ones quote the file, and it may hold a key."""
    if isinstance(error, OSError):
        return f"{error.filename} cannot be read: {error.strerror}"
    return str(error).strip().splitlines()[0]


def _compression(target_host: str) -> GrpcCompression:
    """None on this machine: there compressing costs more than the bytes do."""
    host = target_host.rpartition(":")[0].strip("[]")
    try:
        near = ipaddress.ip_address(host).is_loopback
    except ValueError:
        near = host == "localhost"
    return GrpcCompression.NONE if near else GrpcCompression.GZIP


def _wrong_address(config: ClientConnectConfig, error: ValueError) -> InvalidFieldError:
    return InvalidFieldError("TEMPORAL_ADDRESS", f"{config['target_host']!r}: {error}", "write host:port")
