"""A studio with users and a hook that accepts everything; its server has been started."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from breaking import furnished
from studio import Studio


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    with furnished(tmp_path / "studio") as made:
        made.start()
        yield made
