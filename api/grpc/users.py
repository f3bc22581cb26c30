"""People: signing in and out, passwords, users and invitations."""

from api.grpc.asked import changes, checked, versions_of
from api.grpc.call import Call, Methods, invitation_id, user_id
from api.grpc.generated.chamberlog.v1 import users_pb2 as pb
from api.grpc.told import moment, moment_or_none, number_of
from api.inputs import PageQuery
from api.people_inputs import (
    AcceptBody,
    ChangePasswordBody,
    ForgottenBody,
    InvitationBody,
    RefreshBody,
    ResetBody,
    SignInBody,
    UserBody,
    UserPatch,
)
from collector.domain.roles import parse_role
from collector.ports.users import Invitation, User
from collector.usecases.users.desk import SignedIn


async def sign_in(call: Call, request: pb.SignInRequest) -> pb.SignInResponse:
    """Begin a session; whatever of it is wrong, the answer and its time are the same."""
    body = checked(SignInBody, request)
    signed_in = await call.use.people.auth.sign_in(body.email, body.password)
    return pb.SignInResponse(tokens=_tokens(signed_in), user=_user_or_none(signed_in.user))


async def refresh_session(call: Call, request: pb.RefreshSessionRequest) -> pb.RefreshSessionResponse:
    """Get the next pair, in place of the one before."""
    body = checked(RefreshBody, request)
    signed_in = await call.use.people.auth.refresh(body.refresh_token)
    call.whose.organization, call.whose.user_id = signed_in.organization, signed_in.user_id
    return pb.RefreshSessionResponse(tokens=_tokens(signed_in))


async def accept_invitation(call: Call, request: pb.AcceptInvitationRequest) -> pb.AcceptInvitationResponse:
    """Become a user, with the address to which the invitation was given; once."""
    body = checked(AcceptBody, request)
    return pb.AcceptInvitationResponse(user=_user(await call.use.people.auth.accept_invitation(body.acceptance())))


async def request_password_reset(
    call: Call, request: pb.RequestPasswordResetRequest
) -> pb.RequestPasswordResetResponse:
    """Ask for a mail with a one-time token; it is not said whether the address is known."""
    body = checked(ForgottenBody, request)
    return pb.RequestPasswordResetResponse(mail=await call.use.people.auth.forgotten_password(body.email))


async def reset_password(call: Call, request: pb.ResetPasswordRequest) -> pb.ResetPasswordResponse:
    """Set a password by a one-time token; every session of the user ends."""
    body = checked(ResetBody, request)
    return pb.ResetPasswordResponse(user=_user(await call.use.people.auth.reset_password(body.token, body.password)))


async def change_password(call: Call, request: pb.ChangePasswordRequest) -> pb.ChangePasswordResponse:
    """Set another password; every session ends, this one too, and the answer begins a new one."""
    body = checked(ChangePasswordBody, request)
    signed_in = await call.use.people.auth.change_password(call.caller, body.password, body.new_password)
    return pb.ChangePasswordResponse(tokens=_tokens(signed_in), user=_user_or_none(signed_in.user))


async def sign_out(call: Call, _: pb.SignOutRequest) -> pb.SignOutResponse:
    """End the session of the call with all its tokens."""
    await call.use.people.auth.sign_out(call.caller)
    return pb.SignOutResponse()


async def sign_out_everywhere(call: Call, _: pb.SignOutEverywhereRequest) -> pb.SignOutEverywhereResponse:
    """End every session of whoever calls."""
    return pb.SignOutEverywhereResponse(sessions=await call.use.people.auth.sign_out_everywhere(call.caller))


async def who_am_i(call: Call, _: pb.WhoAmIRequest) -> pb.WhoAmIResponse:
    """Who calls, and how far they may go; for API keys too."""
    caller, user = call.caller, await call.use.people.auth.who_am_i(call.caller)
    return pb.WhoAmIResponse(
        subject=caller.subject,
        organization=caller.organization,
        role=number_of(pb.Role, caller.role.value),
        scopes=sorted(scope.value for scope in caller.scopes),
        section=caller.section,
        user=_user_or_none(user),
    )


async def list_users(call: Call, request: pb.ListUsersRequest) -> pb.ListUsersResponse:
    """Users of the organization by address, inactive ones too."""
    query = checked(PageQuery, request)
    page = await call.use.people.users.list(call.caller, limit=query.limit, cursor=query.cursor)
    return pb.ListUsersResponse(users=[_user(user) for user in page.items], next_cursor=page.next_cursor)


async def get_user(call: Call, request: pb.GetUserRequest) -> pb.GetUserResponse:
    """One user."""
    return pb.GetUserResponse(user=_user(await call.use.people.users.show(call.caller, user_id(request.user_id))))


