"""Every call: method, path, what goes in, what comes out.

Rules
1. A path begins with `/api/v1`, except those of the health check and of the metrics, which outlive versions.
2. What may be asked without sign-in stands in `OPEN`.
3. `answer` is the type of the JSON that a success carries; None where it carries none. `Page` holds items of the type
   named beside it.
4. Every refusal is an `ErrorAnswer`, whatever the call.
5. GET, PUT and DELETE may be repeated without harm, and so may SUBMIT, RETRY, ABORT, PAUSE, RESUME and REUSE;
   `repeatable` says so.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import quote

from .house import (
    Checkup,
    Health,
    HookChange,
    HookView,
    KeyView,
    NewHook,
    NewKey,
    NewQueue,
    NewUser,
    NewVolume,
    QueueChange,
    QueueView,
    RunDetail,
    RunView,
    SettingChange,
    SettingView,
    UserChange,
    UserMade,
    UserView,
    VolumeChange,
    VolumeView,
    WorkspaceChange,
    WorkspaceView,
)
from .jobs import JobChange, JobNews, JobView, Page, Receipt, SubmitRequest, TaskChange, TaskView
from .log import LogView, StumbleView
from .offers import OfferAnswer, OfferRequest
from .parts import PartAnswer, UploadView
from .replays import Replay, ReplayRequest, Replays, Trial
from .reuse import ReuseAnswer, ReuseRequest, ReuseView
from .signin import (
    InvitationLook,
    InvitationMade,
    InvitationView,
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
    SessionView,
    SignInView,
    Token,
)
from .signing import PublicKey
from .tree import Entry

V1 = "/api/v1"


class Call(NamedTuple):
    method: str
    path: str
    """with `{name}` where an id or a name stands"""
    answer: Any = None
    body: Any = None
    """type of the JSON that goes in"""
    items: Any = None
    """type of the items where the answer is a Page"""
    idempotent: bool = False

    def at(self, **names: str) -> str:
        """The path with ids and names filled in, percent-encoded."""
        return self.path.format(**{key: quote(value, safe="") for key, value in names.items()})

    @property
    def repeatable(self) -> bool:
        """Whether sending it twice does what sending it once does."""
        return self.idempotent or self.method in ("GET", "PUT", "DELETE")


HEALTH = Call("GET", "/healthz", Health)
METRICS = Call("GET", "/metrics")
"""Answers text, in Prometheus' format."""

# --- publishing ----------------------------------------------------------------------------------------------------
OFFER = Call("POST", f"{V1}/offers", OfferAnswer, OfferRequest)
OFFERS = Call("GET", f"{V1}/offers", Page, items=OfferAnswer)
OFFER_BY_ID = Call("GET", f"{V1}/offers/{{id}}", OfferAnswer)
WITHDRAW = Call("DELETE", f"{V1}/offers/{{id}}")

SUBMIT = Call("POST", f"{V1}/jobs", JobView, SubmitRequest, idempotent=True)
JOBS = Call("GET", f"{V1}/jobs", Page, items=JobView)
JOB = Call("GET", f"{V1}/jobs/{{id}}", JobView)
CHANGE_JOB = Call("PATCH", f"{V1}/jobs/{{id}}", JobView, JobChange)
EVENTS = Call("GET", f"{V1}/events", items=JobNews)
"""Answers a stream of server-sent events, as long as somebody listens."""
RETRY = Call("POST", f"{V1}/jobs/{{id}}/retry", JobView, idempotent=True)
ABORT = Call("POST", f"{V1}/jobs/{{id}}/abort", JobView, idempotent=True)
PAUSE = Call("POST", f"{V1}/jobs/{{id}}/pause", JobView, idempotent=True)
RESUME = Call("POST", f"{V1}/jobs/{{id}}/resume", JobView, idempotent=True)
CHANGE_TASK = Call("PATCH", f"{V1}/jobs/{{id}}/tasks/{{task}}", JobView, TaskChange)
RECEIPT = Call("GET", f"{V1}/jobs/{{id}}/receipt", Receipt)
RECEIPT_MHL = Call("GET", f"{V1}/jobs/{{id}}/receipt/mhl")
"""The answer is a ZIP."""
RECEIPT_KEY = Call("GET", f"{V1}/receipt-key", PublicKey)
TASKS = Call("GET", f"{V1}/tasks", Page, items=TaskView)
TASK_FILES = Call("GET", f"{V1}/jobs/{{id}}/tasks/{{task}}/files", Entry)

