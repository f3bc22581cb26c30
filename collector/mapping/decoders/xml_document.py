"""XML without its dangers: no DTD, no entities of its own, nothing outside."""

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from collector.mapping.body_rules import BodyRules
from collector.mapping.decoders.refusals import DEPTH_LIMIT, NODES_LIMIT, UndecodableError, crowded, too_deep
from collector.mapping.tree import Tree

_PIECE = 65_536
_NO_MORE = ("no element found", "unclosed token")


def decode(rules: BodyRules, text: str) -> Tree:
    """Decode a document, which has an end of its own, into objects by local names.

    An element becomes an object of its attributes and children; what occurs more than once is a list. A leaf without
    attributes is its text, one with attributes has it under `text`. Without `rules.elements` the tree has one key, the
    document's own element.

    Raises:
        UndecodableError: not well-formed, with a DTD, or too large.
    """
    document = _parsed(text)
    build = _Build()
    if not rules.elements:
        return {_local(document.tag): build.value(document)}
    return {name: build.values(document, path) for name, path in rules.elements.items()}


def _parsed(text: str) -> Element:
    if text.count("=") > NODES_LIMIT:
        raise crowded()
    parser = DefusedXMLParser(target=_Counting(), forbid_dtd=True)
    try:
        for start in range(0, len(text), _PIECE):
            parser.feed(text[start : start + _PIECE])
        return parser.close()
    except ParseError as error:
        stage = "truncated" if str(error).startswith(_NO_MORE) else "decode"
        raise UndecodableError(f"not XML: {error}", stage) from None
    except DefusedXmlException as error:
        raise UndecodableError(f"XML with {type(error).__name__}: DTDs and entities are refused") from None


class _Counting(TreeBuilder):
    """Stops while the document is read, before it fills the memory."""

    def __init__(self) -> None:
        super().__init__()
        self._nodes, self._depth = 0, 0

    def start(self, tag: str, attrs: Mapping[str, str], /) -> Element:
        """An element begins."""
        self._nodes += 1 + len(attrs)
        self._depth += 1
        if self._nodes > NODES_LIMIT:
            raise crowded()
        if self._depth > DEPTH_LIMIT:
            raise too_deep()
        return super().start(tag, dict(attrs))

    def end(self, tag: str, /) -> Element:
        """An element ends."""
        self._depth -= 1
        return super().end(tag)


class _Build:
    """Elements found by several paths are written several times: they are counted."""

    def __init__(self) -> None:
        self._nodes = 0

    def values(self, document: Element, path: str) -> list[Any]:
        """What a path finds."""
        return [self.value(element) for element in document.iterfind(path)]

    def value(self, element: Element) -> Any:
        """An element's object, or its text."""
        self._nodes += 1 + len(element.attrib)
        if self._nodes > NODES_LIMIT:
            raise crowded()
        text = _text(element)
        if not element.attrib and not len(element):
            return text
        found: dict[str, list[Any]] = {}
        for name, sent in element.attrib.items():
            found.setdefault(_local(name), []).append(sent)
        for child in element:
            found.setdefault(_local(child.tag), []).append(self.value(child))
        if text or not len(element):
            found.setdefault("text", []).append(text)
        return {name: sent[0] if len(sent) == 1 else sent for name, sent in found.items()}


def _text(element: Element) -> str:
    """Children part a text: what stands around them is no number, as `2<br/>3` is not 23."""
    return " ".join([element.text or "", *(child.tail or "" for child in element)]).strip()


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