async def create_user(call: Call, request: pb.CreateUserRequest) -> pb.CreateUserResponse:
    """Make a user, who sets a password by a one-time token."""
    body = checked(UserBody, request)
    made = await call.use.people.users.add(call.caller, body.user(), body.model_fields_set)
    return pb.CreateUserResponse(user=_user(made.thing), created=made.created)


async def update_user(call: Call, request: pb.UpdateUserRequest) -> pb.UpdateUserResponse:
    """Change fields of a user; one who becomes inactive is signed out."""
    wanted, versions = user_id(request.user_id), versions_of(request)
    patch = changes(UserPatch, request.user, request.update_mask)
    changed = await call.use.people.users.change(call.caller, wanted, versions, patch.altered)
    return pb.UpdateUserResponse(user=_user(changed))


async def sign_out_user(call: Call, request: pb.SignOutUserRequest) -> pb.SignOutUserResponse:
    """End every session of a user."""
    return pb.SignOutUserResponse(sessions=await call.use.people.users.sign_out(call.caller, user_id(request.user_id)))


async def issue_password_reset(call: Call, request: pb.IssuePasswordResetRequest) -> pb.IssuePasswordResetResponse:
    """Make a one-time token with which the user sets a password within an hour; earlier ones are useless then."""
    issued = await call.use.people.users.reset_password(call.caller, user_id(request.user_id))
    return pb.IssuePasswordResetResponse(token=issued.text, expires_at=moment(issued.token.expires_ms))


async def list_invitations(call: Call, request: pb.ListInvitationsRequest) -> pb.ListInvitationsResponse:
    """Open invitations by address, without their tokens."""
    query = checked(PageQuery, request)
    page = await call.use.people.invitations.list(call.caller, limit=query.limit, cursor=query.cursor)
    shown = [_invitation(invitation) for invitation in page.items]
    return pb.ListInvitationsResponse(invitations=shown, next_cursor=page.next_cursor)


async def invite_user(call: Call, request: pb.InviteUserRequest) -> pb.InviteUserResponse:
    """Invite somebody, for seven days; another invitation of the same address takes the place of this one."""
    body = checked(InvitationBody, request)
    invited = await call.use.people.invitations.add(call.caller, body.email, parse_role(body.role))
    shown = _invitation(invited.invitation)
    return pb.InviteUserResponse(invitation=shown, token=invited.issued.text, mailed=invited.mailed)


async def revoke_invitation(call: Call, request: pb.RevokeInvitationRequest) -> pb.RevokeInvitationResponse:
    """Make an open invitation useless."""
    await call.use.people.invitations.revoke(call.caller, invitation_id(request.invitation_id))
    return pb.RevokeInvitationResponse()


METHODS: Methods = {
    "SignIn": sign_in,
    "RefreshSession": refresh_session,
    "AcceptInvitation": accept_invitation,
    "RequestPasswordReset": request_password_reset,
    "ResetPassword": reset_password,
    "ChangePassword": change_password,
    "SignOut": sign_out,
    "SignOutEverywhere": sign_out_everywhere,
    "WhoAmI": who_am_i,
    "ListUsers": list_users,
    "GetUser": get_user,
    "CreateUser": create_user,
    "UpdateUser": update_user,
    "SignOutUser": sign_out_user,
    "IssuePasswordReset": issue_password_reset,
    "ListInvitations": list_invitations,
    "InviteUser": invite_user,
    "RevokeInvitation": revoke_invitation,
}


def _tokens(signed_in: SignedIn) -> pb.Tokens:
    return pb.Tokens(
        access_token=signed_in.access.text,
        access_expires_at=moment(signed_in.access.token.expires_ms),
        refresh_token=signed_in.refresh.text,
        refresh_expires_at=moment(signed_in.refresh.token.expires_ms),
        session=signed_in.session,
    )


def _user(user: User) -> pb.User:
    return pb.User(
        id=user.id,
        organization=user.organization,
        email=user.email,
        first_name=user.first_name,
        last_name=user.last_name,
        role=number_of(pb.Role, user.role.value),
        active=user.active,
        version=user.version,
        created_at=moment(user.created_ms),
        updated_at=moment(user.updated_ms),
        signed_in_at=moment_or_none(user.signed_in_ms),
    )


def _user_or_none(user: User | None) -> pb.User | None:
    return None if user is None else _user(user)


def _invitation(invitation: Invitation) -> pb.Invitation:
    return pb.Invitation(
        id=invitation.id,
        email=invitation.email,
        role=number_of(pb.Role, invitation.role.value),
        created_by=invitation.created_by,
        created_at=moment(invitation.created_ms),
        expires_at=moment(invitation.expires_ms),
    )
