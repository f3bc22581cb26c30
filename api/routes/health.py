"""For probes and scrapers; no key is needed, and nothing of any organization is shown."""

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from api.asking import Use
from api.field_errors import FieldError
from api.problems import RETRY_AFTER_S, ProblemError, documented
from api.schemas import shows

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """`alive` or `ready`."""

    model_config = shows(status="ready")

    status: str


@router.get("/healthz")
async def healthz() -> Health:
    """This process is alive; nothing else is asked."""
    return Health(status="alive")


@router.get("/readyz", responses=documented(503))
async def readyz(use: Use) -> Health:
    """Whether the servers that the API needs can be reached; the problem names those that cannot."""
    away = await use.readiness()
    if away:
        errors = [FieldError(field=name, problem="it is away", remedy="see that it runs") for name in away]
        headers = {"Retry-After": str(RETRY_AFTER_S)}
        raise ProblemError(503, f"away: {', '.join(away)}", errors, headers)
    return Health(status="ready")


TEXT = {"schema": {"type": "string"}, "example": 'chamberlog_chambers{status="stale"} 0.0\n'}
METRICS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Prometheus' text, or OpenMetrics by Accept",
        "content": {"text/plain": TEXT, "application/openmetrics-text": TEXT},
    }
}


@router.get("/metrics", response_class=Response, responses=METRICS)
async def metrics(request: Request, use: Use) -> Response:
    """Metrics as Prometheus reads them: of this process, and the fleet in figures as the ledger has them now."""
    await use.observe()
    body, content_type = use.metrics(request.headers.get("accept", ""))
    return Response(body, headers={"Content-Type": content_type})
