"""Write docs/schemas/*.json from the types in stagedoor.wire.hookdata."""

import json
from pathlib import Path

from stagedoor.wire.hookdata import NAMES, schema

FOLDER = Path(__file__).parent.parent / "docs" / "schemas"


def text_of(name: str) -> str:
    return json.dumps(schema(name), indent=2) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        (FOLDER / f"{name}.json").write_text(text_of(name))
