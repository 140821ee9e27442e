"""What the steps ask of the world: narrow Protocols, one implementation each.

1. `records`  `House`, `OfferBook`, `JobBook`, `TurnBook`, `NoticeBook`, `RunBook`, `AuditBook`, `Lists`,
   implemented by `stagedoor.records`
2. `volumes`  `Storage`, `Upload`, `PartWriter`, implemented by `stagedoor.volumes`
3. `hooks`    `Programs`, implemented by `stagedoor.programs`
4. `engine`   `Runner`, implemented by `stagedoor.engine`
5. `signing`  `Signer`, implemented by `stagedoor.signing`
6. `signin`   `SessionBook`, `PasswordBook`, `LinkBook`, `InvitationBook`, `PasskeyBook`, implemented by
   `stagedoor.records`; `Hasher`, `Ceremony` by `stagedoor.credentials`; `Mailer` by `stagedoor.mail`
"""

from __future__ import annotations

from collections.abc import Callable

from .engine import Runner
from .hooks import Outcome, Programs, RunOrder
from .records import AuditBook, House, JobBook, Lists, NoticeBook, OfferBook, RunBook, TurnBook
from .signin import (
    Ceremony,
    Hasher,
    InvitationBook,
    LinkBook,
    MadeKey,
    Mailer,
    PasskeyBook,
    PasswordBook,
    SessionBook,
)
from .signing import Signer
from .volumes import (
    Arrival,
    Copied,
    FileHash,
    InTheWay,
    PartWriter,
    Placed,
    Proof,
    Spot,
    Staged,
    Storage,
    Upload,
    Wanted,
)

__all__ = [
    "Arrival",
    "AuditBook",
    "Ceremony",
    "Clock",
    "Copied",
    "FileHash",
    "Hasher",
    "House",
    "InTheWay",
    "InvitationBook",
    "JobBook",
    "LinkBook",
    "Lists",
    "MadeKey",
    "Mailer",
    "NoticeBook",
    "OfferBook",
    "Outcome",
    "PartWriter",
    "PasskeyBook",
    "PasswordBook",
    "Placed",
    "Programs",
    "Proof",
    "RunBook",
    "RunOrder",
    "Runner",
    "SessionBook",
    "Signer",
    "Spot",
    "Staged",
    "Storage",
    "TurnBook",
    "Upload",
    "Wanted",
]

Clock = Callable[[], int]
"""now, in milliseconds since 1970 UTC"""
