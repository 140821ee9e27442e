"""How values lie in columns, so that rows come out as the values of `model.entities`.

Rules
1. Keys are compared and ordered by their bytes, on both databases.
2. JSON is text, readable in any tool; trees and receipts are compressed.
3. Free text never fails to be stored: what no database takes (NUL, lone surrogates) becomes U+FFFD.
4. What people compare is folded here, since the databases fold differently.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence, Set
from enum import Enum
from typing import Any

import msgspec
from sqlalchemy import Column, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from ..model.query import folded

KEY = Text().with_variant(Text(collation="C"), "postgresql")


class Words(TypeDecorator[str]):
    """Text that came from people or programs."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else storable(value)


class Choice(TypeDecorator[Any]):
    """A member of an enumeration, by its value."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: type[Enum]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else str(self.kind(value).value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else self.kind(value)


class Json(TypeDecorator[Any]):
    """A value of a type that msgspec knows, as JSON text."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.kind = kind
        self._decoder = msgspec.json.Decoder(kind)

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else self._decoder.decode(value)


def storable(text: str) -> str:
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def fold(text: str) -> str:
    """Equal for what people take for the same name: NFC, case folded."""
    return folded(text.strip())


def folded_of(name: str) -> Column[str]:
    """A column `<name>_folded` that is filled by every insert; whoever updates `name` sets it as well."""

    def value(context: Any) -> str:
        return fold(storable(context.get_current_parameters()[name]))

    return Column(f"{name}_folded", KEY, nullable=False, default=value)


def batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Portions that fit into one statement: SQLite binds 32,766 values at most."""
    for start in range(0, len(ids), 10_000):
        yield ids[start : start + 10_000]


def only(changes: Mapping[str, Any], allowed: Set[str]) -> None:
    """Raise TypeError for the name of a column that must not be set."""
    unknown = sorted(set(changes) - allowed)
    if unknown:
        raise TypeError(f"cannot be set: {', '.join(unknown)}")


def pack(document: bytes) -> bytes:
    return zlib.compress(document, 1)  # names of frames resemble each other: the fastest level is good enough


def unpack(document: bytes) -> bytes:
    return zlib.decompress(document)
