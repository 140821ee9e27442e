"""Signing in and out; what users set about it; sessions.

Rules
1. What stands in `calls.OPEN` needs no sign-in; the gate has checked that a page of ours asks.
2. Whoever signs in anew is signed out where they were signed in with the same browser.
3. Passwords are hashed in threads of their own, few at a time.
"""

from __future__ import annotations

from typing import Any

from litestar import Response, delete, get, post, put

from ..lifecycle import house as views
from ..lifecycle import shelf
from ..lifecycle.passkeys import Site
from ..lifecycle.sessions import Begun
from ..lifecycle.wanted import Wanted
from ..model.entities import User
from ..model.signin import Known
from ..wire import calls
from ..wire.house import NewKey, UserMade
from ..wire.jobs import Page
from ..wire.signin import (
    InvitationLook,
    InvitationMade,
    LinkRequest,
    Me,
    NewInvitation,
    NewPasskey,
    PasskeyOptions,
    PasskeySignIn,
    PasskeyView,
    PasswordChange,
    PasswordSignIn,
    Redemption,
    SignInView,
    Token,
)
from .asking import Asked, doors, headers, insider, known, route, services, user
from .house import seen_by_manager
from .threads import hashes, quick, room_to_hash

# --- in ------------------------------------------------------------------------------------------------------------


@get(route(calls.SIGN_IN), security=[])
async def ways(request: Asked) -> SignInView:
    """What is possible here. Needs no sign-in."""
    found = services(request)
    workspace = await quick(found.reading.workspace)
    return SignInView(workspace=workspace.code, passkeys=bool(_site(request).host), links=doors(request).by_link.there)


@post(route(calls.SIGN_IN_PASSWORD), status_code=200, security=[])
async def by_password(request: Asked, data: PasswordSignIn) -> Response[Me]:
    """Sign in with address and password."""
    room_to_hash()
    doors(request).by_password.admit(data.user)
    return await _begun(request, await hashes(doors(request).by_password.sign_in, data.user, data.password))


@post(route(calls.SIGN_IN_INVITATION), status_code=200, security=[])
async def look(request: Asked, data: Token) -> InvitationLook:
    """Look at an invitation, without redeeming it."""
    return await quick(doors(request).redeeming.look, data.token)


@post(route(calls.REDEEM_BEGIN), status_code=200, security=[])
async def begin_redeeming(request: Asked, data: Token) -> PasskeyOptions:
    """Begin to make a passkey with an invitation."""
    return await quick(doors(request).redeeming.begin_passkey, data.token, _site(request))


@post(route(calls.REDEEM), status_code=200, security=[])
async def redeem(request: Asked, data: Redemption) -> Response[Me]:
    """Redeem an invitation: with a password, or with the passkey that was begun."""
    room_to_hash()
    return await _begun(request, await hashes(doors(request).redeeming.redeem, data, _site(request)))


@post(route(calls.SIGN_IN_LINK), status_code=204, security=[])
async def ask_for_link(request: Asked, data: LinkRequest) -> None:
    """Have a one-time link mailed. The answer is the same whether the address is a user's."""
    doors(request).by_link.ask(data.user)


@post(route(calls.REDEEM_LINK), status_code=200, security=[])
async def by_link(request: Asked, data: Token) -> Response[Me]:
    """Sign in with a link that was mailed."""
    return await _begun(request, await quick(doors(request).by_link.sign_in, data.token))


@post(route(calls.PASSKEY_BEGIN), status_code=200, security=[])
async def begin_passkey(request: Asked) -> PasskeyOptions:
    """Begin to sign in with a passkey."""
    return doors(request).passkeys.begin_using(_site(request))


@post(route(calls.PASSKEY_FINISH), status_code=200, security=[])
async def by_passkey(request: Asked, data: PasskeySignIn) -> Response[Me]:
    """Sign in with what the browser signed."""
    sign_in = doors(request).by_passkey.sign_in
    return await _begun(request, await quick(sign_in, _site(request), data.ticket, data.credential))


@post(route(calls.SIGN_OUT), status_code=204)
async def sign_out(request: Asked) -> Response[None]:
    """End the session that asks."""
    await quick(doors(request).sessions.sign_out, known(request))
    gone = doors(request).sign_in.cookie(headers(request), "", 0)
    return Response(None, status_code=204, headers={"set-cookie": gone})


