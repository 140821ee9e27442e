"""Offers with their entries, verdicts and reservations: `lifecycle.needs.OfferBook`.

Rules
1. Every change of state goes through the table `states.OFFER`.
2. Keeping an offer is one transaction: conflicts are found, own earlier offers superseded, places reserved.
3. An offer that closes frees what it reserved in the same transaction.
4. An offer, every refused entry and every change of state add lines to the audit log, in the same transaction.
5. The trees are compressed before the transaction begins, and read only by `tree`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from ..model.entities import Offer, OfferEntry, Reservation
from ..model.errors import LimitExceeded, NotFound
from ..model.notation import Place
from ..model.states import OFFER, OfferFact, OfferState, after
from . import audit, reservations
from .columns import batches, pack, unpack
from .database import Database
from .ids import new_id
from .tables import entries, offers, picked

_MOST_BYTES = 2**63 - 1
_VERBS = {OfferFact.SUPERSEDED: "supersede", OfferFact.WITHDRAWN: "withdraw", OfferFact.EXPIRED: "expire"}
OFFER_COLUMNS = picked(offers, "closed")
_ENTRY = picked(entries, "offer_id", "tree")


class Offers:
    def __init__(self, database: Database) -> None:
        self._database = database

    def new_id(self) -> str:
        return new_id()

    def count_open(self, user_id: str, now: int) -> int:
        query = select(func.count()).where(
            offers.c.user_id == user_id, offers.c.state == OfferState.OPEN, offers.c.expires > now
        )
        with self._database.read() as connection:
            return connection.scalar(query) or 0

    def keep(
        self,
        offer: Offer,
        trees: Mapping[str, bytes],
        claims: Sequence[Reservation],
        refuse: Callable[[OfferEntry], OfferEntry],
    ) -> Offer:
        """See `OfferBook.keep`. Raises LimitExceeded for sizes that no database can count."""
        if offer.size > _MOST_BYTES or any(entry.size > _MOST_BYTES for entry in offer.entries):
            raise LimitExceeded("The offer is larger than 8 EiB; check the sizes.", details={"limit": _MOST_BYTES})
        packed = {entry.id: pack(trees.get(entry.id, b"null")) for entry in offer.entries}
        with self._database.write() as connection:
            expire(connection, offer.created)
            refused, in_the_way = _settle(connection, claims)
            stored = replace(
                offer, entries=tuple(refuse(entry) if entry.id in refused else entry for entry in offer.entries)
            )
            if offer.state is OfferState.OPEN:
                again = _open_with(connection, offer.user_id, [entry.id for entry in offer.entries])
                _supersede(connection, sorted(in_the_way | again), offer.created)
            _insert(connection, stored, packed)
            if offer.state is OfferState.OPEN:
                reservations.reserve(connection, [claim for claim in claims if claim.entry_id not in refused])
            audit.add(connection, audit.offered(stored))
        return stored

    def offer(self, offer_id: str) -> Offer | None:
        with self._database.read() as connection:
            return _load(connection, offer_id)

    def newest_with(self, user_id: str, entry_ids: Sequence[str]) -> Offer | None:
        with self._database.read() as connection:
            found = [row for batch in batches(entry_ids) for row in _newest(connection, user_id, batch)]
            return _load(connection, max(found)[1]) if found else None

    def entry(self, offer_id: str, entry_id: str) -> OfferEntry | None:
        query = select(entries.c.offer_id.label("of"), *_ENTRY)
        with self._database.read() as connection:
            row = connection.execute(
                query.where(entries.c.offer_id == offer_id, entries.c.id == entry_id)
            ).one_or_none()
        return None if row is None else _entry_of(row)

    def tree(self, offer_id: str, entry_id: str) -> bytes:
        """Raises NotFound."""
        query = select(entries.c.tree).where(entries.c.offer_id == offer_id, entries.c.id == entry_id)
        with self._database.read() as connection:
            packed = connection.scalar(query)
        if packed is None:
            raise NotFound(detail=f"offer {offer_id} has no entry {entry_id}")
        return unpack(packed)

    def close(self, offer_id: str, fact: OfferFact, now: int) -> bool:
        with self._database.write() as connection:
            return close(connection, [offer_id], fact, now) > 0

    def expire(self, now: int) -> int:
        with self._database.write() as connection:
            return expire(connection, now)

    def reserved(self, device: int, *, without_offers_of: str = "") -> int:
        with self._database.read() as connection:
            return reservations.reserved(connection, device, without_offers_of)


def close(connection: Connection, offer_ids: Sequence[str], fact: OfferFact, now: int) -> int:
    """Bring open offers to their end and free what they reserve; how many were open."""
    query = update(offers).where(offers.c.id.in_(offer_ids), offers.c.state == OfferState.OPEN)
    closed = connection.execute(
        query.values(state=after(OFFER, OfferState.OPEN, fact), closed=now).returning(offers.c.id)
    )
    ids = list(closed.scalars())
    if ids:
        reservations.free_offers(connection, ids)
    if fact is not OfferFact.SUBMITTED:  # the line of the job tells
        audit.add(connection, [audit.line(_VERBS[fact], "offer", id) for id in ids])
    return len(ids)


def expire(connection: Connection, now: int) -> int:
    due = select(offers.c.id).where(offers.c.state == OfferState.OPEN, offers.c.expires <= now).limit(10_000)
    ids = list(connection.scalars(due))
    return close(connection, ids, OfferFact.EXPIRED, now) if ids else 0


def _settle(connection: Connection, claims: Sequence[Reservation]) -> tuple[set[str], set[str]]:
    """Ids of the entries that cannot have their places, and of the user's own offers that are in the others' way."""
    refused: set[str] = set()
    own: dict[str, set[str]] = {}
    for claim in claims:
        for holds, offer_id in reservations.conflicts(connection, claim):
            if holds:
                refused.add(claim.entry_id)
            else:
                own.setdefault(claim.entry_id, set()).add(offer_id)
    return refused, {offer_id for entry_id, ids in own.items() if entry_id not in refused for offer_id in ids}


def _open_with(connection: Connection, user_id: str, entry_ids: Sequence[str]) -> set[str]:
    query = (
        select(offers.c.id)
        .distinct()
        .select_from(offers.join(entries, entries.c.offer_id == offers.c.id))
        .where(offers.c.user_id == user_id, offers.c.state == OfferState.OPEN)
    )
    return {id for batch in batches(entry_ids) for id in connection.scalars(query.where(entries.c.id.in_(batch)))}


def _newest(connection: Connection, user_id: str, entry_ids: Sequence[str]) -> list[tuple[bool, str]]:
    """The newest open offer with any of these entries, else the newest: whether it is open, and its id.

    First what holds the entries is looked up, since a user may have made very many offers.
    """
    is_open = offers.c.state == OfferState.OPEN
    holding = select(entries.c.offer_id).distinct().where(entries.c.id.in_(entry_ids))
    query = (
        select(is_open, offers.c.id)
        .where(offers.c.user_id == user_id, offers.c.state != OfferState.CHECKED)
        .order_by(is_open.desc(), offers.c.id.desc())
        .limit(1)
    )
    return [
        (bool(row[0]), row[1])
        for batch in batches(connection.scalars(holding).all())
        for row in connection.execute(query.where(offers.c.id.in_(batch)))
    ]


def _supersede(connection: Connection, offer_ids: Sequence[str], now: int) -> None:
    if offer_ids:
        close(connection, offer_ids, OfferFact.SUPERSEDED, now)


def _insert(connection: Connection, offer: Offer, packed: Mapping[str, bytes]) -> None:
    row = {field.name: getattr(offer, field.name) for field in fields(offer) if field.name != "entries"}
    connection.execute(insert(offers).values(row))
    rows = [_entry_row(offer.id, entry, packed[entry.id]) for entry in offer.entries]
    if rows:
        connection.execute(insert(entries), rows)


def _entry_row(offer_id: str, entry: OfferEntry, tree: bytes) -> dict[str, Any]:
    row = {field.name: getattr(entry, field.name) for field in fields(entry) if field.name != "place"}
    place = entry.place
    spot = {"volume_id": place.volume_id, "path": place.path} if place else {"volume_id": None, "path": None}
    return {**row, **spot, "offer_id": offer_id, "tree": tree}


def _load(connection: Connection, offer_id: str) -> Offer | None:
    row = connection.execute(select(*OFFER_COLUMNS).where(offers.c.id == offer_id)).one_or_none()
    return offer_of(row, entries_of(connection, [offer_id]).get(offer_id, ())) if row else None


def offer_of(row: Row[Any], its_entries: Sequence[OfferEntry]) -> Offer:
    return Offer(**row._mapping, entries=tuple(its_entries))


def entries_of(connection: Connection, offer_ids: Sequence[str]) -> dict[str, list[OfferEntry]]:
    query = (
        select(entries.c.offer_id.label("of"), *_ENTRY)
        .where(entries.c.offer_id.in_(offer_ids))
        .order_by(entries.c.offer_id, entries.c.number)
    )
    found: dict[str, list[OfferEntry]] = {}
    for row in connection.execute(query):
        found.setdefault(row.of, []).append(_entry_of(row))
    return found


def _entry_of(row: Row[Any]) -> OfferEntry:
    values = dict(row._mapping)
    del values["of"]
    volume_id, path = values.pop("volume_id"), values.pop("path")
    return OfferEntry(**values, place=Place(volume_id, path) if volume_id is not None else None)
