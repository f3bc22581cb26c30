"""The OpenAPI document: FastAPI's, with our problems in place of its own."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from api.guard import GUARDED, ORGANIZATION
from api.problems import Problem, documented
from collector.domain.access import Operation, Reach
from collector.domain.access_table import of_http
from collector.domain.roles import Role
from edge.rate_headers import LIMIT, POLICY


def _header(text: str, kind: str = "string") -> dict[str, Any]:
    return {"description": text, "schema": {"type": kind}}


FOREIGN = "HTTPValidationError"
"""The answer to wrong inputs that FastAPI assumes; ours are problems, and each route says whether there are any."""
ORGANIZATION_HEADER = {
    "name": ORGANIZATION,
    "in": "header",
    "required": False,
    "description": "in which organization a super-administrator acts; by default in its own",
    "schema": {"type": "string"},
    "example": "default",
}
"""The gate's and not a route's: the framework does not know it."""
LIMITS = (POLICY, LIMIT)
HEADERS = {
    POLICY: _header('The limit of the class of this request, such as `"read";q=6000;w=60`: requests, seconds'),
    LIMIT: _header('What is left of it, such as `"read";r=5999;t=60`: requests, and seconds to the next window'),
    "Retry-After": _header("When there is room again: seconds", "integer"),
}
TAGS = [
    {"name": "chambers", "description": "Enrolling, finding, changing, pausing and ending chambers; reading one now."},
    {"name": "detectors", "description": "The quantities of a chamber, their aliases, and which are switched off."},
    {
        "name": "ledger",
        "description": "What was stored: readings, curves, gaps, and the proof that nothing is missing.",
    },
    {"name": "sections", "description": "The parts of an organization where chambers stand."},
    {"name": "batches", "description": "What is observed in a section for a while, and its readings."},
    {"name": "auth", "description": "Signing in and out, and passwords."},
    {"name": "users", "description": "People of an organization, and invitations to it."},
    {"name": "organizations", "description": "The tenants of the deployment; new ones take a super-administrator."},
    {"name": "keys", "description": "API keys: how far each goes, who made it, when it was used last."},
    {"name": "catalog", "description": "What a chamber can be enrolled with."},
    {"name": "events", "description": "Who did what to which thing, when and why."},
    {"name": "health", "description": "For probes and scrapers; no key is needed."},
]


def describe(app: FastAPI) -> None:
    """Let the app answer our document, made once, when it is asked for first."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's own way to extend the document


def _document(app: FastAPI) -> dict[str, Any]:
    made = get_openapi(
        title=app.title, version=app.version, summary=app.summary, routes=app.routes, tags=app.openapi_tags
    )
    schemas = made["components"]["schemas"]
    for path, operations in made["paths"].items():
        for method, operation in operations.items():
            _told_of_the_edge(method, path, operation)
    made["components"]["headers"] = HEADERS
    for name in (FOREIGN, "ValidationError"):
        schemas.pop(name, None)
    _, ours = models_json_schema([(Problem, "serialization")], ref_template="#/components/schemas/{model}")
    schemas.update(ours["$defs"])
    for schema in schemas.values():
        if "example" in schema:
            _with_nulls(schema, schema["example"], schemas)
    return made


def _told_of_the_edge(method: str, path: str, operation: dict[str, Any]) -> None:
    """Our problems in place of the framework's, and what gate and limits answer."""
    if FOREIGN in str(operation["responses"].get("422")):
        del operation["responses"]["422"]
    row = of_http(method, path)
    if row is not None and row.role is not None and "security" in operation:
        _describe_gate(row, operation)
    if path.startswith(GUARDED):
        _limited(operation["responses"])


def _describe_gate(row: Operation, operation: dict[str, Any]) -> None:
    """What the gate before the route takes and answers: 404 is the header's that names no organization."""
    operation.setdefault("parameters", []).append(ORGANIZATION_HEADER)
    said = documented(401, 404, *([403] if _can_forbid(row) else []))
    operation["responses"] = {**{str(status): answer for status, answer in said.items()}, **operation["responses"]}


def _can_forbid(row: Operation) -> bool:
    return row.role is not Role.VIEWER or row.scope is not None or row.reach is Reach.SHUT


def _limited(responses: dict[str, Any]) -> None:
    """Every answer to whoever is counted says what is left; one past the limit also when to come again."""
    responses["429"] = documented(429)[429]
    for status, response in responses.items():
        told = LIMITS + (("Retry-After",) if status == "429" else ())
        if status.startswith("2") or status == "429":
            shown = {name: {"$ref": f"#/components/headers/{name}"} for name in told}
            response["headers"] = response.get("headers", {}) | shown


def _with_nulls(schema: dict[str, Any], example: Any, schemas: dict[str, Any]) -> None:
    """Put back each null of an example: FastAPI drops them, and clients would take the field for optional."""
    form = _form(schema, schemas)
    if isinstance(example, list):
        for item in example:
            _with_nulls(form.get("items", {}), item, schemas)
    elif isinstance(example, dict):
        for name in form.get("required", ()):
            example.setdefault(name, None)
        for name, value in example.items():
            _with_nulls(form.get("properties", {}).get(name, {}), value, schemas)


def _form(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """What a reference, or a form beside null, leads to."""
    form = next((other for other in schema.get("anyOf", ()) if other != {"type": "null"}), schema)
    found: dict[str, Any] = schemas.get(form.get("$ref", "").rpartition("/")[2], form)
    return found
