"""What people compare is folded, in columns of its own; indexes for lists."""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
FOLDED = {
    "users": ("name",),
    "offers": ("hostname",),
    "offer_entries": ("filename",),
    "jobs": ("hostname",),
    "tasks": ("filename", "source", "path"),
}
INDEXES = (
    ("offers_by_state", "offers", ["state", "id"]),
    ("entries_by_filename", "offer_entries", ["filename_folded"]),
    ("tasks_by_filename", "tasks", ["filename_folded"]),
)


def upgrade() -> None:
    for table, names in FOLDED.items():
        for name in names:
            op.add_column(table, sa.Column(f"{name}_folded", KEY, nullable=False, server_default=""))
            _fill(table, name)
    for index, table, columns in INDEXES:
        op.create_index(index, table, columns)


def _fill(table: str, name: str) -> None:
    """One update a distinct text: names repeat."""
    connection = op.get_bind()
    texts = connection.execute(sa.text(f"SELECT DISTINCT {name} FROM {table}")).scalars().all()  # noqa: S608
    values = [{"given": text, "made": _fold(text)} for text in texts if text]
    if values:
        connection.execute(sa.text(f"UPDATE {table} SET {name}_folded = :made WHERE {name} = :given"), values)  # noqa: S608


def _fold(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text.strip()).casefold())
