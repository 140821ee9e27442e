"""A studio with a running server: one per test (`studio`), or one that tests share (`house`, see `rest`)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from rest import House, Person
from studio import Studio


@pytest.fixture
def quiet_studio(tmp_path: Path) -> Iterator[Studio]:
    """A studio whose server has not been started."""
    made = Studio(tmp_path / "studio")
    yield made
    made.end()


@pytest.fixture
def studio(quiet_studio: Studio) -> Studio:
    quiet_studio.start()
    return quiet_studio


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The studio that tests share; each takes vendors of its own."""
    made = Studio(tmp_path_factory.mktemp("house") / "studio")
    made.start()
    yield House(made)
    made.end()


@pytest.fixture
def vendor(house: House) -> Person:
    """A vendor nobody else is."""
    return house.vendor()
