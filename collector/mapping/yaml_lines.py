"""YAML as plain values that know their lines, so that a message about a file can say where."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.reader import ReaderError

Path = tuple[str | int, ...]


class YamlError(ValueError):
    """The text is not YAML of the kind that profiles are written in.

    Attributes:
        path: of the value, as far as it is known.
        line: counted from 1.
        remedy: what to write instead.
    """

    def __init__(self, problem: str, remedy: str, line: int, path: Path = ()) -> None:
        super().__init__(problem)
        self.remedy, self.line, self.path = remedy, line, path


@dataclass(slots=True)
class LinedYaml:
    """A document.

    Attributes:
        value: mappings, lists, texts, numbers, booleans, None.
        lines: path of every value -> line of its key, or of its dash in a list.
    """

    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)


def read_yaml(text: str) -> LinedYaml:
    """Read one document.

    Keys that occur twice are refused (YAML readers let the last one win silently), so are anchors and aliases (a file
    of a few lines could grow without limit).

    Raises:
        YamlError: with the line.
    """
    try:
        return _read(yaml.SafeLoader(text))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(filter(None, (error.context, error.problem)))
        raise YamlError(f"not YAML: {problem}", "correct the syntax", 1 if mark is None else mark.line + 1) from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        problem = f"the character {text[error.position]!a} is not allowed"
        raise YamlError(f"not YAML: {problem}", "remove it, or write it as an escape in quotes", line) from None
    except RecursionError:
        raise YamlError("nested too deeply", "a profile has at most four levels", 1) from None


def _read(loader: yaml.SafeLoader) -> LinedYaml:
    found = LinedYaml()
    try:
        node = loader.get_single_node()
        found.value = None if node is None else _Reader(loader, found.lines).read(node, ())
    finally:
        loader.dispose()
    return found


class _Reader:
    def __init__(self, loader: yaml.SafeLoader, lines: dict[Path, int]) -> None:
        self._loader, self._lines, self._seen = loader, lines, set[int]()

    def read(self, node: yaml.Node, path: Path, key: yaml.Node | None = None) -> Any:
        line = (key or node).start_mark.line + 1
        if id(node) in self._seen:
            raise YamlError("anchors and aliases are not supported", "write the value out", line, path)
        self._seen.add(id(node))
        self._lines[path] = line
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(child, (*path, index)) for index, child in enumerate(node.value)]
        return self._scalar(node, path, line)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> Mapping[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise YamlError("a key is not a word", "write keys as plain words", line, path)
            name = str(key.value)
            if name in found:
                raise YamlError("the key occurs twice", "keep one of them", line, (*path, name))
            found[name] = self.read(value, (*path, name), key)
        return found

    def _scalar(self, node: yaml.Node, path: Path, line: int) -> Any:
        try:
            return self._loader.construct_object(node, deep=True)
        except yaml.MarkedYAMLError as error:
            raise YamlError(f"not a plain value: {error.problem}", "put it in quotes", line, path) from None
        except (ValueError, TypeError, OverflowError) as error:
            raise YamlError(f"not a value: {error}", "put it in quotes", line, path) from None
