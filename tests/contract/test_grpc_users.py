"""People over gRPC: signing in and out, passwords, users and invitations."""

from typing import Any

from tests.contract.grpc_client import Client, serving
from tests.unit.api_world import World

PHRASE, OTHER = "correct horse battery staple", "another horse, another staple"
ADA = "ada@example.org"


def bearing(tokens: dict[str, Any]) -> dict[str, Any]:
    return {"whose": None, "authorization": f"Bearer {tokens['access_token']}"}


async def invited(client: Client, role: str = "ROLE_OPERATOR") -> dict[str, Any]:
    """Somebody who was invited and has accepted."""
    invitation = await client.ask("Users/InviteUser", {"email": " Ada@Example.org", "role": role})
    accepted = {"token": invitation["token"], "password": PHRASE, "first_name": "Ada"}
    answer = await client.ask("Users/AcceptInvitation", accepted, whose=None)
    found: dict[str, Any] = answer["user"]
    return found


async def test_an_invitation_makes_a_user_who_signs_in_and_goes_on() -> None:
    async with serving(World()) as client:
        user = await invited(client)
        used = await client.ask("Users/ListInvitations")
        signed_in = await client.ask("Users/SignIn", {"email": ADA, "password": PHRASE}, whose=None)
        me = await client.ask("Users/WhoAmI", **bearing(signed_in["tokens"]))
        refresh = {"refresh_token": signed_in["tokens"]["refresh_token"]}
        renewed = await client.ask("Users/RefreshSession", refresh, whose=None)
        stolen = await client.refused("Users/RefreshSession", refresh, whose=None)
        after = await client.refused("Users/WhoAmI", **bearing(renewed["tokens"]))
        forbidden = await client.refused("Users/ListUsers", **bearing(signed_in["tokens"]))
    assert (user["email"], user["role"], user["first_name"], user["active"]) == (ADA, "ROLE_OPERATOR", "Ada", True)
    assert used == {}
    assert signed_in["user"]["id"] == user["id"]
    assert (me["subject"], me["role"], me["user"]["email"]) == (f"user/{user['id']}", "ROLE_OPERATOR", ADA)
    assert renewed["tokens"]["session"] == signed_in["tokens"]["session"]
    assert (stolen.code, list(stolen.violations)) == ("UNAUTHENTICATED", ["refresh_token"])
    assert (after.code, forbidden.code) == ("UNAUTHENTICATED", "UNAUTHENTICATED")


async def test_what_is_wrong_of_a_sign_in_is_not_said() -> None:
    async with serving(World()) as client:
        await invited(client)
        unknown = await client.refused("Users/SignIn", {"email": "eve@example.org", "password": PHRASE}, whose=None)
        mistyped = await client.refused("Users/SignIn", {"email": ADA, "password": OTHER}, whose=None)
        no_address = await client.refused("Users/SignIn", {"email": "ada", "password": PHRASE}, whose=None)
        nothing = await client.refused("Users/SignIn", {}, whose=None)
    assert unknown == mistyped
    assert mistyped.code == "UNAUTHENTICATED"
    assert (no_address.code, list(no_address.violations)) == ("INVALID_ARGUMENT", ["email"])
    assert list(nothing.violations) == ["email", "password"]


async def test_passwords_are_changed_forgotten_and_set_again() -> None:
    async with serving(World()) as client:
        user = await invited(client)
        first = await client.ask("Users/SignIn", {"email": ADA, "password": PHRASE}, whose=None)
        change = {"password": PHRASE, "new_password": OTHER}
        changed = await client.ask("Users/ChangePassword", change, **bearing(first["tokens"]))
        ended = await client.refused("Users/WhoAmI", **bearing(first["tokens"]))
        short = {"password": OTHER, "new_password": "short"}
        too_short = await client.refused("Users/ChangePassword", short, **bearing(changed["tokens"]))
        asked = await client.ask("Users/RequestPasswordReset", {"email": ADA}, whose=None)
        issued = await client.ask("Users/IssuePasswordReset", {"user_id": user["id"]})
        reset = {"token": issued["token"], "password": PHRASE}
        again = await client.ask("Users/ResetPassword", reset, whose=None)
        spent = await client.refused("Users/ResetPassword", reset, whose=None)
        key = await client.refused("Users/ChangePassword", change)
        await client.ask("Users/SignIn", {"email": ADA, "password": PHRASE}, whose=None)
    assert ended.code == "UNAUTHENTICATED"
    assert (too_short.code, list(too_short.violations)) == ("INVALID_ARGUMENT", ["new_password"])
    assert asked == {"mail": True}
    assert again["user"]["id"] == user["id"]
    assert (spent.code, list(spent.violations)) == ("UNAUTHENTICATED", ["token"])
    assert key.code == "PERMISSION_DENIED"


