"""Prometheus' text format, and what devices take for it."""

import re
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from collector.mapping.body_rules import BodyRules
from collector.mapping.decoders.refusals import NODES_LIMIT, UndecodableError, crowded
from collector.mapping.tree import Tree, Unended

_SAMPLE = re.compile(r"([^\s{]*+)\s*(\{.*\})?\s*([^\s{}]++)(?:\s+-?[0-9]{12,16})?")
_LABELS = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*+)\s*=\s*"((?:[^"\\]++|\\.)*+)"\s*(?:,|$)')
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*+")
_NUMBER = re.compile(r"[+-]?[0-9]{1,400}(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,4})?")
_ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}
_OPEN_METRICS = re.compile(
    r"^[ \t]*#[ \t]*(?:UNIT[ \t]|TYPE[ \t]+\S+[ \t]+(?:info|stateset|unknown|gaugehistogram)\b)", re.MULTILINE
)
"""What only OpenMetrics has: such a page ends with `# EOF`."""
_END = "# EOF"
_NODES_OF_SAMPLE = 3
LINE_LIMIT = 4096
"""Characters of a sample: the parser copies the rest of the line for each label."""


def decode(rules: BodyRules, text: str) -> Tree:
    """Decode samples into {metric: [{"labels": {...}, "value": number}, ...]}.

    Each line goes through prometheus_client's parser of the classic format, and what it refuses (AirGradient's old
    firmware wrote no blank before the value) through a tolerant one. A line that neither reads is refused: a torn line
    may have lost half of a value. What is no number (NaN, +Inf) stays a text. A timestamp has milliseconds: 12 digits
    at least, or it is the other half of a value. A page that is OpenMetrics by its comments must end as one.

    Raises:
        UndecodableError: says which line; stage `truncated` when `# EOF` is missing.
    """
    if text.count("\n") > NODES_LIMIT:
        raise crowded()
    lines = [(at, line.strip()) for at, line in enumerate(text.split("\n"), 1)]
    samples = [(at, line) for at, line in lines if line and not line.startswith("#")]
    if len(samples) * _NODES_OF_SAMPLE + sum(line.count("=") for _, line in samples) > NODES_LIMIT:
        raise crowded()
    if _OPEN_METRICS.search(text) and not text.rstrip().endswith(_END):
        raise UndecodableError(f"the page is OpenMetrics and does not end with {_END}", "truncated")
    found: dict[str, list[dict[str, Any]]] = {}
    seen: set[object] = set()
    for at, line in samples:
        name, labels, value = _sample(at, line)
        _refuse_twice(seen, (name, tuple(sorted(labels.items()))), at)
        found.setdefault(name, []).append({"labels": labels, "value": _value(value)})
    if samples and rules.ends_with is None and lines[-1] == samples[-1]:
        found[name][-1]["value"] = Unended(found[name][-1]["value"])
    return found


def _refuse_twice(seen: set[object], key: tuple[str, object], at: int) -> None:
    if key in seen:
        raise UndecodableError(f"the sample {key[0][:40]!a} occurs twice, again in line {at}")
    seen.add(key)


def _sample(at: int, line: str) -> tuple[str, dict[str, str], str]:
    shape = _SAMPLE.fullmatch(line) if len(line) <= LINE_LIMIT else None
    if shape is None:
        raise UndecodableError(f"line {at} is no sample: {line[:40]!a}")
    name, labels, value = shape.groups()
    try:
        (sample,) = next(iter(text_string_to_metric_families(line))).samples
        return sample.name, dict(sample.labels), value
    except (ValueError, IndexError):
        return _tolerant(at, name, labels or "{}", value)


def _tolerant(at: int, name: str, labels: str, value: str) -> tuple[str, dict[str, str], str]:
    found, position, inside = {}, 0, labels[1:-1].strip()
    while position < len(inside):
        label = _LABELS.match(inside, position)
        if label is None or label[1] in found:
            raise UndecodableError(f"line {at}: the labels {labels[:40]!a} cannot be read")
        found[label[1]] = re.sub(r'\\[\\"n]', lambda escape: _ESCAPES[escape[0]], label[2])
        position = label.end()
    if not _NAME.fullmatch(name):
        raise UndecodableError(f"line {at}: {name[:40]!a} is no name of a metric")
    return name, found, value


def _value(text: str) -> float | str:
    return float(text) if _NUMBER.fullmatch(text) else text
