"""The directory of a local stack, `.chamberlog/`: data, logs, secrets, and where everything is."""

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stack.errors import AlreadyRunningError, DataError, NotRunningError
from stack.lock import DirectoryLock, command_line
from stack.process import runs

SECRET_BYTES = 24
PROGRAMS = ("-m api", "-m gateway", "-m simulator", "-m stack.otlp", "-m workers")
"""In the command lines of the stack's own programs."""


class Home:
    """Names the files of a local stack; makes nothing before it is asked to.

    Args:
        path: the directory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.stack_file = self.path / "stack.json"
        self.api_key_file = self.path / "api_key"
        self.ports_file = self.path / "ports.json"
        self.devices_file = self.path / "simulator" / "devices.json"
        self.device_secrets = self.path / "simulator" / "secrets"
        self.served_file = self.path / "simulator" / "served.jsonl"
        self.assertion_key_file = self.path / "secrets" / "assertion_key"
        self.assertion_keys_file = self.path / "secrets" / "assertion_keys"
        self._lock = DirectoryLock(self.path / "lock")

    def data(self, part: str) -> Path:
        """The data directory of a server."""
        return self.path / "data" / part

    def log(self, part: str) -> Path:
        """The log of a part."""
        return self.path / "logs" / f"{part}.log"

    def claim(self) -> DirectoryLock:
        """Take the directory for this process; it is made, for its owner only.

        Raises:
            AlreadyRunningError: another `up` has it; says which process, and what to do.
        """
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            return self._lock.acquire()
        except AlreadyRunningError:
            holder = self._lock.holder() or "unknown"
            raise AlreadyRunningError(
                f"a stack runs in {self.path} already (process {holder}); use it, stop it with Ctrl-C in its terminal "
                f"or with `kill {holder}`, or start another one with --home DIRECTORY"
            ) from None

    def leftovers(self) -> list[int]:
        """Programs of an earlier `up` that was killed and that have not ended yet."""
        try:
            pids = json.loads(self.stack_file.read_text())["pids"]
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return []
        flat = [pid for value in pids.values() for pid in (value if isinstance(value, list) else [value])]
        ours = (str(self.path), *PROGRAMS)
        return [pid for pid in flat if runs(pid) and any(word in command_line(pid) for word in ours)]

    def password(self, server: str) -> str:
        """The generated password of a server: made once, kept in a file for its owner only.

        Raises:
            DataError: the file is gone while the server's data, which needs it, is there.
        """
        file = self.path / "secrets" / server
        if not file.exists():
            if server == "postgres" and self.data(server).exists():
                raise DataError(
                    f"{file} is gone, but {self.data(server)} was made with that password; "
                    "put the file back, or move the data directory away to start with an empty one"
                )
            write_private(file, secrets.token_urlsafe(SECRET_BYTES) + "\n")
        return file.read_text().strip()

    def envoy(self, part: str) -> Path:
        """The configuration that an Envoy of the stack runs with; written anew at each start."""
        return self.path / "envoy" / f"{part}.yaml"

    def write_stack(self, document: Mapping[str, Any]) -> None:
        """Replace `stack.json` at once; for its owner only, it holds passwords."""
        write_private(self.stack_file, json.dumps(document, indent=2) + "\n")

    def remove_stack(self) -> None:
        """Take `stack.json` away: nothing runs any more. Again: nothing happens."""
        self.stack_file.unlink(missing_ok=True)

    def read_stack(self) -> dict[str, Any]:
        """What runs here.

        Raises:
            NotRunningError: nothing does; says what to do.
        """
        if not self._lock.held():
            raise NotRunningError(f"no stack runs in {self.path}; start one with `chamberlog up`")
        try:
            document = json.loads(self.stack_file.read_text())
        except FileNotFoundError:
            raise NotRunningError(
                f"the stack in {self.path} is starting or stopping (process {self._lock.holder()}); "
                "wait for its addresses and try again"
            ) from None
        assert isinstance(document, dict)
        return document


def write_private(file: Path, text: str) -> None:
    """Replace a file at once, readable to its owner only; its directory is made the same way."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as handle:
        handle.write(text)
    draft.replace(file)
