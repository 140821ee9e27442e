"""A pre-publish hook: checks names and frame ranges, and decides where everything goes.

    stagedoor hook set pre-publish-server --env PUBLISH_ROOT=volume=projects \
        'python3 /path/to/naming_convention.py ${PATH_JSON_INPUT} ${PATH_JSON_OUTPUT}'

- `<project>_<sequence>_<shot>_<task>_v###` is a publish, as a folder or as one file (`.mov`, `.abc`, ...).
- A publish with missing frames, empty files or nothing in it is refused, and it is said what is missing.
- A name that was meant to be a publish (it ends in a version) but is not quite right is refused.
- Anything else may be uploaded to `incoming/`, for people to look at.

Needs `pip install stagedoor` in the Python that runs it.
The server holds back places that exist already: no need to look for them here.
"""

import os
import re
from datetime import datetime, timezone

from stagedoor.hooks import accept, answer, files_of, finding, main, missing_frames, refuse, status, upload_only

ROOT = os.environ.get("PUBLISH_ROOT", "volume=projects").rstrip("/")
CONVENTION = "<project>_<sequence>_<shot>_<task>_v###"
PUBLISH = re.compile(
    r"(?P<project>[a-z0-9]+)_(?P<sequence>sq\d+)_(?P<shot>sh\d+)_(?P<task>[a-z]+)_v(?P<version>\d{3})(?P<ext>\.[a-z0-9]+)?"
)
MEANT_AS_PUBLISH = re.compile(r"[_.-]v\d+(\.\w+)?$", re.IGNORECASE)

GUIDELINES = f"""Name folders and files {CONVENTION}, for example demo_sq010_sh0010_comp_v001.
Frames must be complete. Anything else arrives as well, but is not a publish."""
STATUSES = [
    status("For review", "review", default=True),
    status("Final", "final"),
    status("Work in progress", "wip"),
]

WARNINGS = {
    "naming": "Not named as agreed.",
    "empty": "Nothing is in it.",
    "empty_files": "Not complete.",
    "missing_frames": "Not complete.",
}


def check(offer):
    """The answer to an offer: a verdict for each entry, and what the vendor is asked for."""
    return answer(
        [judge(entry, offer) for entry in offer.files],
        guidelines=GUIDELINES,
        comment=True,
        time_report=True,
        statuses=STATUSES,
    )


def judge(entry, offer):
    name = PUBLISH.fullmatch(entry.filename)
    if name and bool(name["ext"]) != entry.is_dir:
        return publish(entry, name)
    if MEANT_AS_PUBLISH.search(entry.filename):
        fix = f"Rename it to {CONVENTION}, lower case, with a version of three digits."
        return refused(entry, [finding("naming", "The name does not follow the convention.", fix=fix)])
    return incoming(entry, offer)


def publish(entry, name):
    findings = findings_of(entry)
    if findings:
        return refused(entry, findings)
    return accept(
        entry,
        "/".join([ROOT, name["project"], name["sequence"], name["shot"], name["task"], entry.filename]),
        ident="{project} {sequence} {shot} {task} v{version}".format(**name.groupdict()),
        comment_label="What changed since the last version?",
        version=int(name["version"]),  # a key of our own: the publish hook is given it back
    )


def incoming(entry, offer):
    """A new folder each time, so that nothing ever gets in each other's way."""
    now = datetime.now(timezone.utc).strftime("%Y%m%d-%H%M%S")
    vendor = re.sub(r"[^a-z0-9.-]", "_", offer.user_hr.lower())
    return upload_only(
        entry,
        f"{ROOT}/incoming/{vendor}/{now}_{entry.id[:8]}/{entry.filename}",
        f"Not named {CONVENTION}: it will arrive, but not as a publish.",
    )


def refused(entry, findings):
    """The warning says it in a word; the findings say what is wrong where, and what to do about it."""
    warning = WARNINGS[findings[0]["code"]] if len(findings) == 1 else "Several things are wrong."
    return refuse(entry, warning, findings=findings)


def findings_of(entry):
    """Everything that is wrong with what is inside, so that it can be mended in one go."""
    files = list(files_of(entry))
    if not files:
        return [finding("empty", "It holds no file.", fix="Add the frames.")]
    findings = missing_frames(entry)
    empty = [path for path, size in files if size == 0]
    if empty:
        title = "One file is empty." if len(empty) == 1 else f"{len(empty)} files are empty."
        fix = "Render it again." if len(empty) == 1 else "Render them again."
        findings.append(finding("empty_files", title, files=empty, fix=fix))
    return findings


if __name__ == "__main__":
    main(check)
