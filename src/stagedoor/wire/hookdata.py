"""What a hook reads and writes, as JSON.

Rules
1. Every key of an input is always there, except where a field is documented as left out; so scripts may read keys
   unconditionally.
2. Unknown keys of an answer are kept and handed to the publish hook.
3. Times of files are integer milliseconds since 1970 UTC; sizes are bytes.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from ..model.hooks import RUN_NOW, canonical


class InnerFile(Struct, kw_only=True):
    """A file or folder within an entry."""

    filename: str
    size: int
    """of a folder: of all files in it"""
    is_dir: bool
    files: list[InnerFile] | UnsetType = UNSET
    """what a folder holds; left out for files"""
    modified: int | UnsetType = UNSET
    """milliseconds since 1970 UTC; left out where it is not known"""


class OfferedEntry(Struct, kw_only=True):
    """A file or folder that is offered as one publish."""

    id: str
    """uuid4, the same in every phase; the answer names its entries by it"""
    filename: str
    size: int
    """of a folder: of all files in it"""
    is_dir: bool
    files: list[InnerFile] | UnsetType = UNSET
    """what a folder holds; left out for files"""
    modified: int | UnsetType = UNSET
    """milliseconds since 1970 UTC; left out where it is not known"""


class Metadata(Struct, kw_only=True):
    """Pairs of text that the studio keeps. Of several with one key the nearer is here: workspace, queue, user, job."""

    internal: dict[str, str]
    """which the studio alone may see"""
    external: dict[str, str]
    """which the vendor whose they are may see as well"""


class PrePublishInput(Struct, kw_only=True):
    """What the pre-publish hook reads: who offers what, before one byte is sent."""

    hook: str
    hostname: str
    """name of the user's computer, as it says itself"""
    ip: str
    client: str
    """the program that offers, as it says itself"""
    user: str
    """id"""
    user_hr: str
    """e-mail address"""
    metadata: Metadata
    size: int
    """bytes of all entries"""
    files: list[OfferedEntry]


class StatusChoice(Struct, kw_only=True):
    """A status that the user may choose."""

    label: str
    """what the user reads"""
    value: str
    """what the publish hook is given"""
    default: bool | None = None


class Finding(Struct, kw_only=True):
    """One thing that was found, for programs and pages to show well."""

    code: str
    """short and stable, such as `missing_frames`"""
    title: str
    """one sentence"""
    files: list[str] | None = None
    """the names it is about"""
    fix: str | None = None
    """what to do about it"""


class DecidedEntry(Struct, kw_only=True):
    """What the pre-publish hook says about an entry. Other keys, those of the input too, may be there.

    Without `can_publish`, `can_upload` or `rejected` the entry is refused. Where several are true the stricter counts.
    """

    id: str
    can_publish: bool | None = None
    """accepted"""
    can_upload: bool | None = None
    """not approved as a publish, but may be uploaded, for manual work later"""
    rejected: bool | None = None
    """refused"""
    warning: str | None = None
    """why it was not approved; shown to the user"""
    info: str | None = None
    """further feedback; shown to the user"""
    ident: str | None = None
    """what the publish is to a person, such as `proj sq010 sh0010 comp v001`; shown to the user"""
    comment_label: str | None = None
    """label of the comment field"""
    path: str | None = None
    """where it goes: `volume=<code>/...` or absolute; needed where it may be uploaded. `/` at its end: into it"""
    findings: list[Finding] | None = None
    on_exists: str | None = None
    """what becomes of that which exists there: `refuse`, it stays and the entry is refused; `replace`, the entry takes
    its place and it is kept aside for a time. Left out: as the volume has it, else the workspace"""


class PrePublishOutput(Struct, kw_only=True):
    """What the pre-publish hook writes."""

    files: list[DecidedEntry]
    guidelines: str | None = None
    """plain text or HTML, shown to the user"""
    comment: bool | None = None
    """a comment must be entered"""
    time_report: bool | None = None
    """the time spent must be entered"""
    metadata: bool | None = None
    """free metadata may be entered"""
    statuses: list[StatusChoice] | None = None
    """one of these must be chosen, unless one is the default"""
    tasks: list[str] | None = None
    """production tasks to pick from for an entry that could not be identified"""


class PreSubmitOutput(Struct, kw_only=True):
    """What the pre-submit hook may write: why no job is made. Without an answer, or without `rejected`, one is."""

    rejected: bool | None = None
    """no job is made"""
    warning: str | None = None
    """why; shown to the user"""


class PublishedEntry(Struct, kw_only=True):
    """An entry of a job, with its place, what the user entered and what the pre-publish hook said about it."""

    id: str
    filename: str
    """as offered; the placed name is the last element of `path`"""
    path: str
    """absolute, on the server; until the job has placed it: where it will be"""
    is_dir: bool
    v: str
    """id of the volume"""
    v_hr: str
    """name of the volume"""
    can_publish: bool
    can_upload: bool
    rejected: bool
    warning: str
    info: str
    ident: str
    findings: list[Finding]
    comment: str
    status: str
    task: str
    time_report: int
    """seconds; 0 where none was entered"""
    metadata: dict[str, str]
    files: list[InnerFile]
    """what a folder holds, as validated; empty for files"""
    size: int
    modified: int | None
    """milliseconds since 1970 UTC"""
    hashes: str
    """path of a JSON-lines file beside the input, there while the hook runs: `path`, `size`, `xxh128`, `blake3`; empty
    where the bytes have not been proved yet"""


