"""How a profile decodes an answer."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, Strict, model_validator

from collector.mapping import checks
from collector.mapping.rules import Expression, Rules

Charset = Literal["utf-8", "us-ascii", "iso-8859-1", "iso-8859-2", "windows-1250", "windows-1252"]
Decoder = Literal["json", "json-fragment", "xml", "csv", "key-value", "prometheus", "text"]
Separator = Annotated[str, Field(min_length=1, max_length=4), AfterValidator(checks.separator)]
_OPTIONS: Mapping[str, tuple[Decoder, ...]] = {
    "columns": ("json",),
    "elements": ("xml",),
    "delimiter": ("csv",),
    "header": ("csv",),
    "pairs": ("key-value",),
    "between": ("key-value",),
    "pattern": ("text",),
}


class Columns(Rules):
    """A table whose column names stand once: it becomes a list of objects.

    Attributes:
        names: key of the list of names, such as `fields`.
        rows: key of the list of rows, such as `data`.
    """

    names: Annotated[str, Field(min_length=1, max_length=100)]
    rows: Annotated[str, Field(min_length=1, max_length=100)]


class BodyRules(Rules):
    """How the answer is decoded: into objects, lists, texts and numbers, on which every expression works.

    Attributes:
        decoder: `json`, `json-fragment` (lines of `"key": value,` without braces), `xml`, `csv`, `key-value`,
            `prometheus` (text format), `text` (a regular expression with named groups).
        charset: tried in this order; XML's own declaration comes first.
        root: where the measurements stand, if not at the top; every other expression of the profile begins there.
        ends_with: what a whole body ends with. Without it a decoder that has no end of its own cannot tell a whole
            answer from a cut one, and what nothing follows is `suspect`.
        columns: of `json`.
        elements: of `xml`: name -> path in ElementTree's subset of XPath; the tree is then {name: [element, ...]}.
        delimiter: of `csv`: between two cells.
        header: of `csv`: the first row names the columns; without it rows are lists.
        pairs: of `key-value`: between two pairs; a line's end always is one.
        between: of `key-value`: between key and value.
        pattern: of `text`: searched in the body; its named groups are the tree.
    """

    decoder: Decoder = "json"
    charset: Annotated[tuple[Charset, ...], Strict(strict=False), AfterValidator(checks.not_empty)] = ("utf-8",)
    root: Expression | None = None
    ends_with: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    columns: Columns | None = None
    elements: Annotated[Mapping[str, str], AfterValidator(checks.element_paths)] = Field(default_factory=dict)
    delimiter: Annotated[str, Field(min_length=1, max_length=1), AfterValidator(checks.delimiter)] = ","
    header: bool = True
    pairs: Separator = "\n"
    between: Separator = "="
    pattern: Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(checks.pattern)] | None = None

    @model_validator(mode="after")
    def _options_of_the_decoder(self) -> "BodyRules":
        for option, decoders in _OPTIONS.items():
            if option in self.model_fields_set and self.decoder not in decoders:
                raise checks.refusal(
                    f"{option} belongs to decoder {' or '.join(decoders)}",
                    "take it away, or correct decoder",
                    (option,),
                )
        if self.between == self.pairs or "\n" in self.between:
            raise checks.refusal(
                f"between {self.between!a} is what separates the pairs", "write another, such as =", ("between",)
            )
        if self.decoder == "text" and self.pattern is None:
            raise checks.refusal("decoder text has no pattern", "write pattern: with named groups", ("pattern",))
        return self
