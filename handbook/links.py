"""Links of a built site: each leads to a file and an anchor of it, and nothing is loaded from anywhere else."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ELSEWHERE = {"http", "https"}
LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src", "object": "data"}
"""What a browser fetches by itself."""
NAMES_ONLY = {"canonical", "license", "author"}
"""`<link>`s that are not fetched."""
Attributes = list[tuple[str, str | None]]


@dataclass(slots=True)
class Page:
    """What a page has: its anchors, what it loads, and where its links lead."""

    anchors: set[str] = field(default_factory=set)
    loads: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        has = {name: value or "" for name, value in attrs}
        self.page.anchors.update(has[name] for name in ("id", "name") if name in has)
        if tag == "a" and "href" in has:
            self.page.links.append(has["href"])
        elif has.get("rel") not in NAMES_ONLY and (address := has.get(LOADED.get(tag, ""))):
            self.page.loads.append(address)


def faults(site: Path) -> list[str]:
    """What is wrong with the links of a site, each with its page; empty when all is well. No address is fetched.

    Args:
        site: folder of HTML files.
    """
    pages = {path: _read(path) for path in sorted(site.rglob("*.html"))}
    found = [fault for path, page in pages.items() for fault in _faults_of(path, page, pages)]
    return sorted({fault.replace(f"{site}/", "") for fault in found})


def _read(path: Path) -> Page:
    reader = _Reader()
    reader.feed(path.read_text("utf-8"))
    return reader.page


def _faults_of(path: Path, page: Page, pages: Mapping[Path, Page]) -> Iterator[str]:
    for address in page.loads:
        if urlsplit(address).netloc:
            yield f"{path}: loads {address}: the site has to work without a network"
        else:
            yield from _inside(path, address, pages)
    for address in page.links:
        parts = urlsplit(address)
        if parts.scheme == "mailto":
            continue
        if parts.scheme or parts.netloc:
            yield from _outside(path, address)
        else:
            yield from _inside(path, address, pages)


def _outside(path: Path, address: str) -> Iterator[str]:
    parts = urlsplit(address)
    if parts.scheme not in ELSEWHERE or not parts.hostname or "." not in parts.hostname or " " in address:
        yield f"{path}: {address}: no well-formed address"


def _inside(path: Path, address: str, pages: Mapping[Path, Page]) -> Iterator[str]:
    parts = urlsplit(address)
    if parts.scheme == "data":
        return
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.is_file():
        yield f"{path}: {address}: there is no such file"
    elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
        yield f"{path}: {address}: the page has no such anchor"