async def _begun(request: Asked, begun: Begun) -> Response[Me]:
    door = doors(request).sign_in
    await quick(_leave, request, door.token(headers(request)))
    cookie = door.cookie(headers(request), begun.token, begun.longest // 1000)
    return Response(await quick(_me, request, begun.known), headers={"set-cookie": cookie})


def _leave(request: Asked, token: str) -> None:
    sessions = doors(request).sessions
    before = sessions.known(token) if token else None
    if before:
        sessions.sign_out(before)


def _site(request: Asked) -> Site:
    return doors(request).sign_in.reached.site(headers(request))


# --- one's own -----------------------------------------------------------------------------------------------------


@get(route(calls.ME))
async def me(request: Asked) -> Me:
    """The signed-in user, and the session if it is one."""
    return await quick(_me, request, known(request))


def _me(request: Asked, who: Known) -> Me:
    found = doors(request)
    kept = found.passwords.kept(who)
    return views.me(who, found.sessions.limits, has_password=bool(kept.hash), old=kept.proves)


@put(route(calls.SET_PASSWORD), status_code=204)
async def set_password(request: Asked, data: PasswordChange) -> None:
    """Set one's password. All other sessions end."""
    room_to_hash()
    found = doors(request).passwords
    await quick(found.admit, known(request), data.password, data.old)
    await hashes(found.set, known(request), data.password, data.old)


@get(route(calls.PASSKEYS))
async def passkeys(request: Asked, whole: Wanted) -> Page:
    """One's passkeys."""
    found = await quick(doors(request).passkeys.of_user, user(request).id)
    return await quick(shelf.page, [views.passkey(one) for one in found], shelf.PASSKEYS, whole)


@post(route(calls.NEW_PASSKEY), status_code=200)
async def begin_making(request: Asked) -> PasskeyOptions:
    """Begin to make a passkey."""
    who = user(request)
    begin = doors(request).passkeys.begin_making
    return await quick(begin, _site(request), who.id, who.code, who.name, who.id)


@post(route(calls.ADD_PASSKEY))
async def add_passkey(request: Asked, data: NewPasskey) -> PasskeyView:
    """Keep the passkey that the browser made."""
    who = user(request)
    make = doors(request).passkeys.make
    return views.passkey(await quick(make, _site(request), who.id, data.ticket, data.credential, data.name))


@delete(route(calls.REMOVE_PASSKEY), status_code=204)
async def remove_passkey(request: Asked, id: str) -> None:
    """Forget one of one's passkeys."""
    await quick(doors(request).passkeys.remove, user(request).id, id)


@get(route(calls.MY_SESSIONS))
async def my_sessions(request: Asked, whole: Wanted) -> Page:
    """Where one is signed in."""
    return await quick(_sessions, request, user(request), whole)


@delete(route(calls.END_MY_SESSION), status_code=204)
async def end_my_session(request: Asked, id: str) -> None:
    """Sign a browser of one's own out."""
    await quick(doors(request).sessions.end, user(request).id, id)


@get(route(calls.MY_KEYS))
async def my_keys(request: Asked, whole: Wanted) -> Page:
    """One's API keys, without their secrets."""
    found = [views.key(key) for key in await quick(services(request).manage.keys, user(request).id)]
    return await quick(shelf.page, found, shelf.KEYS, whole)


@post(route(calls.ADD_MY_KEY))
async def add_my_key(request: Asked, data: NewKey) -> UserMade:
    """Make an API key of one's own, shown this once."""
    who = user(request)
    _, secret = await quick(services(request).manage.add_key, who.id, label=data.label, days=data.days)
    return views.made(await quick(services(request).reading.workspace), who, secret)


@delete(route(calls.REVOKE_MY_KEY), status_code=204)
async def revoke_my_key(request: Asked, key: str) -> None:
    """Revoke an API key of one's own."""
    await quick(services(request).manage.revoke_key, user(request).id, key)


# --- others' -------------------------------------------------------------------------------------------------------


@get(route(calls.SESSIONS))
async def sessions(request: Asked, id: str, whole: Wanted) -> Page:
    """Where a user is signed in; for themselves and for who may manage them."""
    owner = await quick(seen_by_manager, request, id)
    return await quick(_sessions, request, owner, whole)


@delete(route(calls.END_SESSION), status_code=204)
async def end_session(request: Asked, id: str, session: str) -> None:
    """Sign a user's browser out."""
    owner = await quick(seen_by_manager, request, id)
    await quick(doors(request).sessions.end, owner.id, session)


def _sessions(request: Asked, owner: User, wanted: Wanted) -> Page:
    found = doors(request).sessions
    now = known(request).session
    shown = [views.session(one, found.limits, now) for one in found.of_user(owner.id)]
    return shelf.page(shown, shelf.SESSIONS, wanted)


# --- invitations ---------------------------------------------------------------------------------------------------


@get(route(calls.INVITATIONS))
async def invitations(request: Asked, wanted: Wanted) -> Page:
    """Who was invited, and what came of it."""
    insider(request)
    return await quick(_invitations, request, wanted)


def _invitations(request: Asked, wanted: Wanted) -> Page:
    inviting = doors(request).inviting
    return shelf.page(inviting.views(), shelf.INVITATIONS, wanted)


@post(route(calls.INVITE))
async def invite(request: Asked, data: NewInvitation) -> InvitationMade:
    """Invite somebody; the URL is shown this once, and mailed where mails are set up.

    Employees invite standard users. Who is a user already is invited to set a new password."""
    who = insider(request)
    base = doors(request).sign_in.reached.base(headers(request))
    return await quick(doors(request).inviting.invite, who, data.email, data.role, base)


@delete(route(calls.REVOKE_INVITATION), status_code=204)
async def revoke_invitation(request: Asked, id: str) -> None:
    """Make an invitation worthless."""
    who = insider(request)
    await quick(doors(request).inviting.revoke, who, id)


HANDLERS: list[Any] = [
    ways,
    by_password,
    look,
    begin_redeeming,
    redeem,
    ask_for_link,
    by_link,
    begin_passkey,
    by_passkey,
    sign_out,
    me,
    set_password,
    passkeys,
    begin_making,
    add_passkey,
    remove_passkey,
    my_sessions,
    end_my_session,
    my_keys,
    add_my_key,
    revoke_my_key,
    sessions,
    end_session,
    invitations,
    invite,
    revoke_invitation,
]