REUSABLE = Call("GET", f"{V1}/jobs/{{id}}/reuse", ReuseView)
REUSE = Call("POST", f"{V1}/jobs/{{id}}/reuse", ReuseAnswer, ReuseRequest, idempotent=True)

UPLOAD = Call("GET", f"{V1}/uploads/{{id}}", UploadView)
PART = Call("PUT", f"{V1}/uploads/{{id}}", PartAnswer)
"""The body is the bytes; see `parts` for its headers."""

DOCTOR = Call("GET", f"{V1}/doctor", Checkup)

# --- signing in ----------------------------------------------------------------------------------------------------
# Without sign-in; all but the first with the page header.
SIGN_IN = Call("GET", f"{V1}/sign-in", SignInView)
SIGN_IN_PASSWORD = Call("POST", f"{V1}/sign-in/password", Me, PasswordSignIn)
SIGN_IN_INVITATION = Call("POST", f"{V1}/sign-in/invitation", InvitationLook, Token, idempotent=True)
REDEEM = Call("POST", f"{V1}/sign-in/redeem", Me, Redemption)
REDEEM_BEGIN = Call("POST", f"{V1}/sign-in/redeem/begin", PasskeyOptions, Token, idempotent=True)
SIGN_IN_LINK = Call("POST", f"{V1}/sign-in/link", None, LinkRequest)
REDEEM_LINK = Call("POST", f"{V1}/sign-in/link/redeem", Me, Token)
PASSKEY_BEGIN = Call("POST", f"{V1}/sign-in/passkey/begin", PasskeyOptions, idempotent=True)
PASSKEY_FINISH = Call("POST", f"{V1}/sign-in/passkey/finish", Me, PasskeySignIn)

SIGN_OUT = Call("POST", f"{V1}/sign-out", idempotent=True)
SET_PASSWORD = Call("PUT", f"{V1}/me/password", None, PasswordChange)
PASSKEYS = Call("GET", f"{V1}/me/passkeys", Page, items=PasskeyView)
NEW_PASSKEY = Call("POST", f"{V1}/me/passkeys/begin", PasskeyOptions, idempotent=True)
ADD_PASSKEY = Call("POST", f"{V1}/me/passkeys", PasskeyView, NewPasskey)
REMOVE_PASSKEY = Call("DELETE", f"{V1}/me/passkeys/{{id}}")
MY_SESSIONS = Call("GET", f"{V1}/me/sessions", Page, items=SessionView)
END_MY_SESSION = Call("DELETE", f"{V1}/me/sessions/{{id}}")
MY_KEYS = Call("GET", f"{V1}/me/keys", Page, items=KeyView)
ADD_MY_KEY = Call("POST", f"{V1}/me/keys", UserMade, NewKey)
REVOKE_MY_KEY = Call("DELETE", f"{V1}/me/keys/{{key}}")

INVITATIONS = Call("GET", f"{V1}/invitations", Page, items=InvitationView)
INVITE = Call("POST", f"{V1}/invitations", InvitationMade, NewInvitation)
REVOKE_INVITATION = Call("DELETE", f"{V1}/invitations/{{id}}")

# --- the house -----------------------------------------------------------------------------------------------------
ME = Call("GET", f"{V1}/me", Me)
WORKSPACE = Call("GET", f"{V1}/workspace", WorkspaceView)
CHANGE_WORKSPACE = Call("PATCH", f"{V1}/workspace", WorkspaceView, WorkspaceChange)

