"""How hooks are tested: call the functions for what they decide, run the script for the whole of it.

pytest examples/hooks
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import naming_convention

from stagedoor.hooks import InnerFile, OfferedEntry, PrePublishInput

NAME = "demo_sq010_sh0010_comp_v001"


def entry(filename, *frames, size=1):
    """An entry as a vendor offers it; with frames, a folder of them."""
    files = [InnerFile(filename=f"{filename}.{frame:04}.exr", size=size, is_dir=False) for frame in frames]
    return OfferedEntry(id="e1", filename=filename, size=size * len(files), is_dir=bool(frames), files=files)


def offer(*entries):
    return PrePublishInput(
        hook="pre-publish-server",
        hostname="ws-042",
        ip="203.0.113.7",
        client="test",
        user="u1",
        user_hr="artist@vendor.example",
        metadata={"internal": {}, "external": {}},
        size=0,
        files=list(entries),
    )


def verdict(one):
    return naming_convention.check(offer(one))["files"][0]


def test_a_complete_sequence_is_accepted():
    found = verdict(entry(NAME, 1001, 1002, 1003))
    assert found["can_publish"]
    assert found["path"].endswith(f"/demo/sq010/sh0010/comp/{NAME}")


def test_gaps_are_named():
    found = verdict(entry(NAME, 1001, 1002, 1005))["findings"]
    assert found[0]["files"] == [f"{NAME}.1003.exr", f"{NAME}.1004.exr"]


@pytest.mark.parametrize("name", ["shot_v1", "Demo_SQ010_comp_v001"])
def test_a_name_that_is_not_quite_right_is_refused(name):
    assert verdict(entry(name, 1001))["rejected"]


def test_the_script_reads_and_writes_json(tmp_path):
    given = {
        "hook": "pre-publish-server", "hostname": "", "ip": "", "client": "", "user": "u1", "user_hr": "a@b.example",
        "metadata": {"internal": {}, "external": {}}, "size": 1,
        "files": [{"id": "e1", "filename": f"{NAME}.mov", "size": 1, "is_dir": False}],
    }  # fmt: skip
    (tmp_path / "in.json").write_text(json.dumps(given))
    script = Path(__file__).with_name("naming_convention.py")
    subprocess.run([sys.executable, script, tmp_path / "in.json", tmp_path / "out.json"], check=True)
    assert json.loads((tmp_path / "out.json").read_text())["files"][0]["can_publish"]
