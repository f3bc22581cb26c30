"""The site of the documents builds without a warning, and no link of it leads nowhere."""

import shutil
from pathlib import Path

import pytest

from handbook.links import faults
from handbook.site import SiteError, build
from handbook.staging import FRONT

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.timeout(180)


def test_the_site_builds_and_its_links_lead_somewhere(tmp_path: Path) -> None:
    site = build(ROOT, tmp_path / "build")
    assert faults(site) == []
    first = (site / "index.html").read_text("utf-8")
    assert "chamberlog" in first
    for page in ("docs/operations.html", "docs/schema.html", "docs/adr/index.html", "docs/howto/index.html"):
        assert page in first, "the contents lead to it"
    assert "<svg" in (site / "docs/schema.html").read_text("utf-8")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree of few documents."""
    for name in FRONT:
        (tmp_path / name).write_text(f"# {name}\n\n[One](docs/one.md#first)\n", "utf-8")
    for folder in ("adr", "images", "howto"):
        (tmp_path / "docs" / folder).mkdir(parents=True)
    shutil.copytree(ROOT / "docs/_static", tmp_path / "docs/_static")
    shutil.copy(ROOT / "docs/conf.py", tmp_path / "docs")
    (tmp_path / "docs/adr/0001-a.md").write_text("# 1. A\n")
    (tmp_path / "docs/howto/index.md").write_text("# How to\n")
    (tmp_path / "docs/one.md").write_text("# One\n\n## First\n")
    return tmp_path


def test_a_small_site_builds(tree: Path) -> None:
    assert faults(build(tree, tree / "build")) == []


@pytest.mark.parametrize(
    ("planted", "said"),
    [
        ("[gone](gone.md)", "gone.md"),
        ("[gone](one.md#gone)", "gone"),
        ("![gone](images/gone.png)", "gone.png"),
        ("#### Too deep", "Non-consecutive header level"),
        ("```{nonsense}\n```", "nonsense"),
    ],
)
def test_a_planted_fault_ends_the_build(planted: str, said: str, tree: Path) -> None:
    (tree / "docs/two.md").write_text(f"# Two\n\n{planted}\n")
    with pytest.raises(SiteError, match=said):
        build(tree, tree / "build")
