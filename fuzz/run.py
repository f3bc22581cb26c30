"""Many cases on several processes; what was found, and the smallest case of it."""

import multiprocessing
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from fuzz.cases import Cases
from fuzz.corpus import Answer, corpus
from fuzz.oracle import Case, judged

BLOCK = 2_000
HANG_S = 20
"""Of CPU for one case: it takes a millisecond, and what takes half a second is a finding already."""
KEPT = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """A case that must not be.

    Attributes:
        number: of the case.
        answer: name of the untouched answer.
        profile: which reads it.
        mutations: their names.
        problem: what is wrong.
        body: the mutated answer.
    """

    number: int
    answer: str
    profile: str
    mutations: Sequence[str]
    problem: str
    body: bytes


@dataclass(slots=True)
class Summary:
    """What became of the cases.

    Attributes:
        outcomes: see `fuzz.oracle.Verdict`.
        findings: the smallest ones, smallest first.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    def add(self, other: "Summary") -> None:
        """Take another part's in."""
        self.outcomes += other.outcomes
        self.findings = sorted([*self.findings, *other.findings], key=_size)[:KEPT]


class HangError(RuntimeError):
    """A case took longer than `HANG_S`; it goes through whatever catches the mapping's own errors."""


def run(cases: Cases, numbers: Sequence[int]) -> Summary:
    """Judge these cases here, one after another. The same cases give the same summary."""
    summary = Summary()
    found = (_judged(cases.case(number), summary) for number in numbers)
    summary.findings = sorted((finding for finding in found if finding), key=_size)[:KEPT]
    return summary


def run_all(seed: int, count: int, processes: int, recordings: Path | None, say: Callable[[str], None]) -> Summary:
    """Judge the cases 0 to `count` on several processes.

    Args:
        seed: of the cases.
        count: how many.
        processes: at once.
        recordings: a folder of more answers; None = only the hand-made ones.
        say: takes a line of progress now and then.

    Raises:
        BrokenProcessPool: a process died, which no case may make it do either.
    """
    blocks = [(first, min(first + BLOCK, count)) for first in range(0, count, BLOCK)]
    summary, began_s = Summary(), time.monotonic()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, _begin, (seed, recordings)) as pool:
        for done, part in enumerate(pool.map(_block, blocks), 1):
            summary.add(part)
            if done % 10 == 0 or done == len(blocks):
                say(_progress(min(done * BLOCK, count), count, time.monotonic() - began_s, summary))
    return summary


def described(finding: Finding, seed: int) -> Iterator[str]:
    """A finding in lines."""
    yield f"case {finding.number} of seed {seed}: {finding.answer} ({finding.profile}), {', '.join(finding.mutations)}"
    yield f"  {finding.problem}"
    yield f"  {finding.body[:2000]!r}" + (f" and {len(finding.body) - 2000} more" if len(finding.body) > 2000 else "")


def _judged(case: Case, summary: Summary) -> Finding | None:
    verdict = judged(case)
    summary.outcomes[verdict.outcome] += 1
    if verdict.outcome != "finding":
        return None
    names = [mutation.name for mutation in case.mutations]
    return Finding(case.number, case.answer.name, case.answer.profile.name, names, verdict.problem, case.body)


def _size(finding: Finding) -> tuple[int, int]:
    return len(finding.body), finding.number


def _progress(done: int, count: int, spent_s: float, summary: Summary) -> str:
    left_s = spent_s / done * (count - done)
    found = summary.outcomes["finding"]
    return f"{done:>9,} of {count:,} ({spent_s:.0f} s, {left_s:.0f} s left): {found:,} findings"


_cases: list[Cases] = []
"""Of this process: made once, used by every block."""


def _begin(seed: int, recordings: Path | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGVTALRM, _hung)
    _cases[:] = [Cases(_answers(recordings), seed)]


def _answers(recordings: Path | None) -> Sequence[Answer]:
    return corpus(recordings)


def _hung(_signal: int, _frame: FrameType | None) -> None:
    raise HangError(f"longer than {HANG_S} s")


def _block(numbers: tuple[int, int]) -> Summary:
    summary = Summary()
    for number in range(*numbers):
        signal.setitimer(signal.ITIMER_VIRTUAL, HANG_S)
        summary.add(run(_cases[0], [number]))
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return summary
