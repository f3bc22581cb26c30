"""docs/rest-reference.md: every operation of the REST API and every document that it takes or gives, from OpenAPI."""

from collections.abc import Iterator, Mapping
from typing import Any

from collector.domain.access_table import of_http

Json = Mapping[str, Any]
HEAD = """# REST reference

Every operation of the REST API, made by `make reference` from the document that the API serves at `/openapi.json`; a
test fails when it is stale. [api.md](api.md) is the page to begin with: it explains, and a test runs its examples.

Each operation names the least role that it takes ([who may do what](api.md#who-may-do-what)). What is answered in
general (400, 401, 403, 404, 413, 422, 429, 503) is said [there](api.md#problems) once; here stands what is special.
Every error is a [Problem](#problem). `null` says that a field may be null; an instant is RFC 3339 with an offset.
"""
GENERAL = {"400", "401", "403", "404", "413", "422", "429", "503"}
REF = "#/components/schemas/"
FORMATS = {"date-time": "instant", "binary": "bytes"}
PLAIN = {
    "integer": "whole number",
    "number": "number",
    "boolean": "`true` or `false`",
    "string": "text",
    "null": "null",
}
LIMITS = (
    ("minimum", "at least {}"),
    ("exclusiveMinimum", "more than {}"),
    ("maximum", "at most {}"),
    ("minLength", "at least {} characters"),
    ("maxLength", "at most {} characters"),
    ("minItems", "at least {} items"),
    ("maxItems", "at most {} items"),
    ("maxProperties", "at most {} keys"),
    ("pattern", "`{}`"),
)


def rest_reference(document: Json) -> str:
    """The page's text.

    Args:
        document: OpenAPI 3.1.
    """
    parts = [HEAD]
    for tag in document["tags"]:
        parts += [f"## {tag['name'].capitalize()}\n", f"{tag['description']}\n"]
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if tag["name"] in operation["tags"]:
                    parts += _operation(method.upper(), path, operation)
    parts.append("## Documents\n")
    for name, schema in sorted(document["components"]["schemas"].items()):
        if not name.startswith("Listed_"):
            parts += _document(name, schema)
    return "\n".join(parts)


def _operation(method: str, path: str, operation: Json) -> Iterator[str]:
    row = of_http(method, path)
    role = f"Role: `{row.role.value}`." if row and row.role else "Nobody has to say who they are."
    yield f"### {operation['summary'].capitalize()}\n"
    yield f"`{method} {path}`\n"
    yield f"{operation['description']} {role}\n"
    parameters = [p for p in operation.get("parameters", ()) if p["name"] != "Chamberlog-Organization"]
    if parameters:
        yield "| input | where | what | |\n|---|---|---|---|"
        yield "\n".join(_parameter(parameter) for parameter in parameters) + "\n"
    body = operation.get("requestBody")
    if body:
        needed = "" if body.get("required") else ", may be left out"
        yield f"Body: {', '.join(_types(body['content']))}{needed}.\n"
    yield "\n".join(_answers(operation["responses"])) + "\n"


def _parameter(parameter: Json) -> str:
    need = "required" if parameter.get("required") else ""
    schema = parameter["schema"]
    what = "; ".join(part for part in (_type(schema), *_limits(schema)) if part)
    told = "; ".join(part for part in (parameter.get("description", ""), need, _standard(schema)) if part)
    return f"| `{parameter['name']}` | {parameter['in']} | {_cell(what)} | {_cell(told)} |"


def _answers(responses: Json) -> Iterator[str]:
    for status, answer in sorted(responses.items()):
        if status in GENERAL:
            continue
        said = answer["description"] if answer["description"] not in {"Successful Response", "OK"} else ""
        types = ", ".join(_types(answer.get("content", {})))
        yield f"- {status}: {'; '.join(part for part in (types, said) if part) or 'no body'}"


def _types(content: Json) -> list[str]:
    found = []
    for media, body in content.items():
        if media == "application/json":
            found.append(_type(body.get("schema", {})))
        elif media == "application/problem+json":
            found.append("a problem")
        else:
            found.append(f"`{media}`")
    return list(dict.fromkeys(found))


def _document(name: str, schema: Json) -> Iterator[str]:
    yield f"### {name}\n"
    if text := schema.get("description"):
        yield f"{text}\n"
    if "enum" in schema:
        yield ", ".join(f"`{value}`" for value in schema["enum"]) + "\n"
        return
    required = set(schema.get("required", ()))
    rows = [_field(field, of, field in required) for field, of in schema.get("properties", {}).items()]
    yield "\n".join(["| field | what | |", "|---|---|---|", *rows]) + "\n"


def _field(name: str, schema: Json, required: bool) -> str:  # noqa: FBT001  # one of three words about a field
    what = "; ".join(part for part in (_type(schema), *_limits(schema)) if part)
    told = [schema.get("description", ""), "" if required else "may be left out", _standard(schema)]
    return f"| `{name}` | {_cell(what)} | {_cell('; '.join(part for part in told if part))} |"


def _type(schema: Json) -> str:
    """In words, with a link to each document that it names."""
    if reference := schema.get("$ref"):
        return _named(reference.removeprefix(REF))
    if any_of := schema.get("anyOf", schema.get("oneOf")):
        return " or ".join(dict.fromkeys(_type(one) for one in any_of))
    if "const" in schema or "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    kind = str(schema.get("type", "any JSON"))
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if kind == "object":
        values = schema.get("additionalProperties")
        return f"object of {_type(values)}" if isinstance(values, Mapping) else "object"
    return FORMATS.get(schema.get("format", ""), PLAIN.get(kind, kind))


def _named(name: str) -> str:
    if name.startswith("Listed_"):
        return f"list of {_named(name.removeprefix('Listed_').removesuffix('_'))}, with `next_cursor`"
    return f"[{name}](#{name.lower()})"


def _limits(schema: Json) -> Iterator[str]:
    for one in (schema, *schema.get("anyOf", ())):
        yield from (words.format(_number(one[key])) for key, words in LIMITS if key in one)


def _number(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _standard(schema: Json) -> str:
    value = schema.get("default")
    if value is None or value == "":
        return ""
    return f"standard: `{str(value).lower() if isinstance(value, bool) else value}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