async def test_signing_out() -> None:
    async with serving(World()) as client:
        user = await invited(client)
        sessions = [await client.ask("Users/SignIn", {"email": ADA, "password": PHRASE}, whose=None) for _ in range(4)]
        await client.ask("Users/SignOut", **bearing(sessions[0]["tokens"]))
        gone = await client.refused("Users/SignOut", **bearing(sessions[0]["tokens"]))
        every = await client.ask("Users/SignOutEverywhere", **bearing(sessions[1]["tokens"]))
        await client.ask("Users/SignIn", {"email": ADA, "password": PHRASE}, whose=None)
        by_another = await client.ask("Users/SignOutUser", {"user_id": user["id"]})
        key = await client.refused("Users/SignOut")
    assert gone.code == "UNAUTHENTICATED"
    assert (every, by_another) == ({"sessions": 3}, {"sessions": 1})
    assert key.code == "PERMISSION_DENIED"


async def test_users_are_made_found_and_changed() -> None:
    async with serving(World()) as client:
        asked = {"email": ADA, "role": "ROLE_ADMINISTRATOR", "last_name": "Lovelace"}
        made = await client.ask("Users/CreateUser", asked)
        again = await client.ask("Users/CreateUser", asked)
        differs = await client.refused("Users/CreateUser", asked | {"last_name": "Byron"})
        above = await client.refused("Users/CreateUser", {"email": "b@c.d", "role": "ROLE_SUPER_ADMINISTRATOR"})
        me = {"user_id": made["user"]["id"]}
        change = me | {"user": {"role": "ROLE_VIEWER", "first_name": "Ada"}, "update_mask": "role,firstName"}
        changed = await client.ask("Users/UpdateUser", change | {"version": 1})
        stale = await client.refused("Users/UpdateUser", change | {"version": 1})
        no_role = await client.refused(
            "Users/UpdateUser", me | {"user": {"role": 99}, "update_mask": "role", "any_version": True}
        )
        shown = await client.ask("Users/GetUser", me)
        every = await client.ask("Users/ListUsers", {"limit": 1})
        foreign = await client.refused("Users/GetUser", me, whose="other")
        unlikely = await client.refused("Users/GetUser", {"user_id": "../ada"})
    assert (made["created"], "created" in again) == (True, False)
    assert made["user"]["role"] == "ROLE_ADMINISTRATOR"
    assert (differs.code, list(differs.violations)) == ("ALREADY_EXISTS", ["email"])
    assert above.code == "PERMISSION_DENIED"
    assert (changed["user"]["role"], changed["user"]["first_name"], changed["user"]["version"]) == (
        "ROLE_VIEWER",
        "Ada",
        2,
    )
    assert stale.code == "ABORTED"
    assert list(no_role.violations) == ["user.role"]
    assert shown == changed
    assert every["users"] == [shown["user"]]
    assert (foreign.code, unlikely.code) == ("NOT_FOUND", "NOT_FOUND")
    assert foreign.violations["user_id"].endswith("; Users/ListUsers lists what there is")


async def test_invitations_are_listed_without_their_tokens_and_revoked() -> None:
    async with serving(World()) as client:
        made = await client.ask("Users/InviteUser", {"email": ADA})
        open_ones = await client.ask("Users/ListInvitations")
        revoked = {"invitation_id": made["invitation"]["id"]}
        foreign = await client.refused("Users/RevokeInvitation", revoked, whose="other")
        await client.ask("Users/RevokeInvitation", revoked)
        again = await client.refused("Users/RevokeInvitation", revoked)
        late = {"token": made["token"], "password": PHRASE}
        useless = await client.refused("Users/AcceptInvitation", late, whose=None)
    assert made["invitation"]["role"] == "ROLE_VIEWER"
    assert made["mailed"] is True
    assert open_ones["invitations"] == [made["invitation"]]
    assert made["token"] not in str(open_ones)
    assert (foreign.code, again.code) == ("NOT_FOUND", "NOT_FOUND")
    assert (useless.code, list(useless.violations)) == ("UNAUTHENTICATED", ["token"])
