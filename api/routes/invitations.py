"""Invitations to an organization."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.asking import Caller, InvitationId, Use
from api.inputs import PageQuery
from api.people_inputs import InvitationBody
from api.people_schemas import InvitationOut, InvitedOut, invitation_out, invited_out
from api.problems import BODY_PROBLEMS, documented
from api.recording import Noted
from api.schemas import Listed
from collector.domain.roles import parse_role

router = APIRouter(prefix="/v1/invitations", tags=["users"], responses=documented(401, 403, 422, 503))


@router.get("")
async def list_invitations(query: Annotated[PageQuery, Query()], use: Use, caller: Caller) -> Listed[InvitationOut]:
    """Open invitations by address, without their tokens."""
    page = await use.people.invitations.list(caller, limit=query.limit, cursor=query.cursor)
    return Listed(items=[invitation_out(found) for found in page.items], next_cursor=page.next_cursor)


@router.post("", status_code=201, responses=documented(409, *BODY_PROBLEMS))
async def invite_user(body: InvitationBody, use: Use, caller: Caller, response: Response, note: Noted) -> InvitedOut:
    """Invite somebody, for seven days; another invitation of the same address takes the place of this one."""
    invited = await use.people.invitations.add(caller, body.email, parse_role(body.role))
    response.headers["Cache-Control"] = "no-store"
    note.target = f"invitation/{invited.invitation.id}"
    return invited_out(invited)


@router.delete("/{invitation_id}", status_code=204, responses=documented(404))
async def revoke_invitation(invitation_id: InvitationId, use: Use, caller: Caller) -> None:
    """Make an open invitation useless."""
    await use.people.invitations.revoke(caller, invitation_id)
