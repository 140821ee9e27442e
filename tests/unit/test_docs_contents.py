"""Tables of contents name what is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import stagedoor
from stagedoor.model.settings import SETTINGS

SOURCE = Path(stagedoor.__file__).parent
OTHERWISE = {"", "cli", "records/migrations", "records/migrations/versions"}
"""the README lists the first, `stagedoor --help` the second; Alembic has its own order in the others"""
PACKAGES = sorted(path.parent.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("__init__.py"))


def modules(folder: Path) -> set[str]:
    found = {path.stem for path in folder.glob("*.py")} | {path.parent.name for path in folder.glob("*/__init__.py")}
    return found - {"__init__"}


@pytest.mark.parametrize("package", [name for name in PACKAGES if name.strip(".") not in OTHERWISE])
def test_a_package_names_each_of_its_modules(package: str) -> None:
    contents = ast.get_docstring(ast.parse((SOURCE / package / "__init__.py").read_text())) or ""
    assert modules(SOURCE / package) - set(re.findall(r"`(\w+)`", contents)) == set()


def test_the_readme_names_each_part() -> None:
    (listing,) = re.findall(r"^src/stagedoor/\n(.*?)```", (SOURCE.parents[1] / "README.md").read_text(), re.M | re.S)
    named = {word.removesuffix(".py").rstrip("/") for word in re.findall(r"\b\w+(?:\.py|/)", listing)}
    assert named == (modules(SOURCE) | {"web"}) - {"version"}


def test_the_administrators_page_tells_what_can_be_set_where() -> None:
    page = (SOURCE.parents[1] / "docs" / "running-a-server.md").read_text()
    (table,) = re.findall(r"^\| settings \| also on \|\n\|.*\n((?:\|.*\n)+)", page, re.M)
    told = {
        name: tuple(where.removesuffix("s") for where in row.split("|")[2].strip().split(", "))
        for row in table.splitlines()
        for name in re.findall(r"`(\w+)`", row)
    }
    assert told == {name: tuple(map(str, setting.levels)) for name, setting in SETTINGS.items() if setting.levels}
