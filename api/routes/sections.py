"""The sections of an organization: where its chambers stand."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.asking import Caller, SectionId, Use
from api.entity_inputs import SectionBody, SectionPatch
from api.entity_schemas import SectionOut, section_out
from api.inputs import PageQuery
from api.problems import BODY_PROBLEMS, documented
from api.schemas import Listed
from api.versions import Versions, tag
from collector.ports import SectionRecord

router = APIRouter(prefix="/v1/sections", tags=["sections"], responses=documented(401, 422, 503))


def _tagged(response: Response, record: SectionRecord) -> SectionOut:
    tag(response, record.section.version)
    return section_out(record)


@router.get("")
async def list_sections(query: Annotated[PageQuery, Query()], use: Use, caller: Caller) -> Listed[SectionOut]:
    """The sections of the organization by id, closed ones too."""
    only = use.bounds.narrowed(caller, None)
    page = await use.sections.list(caller.organization, limit=query.limit, cursor=query.cursor, only=only)
    return Listed(items=[section_out(record) for record in page.items], next_cursor=page.next_cursor)


@router.post("", status_code=201, responses={200: {"model": SectionOut}, **documented(409, *BODY_PROBLEMS)})
async def add_section(body: SectionBody, use: Use, caller: Caller, response: Response) -> SectionOut:
    """Make a section: 201. The same again: 200."""
    made = await use.sections.add(body.section(caller.organization), body.model_fields_set)
    response.status_code = 201 if made.created else 200
    response.headers["Location"] = f"/v1/sections/{body.id}"
    return _tagged(response, made.thing)


@router.get("/{section_id}", responses=documented(404))
async def show_section(section_id: SectionId, use: Use, caller: Caller, response: Response) -> SectionOut:
    """One section."""
    return _tagged(response, await use.sections.show(caller.organization, section_id))


@router.patch("/{section_id}", responses=documented(404, 409, 412, 428, *BODY_PROBLEMS))
async def change_section(
    section_id: SectionId, body: SectionPatch, *, use: Use, caller: Caller, versions: Versions, response: Response
) -> SectionOut:
    """Change fields of a section, or close it: then no chamber can come to it, and none may stand there."""
    changed = await use.sections.change(caller.organization, section_id, versions, body.altered)
    return _tagged(response, changed)
