"""A real Envoy with the product's configuration before a real authz service and a real API, each a process."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import grpc
import httpx

from adapters.assertions import KeyPair
from edge.addresses import Address
from edge.ingress import IngressSettings, Limits, render_ingress
from stack.ports import free_port
from stack.process import Child, Command, spawn

ROOT = Path(__file__).resolve().parents[2]
START_S = 30.0


class Gateway:
    """Three processes; each can be ended and started again.

    Attributes:
        url: of Envoy.
        api_url: of the API itself.
        authz_url: of the authz service itself.
        environment: of API and service, beside what each gateway has for itself.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], pair: KeyPair) -> None:
        self._folder, self.environment, self._pair = folder, environment, pair
        self._ports = {name: free_port() for name in ("envoy", "admin", "authz", "api", "grpc")}
        self.url, self.authz_url, self.api_url = (
            f"http://127.0.0.1:{self._ports[n]}" for n in ("envoy", "authz", "api")
        )
        self.parts: dict[str, Child] = {}

    def start(self) -> None:
        """Start what does not run, and wait until all of it answers."""
        for name in ("authz", "api", "envoy"):
            if name not in self.parts or not self.parts[name].alive():
                self.parts[name] = spawn(self._command(name))
        for url in (f"{self.authz_url}/healthz", f"{self.api_url}/healthz", f"{self.url}/healthz"):
            _wait(lambda url=url: httpx.get(url, trust_env=False).status_code == 200, url)  # type: ignore[misc]

    def kill(self, name: str) -> None:
        """As a machine that loses power does."""
        os.kill(self.parts[name].pid, signal.SIGKILL)
        self.parts[name].stop()

    def stop(self) -> dict[str, int]:
        """End all of it; exit codes by part."""
        return {name: self.parts[name].stop() for name in ("envoy", "authz", "api")}

    def grpc(self, *, direct: bool = False) -> grpc.aio.Channel:
        """A channel through the gateway, or to the API itself."""
        return grpc.aio.insecure_channel(f"127.0.0.1:{self._ports['grpc' if direct else 'envoy']}")

    def client(self, key: str | None = None, url: str | None = None) -> httpx.AsyncClient:
        """A client of the gateway, or of another address."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        return httpx.AsyncClient(base_url=url or self.url, headers=headers, trust_env=False, timeout=10)

    def _command(self, name: str) -> Command:
        log, ports = self._folder / f"{name}.log", self._ports
        if name == "envoy":
            configuration = self._folder / "envoy.yaml"
            configuration.write_text(_configuration(ports))
            program = Path(sys.executable).with_name("envoy")
            flags = ["--concurrency", "1", "--disable-hot-restart", "-l", "warning"]
            return Command([program, "-c", configuration, *flags], log)
        keys = {
            "CHAMBERLOG_ASSERTION_KEY": self._pair.private,
            "CHAMBERLOG_ASSERTION_KEYS": self._pair.public,
            "CHAMBERLOG_AUTHZ_PORT": str(ports["authz"]),
            "CHAMBERLOG_API_PORT": str(ports["api"]),
            "CHAMBERLOG_GRPC_PORT": str(ports["grpc"]),
            "PYTHONPATH": str(ROOT),
        }
        kept = {n: v for n, v in os.environ.items() if not n.startswith(("TEMPORAL_", "CHAMBERLOG_"))}
        module = {"authz": "gateway", "api": "api"}[name]
        return Command([sys.executable, "-m", module], log, kept | dict(self.environment) | keys)


@contextmanager
def running(folder: Path, environment: Mapping[str, str], pair: KeyPair) -> Iterator[Gateway]:
    """A gateway that ends with the block."""
    gateway = Gateway(folder, environment, pair)
    try:
        gateway.start()
        yield gateway
    finally:
        gateway.stop()


def eventually(wanted: Callable[[], bool], what: str) -> None:
    """Wait until it is so."""
    _wait(wanted, what)


async def together(client: httpx.AsyncClient, path: str, count: int) -> list[int]:
    """Statuses of so many requests at once."""
    answers = await asyncio.gather(*(client.get(path) for _ in range(count)))
    return [answer.status_code for answer in answers]


def _wait(wanted: Callable[[], bool], what: str) -> None:
    give_up_s = time.monotonic() + START_S
    while True:
        try:
            if wanted():
                return
        except httpx.TransportError:
            pass
        if time.monotonic() > give_up_s:
            raise TimeoutError(what)
        time.sleep(0.05)


def _configuration(ports: Mapping[str, int]) -> str:
    """The product's own; in place of the Web UI the API answers that it has no such page."""
    at = {name: Address("127.0.0.1", port) for name, port in ports.items()}
    settings = IngressSettings(
        listen=at["envoy"],
        admin=at["admin"],
        api=(at["api"],),
        authz=(at["authz"],),
        grpc=(at["grpc"],),
        temporal_ui=(at["api"],),
        limits=Limits(sign_ins_per_second=100),  # the floor is not what is tried here
    )
    return render_ingress(settings)
