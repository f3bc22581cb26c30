"""`make screenshots`: pictures for the documents, of a stack that this starts and ends."""

import argparse
import sys
import tempfile
from pathlib import Path

from collector.domain.errors import ChamberlogError
from handbook.screenshots import scenes
from handbook.screenshots.chromium import Browser, browser
from handbook.screenshots.pictures import keep
from handbook.screenshots.stage import SIZE, Stage, staged

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"


def main() -> int:
    """Take them all, or those that were named; 1 when one cannot be taken."""
    parser = argparse.ArgumentParser(prog="python -m handbook.screenshots", description=__doc__)
    known = ["terminal-up", *scenes.TERMINAL, *scenes.WEB]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these of: {', '.join(known)}")
    parser.add_argument("--to", type=Path, default=IMAGES, help="folder for the pictures (docs/images)")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.names) - set(known)):
        parser.error(f"there is no picture {', '.join(unknown)}")
    try:
        with (
            tempfile.TemporaryDirectory(prefix="chamberlog-") as folder,
            staged(Path(folder)) as stage,
            browser() as page,
        ):
            take(page, stage, arguments.names or known, arguments.to)
    except ChamberlogError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def take(page: Browser, stage: Stage, names: list[str], folder: Path) -> None:
    """Take the named pictures of the stack into the folder.

    Raises:
        PictureError: one cannot be taken.
    """
    for name in (name for name in names if name not in scenes.WEB):
        if name == "terminal-up":
            ansi, title, columns = stage.up.text(), "chamberlog up", SIZE[0]
        else:
            words, columns = scenes.TERMINAL[name]
            ansi, title = stage.printed(*words, width=columns), f"chamberlog {' '.join(words)}"
        _say(name, keep(scenes.draw(page, ansi, title, columns), folder / f"{name}.png"))
    scenes.prepare(page, stage)
    for name in (name for name in scenes.WEB if name in names):
        _say(name, keep(scenes.WEB[name](page, stage), folder / f"{name}.png"))


def _say(name: str, size: int) -> None:
    sys.stderr.write(f"{name}.png {size / 1000:.0f} kB\n")


if __name__ == "__main__":
    sys.exit(main())
