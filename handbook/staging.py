"""From documents of a repository to sources of the site: links to code become text, diagrams pictures."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from handbook.diagrams import LEGEND, parsed, svg

FRONT = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
"""Documents in the root of the tree; the first is the site's own first page."""
OTHERS = ["SECURITY", "CHANGELOG", "CONTRIBUTING"]
REFERENCE = "cli api rest-reference grpc grpc-reference schema"
RUNNING = "operations settings local-stack compose elsewhere gateway egress users upgrades backup"
SEEING = "observability telemetry tracing spans logs temporal-ui"
PARTS = (
    ("How to", ["docs/howto/index", "docs/howto/*"]),
    ("Running it", [f"docs/{name}" for name in RUNNING.split()]),
    ("Seeing it", [f"docs/{name}" for name in SEEING.split()]),
    ("Devices", ["docs/devices", "docs/profiles", "docs/faults", "docs/simulator"]),
    ("Reference", [f"docs/{name}" for name in REFERENCE.split()]),
    ("Why it is so", ["ARCHITECTURE", "docs/grid", "docs/adr/index", "docs/bench", "docs/chaos", *OTHERS]),
)
"""The order of the contents; a page that stands nowhere comes at the end of the last part."""
FENCE = re.compile(r"^( *)(```+)(\w*)[^\n]*\n(.*?)^\1\2 *$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+(?:\([^()]*\))?)\)")


def stage(root: Path, folder: Path) -> None:
    """Write the sources of the site, anew.

    Args:
        root: of the tree.
        folder: is removed first.

    Raises:
        DiagramError: a diagram cannot be drawn.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for document in documents(root):
        path = folder / staged_name(document.relative_to(root).as_posix())
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page(root, document, document.read_text("utf-8")), "utf-8")
    shutil.copytree(root / "docs/images", folder / "docs/images")
    (folder / "docs/adr/index.md").write_text(_decisions(root), "utf-8")
    names = sorted(path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.md"))
    with (folder / "index.md").open("a", encoding="utf-8") as index:
        index.write("\n".join(_contents(names)))


def documents(root: Path) -> list[Path]:
    """All that the site is made of."""
    return [*(root / name for name in FRONT), *sorted((root / "docs").rglob("*.md"))]


def staged_name(path: str) -> str:
    """Where a document of the tree stands in the site."""
    return "index.md" if path == FRONT[0] else path


def page(root: Path, document: Path, markdown: str) -> str:
    """One document as the site needs it."""
    parts, end = [], 0
    for fence in FENCE.finditer(markdown):
        parts += [_prose(root, document, markdown[end : fence.start()]), _fence(fence)]
        end = fence.end()
    return "".join([*parts, _prose(root, document, markdown[end:])])


def _fence(fence: re.Match[str]) -> str:
    if fence[3] != "mermaid":
        return fence[0]
    return f"```{{raw}} html\n<figure>{svg(parsed(fence[4]))}<figcaption>{LEGEND}</figcaption></figure>\n```"


def _prose(root: Path, document: Path, text: str) -> str:
    return LINK.sub(lambda link: _link(root, document, link), text)


def _link(root: Path, document: Path, link: re.Match[str]) -> str:
    target, _, anchor = link[3].partition("#")
    if link[1] or not target or "://" in target or target.startswith("mailto:"):
        return link[0]
    path = Path(os.path.normpath(document.parent / target))
    if path == root / FRONT[0]:
        return f"[{link[2]}]({_relative(root / 'index.md', document)}{'#' + anchor if anchor else ''})"
    if path == root / "docs/adr":
        return f"[{link[2]}]({_relative(path / 'index.md', document)})"
    if path.suffix == ".md" and path.is_relative_to(root):
        return link[0]
    shown, name = link[2], path.relative_to(root).as_posix()
    return shown if name in shown else f"{shown} (`{name}`)"


def _relative(path: Path, document: Path) -> str:
    return Path(os.path.relpath(path, document.parent)).as_posix()


def _decisions(root: Path) -> str:
    rows = []
    for path in sorted((root / "docs/adr").glob("*.md")):
        title = path.read_text("utf-8").splitlines()[0].removeprefix("# ")
        rows.append(f"- [{title}]({path.name})")
    contents = ["```{toctree}", ":hidden:", ":glob:", "", "0*", "```"]
    head = ["# Decisions", "", "Each with its context and its consequences, in their order.", ""]
    return "\n".join([*head, *rows, "", *contents, ""])


def _contents(names: list[str]) -> Iterator[str]:
    left = [name for name in names if name != "index" and not name.startswith("docs/adr/0")]
    for title, wanted in PARTS:
        found = list(dict.fromkeys(name for pattern in wanted for name in _matching(pattern, left)))
        left = [name for name in left if name not in found]
        if title == PARTS[-1][0]:
            found += left
        if found:
            yield from ("", "```{toctree}", ":hidden:", ":maxdepth: 1", f":caption: {title}", "", *found, "```")
    yield ""


def _matching(pattern: str, names: list[str]) -> list[str]:
    if pattern.endswith("/*"):
        return [name for name in names if name.startswith(pattern.removesuffix("*"))]
    return [pattern] if pattern in names else []
