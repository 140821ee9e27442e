"""Changes of the tables, in order. `schema` runs them; to add one, copy the last and raise its number."""