class Party(Struct, kw_only=True):
    """A computer that takes part in the job."""

    role: str
    """`server` or `client`"""
    code: str
    """name of the computer"""
    user: str
    """id; empty for the server"""
    user_hr: str


class TaskSource(Struct, kw_only=True):
    """Where an entry came from."""

    path: str
    """on the user's computer, as given there"""
    path_abs_final: str
    """the same"""
    user: str
    user_hr: str


class TaskDestination(Struct, kw_only=True):
    """Where an entry went, or will go."""

    path: str
    """`volume=<code>/...`"""
    path_rel: str
    """relative to the volume"""
    path_abs_final: str
    """absolute, on the server"""
    v: str
    v_hr: str
    metadata: Metadata
    """of the volume"""


class PublishedTask(Struct, kw_only=True):
    """The transfer of one entry."""

    id: str
    """the entry's"""
    uri: str
    """its number within the job"""
    filename: str
    is_dir: bool
    size: int
    status: str
    source: TaskSource
    destination: TaskDestination


class JobInput(Struct, kw_only=True):
    """What every hook of a job reads."""

    hook: str
    id: str
    """the job's"""
    code: str
    name: str
    """the same as `code`"""
    user: str
    """id"""
    user_hr: str
    """e-mail address"""
    source: str
    """id of the user who sent"""
    source_hr: str
    """e-mail address, `@` and the name of the user's computer"""
    destination: str
    """id of the workspace that received"""
    destination_hr: str
    """code of the workspace"""
    size: int
    created: str
    """when the job was submitted, RFC 3339 in UTC"""
    status: str
    """of the job, when that happened of which the hook is told: init, waiting, running, failed or done"""
    queue: str
    """id"""
    queue_hr: str
    """code of the queue"""
    version: str
    """of Stagedoor"""
    metadata: Metadata
    clients: list[Party]
    tasks: list[PublishedTask]
    files: list[PublishedEntry]
    """every entry of the job, accepted and upload-only alike"""
    idempotency_key: str
    """the same in every attempt"""
    attempt: int
    """1, 2, ...: so often it has begun"""
    excluded: list[str]
    """ids of entries that the studio left out of the job: they are neither in `tasks` nor in `files`"""
    replay: bool
    """run once more by a person, on what an earlier run had read"""


class PreSubmitInput(JobInput, kw_only=True):
    """What the pre-submit hook reads: the job about to be made. Nothing has been sent yet."""


class PostSubmitInput(JobInput, kw_only=True):
    """What the post-submit hook reads, when a job has been made."""


class PublishInput(JobInput, kw_only=True):
    """What the publish hook reads, when everything lies at its place."""


class PostFailedInput(JobInput, kw_only=True):
    """What the post-failed hook reads: the job, and why it failed."""

    error: str
    """the sentence that the user is told"""
    error_code: str
    """short and stable, such as `hook_failed`"""
    error_detail: str
    """what the studio is told; may be long"""
    reference: str
    """id of the hook run behind it; empty where it was none"""
    retry_at: str
    """when it is tried again by itself, RFC 3339 in UTC; empty where it waits for a person"""


class PostDoneInput(JobInput, kw_only=True):
    """What the post-done hook reads, when a job is done."""


_SCHEMAS: dict[str, type[Struct]] = {
    "pre-publish-server.input": PrePublishInput,
    "pre-publish-server.output": PrePublishOutput,
    "pre-submit-server.input": PreSubmitInput,
    "pre-submit-server.output": PreSubmitOutput,
    "post-submit-server.input": PostSubmitInput,
    "publish-server.input": PublishInput,
    "post-failed-server.input": PostFailedInput,
    "post-done-server.input": PostDoneInput,
}
NAMES = tuple(_SCHEMAS)
"""what `schema` knows"""


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of one of NAMES. Raises ValueError with the way out."""
    if name not in _SCHEMAS:
        raise ValueError(f"there is no schema {name!r}; there are: {', '.join(NAMES)}")
    found = msgspec.json.schema(_SCHEMAS[name])
    _describe(found)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": name, **found}


def schemas_of(hook: str) -> dict[str, dict[str, Any]]:
    """`{"input": ..., "output": ...}` of a hook, in any of its spellings; without what the hook does not have.

    Raises ValueError with the way out.
    """
    name = canonical(hook) or hook
    found = {kind: schema(f"{name}.{kind}") for kind in ("input", "output") if f"{name}.{kind}" in _SCHEMAS}
    if not found:
        raise ValueError(f"there is no schema for the hook {hook!r}; there are: {', '.join(RUN_NOW)}")
    return found


def _describe(found: dict[str, Any]) -> None:
    """Put the docstrings of the fields into the schema."""
    for name, definition in found["$defs"].items():
        for field, text in _field_docs(globals()[name]).items():
            definition["properties"][field] = {"description": text, **definition["properties"][field]}


def _field_docs(kind: type[Struct]) -> dict[str, str]:
    """The string that stands below each field, those it inherits included."""
    import ast
    import inspect

    (body,) = (node for node in ast.parse(inspect.getsource(kind)).body if isinstance(node, ast.ClassDef))
    parents = (parent for parent in kind.__bases__ if parent is not Struct)
    found: dict[str, str] = {field: text for parent in parents for field, text in _field_docs(parent).items()}
    for field, below in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
            found[field.target.id] = " ".join(str(ast.literal_eval(below.value)).split())
    return found
