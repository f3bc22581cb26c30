"""The Dockerfile as data: its stages and their steps, and what of the tree its builder is sent."""

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from tests.architecture.compose_file import PINNED, ROOT

FILE, IGNORE = ROOT / "Dockerfile", ROOT / ".dockerignore"


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction.

    Attributes:
        word: such as `COPY`.
        rest: what follows, continued lines joined.
    """

    word: str
    rest: str

    @property
    def flags(self) -> dict[str, str]:
        """`--from=build` and the like."""
        return dict(re.findall(r"--([a-z]+)=(\S+)", self.rest)) if self.word == "COPY" else {}

    @property
    def words(self) -> list[str]:
        """Of the exec form, or as a shell splits them; without flags."""
        if self.rest.startswith("["):
            return [str(word) for word in json.loads(self.rest)]
        return [word for word in shlex.split(self.rest) if not word.startswith("--")]


@dataclass(frozen=True, slots=True)
class Stage:
    """What stands between two `FROM`.

    Attributes:
        base: its image.
        name: after `AS`, or empty.
        steps: in their order.
    """

    base: str
    name: str
    steps: list[Step] = field(default_factory=list)

    def last(self, word: str) -> Step:
        """The one that counts."""
        return [step for step in self.steps if step.word == word][-1]

    def all(self, word: str) -> Iterator[Step]:
        """Those of one kind."""
        return (step for step in self.steps if step.word == word)


def parse(text: str) -> list[Stage]:
    """The stages of a Dockerfile; no heredocs, which it does not use."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    stages: list[Stage] = []
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        word, _, rest = line.partition(" ")
        if word == "FROM":
            image, _, name = rest.partition(" AS ")
            stages.append(Stage(image, name))
        else:
            stages[-1].steps.append(Step(word, rest.strip()))
    return stages


def is_sent(path: str, patterns: Sequence[str]) -> bool:
    """Whether the builder is sent a path of the tree: the last pattern that fits it or a folder above it decides."""
    parts = path.split("/")
    heads = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    sent = True
    for pattern in patterns:
        bare = pattern.removeprefix("!").strip("/")
        names = heads if not bare.startswith("**/") else parts
        if any(fnmatchcase(name, bare.removeprefix("**/")) for name in names):
            sent = pattern.startswith("!")
    return sent


def ignore_patterns() -> list[str]:
    """The lines of .dockerignore that count."""
    lines = IGNORE.read_text("utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def sources(stages: Sequence[Stage]) -> list[str]:
    """What is copied from the tree, in order."""
    copies = [step for stage in stages for step in stage.all("COPY") if "from" not in step.flags]
    return [source.removeprefix("./") for step in copies for source in step.words[:-1]]


def violations(
    stages: Sequence[Stage], patterns: Sequence[str], packages: Sequence[str], root: Path = ROOT
) -> list[str]:
    """What breaks a rule of this house, sorted."""
    found = [*_bases(stages), *_copies(stages, patterns, root), *_final(stages[-1])]
    folders = {source for source in sources(stages) if (root / source).is_dir()}
    found += [f"{name} is a package and not copied" for name in set(packages) - folders]
    found += [f"{name} is copied and no package" for name in folders - set(packages)]
    found += [f"{step.word} fetches what no lock file knows" for stage in stages for step in stage.all("ADD")]
    return sorted(found)


def _bases(stages: Sequence[Stage]) -> Iterator[str]:
    named = {stage.name for stage in stages}
    yield from (f"image {stage.base} is not pinned" for stage in stages if not PINNED.fullmatch(stage.base))
    for step in (step for stage in stages for step in stage.all("COPY")):
        origin = step.flags.get("from")
        if origin is not None and origin not in named:
            yield f"there is no stage {origin}"


def _copies(stages: Sequence[Stage], patterns: Sequence[str], root: Path) -> Iterator[str]:
    for source in sources(stages):
        if not (root / source).exists():
            yield f"{source} is not there"
        elif not is_sent(source, patterns):
            yield f"{source} is not sent to the builder"


def _final(stage: Stage) -> Iterator[str]:
    if not any(re.fullmatch(r"[1-9]\d*:[1-9]\d*", step.rest) for step in list(stage.all("USER"))[-1:]):
        yield "its user is not named by number, or root"
    for word, rest in (("STOPSIGNAL", "SIGTERM"), ("ENTRYPOINT", '["chamberlog"]')):
        if [step.rest for step in stage.all(word)] != [rest]:
            yield f"{word} is not {rest}"
