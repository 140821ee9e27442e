"""A pre-publish hook: checks names and frame ranges, and decides where everything goes.

    stagedoor hook set pre-publish-server --env PUBLISH_ROOT=volume=projects \
        'python3 /path/to/naming_convention.py ${PATH_JSON_INPUT} ${PATH_JSON_OUTPUT}'

- `<project>_<sequence>_<shot>_<task>_v###` is a publish, as a folder or as one file (`.mov`, `.abc`, ...).
- A publish with missing frames, empty files or nothing in it is refused, and it is said what is missing.
- A name that was meant to be a publish (it ends in a version) but is not quite right is refused.
- Anything else may be uploaded to `incoming/`, for people to look at.

Needs `pip install fileseq`. The server holds back places that exist already: no need to look for them here.
"""

import json
import os
import re
import sys
from datetime import datetime, timezone

import fileseq

ROOT = os.environ.get("PUBLISH_ROOT", "volume=projects").rstrip("/")
CONVENTION = "<project>_<sequence>_<shot>_<task>_v###"
PUBLISH = re.compile(
    r"(?P<project>[a-z0-9]+)_(?P<sequence>sq\d+)_(?P<shot>sh\d+)_(?P<task>[a-z]+)_v(?P<version>\d{3})(?P<ext>\.[a-z0-9]+)?"
)
MEANT_AS_PUBLISH = re.compile(r"[_.-]v\d+(\.\w+)?$", re.IGNORECASE)

GUIDELINES = f"""Name folders and files {CONVENTION}, for example demo_sq010_sh0010_comp_v001.
Frames must be complete. Anything else arrives as well, but is not a publish."""
STATUSES = [
    {"label": "For review", "value": "review", "default": True},
    {"label": "Final", "value": "final"},
    {"label": "Work in progress", "value": "wip"},
]

WARNINGS = {
    "naming": "Not named as agreed.",
    "empty": "Nothing is in it.",
    "empty_files": "Not complete.",
    "missing_frames": "Not complete.",
}


def main(input_path, output_path):
    with open(input_path, encoding="utf-8") as stream:
        offer = json.load(stream)
    answer = {
        "files": [judge(entry, offer) for entry in offer["files"]],
        "guidelines": GUIDELINES,
        "comment": True,
        "time_report": True,
        "statuses": STATUSES,
    }
    with open(output_path, "w", encoding="utf-8") as stream:
        json.dump(answer, stream)


def judge(entry, offer):
    """The answer for one entry: its id and a verdict; nothing of the input need be repeated."""
    name = PUBLISH.fullmatch(entry["filename"])
    if name and bool(name["ext"]) != entry["is_dir"]:
        return publish(entry, name)
    if MEANT_AS_PUBLISH.search(entry["filename"]):
        fix = f"Rename it to {CONVENTION}, lower case, with a version of three digits."
        return refused(entry, [{"code": "naming", "title": "The name does not follow the convention.", "fix": fix}])
    return upload_only(entry, offer)


def publish(entry, name):
    findings = findings_of(entry)
    if findings:
        return refused(entry, findings)
    return {
        "id": entry["id"],
        "can_publish": True,
        "ident": "{project} {sequence} {shot} {task} v{version}".format(**name.groupdict()),
        "comment_label": "What changed since the last version?",
        "path": "/".join([ROOT, name["project"], name["sequence"], name["shot"], name["task"], entry["filename"]]),
        "version": int(name["version"]),  # a key of our own: the publish hook is given it back
    }


def upload_only(entry, offer):
    """A new folder each time, so that nothing ever gets in each other's way."""
    now = datetime.now(timezone.utc).strftime("%Y%m%d-%H%M%S")
    vendor = re.sub(r"[^a-z0-9.-]", "_", offer["user_hr"].lower())
    return {
        "id": entry["id"],
        "can_upload": True,
        "warning": f"Not named {CONVENTION}: it will arrive, but not as a publish.",
        "path": f"{ROOT}/incoming/{vendor}/{now}_{entry['id'][:8]}/{entry['filename']}",
    }


def refused(entry, findings):
    """The warning says it in a word; the findings say what is wrong where, and what to do about it."""
    warning = WARNINGS[findings[0]["code"]] if len(findings) == 1 else "Several things are wrong."
    return {"id": entry["id"], "rejected": True, "warning": warning, "findings": findings}


def findings_of(entry):
    """Everything that is wrong with what is inside, so that it can be mended in one go."""
    files = list(inner_files(entry))
    if not files:
        return [{"code": "empty", "title": "It holds no file.", "fix": "Add the frames."}]
    findings = missing_frames(path for path, _ in files)
    empty = [path for path, size in files if size == 0]
    if empty:
        title = "One file is empty." if len(empty) == 1 else f"{len(empty)} files are empty."
        fix = "Render it again." if len(empty) == 1 else "Render them again."
        findings.append({"code": "empty_files", "title": title, "files": empty, "fix": fix})
    return findings


def inner_files(node, path=""):
    """Path and size of every file in an entry, which may be a file itself."""
    if not node["is_dir"]:
        yield path or node["filename"], node["size"]
    for child in node.get("files", ()):
        yield from inner_files(child, f"{path}/{child['filename']}" if path else child["filename"])


def missing_frames(paths):
    findings = []
    for sequence in fileseq.findSequencesInList(list(paths)):
        missing = sequence.invertedFrameRange() if len(sequence) > 1 else ""
        if missing:
            name = f"{sequence.basename()}{sequence.padding()}{sequence.extension()}"
            one = len(fileseq.FrameSet(missing)) == 1  # which they are stands in the title: no need for `files` as well
            findings.append(
                {
                    "code": "missing_frames",
                    "title": f"{name} lacks {'frame' if one else 'frames'} {missing}.",
                    "fix": f"Add {'it' if one else 'them'} and publish again.",
                }
            )
    return findings


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
