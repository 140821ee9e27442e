"""Which places are taken, and by whom.

Rules
1. A place conflicts with the same place, with what lies below it and with what it would lie below.
2. Another user's offer and any unfinished job hold against everybody; a user's own open offers give way.
3. Places are compared by their keys: the absolute path as its file system compares names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from sqlalchemy import Connection, and_, case, delete, func, insert, or_, select, update

from ..model.entities import Reservation
from .columns import batches
from .tables import reservations, tasks


def conflicts(connection: Connection, claim: Reservation) -> Iterator[tuple[bool, str]]:
    """Per reservation in the way: whether it holds against the claim's user, and the offer it came from."""
    table = reservations.c
    below = and_(table.key >= claim.key + "/", table.key < claim.key + "0")  # "0" follows "/"
    query = select(table.user_id, table.job_id, table.offer_id).where(or_(table.key.in_(_upwards(claim.key)), below))
    for row in connection.execute(query):
        yield bool(row.job_id) or row.user_id != claim.user_id, row.offer_id


def _upwards(key: str) -> list[str]:
    """The place itself and every folder above it."""
    return [key, *(key[:index] for index, letter in enumerate(key) if letter == "/" and index)]


def reserve(connection: Connection, claims: Sequence[Reservation]) -> None:
    if claims:
        connection.execute(insert(reservations), [asdict(claim) for claim in claims])


def free_offers(connection: Connection, offer_ids: Sequence[str]) -> None:
    """Free what these offers reserve themselves; what passed to a job stays."""
    connection.execute(delete(reservations).where(reservations.c.offer_id.in_(offer_ids), reservations.c.job_id == ""))


def free_job(connection: Connection, job_id: str) -> None:
    connection.execute(delete(reservations).where(reservations.c.job_id == job_id))


def hand_over(connection: Connection, offer_id: str, job_id: str, entry_ids: Sequence[str]) -> None:
    """Reservations of these entries pass from their offer to a job. What is left is freed when the offer closes."""
    of_offer = reservations.c.offer_id == offer_id
    for batch in batches(entry_ids):
        passing = update(reservations).where(of_offer, reservations.c.entry_id.in_(batch))
        connection.execute(passing.values(job_id=job_id))


def reserved(connection: Connection, device: int, without_offers_of: str) -> int:
    """Bytes still to come on a file system."""
    left = reservations.c.size - func.coalesce(tasks.c.received, 0)
    held = reservations.outerjoin(
        tasks, and_(tasks.c.job_id == reservations.c.job_id, tasks.c.id == reservations.c.entry_id)
    )
    query = select(func.sum(case((left > 0, left), else_=0))).select_from(held).where(reservations.c.device == device)
    if without_offers_of:
        query = query.where(or_(reservations.c.job_id != "", reservations.c.user_id != without_offers_of))
    return int(connection.scalar(query) or 0)
