"""`python -m handbook schema | reference | site`: write the pages that are made, build the site."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from handbook.links import faults
from handbook.site import SiteError, build

ROOT = Path(__file__).resolve().parents[1]
BAD = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Make what is asked for. Again: the same files.

    Returns:
        0; 1 when the site does not build or a link of it leads nowhere.
    """
    parser = argparse.ArgumentParser(prog="python -m handbook", description="The pages that are made, and the site.")
    parser.add_argument("what", choices=["schema", "reference", "site"], help="what to make")
    given = parser.parse_args(argv)
    if given.what == "site":
        return _site()
    from handbook.made import reference_pages, schema_pages  # noqa: PLC0415  # the site needs none of it

    pages = asyncio.run(schema_pages(ROOT) if given.what == "schema" else reference_pages(ROOT))
    for path, text in pages.items():
        (ROOT / path).write_text(text, encoding="utf-8")
        _say(f"wrote {path}")
    return 0


def _site() -> int:
    try:
        site = build(ROOT, ROOT / "build")
    except SiteError as error:
        _say(str(error))
        return BAD
    found = faults(site)
    for fault in found:
        _say(fault)
    _say(
        f"the site is in {site.relative_to(ROOT)}: open {site.relative_to(ROOT)}/index.html" if not found else "broken"
    )
    return BAD if found else 0


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
