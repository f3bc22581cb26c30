"""From the text of a profile file to a profile, with errors that name file, key and line."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from collector.domain.errors import InvalidFieldError
from collector.mapping.body_rules import BodyRules, Columns
from collector.mapping.measurement_rules import MeasurementRules, Rate
from collector.mapping.profile import Profile
from collector.mapping.request_rules import RequestRules
from collector.mapping.rules import Rules
from collector.mapping.time_rules import TimeRules
from collector.mapping.yaml_lines import LinedYaml, Path, YamlError, read_yaml

_REMEDIES = {
    "missing": "write it",
    "string_type": "write a text, in quotes where YAML would read a number, date, yes, no or null",
    "float_type": "write a number such as 21.5 (YAML reads 1e3 as text: write 1000.0)",
    "finite_number": "write a number that is finite",
    "int_type": "write a whole number",
    "bool_type": "write true or false",
    "tuple_type": "write a list in [ ]",
    "mapping_type": "write a mapping of key: value",
    "model_type": "write a mapping of key: value",
}
_PARTS: Mapping[str, type[Rules]] = {
    "request": RequestRules,
    "body": BodyRules,
    "time": TimeRules,
    "measurements": MeasurementRules,
    "columns": Columns,
    "rate": Rate,
}


class ProfileError(InvalidFieldError):
    """A profile file is wrong.

    Attributes:
        file: as it was given.
        key: path of the value, such as `measurements[0].unit`; empty for the file as a whole.
        line: counted from 1; 0 when it concerns no line.
        problem: what is wrong.
        remedy: what to write instead.
    """

    def __init__(self, file: str, key: str, line: int, problem: str, remedy: str) -> None:
        super().__init__(key or "profile", problem, remedy)
        self.file, self.key, self.line = file, key, line
        place = ": ".join(part for part in (f"{file}:{line}" if line else file, key) if part)
        self.args = (f"{place}: {problem}; {remedy}",)

    def __reduce__(self) -> tuple[type["ProfileError"], tuple[str, str, int, str, str]]:
        """Pickle by the constructor's own arguments: `args` holds the message."""
        return ProfileError, (self.file, self.key, self.line, self.problem, self.remedy)


def load_profile(text: str, file: str, *, stem: str | None = None) -> Profile:
    """Read one profile.

    Args:
        text: YAML.
        file: for the messages.
        stem: the file's name without its ending: the profile must have this name. None = any name.

    Raises:
        ProfileError: for the first problem; its `problem` says how many more there are.
    """
    try:
        document = read_yaml(text)
    except YamlError as error:
        raise ProfileError(file, _key(error.path), error.line, str(error), error.remedy) from None
    if not isinstance(document.value, dict):
        raise ProfileError(file, "", 1, "not a mapping of key: value", "begin with name: and measurements:")
    try:
        profile = Profile.model_validate(document.value)
    except ValidationError as error:
        raise _first(error.errors(include_url=False), document, file) from None
    if stem not in (None, profile.name):
        problem = f"{profile.name!r} is not the name of the file"
        raise ProfileError(file, "name", document.lines["name",], problem, f"write {stem}, or rename the file")
    return profile


def _first(problems: Sequence[ErrorDetails], document: LinedYaml, file: str) -> ProfileError:
    # a key that is missing comes last: it is often the one that is misspelt, and that says more
    first = min(problems, key=lambda problem: (problem["type"] == "missing", _line(_path(problem), document)))
    path = _known(_path(first), document)
    others = len({_known(_path(problem), document) for problem in problems}) - 1
    problem, remedy = _explained(first, path)
    more = f" (and {others} more)" if others else ""
    return ProfileError(file, _key(path), _line(path, document), problem + more, remedy)


def _path(problem: ErrorDetails) -> Path:
    return (*problem["loc"], *problem.get("ctx", {}).get("at", ()))


def _known(path: Path, document: LinedYaml) -> Path:
    """The path without what pydantic adds below a value that exists; a key that is missing stays."""
    whole = next(n for n in range(len(path), -1, -1) if path[:n] in document.lines)
    parent = _at(document.value, path[:whole])
    return path[: whole + 1] if isinstance(parent, dict) else path[:whole]


def _line(path: Path, document: LinedYaml) -> int:
    return next(document.lines[path[:n]] for n in range(len(path), -1, -1) if path[:n] in document.lines)


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def _explained(problem: ErrorDetails, path: Path) -> tuple[str, str]:
    kind, context = problem["type"], problem.get("ctx", {})
    if kind == "refused":
        return str(context["problem"]), str(context["remedy"])
    if kind == "extra_forbidden":
        return "there is no such key here", f"known are {', '.join(_keys_beside(path))}"
    if kind == "missing":
        return "the key is missing", _REMEDIES[kind]
    message = problem["msg"].removeprefix("Input should be ")
    if kind == "literal_error":
        return "not one of the values that are known", f"write {message}"
    seen = f"{ascii(problem['input'])[:60]} is not {message.removeprefix('a valid ')}"
    return seen, _REMEDIES.get(kind, f"it should be {message}")


def _keys_beside(path: Path) -> list[str]:
    above = [str(step) for step in path[:-1] if str(step) in _PARTS]
    part: type[Rules] = _PARTS[above[-1]] if above else Profile
    return list(part.model_fields)


def _key(path: Path) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")
