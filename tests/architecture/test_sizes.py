"""What keeps the code readable: sizes, names, docstrings, no mocks. Each rule is tried on a planted offender too."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["root_packages"]
GENERATED = ROOT / "api/grpc/generated"
"""protoc writes it."""
SOURCES = sorted(
    path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if GENERATED not in path.parents
)
TESTS = sorted((ROOT / "tests").rglob("*.py"))

LONGEST_MODULE, LONGEST_FUNCTION = 300, 40
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc", "base"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


def offences(name: str, source: str) -> list[str]:
    """What a module of the product does against the rules."""
    tree = ast.parse(source)
    return [*_sizes(name, source, tree), *_undocumented(name, tree), *_mocks(name, tree), *_names(name)]


def _sizes(name: str, source: str, tree: ast.AST) -> Iterator[str]:
    lines = source.count("\n")
    if lines > LONGEST_MODULE:
        yield f"{name}: {lines} lines"
    for node in ast.walk(tree):
        if isinstance(node, Function):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > LONGEST_FUNCTION:
                yield f"{name}: {node.name} has {length} lines"


def _undocumented(name: str, tree: ast.Module) -> Iterator[str]:
    if ast.get_docstring(tree) is None:
        yield f"{name}: no docstring"
    yield from (f"{name}: {symbol} has no docstring" for symbol in _bare_symbols(tree, ""))


def _bare_symbols(node: ast.Module | ast.ClassDef, prefix: str) -> Iterator[str]:
    for child in node.body:
        if not isinstance(child, ast.ClassDef | Function) or child.name.startswith("_"):
            continue
        if any(isinstance(d, ast.Attribute) and d.attr == "setter" for d in child.decorator_list):
            continue  # a property is documented once, at its getter
        if ast.get_docstring(child) is None:
            yield prefix + child.name
        if isinstance(child, ast.ClassDef):
            yield from _bare_symbols(child, f"{prefix}{child.name}.")


def _mocks(name: str, tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
            modules = [f"{module}{alias.name}" for alias in node.names]
            yield from (f"{name}:{node.lineno} mocks" for m in modules if m.startswith(("unittest.mock", "mock.")))
        elif isinstance(node, ast.Attribute) and ast.unparse(node) == "monkeypatch.setattr":
            yield f"{name}:{node.lineno} patches"


def _names(name: str) -> Iterator[str]:
    yield from (
        f"{name}: a module called {part}" for part in Path(name).with_suffix("").parts if part in FORBIDDEN_NAMES
    )


def test_the_product_keeps_the_rules() -> None:
    assert SOURCES
    found = [o for p in SOURCES for o in offences(str(p.relative_to(ROOT)), p.read_text(encoding="utf-8"))]
    assert found == []


def test_tests_neither_mock_nor_patch() -> None:
    found = [
        offence
        for path in TESTS
        for offence in _mocks(str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == []


def test_a_setter_is_documented_by_its_getter() -> None:
    source = '"""X."""\nclass A:\n    """A."""\n    @b.setter\n    def b(self, b): ...\n'
    assert offences("api/x.py", source) == []


@pytest.mark.parametrize(
    ("name", "source", "offence"),
    [
        ("api/x.py", '"""X."""\n' + "a = 1\n" * 300, "api/x.py: 301 lines"),
        ("api/x.py", '"""X."""\ndef _f():\n' + "    a = 1\n" * 40, "api/x.py: _f has 41 lines"),
        ("api/x.py", "a = 1\n", "api/x.py: no docstring"),
        ("api/x.py", '"""X."""\ndef f(): ...\n', "api/x.py: f has no docstring"),
        (
            "api/x.py",
            '"""X."""\nclass A:\n    """A."""\n    async def b(self): ...\n',
            "api/x.py: A.b has no docstring",
        ),
        ("api/x.py", '"""X."""\nfrom unittest import mock\n', "api/x.py:2 mocks"),
        ("api/x.py", '"""X."""\nimport unittest.mock as m\n', "api/x.py:2 mocks"),
        ("api/x.py", '"""X."""\nmonkeypatch.setattr(a, "b", 1)\n', "api/x.py:2 patches"),
        ("api/utils.py", '"""X."""\n', "api/utils.py: a module called utils"),
        ("api/common/x.py", '"""X."""\n', "api/common/x.py: a module called common"),
    ],
)
def test_a_planted_offender_is_found(name: str, source: str, offence: str) -> None:
    assert offences(name, source) == [offence]
