"""A publish hook: writes a JSON file beside everything that arrived: who sent what, what they answered, the hashes.

    stagedoor hook set publish-server 'python3 /path/to/ingest_sidecar.py ${PATH_JSON_INPUT}'

The place to start from for an ingest of your own: register a version in the tracker, start a transcode, tell a channel.
A hook may run more than once for one job (the server died, a person retried): `idempotency_key` stays the same then,
and what has been done already is not done again.
"""

import json
import sys
from pathlib import Path


def main(input_path):
    with open(input_path, encoding="utf-8") as stream:
        job = json.load(stream)
    for entry in job["files"]:
        ingest(job, entry)


def ingest(job, entry):
    sidecar = Path(entry["path"] + ".publish.json")
    if already_done(sidecar, job["idempotency_key"]):
        print(f"{sidecar}: written by an earlier attempt")
        return
    write(sidecar, describe(job, entry))
    print(f"{sidecar}: written")  # stdout and stderr are kept: see `stagedoor hook log`


def describe(job, entry):
    return {
        "idempotency_key": job["idempotency_key"],
        "job": job["id"],
        "user": job["user_hr"],
        "created": job["created"],
        "offered_as": entry["filename"],
        "path": entry["path"],
        "is_publish": entry["can_publish"],  # false: it was uploaded only, for people to look at
        "ident": entry["ident"],
        "version": entry.get("version"),  # the key that naming_convention.py added
        "answers": {key: entry[key] for key in ("comment", "status", "task", "time_report", "metadata")},
        "size": entry["size"],
        "files": list(hashes(entry["hashes"])),
    }


def hashes(path):
    """One `{path, size, xxh128, blake3}` per file, as the server proved them."""
    with open(path, encoding="utf-8") as stream:
        for line in stream:
            yield json.loads(line)


def already_done(sidecar, key):
    try:
        return json.loads(sidecar.read_text(encoding="utf-8"))["idempotency_key"] == key
    except FileNotFoundError:
        return False


def write(path, data):
    """All of it or nothing, also if this is killed half-way."""
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    unfinished.replace(path)


if __name__ == "__main__":
    main(sys.argv[1])
