"""People of an organization, for whoever runs it."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.asking import Caller, Use, UserId
from api.inputs import PageQuery
from api.people_inputs import UserBody, UserPatch
from api.people_schemas import EndedOut, ResetOut, UserOut, reset_out, user_out
from api.problems import BODY_PROBLEMS, documented
from api.schemas import Listed
from api.versions import Versions, tag
from collector.ports.users import User

router = APIRouter(prefix="/v1/users", tags=["users"], responses=documented(401, 403, 422, 503))


def _tagged(response: Response, user: User) -> UserOut:
    tag(response, user.version)
    return user_out(user)


@router.get("")
async def list_users(query: Annotated[PageQuery, Query()], use: Use, caller: Caller) -> Listed[UserOut]:
    """Users of the organization by address, inactive ones too."""
    page = await use.people.users.list(caller, limit=query.limit, cursor=query.cursor)
    return Listed(items=[user_out(user) for user in page.items], next_cursor=page.next_cursor)


@router.post("", status_code=201, responses={200: {"model": UserOut}, **documented(409, *BODY_PROBLEMS)})
async def add_user(body: UserBody, use: Use, caller: Caller, response: Response) -> UserOut:
    """Make a user, who sets a password by a one-time token: 201. The same again: 200."""
    made = await use.people.users.add(caller, body.user(), body.model_fields_set)
    response.status_code = 201 if made.created else 200
    response.headers["Location"] = f"/v1/users/{made.thing.id}"
    return _tagged(response, made.thing)


@router.get("/{user_id}", responses=documented(404))
async def show_user(user_id: UserId, use: Use, caller: Caller, response: Response) -> UserOut:
    """One user."""
    return _tagged(response, await use.people.users.show(caller, user_id))


@router.patch("/{user_id}", responses=documented(404, 409, 412, 428, *BODY_PROBLEMS))
async def change_user(
    user_id: UserId, body: UserPatch, *, use: Use, caller: Caller, versions: Versions, response: Response
) -> UserOut:
    """Change fields of a user; one who becomes inactive is signed out. The last active administrator stays one."""
    return _tagged(response, await use.people.users.change(caller, user_id, versions, body.altered))


@router.post("/{user_id}/sign-out", responses=documented(404))
async def sign_out_user(user_id: UserId, use: Use, caller: Caller) -> EndedOut:
    """End every session of a user."""
    return EndedOut(sessions=await use.people.users.sign_out(caller, user_id))


@router.post("/{user_id}/password-reset", responses=documented(404, 409))
async def issue_password_reset(user_id: UserId, use: Use, caller: Caller, response: Response) -> ResetOut:
    """Make a one-time token with which the user sets a password within an hour; earlier ones are useless then."""
    response.headers["Cache-Control"] = "no-store"
    return reset_out(user_id, await use.people.users.reset_password(caller, user_id))
