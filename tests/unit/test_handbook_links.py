"""Links of the built site, and how links of documents become links of the site."""

from pathlib import Path

import pytest

from handbook.links import faults
from handbook.staging import page

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ('<a href="gone.html">', "a.html: gone.html: there is no such file"),
        ('<a href="b.html#gone">', "a.html: b.html#gone: the page has no such anchor"),
        ('<a href="#gone">', "a.html: #gone: the page has no such anchor"),
        ('<img src="gone.png">', "a.html: gone.png: there is no such file"),
        ('<script src="https://cdn.example.org/x.js">', "loads https://cdn.example.org/x.js"),
        ('<link rel="stylesheet" href="//fonts.example.org/x.css">', "loads //fonts.example.org/x.css"),
        ('<a href="https://nohost">', "https://nohost: no well-formed address"),
        ('<a href="htp://example.org">', "htp://example.org: no well-formed address"),
    ],
)
def test_a_link_that_leads_nowhere_is_found(html: str, fault: str, tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(html)
    (tmp_path / "b.html").write_text('<p id="there">')
    (found,) = faults(tmp_path)
    assert fault in found


def test_a_link_that_leads_somewhere_is_left_alone(tmp_path: Path) -> None:
    links = ["b.html", "b.html#there", "#here", "https://example.org/x#y", "mailto:eve@example.org", "b.html?q=1"]
    (tmp_path / "a.html").write_text('<p id="here">' + "".join(f'<a href="{link}">' for link in links))
    (tmp_path / "b.html").write_text('<p id="there"><link rel="canonical" href="https://example.org/">')
    assert faults(tmp_path) == []


@pytest.mark.parametrize(
    ("markdown", "staged"),
    [
        ("[grid](docs/grid.md#slot)", "[grid](docs/grid.md#slot)"),
        ("[decisions](docs/adr)", "[decisions](docs/adr/index.md)"),
        ("[the start](README.md#more)", "[the start](index.md#more)"),
        ("[the proto](proto/chamberlog/v1)", "the proto (`proto/chamberlog/v1`)"),
        ("[proto/buf.yaml](proto/buf.yaml)", "proto/buf.yaml"),
        ("[out](https://example.org/a)", "[out](https://example.org/a)"),
        ("![curve](docs/images/curve.png)", "![curve](docs/images/curve.png)"),
        ("```sh\ncat [x](proto/buf.yaml)\n```", "```sh\ncat [x](proto/buf.yaml)\n```"),
    ],
)
def test_links_to_code_become_text(markdown: str, staged: str) -> None:
    assert page(ROOT, ROOT / "SECURITY.md", markdown) == staged


def test_a_picture_of_tables_is_drawn_beforehand() -> None:
    staged = page(ROOT, ROOT / "SECURITY.md", "```mermaid\nerDiagram\n    chamber\n```")
    assert staged.startswith("```{raw} html\n<figure><svg")
    assert ">chamber</text>" in staged
