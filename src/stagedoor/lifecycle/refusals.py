"""Offers and submits that were refused as a whole, kept for the audit log.

Refused entries are kept with their offer, in the same transaction.

Rules
1. Whatever happens here, the refusal reaches the client.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from ..model import errors
from .needs import AuditBook

log = logging.getLogger("stagedoor.audit")


class Refusals:
    def __init__(self, audit: AuditBook) -> None:
        self._audit = audit

    @contextmanager
    def kept(self, entity: str) -> Iterator[None]:
        """Keep what is refused within; `entity`: what would have been made."""
        try:
            yield
        except errors.StagedoorError as error:
            self.keep(entity, error)
            raise

    def keep(self, entity: str, error: errors.StagedoorError) -> None:
        try:
            self._audit.refused(entity, error)
        except Exception:
            log.exception("a refusal (%s) could not be kept", error.error_code)
