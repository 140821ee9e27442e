"""The database: what must be remembered beyond a restart.

1. `ids`           ids in order of creation
2. `columns`       how values lie in columns
3. `tables`        the tables of this version
4. `database`      connections, transactions, foreign errors
5. `schema`        making and upgrading the tables (`migrations`)
6. `reservations`  which places are taken, and by whom
7. `offers`        offers, their entries and verdicts
8. `jobs`          jobs and tasks, moved by the tables of `model.states` (`rows`: as they lie in the tables)
9. `notices`       what post hooks are still to be told
10. `runs`         runs of hooks
11. `queues`       queues, and whose turn it is
12. `house`        workspace, users, volumes, hooks
13. `levels`       settings and metadata, on whatever they are set
14. `keys`         API keys
15. `tokens`       secrets of which only a hash is kept
16. `sessions`     browsers that are signed in
17. `passwords`, `links`, `passkeys`, `invitations`: what opens the door (`pending`: invitations that end)
18. `audit`        who did what, and what was refused
19. `attributes`   what can be asked of each entity
20. `where`        expressions as conditions
21. `lists`        filters and pages over all of it
22. `health`       the database as a whole: is it sound, how much is in it
23. `copying`      a copy of it, and back

Rules
1. Every method is one transaction and returns frozen values; nothing is remembered between calls.
2. The same queries run on SQLite and PostgreSQL.
3. Methods may be called by any thread. They block: the API hands them to threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .audit import Audit
from .database import Database
from .health import Health
from .house import HouseRecords
from .ids import new_id
from .invitations import Invitations
from .jobs import Jobs
from .keys import Keys
from .levels import LevelRecords
from .links import Links
from .lists import Lists
from .notices import Notices
from .offers import Offers
from .passkeys import Passkeys
from .passwords import Passwords
from .queues import QueueRecords
from .runs import Runs
from .schema import Schema, migrate, schema_of
from .sessions import Sessions

if TYPE_CHECKING:
    from ..lifecycle.needs import (
        AuditBook,
        House,
        InvitationBook,
        JobBook,
        LinkBook,
        NoticeBook,
        OfferBook,
        PasskeyBook,
        PasswordBook,
        RunBook,
        SessionBook,
        TurnBook,
    )

__all__ = ["Records", "Schema", "migrate", "new_id", "open_records", "schema_of"]


@dataclass(frozen=True, slots=True)
class Records:
    """An open database."""

    database: Database
    house: HouseRecords
    queues: QueueRecords
    levels: LevelRecords
    keys: Keys
    sessions: Sessions
    passwords: Passwords
    links: Links
    passkeys: Passkeys
    invitations: Invitations
    offers: Offers
    jobs: Jobs
    notices: Notices
    runs: Runs
    lists: Lists
    health: Health
    audit: Audit

    def close(self) -> None:
        self.database.close()


def open_records(url: str) -> Records:
    """Open a database that `migrate` has brought up to date. Raises BadRequest for a URL that means none."""
    database = Database(url)
    return Records(
        database=database,
        house=HouseRecords(database),
        queues=QueueRecords(database),
        levels=LevelRecords(database),
        keys=Keys(database),
        sessions=Sessions(database),
        passwords=Passwords(database),
        links=Links(database),
        passkeys=Passkeys(database),
        invitations=Invitations(database),
        offers=Offers(database),
        jobs=Jobs(database),
        notices=Notices(database),
        runs=Runs(database),
        lists=Lists(database),
        health=Health(database),
        audit=Audit(database),
    )


if TYPE_CHECKING:  # the type checker holds the records against what the steps need

    def _seams(records: Records) -> tuple[House, OfferBook, JobBook, RunBook, NoticeBook, TurnBook, AuditBook]:
        books = records.house, records.offers, records.jobs, records.runs, records.notices, records.queues
        return (*books, records.audit)

    def _doors(records: Records) -> tuple[SessionBook, PasswordBook, LinkBook, PasskeyBook, InvitationBook]:
        return records.sessions, records.passwords, records.links, records.passkeys, records.invitations