USERS = Call("GET", f"{V1}/users", Page, items=UserView)
ADD_USER = Call("POST", f"{V1}/users", UserMade, NewUser)
USER = Call("GET", f"{V1}/users/{{id}}", UserView)
CHANGE_USER = Call("PATCH", f"{V1}/users/{{id}}", UserView, UserChange)
KEYS = Call("GET", f"{V1}/users/{{id}}/keys", Page, items=KeyView)
ADD_KEY = Call("POST", f"{V1}/users/{{id}}/keys", UserMade, NewKey)
REVOKE_KEY = Call("DELETE", f"{V1}/users/{{id}}/keys/{{key}}")
SESSIONS = Call("GET", f"{V1}/users/{{id}}/sessions", Page, items=SessionView)
END_SESSION = Call("DELETE", f"{V1}/users/{{id}}/sessions/{{session}}")

VOLUMES = Call("GET", f"{V1}/volumes", Page, items=VolumeView)
ADD_VOLUME = Call("POST", f"{V1}/volumes", VolumeView, NewVolume)
VOLUME = Call("GET", f"{V1}/volumes/{{id}}", VolumeView)
CHANGE_VOLUME = Call("PATCH", f"{V1}/volumes/{{id}}", VolumeView, VolumeChange)
REMOVE_VOLUME = Call("DELETE", f"{V1}/volumes/{{id}}")

QUEUES = Call("GET", f"{V1}/queues", Page, items=QueueView)
ADD_QUEUE = Call("POST", f"{V1}/queues", QueueView, NewQueue)
QUEUE = Call("GET", f"{V1}/queues/{{id}}", QueueView)
CHANGE_QUEUE = Call("PATCH", f"{V1}/queues/{{id}}", QueueView, QueueChange)
REMOVE_QUEUE = Call("DELETE", f"{V1}/queues/{{id}}")

HOOKS = Call("GET", f"{V1}/hooks", Page, items=HookView)
SET_HOOK = Call("PUT", f"{V1}/hooks/{{name}}", HookView, NewHook)
CHANGE_HOOK = Call("PATCH", f"{V1}/hooks/{{name}}", HookView, HookChange)
UNSET_HOOK = Call("DELETE", f"{V1}/hooks/{{name}}")
TRY_HOOK = Call("POST", f"{V1}/hooks/{{name}}/trial", Trial, NewHook)
RUNS = Call("GET", f"{V1}/runs", Page, items=RunView)
RUN = Call("GET", f"{V1}/runs/{{id}}", RunDetail)
REPLAY = Call("POST", f"{V1}/runs/{{id}}/replay", Replay)
RUN_AGAIN = Call("POST", f"{V1}/runs/{{id}}/for-real", RunView)
REPLAYS = Call("POST", f"{V1}/replays", Replays, ReplayRequest)

LOG = Call("GET", f"{V1}/log", Page, items=LogView)
STUMBLES = Call("GET", f"{V1}/log/stumbles", Page, items=StumbleView)

# `?queue=`, `?volume=` or `?job=` names whose settings; left out, those of the workspace.
SETTINGS = Call("GET", f"{V1}/settings", Page, items=SettingView)
SET_SETTING = Call("PUT", f"{V1}/settings/{{name}}", SettingView, SettingChange)
UNSET_SETTING = Call("DELETE", f"{V1}/settings/{{name}}")

TABLE: dict[str, Call] = {name: value for name, value in list(globals().items()) if isinstance(value, Call)}
"""Every call by its name here."""

OPEN = frozenset(
    (call.method, call.path)
    for call in (
        SIGN_IN,
        SIGN_IN_PASSWORD,
        SIGN_IN_INVITATION,
        REDEEM,
        REDEEM_BEGIN,
        SIGN_IN_LINK,
        REDEEM_LINK,
        PASSKEY_BEGIN,
        PASSKEY_FINISH,
    )
)
"""Methods and paths that need no sign-in, since they are how one signs in."""
