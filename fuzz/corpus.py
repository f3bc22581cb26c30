"""The untouched answers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from collector.domain.errors import SlotFailedError
from collector.domain.outcome import Quality
from collector.mapping.answer import map_answer
from collector.mapping.circumstances import Circumstances
from collector.mapping.loading import load_profile
from collector.mapping.profile import Profile

ROOT = Path(__file__).resolve().parents[1]
PROFILES, ANSWERS = ROOT / "profiles", ROOT / "tests/unit/answers"
RECORDINGS = ROOT.parent / "shared/devices/answers"
KNOWN = Circumstances(timezone="UTC")
_NO_ANSWERS = {"expected.json", "manifest.json"}


@dataclass(frozen=True, slots=True)
class Answer:
    """One untouched answer and what it says.

    Attributes:
        name: of the file.
        profile: the built-in profile that reads it.
        body: as the device sends it.
        values: measurement -> value, of those that have one; empty when the answer becomes a gap.
    """

    name: str
    profile: Profile
    body: bytes
    values: Mapping[str, float]


def corpus(recordings: Path | None = RECORDINGS) -> Sequence[Answer]:
    """All hand-made answers, and the recordings of that folder if it is there, in a fixed order.

    Raises:
        FileNotFoundError: there are no hand-made answers: this is no work tree.
    """
    profiles = [load_profile(file.read_text("utf-8"), file.name) for file in sorted(PROFILES.glob("*.yaml"))]
    found = [*_handmade(profiles), *(_recorded(profiles, recordings) if recordings else ())]
    if not found:
        raise FileNotFoundError(f"no answers in {ANSWERS}")
    return found


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in sorted(folder.glob("*")) if file.is_file() and file.name not in _NO_ANSWERS)


def _handmade(profiles: Sequence[Profile]) -> Iterator[Answer]:
    """A file's name begins with its profile's; the longest one counts."""
    for file in _files(ANSWERS):
        fitting = [p for p in profiles if file.name.startswith(p.name.replace("-", "_") + "_")]
        if fitting:
            yield _answer(file, max(fitting, key=lambda profile: len(profile.name)))


def _recorded(profiles: Sequence[Profile], folder: Path) -> Iterator[Answer]:
    """Whatever profile makes the most of it, of those whose maker stands in the file's name."""
    for file in _files(folder):
        makers = [p for p in profiles if p.name.split("-")[0][:3] == file.name[:3]]
        answers = [_answer(file, profile) for profile in makers]
        if answers and file.suffix != ".http":
            yield max(answers, key=lambda answer: len(answer.values))


def _answer(file: Path, profile: Profile) -> Answer:
    body = file.read_bytes()
    try:
        found = map_answer(profile, body, KNOWN).measurements
    except SlotFailedError:
        found = ()
    values = {m.name: m.value for m in found if m.value is not None and m.quality is not Quality.BAD}
    return Answer(file.name, profile, body, values)
