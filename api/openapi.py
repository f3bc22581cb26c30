"""The OpenAPI document: FastAPI's, with our problems in place of its own."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from api.problems import Problem

FOREIGN = "HTTPValidationError"
"""The answer to wrong inputs that FastAPI assumes; ours are problems, and each route says whether there are any."""
TAGS = [
    {"name": "chambers", "description": "Enrolling, finding, changing, pausing and ending chambers; reading one now."},
    {"name": "detectors", "description": "The quantities of a chamber, their aliases, and which are switched off."},
    {
        "name": "ledger",
        "description": "What was stored: readings, curves, gaps, and the proof that nothing is missing.",
    },
    {"name": "sections", "description": "The parts of an organization where chambers stand."},
    {"name": "batches", "description": "What is observed in a section for a while, and its readings."},
    {"name": "organizations", "description": "The tenants of the deployment; new ones take a deployment key."},
    {"name": "auth", "description": "Signing in and out, and passwords."},
    {"name": "users", "description": "People of an organization, and invitations to it."},
    {"name": "catalog", "description": "What a chamber can be enrolled with."},
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
    for operations in made["paths"].values():
        for operation in operations.values():
            if FOREIGN in str(operation["responses"].get("422")):
                del operation["responses"]["422"]
    for name in (FOREIGN, "ValidationError"):
        schemas.pop(name, None)
    _, ours = models_json_schema([(Problem, "serialization")], ref_template="#/components/schemas/{model}")
    schemas.update(ours["$defs"])
    for schema in schemas.values():
        if "example" in schema:
            _with_nulls(schema, schema["example"], schemas)
    return made


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
