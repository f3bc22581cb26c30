"""Running PostgreSQL as root, which refuses user id 0."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NOBODY = 65_534
FORBID = "CHAMBERLOG_NO_USER_NAMESPACES"
"""Set to anything, user namespaces are not tried."""


def unprivileged_prefix(directory: Path) -> tuple[str, ...]:
    """What stands before a command that refuses to run as root; empty when this process is not root.

    First choice is a user namespace in which root is seen as nobody while the files stay root's: it works below a
    directory that only root may enter. Where it is forbidden (Docker's default seccomp profile) the process really
    becomes nobody, to whom the data is given, and who must be able to enter every directory above it.

    Args:
        directory: what the command writes to; its owner is changed if need be, it may be absent.
    """
    if os.geteuid() != 0 or sys.platform != "linux":
        return ()
    namespace = ("unshare", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "--")
    if _works(namespace):
        give_to(0, directory)
        return namespace
    give_to(NOBODY, directory)
    # the kernel forgets the death signal when the user changes, hence --pdeathsig (SIGINT: PostgreSQL's fast stop)
    return ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--pdeathsig=INT", "--")


def give_to(owner: int, directory: Path) -> None:
    """Make a user the owner of a directory and all in it. Again: nothing changes."""
    if not directory.exists() or directory.stat().st_uid == owner:
        return
    for path in (*directory.rglob("*"), directory):  # itself last: an interrupted change is taken up again
        os.chown(path, owner, owner, follow_symlinks=False)


def _works(prefix: tuple[str, ...]) -> bool:
    if os.environ.get(FORBID) or shutil.which(prefix[0]) is None:
        return False
    return subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
