"""Signing in and out, and passwords. Answers with tokens are in no cache."""

from fastapi import APIRouter, Request, Response

from api.asking import Caller, Stranger, Use
from api.people_inputs import AcceptBody, ChangePasswordBody, ForgottenBody, RefreshBody, ResetBody, SignInBody
from api.people_schemas import (
    EndedOut,
    ForgottenOut,
    PairOut,
    SignedInOut,
    UserOut,
    WhoAmIOut,
    pair_out,
    signed_in_out,
    user_out,
    who_am_i_out,
)
from api.problems import BODY_PROBLEMS, documented

router = APIRouter(prefix="/v1/auth", tags=["auth"], responses=documented(401, 422, 503))


def _uncached(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"


def _tell(request: Request, organization: str, user_id: str) -> None:
    """Say whose deed it was, where nobody signed the request; of a sign-in that failed its error says it."""
    note = getattr(request.state, "event", None)
    if note is not None:
        note.organization, note.subject, note.target = organization, f"user/{user_id}", f"user/{user_id}"


@router.post("/sign-in", responses=documented(*BODY_PROBLEMS))
async def sign_in(body: SignInBody, use: Use, _: Stranger, request: Request, response: Response) -> SignedInOut:
    """Begin a session; 401 whatever of it is wrong, after the same time."""
    _uncached(response)
    signed_in = await use.people.auth.sign_in(body.email, body.password)
    _tell(request, signed_in.organization, signed_in.user_id)
    return signed_in_out(signed_in)


@router.post("/refresh", responses=documented(*BODY_PROBLEMS))
async def refresh(body: RefreshBody, use: Use, _: Stranger, request: Request, response: Response) -> PairOut:
    """Get the next pair, in place of the one before. A refresh token that comes twice ends its whole session."""
    _uncached(response)
    signed_in = await use.people.auth.refresh(body.refresh_token)
    _tell(request, signed_in.organization, signed_in.user_id)
    return pair_out(signed_in)


@router.post("/accept-invitation", status_code=201, responses=documented(409, *BODY_PROBLEMS))
async def accept_invitation(body: AcceptBody, use: Use, _: Stranger, request: Request) -> UserOut:
    """Become a user, with the address to which the invitation was given; once."""
    user = await use.people.auth.accept_invitation(body.acceptance())
    _tell(request, user.organization, user.id)
    return user_out(user)


@router.post("/forgotten-password", status_code=202, responses=documented(*BODY_PROBLEMS))
async def forgotten_password(body: ForgottenBody, use: Use, _: Stranger) -> ForgottenOut:
    """Ask for a mail with a one-time token: 202 whether the address is known or not."""
    return ForgottenOut(mail=await use.people.auth.forgotten_password(body.email))


@router.post("/reset-password", responses=documented(*BODY_PROBLEMS))
async def reset_password(body: ResetBody, use: Use, _: Stranger, request: Request) -> UserOut:
    """Set a password by a one-time token; every session of the user ends."""
    user = await use.people.auth.reset_password(body.token, body.password)
    _tell(request, user.organization, user.id)
    return user_out(user)


@router.post("/change-password", responses=documented(403, 409, *BODY_PROBLEMS))
async def change_password(body: ChangePasswordBody, use: Use, caller: Caller, response: Response) -> SignedInOut:
    """Set another password; every session ends, this one too, and the answer begins a new one."""
    _uncached(response)
    return signed_in_out(await use.people.auth.change_password(caller, body.password, body.new_password))


@router.post("/sign-out", status_code=204, responses=documented(403))
async def sign_out(use: Use, caller: Caller) -> None:
    """End this session with all its tokens."""
    await use.people.auth.sign_out(caller)


@router.post("/sign-out-everywhere", responses=documented(403))
async def sign_out_everywhere(use: Use, caller: Caller) -> EndedOut:
    """End every session of whoever asks, this one too."""
    return EndedOut(sessions=await use.people.auth.sign_out_everywhere(caller))


@router.get("/whoami")
async def who_am_i(use: Use, caller: Caller) -> WhoAmIOut:
    """Who asks, and how far they may go; for API keys too."""
    return who_am_i_out(caller, await use.people.auth.who_am_i(caller))
