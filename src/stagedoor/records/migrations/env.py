"""Run by Alembic: applies the migrations on the connection, and in the transaction, that `schema` opened."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
