"""Secrets from the worker's environment and files."""

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from collector.domain.errors import MisconfiguredError

SIZE_LIMIT = 8_192
FOLDERS_VARIABLE = "CHAMBERLOG_SECRET_FOLDERS"
# Where Docker and Kubernetes put them.
DEFAULT_FOLDERS = "/run/secrets:/var/run/secrets"
# Chambers are enrolled through the API: nobody there may make the worker send its own credentials to a URL.
OWN_PREFIXES = ("CHAMBERLOG_", "TEMPORAL_")


class FileAndEnvSecrets:
    """Implements `collector.ports.SecretResolver`: `env:NAME` and `file:/path`.

    Read anew each time, so that a rotated secret is in force with the next request. Files are read only inside the
    folders that CHAMBERLOG_SECRET_FOLDERS lists (separated by `:`; /run/secrets when it is not set), links followed.
    Never those that the worker's own settings name: containers are given both in the same folder.

    Args:
        environment: of the process.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment
        listed = environment.get(FOLDERS_VARIABLE, DEFAULT_FOLDERS)
        self._folders = tuple(Path(folder).resolve() for folder in listed.split(os.pathsep) if folder)

    def resolve(self, reference: str) -> str:
        """See `SecretResolver.resolve`. At most 8 KiB of UTF-8."""
        kind, _, name = reference.partition(":")
        if kind == "env" and name:
            return _checked(reference, self._from_environment(reference, name))
        if kind == "file" and name.startswith("/"):
            return _checked(reference, self._from_file(reference, Path(name)))
        # It may be the secret itself, written into the wrong field: do not show it.
        raise MisconfiguredError("secret: the reference is not of the form env:NAME or file:/absolute/path")

    def _from_environment(self, reference: str, name: str) -> str:
        if name.startswith(OWN_PREFIXES):
            raise _refused(reference, "it belongs to the worker; use a variable of the device's own")
        if name not in self._environment:
            raise _refused(reference, "it is not set in the worker's environment")
        return self._environment[name]

    def _from_file(self, reference: str, path: Path) -> str:
        try:
            real = path.resolve()
            if not any(real.is_relative_to(folder) for folder in self._folders):
                raise _refused(reference, f"it is outside the folders that the worker's {FOLDERS_VARIABLE} lists")
            if any(_names(own, real) for own in self._own_values()):
                raise _refused(reference, "it belongs to the worker; give the device a file of its own")
            return _read(reference, real)
        except OSError as exc:
            raise _refused(reference, f"it cannot be read: {exc.strerror}") from None
        except (UnicodeDecodeError, RuntimeError, ValueError):
            raise _refused(reference, "it is not UTF-8 text, or its path cannot be a path") from None

    def _own_values(self) -> Iterator[str]:
        """What may name a file of the worker's own: `CHAMBERLOG_POSTGRES_FILE`, Temporal's keys and the like."""
        return (value for name, value in self._environment.items() if name.startswith(OWN_PREFIXES))


def _names(value: str, file: Path) -> bool:
    try:
        return file.samefile(value)
    except OSError:  # most values are no paths at all
        return False


def _read(reference: str, path: Path) -> str:
    # Not blocking: a named pipe in the place of the file would hold the worker for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _refused(reference, "it is not a regular file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(SIZE_LIMIT + 1).decode("utf-8")
    finally:
        os.close(descriptor)


def _checked(reference: str, secret: str) -> str:
    cut = secret.removesuffix("\n").removesuffix("\r")
    if not cut:
        raise _refused(reference, "it is empty")
    if len(secret.encode("utf-8", "surrogateescape")) > SIZE_LIMIT:
        raise _refused(reference, f"it is longer than {SIZE_LIMIT} bytes")
    return cut


def _refused(reference: str, why: str) -> MisconfiguredError:
    return MisconfiguredError(f"secret: {reference[:200]}: {why}")
