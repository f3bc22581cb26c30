"""The API keys of an organization."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.asking import Caller, KeyId, Use
from api.inputs import PageQuery
from api.key_schemas import KeyBody, KeyOut, MadeKeyOut, key_out, made_key_out
from api.problems import BODY_PROBLEMS, documented
from api.schemas import Listed

router = APIRouter(prefix="/v1/keys", tags=["keys"], responses=documented(401, 403, 422, 503))


@router.get("")
async def list_keys(query: Annotated[PageQuery, Query()], use: Use, caller: Caller) -> Listed[KeyOut]:
    """The keys of the organization in the order in which they were made, revoked and expired ones too."""
    page = await use.keys.list(caller.organization, limit=query.limit, cursor=query.cursor)
    return Listed(items=[key_out(record) for record in page.items], next_cursor=page.next_cursor)


@router.post("", status_code=201, responses=documented(*BODY_PROBLEMS))
async def add_key(body: KeyBody, use: Use, caller: Caller, response: Response) -> MadeKeyOut:
    """Make a key: `key` is shown this once. Again makes another one. It reaches no further than the caller."""
    made = await use.keys.add(caller, body.name, body.terms(caller.subject))
    response.headers["Location"] = f"/v1/keys/{made.record.id}"
    response.headers["Cache-Control"] = "no-store"
    return made_key_out(made)


@router.get("/{key_id}", responses=documented(404))
async def show_key(key_id: KeyId, use: Use, caller: Caller) -> KeyOut:
    """One key, without its secret."""
    return key_out(await use.keys.show(caller.organization, key_id))


@router.delete("/{key_id}", responses=documented(404, 409))
async def revoke_key(key_id: KeyId, use: Use, caller: Caller) -> KeyOut:
    """Make a key unknown at once and for good; its streams end within 5 s. Again changes nothing."""
    return key_out(await use.keys.revoke(caller, key_id))
