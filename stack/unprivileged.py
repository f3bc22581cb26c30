"""Running PostgreSQL as root, which refuses user id 0."""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

NOBODY = 65_534


@cache
def namespace_prefix() -> tuple[str, ...]:
    """`unshare` into a user namespace where root is seen as nobody and files stay root's; empty where forbidden."""
    prefix = ("unshare", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "--")
    if shutil.which("unshare") is None:
        return ()
    allowed = subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
    return prefix if allowed else ()


def unprivileged_prefix(directory: Path, *, namespaces: bool = True) -> tuple[str, ...]:
    """What stands before a command that refuses to run as root; empty when this process is not root.

    Args:
        directory: what the command writes to; made, and given to nobody where the change of user is real.
        namespaces: False takes the second way (Docker's default seccomp profile forbids the first): `setpriv` makes
            the process nobody, to whom every directory above the data and the binaries must then be readable.
    """
    if os.geteuid() != 0 or sys.platform != "linux":
        return ()
    if namespaces and (prefix := namespace_prefix()):
        return prefix
    directory.mkdir(parents=True, exist_ok=True)
    give_to_nobody(directory)
    return ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--")


def give_to_nobody(directory: Path) -> None:
    """Make nobody the owner of a directory and all in it."""
    for path in (directory, *directory.rglob("*")):
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
