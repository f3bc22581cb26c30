"""What the tests of decoders share."""

from typing import Any

import pytest

from collector.domain.errors import MalformedAnswerError
from collector.mapping.body_rules import BodyRules
from collector.mapping.decode import decode
from collector.mapping.tree import Unended


def decoded(body: bytes | str, **rules: Any) -> Any:
    """The tree of an answer."""
    return decode(BodyRules.model_validate(rules), body.encode() if isinstance(body, str) else body)


def refused(body: bytes | str, **rules: Any) -> str:
    """What is said when there is none: one printable line with stage and excerpt."""
    with pytest.raises(MalformedAnswerError) as caught:
        decoded(body, **rules)
    detail = caught.value.detail
    assert detail.isascii()
    assert detail.isprintable()
    assert len(detail) <= 500
    assert caught.value.__cause__ is None
    stage, _, problem = detail.partition(": ")
    assert stage in ("charset", "decode", "truncated")
    assert problem == "the answer is empty" or "; the answer begins '" in problem or '; the answer begins "' in problem
    return detail.rpartition("; the answer begins ")[0] or detail


def unended(tree: Any) -> list[str]:
    """Texts of the tree whose end nothing shows."""
    if isinstance(tree, dict | list):
        return [text for child in (tree.values() if isinstance(tree, dict) else tree) for text in unended(child)]
    return [str.__str__(tree)] if isinstance(tree, Unended) else []
