"""From a template and values to a configuration of Envoy."""

import json
from pathlib import Path
from typing import Any

import jinja2
import yaml

TEMPLATES = Path(__file__).with_name("templates")


def render(template: str, **values: Any) -> str:
    """A configuration as YAML text. The same values give the same text.

    Args:
        template: name of a file in `edge/templates`.
        values: what it names; every one that it names must be there. In a template `{{ value | json }}` writes any
            value so that YAML reads it back as it was, whatever stands in it.
    """
    environment = jinja2.Environment(  # noqa: S701  # YAML, no HTML: the filter `json` quotes
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["json"] = _json
    text = environment.get_template(template).render(**values)
    assert isinstance(yaml.safe_load(text), dict), template
    return text


def _json(value: Any) -> str:
    """JSON is YAML. Not jinja's own `tojson`, which escapes what HTML would read."""
    return json.dumps(value, ensure_ascii=False)
