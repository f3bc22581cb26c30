"""The site: sources from the documents, made by Sphinx, every warning an error. It needs no network, then or later."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from handbook.staging import stage


class SiteError(Exception):
    """Sphinx found something wrong; the message has what it said."""


def build(root: Path, folder: Path) -> Path:
    """Make it anew.

    Args:
        root: of the tree.
        folder: of what is made: `site-source` and `site` in it are removed first.

    Returns:
        The folder of the site.

    Raises:
        SiteError: a warning or an error of Sphinx.
        DiagramError: a diagram cannot be drawn.
    """
    source, site = folder / "site-source", folder / "site"
    stage(root, source)
    shutil.rmtree(site, ignore_errors=True)
    options = ["-b", "html", "-W", "--keep-going", "-q", "-j", str(os.cpu_count() or 1)]
    folders: list[str | Path] = ["-c", root / "docs", "-d", folder / "doctrees", source, site]
    command: list[str | Path] = [sys.executable, "-m", "sphinx", *options, *folders]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    shutil.rmtree(folder / "doctrees", ignore_errors=True)
    if done.returncode or done.stderr.strip():
        raise SiteError(done.stderr.replace(f"{source}/", "").strip() or done.stdout)
    return site
