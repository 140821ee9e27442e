"""Vendors are strangers to each other: what is somebody else's answers exactly as what does not exist.

The routes are taken from the server's own OpenAPI document. One that has no case here fails.
"""

from __future__ import annotations

import io
import json
import re
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pytest

from page import Browser
from rest import V1, Answer, House, Person, basic, file, folder, fresh, sha256
from stagedoor.wire import calls

Ids = dict[str, str]
NO_ID = "0" * 24


def nobodys() -> Ids:
    """Ids of the right form under which there is nothing."""
    return {
        "offer": NO_ID,
        "job": NO_ID,
        "done": NO_ID,
        "upload": NO_ID,
        "user": NO_ID,
        "email": "nobody@example.com",
        "key": NO_ID,
        "run": NO_ID,
        "entry": str(uuid.UUID(int=0, version=4)),
        "task": str(uuid.UUID(int=0, version=4)),
        "done_task": str(uuid.UUID(int=0, version=4)),
        "volume": NO_ID,
        "queue": NO_ID,
        "hook": "no-such-hook",
        "setting": "no_such_setting",
        "session": NO_ID,
        "passkey": NO_ID,
        "invitation": NO_ID,
    }


@dataclass
class Victim:
    """A vendor with one of everything."""

    person: Person
    ids: Ids = field(default_factory=dict)
    names: list[str] = field(default_factory=list)

    def secrets(self) -> list[str]:
        """Nothing of this may be in an answer to somebody else."""
        shared = ("volume", "queue", "hook", "setting")
        return [*(value for name, value in self.ids.items() if name not in shared), *self.names]


def make_victim(house: House) -> Victim:
    person = house.vendor()
    offered, waiting, finished = folder(fresh("open"), a=1), file(fresh("waiting.mov"), 9), file(fresh("done.mov"))
    done = person.done(finished)
    job = person.job(waiting)
    offer = person.offered(offered)
    assert done["status"] == "done"
    page = Browser(house)
    invitation = house.admin.post("/invitations", {"email": person.code}).json
    session = page.redeem(invitation["url"]).json["session"]
    ids = {
        "offer": offer["id"],
        "entry": offered["id"],
        "job": job["id"],
        "task": waiting["id"],
        "upload": job["tasks"][0]["upload"],
        "done": done["id"],
        "done_task": finished["id"],
        "user": person.id,
        "email": person.code,
        "key": person.get(f"/users/{person.id}/keys").json["items"][0]["id"],
        "run": house.admin.get(f"/runs?job={done['id']}").json["items"][0]["id"],
        "volume": house.admin.get("/volumes").json["items"][0]["id"],
        "queue": house.admin.get("/queues").json["items"][0]["id"],
        "hook": "publish-server",
        "setting": "offer_files",
        "session": session["id"],
        "passkey": keep_passkey(house, person.id),
        "invitation": invitation["id"],
    }
    return Victim(person, ids, [entry["filename"] for entry in (offered, waiting, finished)])


def keep_passkey(house: House, user_id: str) -> str:
    """As if a browser had made one."""
    id = uuid.uuid4().hex[:24]
    row = (id, user_id, uuid.uuid4().bytes, b"key", 0, "studio.example", "laptop", 1)
    columns = "id, user_id, credential, public_key, sign_count, host, name, created"
    house.write(f"INSERT INTO passkeys ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", *row)
    return id


@pytest.fixture(scope="module")
def victim(house: House) -> Victim:
    return make_victim(house)


@pytest.fixture(scope="module")
def stranger(house: House) -> Person:
    """Has things of its own, so that a list of them is told from an empty one."""
    return make_victim(house).person


@pytest.fixture(scope="module")
def document(house: House) -> dict[str, Any]:
    answer = house.vendor().get("/openapi/openapi.json")
    assert answer.status == 200
    return dict(answer.json)


# --- every route that takes an id ----------------------------------------------------------------------------------

PART = {"Content-Range": "bytes 0-2/9", "Content-Digest": sha256(b"abc")}

Case = tuple[Any, dict[str, str], tuple[str, ...]]
"""body, headers, and which ids stand in the path, in order"""

CASES: dict[tuple[str, str], list[Case]] = {
    ("GET", "/offers/{id}"): [(None, {}, ("offer",))],
    ("DELETE", "/offers/{id}"): [(None, {}, ("offer",))],
    ("GET", "/jobs/{id}"): [(None, {}, ("job",)), (None, {}, ("done",))],
    ("PATCH", "/jobs/{id}"): [
        ({"code": "mine now"}, {}, ("job",)),
        ({"status": "aborted"}, {}, ("job",)),
        ({"status": "done"}, {}, ("job",)),
        ({"status": "paused"}, {}, ("job",)),
        ({"queue": "high"}, {}, ("job",)),
        ({"queue": "no-such-queue"}, {}, ("job",)),
        ({"metadata": {"internal": {"k": "v"}}}, {}, ("job",)),
        ({"code": ""}, {}, ("done",)),
        ({"code": 7}, {}, ("done",)),
    ],
    ("POST", "/jobs/{id}/retry"): [(None, {}, ("job",)), (None, {}, ("done",))],
    ("POST", "/jobs/{id}/abort"): [(None, {}, ("job",)), (None, {}, ("done",))],
    ("POST", "/jobs/{id}/pause"): [(None, {}, ("job",)), (None, {}, ("done",))],
    ("POST", "/jobs/{id}/resume"): [(None, {}, ("job",)), (None, {}, ("done",))],
    ("PATCH", "/jobs/{id}/tasks/{task}"): [
        ({"status": "onhold"}, {}, ("job", "task")),
        ({"status": "done"}, {}, ("job", "task")),
        ({"status": "excluded"}, {}, ("done", "done_task")),
    ],
    ("GET", "/jobs/{id}/receipt"): [(None, {}, ("job",)), (None, {}, ("done",))],
    ("GET", "/jobs/{id}/receipt/mhl"): [(None, {}, ("job",)), (None, {}, ("done",))],
    ("GET", "/jobs/{id}/tasks/{task}/files"): [(None, {}, ("job", "task")), (None, {}, ("done", "done_task"))],
    ("GET", "/jobs/{id}/reuse"): [(None, {}, ("job",)), (None, {}, ("done",))],
    ("POST", "/jobs/{id}/reuse"): [
        ({"tasks": []}, {}, ("job",)),
        ({"tasks": [{"task": "", "files": [[0, 1]], "blake3": "A" * 43 + "="}]}, {}, ("job",)),
        ({"tasks": [{"task": "", "files": [[0, 9]], "blake3": ""}]}, {}, ("done",)),
    ],
    ("GET", "/uploads/{id}"): [(None, {}, ("upload",))],
    ("PUT", "/uploads/{id}"): [
        (b"abc", PART, ("upload",)),
        (b"abc", {**PART, "Content-Range": "bytes 0-2/8"}, ("upload",)),
        (b"abc", {**PART, "Content-Range": "bytes 7-9/10"}, ("upload",)),
        (b"abc", {**PART, "Content-Digest": sha256(b"xyz")}, ("upload",)),
        (b"abc", {}, ("upload",)),
        (b"", {}, ("upload",)),
    ],
    ("GET", "/users/{id}"): [(None, {}, ("user",)), (None, {}, ("email",))],
    ("PATCH", "/users/{id}"): [
        ({"name": "x"}, {}, ("user",)),
        ({"status": "disabled"}, {}, ("user",)),
        ({"role": "admin"}, {}, ("email",)),
    ],
    ("GET", "/users/{id}/keys"): [(None, {}, ("user",)), (None, {}, ("email",))],
    ("POST", "/users/{id}/keys"): [({}, {}, ("user",)), ({"days": -1}, {}, ("email",))],
    ("DELETE", "/users/{id}/keys/{key}"): [(None, {}, ("user", "key"))],
    ("DELETE", "/me/keys/{key}"): [(None, {}, ("key",))],
    ("GET", "/users/{id}/sessions"): [(None, {}, ("user",)), (None, {}, ("email",))],
    ("DELETE", "/users/{id}/sessions/{session}"): [(None, {}, ("user", "session")), (None, {}, ("email", "session"))],
    ("DELETE", "/me/sessions/{id}"): [(None, {}, ("session",))],
    ("DELETE", "/me/passkeys/{id}"): [(None, {}, ("passkey",))],
    # Of these a vendor learns nothing at all, whether they exist or not.
    ("DELETE", "/invitations/{id}"): [(None, {}, ("invitation",))],
    ("GET", "/volumes/{id}"): [(None, {}, ("volume",))],
    ("PATCH", "/volumes/{id}"): [({"default": True}, {}, ("volume",))],
    ("DELETE", "/volumes/{id}"): [(None, {}, ("volume",))],
    ("GET", "/queues/{id}"): [(None, {}, ("queue",))],
    ("PATCH", "/queues/{id}"): [({"status": "paused"}, {}, ("queue",))],
    ("DELETE", "/queues/{id}"): [(None, {}, ("queue",))],
    ("PUT", "/hooks/{name}"): [({"command": "/bin/true"}, {}, ("hook",))],
    ("PATCH", "/hooks/{name}"): [({"status": "disabled"}, {}, ("hook",))],
    ("DELETE", "/hooks/{name}"): [(None, {}, ("hook",))],
    ("POST", "/hooks/{name}/trial"): [({"command": "/bin/true"}, {}, ("hook",))],
    ("GET", "/runs/{id}"): [(None, {}, ("run",))],
    ("POST", "/runs/{id}/replay"): [(None, {}, ("run",))],
    ("POST", "/runs/{id}/for-real"): [(None, {}, ("run",))],
    ("PUT", "/settings/{name}"): [({"value": 1}, {}, ("setting",))],
    ("DELETE", "/settings/{name}"): [(None, {}, ("setting",))],
}

LISTS = (
    "/log/stumbles",
    "/offers",
    "/jobs",
    "/tasks",
    "/users",
    "/volumes",
    "/queues",
    "/hooks",
    "/runs",
    "/settings",
    "/log",
    "/invitations",
    "/me/sessions",
    "/me/passkeys",
    "/me/keys",
)

PLAIN: dict[tuple[str, str], Any] = {
    # Routes without an id: what to send.
    ("GET", "/me"): None,
    ("GET", "/workspace"): None,
    ("GET", "/receipt-key"): None,
    ("GET", "/doctor"): None,
    **{("GET", path): None for path in LISTS},
    ("POST", "/offers"): {"files": []},
    ("POST", "/jobs"): {"tasks": []},
    ("POST", "/users"): {"code": "new@example.com"},
    ("POST", "/invitations"): {"email": "new@example.com"},
    ("POST", "/me/keys"): {},
    ("POST", "/me/passkeys/begin"): None,
    ("POST", "/me/passkeys"): {"ticket": "", "credential": {}},
    ("PUT", "/me/password"): {"password": "short"},
    ("POST", "/sign-out"): None,
    ("POST", "/volumes"): {"code": "v", "path": "/tmp"},
    ("POST", "/replays"): {},
    ("POST", "/queues"): {"code": "q"},
    ("PATCH", "/workspace"): {"metadata": {"internal": {"k": "v"}}},
}


OPEN = {
    # Without sign-in; what they say of others is looked at in test_signin.
    (method, path.removeprefix(V1))
    for method, path in calls.OPEN
}


def routes(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for path, operations in document["paths"].items():
        for method in operations:
            yield method.upper(), path.removeprefix(V1)


def test_every_route_of_the_server_has_a_case_here(document: dict[str, Any]) -> None:
    elsewhere = {("GET", "/healthz"), ("GET", "/metrics"), ("GET", "/events")}  # the last in `test_events`
    assert set(routes(document)) == {*CASES, *PLAIN, *OPEN, *elsewhere}


def without_chance(answer: Answer) -> tuple[int, dict[str, str], bytes]:
    """What must be the same: all but the request's number, the time of day, and whether the body had come already."""
    number = answer.headers.get("x-request-id", "-")
    chance = ("x-request-id", "date", "connection")
    headers = {name: value for name, value in answer.headers.items() if name not in chance}
    return answer.status, headers, answer.body.replace(number.encode(), b"<request>")


def fill(path: str, names: tuple[str, ...], ids: Ids) -> str:
    wanted = iter(names)
    return re.sub(r"{\w+}", lambda match: ids[next(wanted)], path)


def ask(person: Person, method: str, path: str, sent: Any, headers: dict[str, str]) -> Answer:
    if isinstance(sent, bytes):
        return person.ask(method, path, body=sent, headers=headers)
    return person.ask(method, path, sent, headers=headers)


@pytest.mark.parametrize("route", CASES, ids=" ".join)
def test_foreign_and_unknown_ids_get_identical_answers(
    victim: Victim, stranger: Person, route: tuple[str, str]
) -> None:
    method, path = route
    for sent, headers, names in CASES[route]:
        foreign = ask(stranger, method, fill(path, names, victim.ids), sent, headers)
        unknown = ask(stranger, method, fill(path, names, nobodys()), sent, headers)
        assert foreign.status in (400, 403, 404), foreign
        assert without_chance(foreign) == without_chance(unknown)


def test_a_foreign_id_below_an_own_one_is_unknown(victim: Victim, stranger: Person) -> None:
    """An own job with a foreign task, an own user with a foreign key."""
    own = stranger.job(file())
    for path, other in ((f"/jobs/{own['id']}/tasks/%s/files", "task"), (f"/users/{stranger.id}/keys/%s", "key")):
        method = "DELETE" if "keys" in path else "GET"
        answers = [without_chance(stranger.ask(method, path % ids[other])) for ids in (victim.ids, nobodys())]
        assert answers[0] == answers[1]
        assert answers[0][0] == 404


def test_an_own_id_below_a_foreign_one_is_unknown(victim: Victim, stranger: Person) -> None:
    task = stranger.job(file())["tasks"][0]["id"]
    assert stranger.get(f"/jobs/{victim.ids['done']}/tasks/{task}/files").status == 404


def test_after_all_that_a_stranger_tried_nothing_has_changed(house: House, stranger: Person) -> None:
    """Every request with an id, sent by a stranger, leaves the owner's things as they were."""
    victim = make_victim(house)
    before = everything(victim)
    for (method, path), cases in CASES.items():
        for sent, headers, names in cases:
            ask(stranger, method, fill(path, names, victim.ids), sent, headers)
    assert everything(victim) == before


def everything(victim: Victim) -> list[Any]:
    ids = victim.ids
    paths = [f"/offers/{ids['offer']}", f"/jobs/{ids['job']}", f"/jobs/{ids['done']}", f"/jobs/{ids['done']}/receipt"]
    paths += [f"/uploads/{ids['upload']}", "/me", f"/users/{ids['user']}/keys", "/me/sessions", "/me/passkeys"]
    return [victim.person.get(path).json for path in paths]


# --- entries -------------------------------------------------------------------------------------------------------


def test_submitting_foreign_entries_is_answered_as_submitting_unknown_ones(victim: Victim, stranger: Person) -> None:
    own = file()
    stranger.offered(own)

    def attempts(entry: str) -> list[Any]:
        return [
            without_chance(stranger.submit(entry)),
            without_chance(stranger.submit(own["id"], entry)),
            without_chance(stranger.submit(entry, own["id"])),
            without_chance(stranger.submit(own["id"], files=[{"id": own["id"]}, {"id": entry, "size": 1}])),
        ]

    unknown = attempts(nobodys()["entry"])
    assert attempts(victim.ids["entry"]) == attempts(victim.ids["task"]) == unknown
    assert [status for status, _, _ in unknown] == [404, 409, 409, 404]


def test_an_entry_id_that_somebody_else_uses_is_as_good_as_any(victim: Victim, vendor: Person) -> None:
    """No id is a secret: the same one in two hands means two entries."""
    before = everything(victim)
    for name in ("entry", "task", "done_task"):
        assert vendor.done({**file(), "id": victim.ids[name]})["status"] == "done"
    assert everything(victim) == before


# --- lists ---------------------------------------------------------------------------------------------------------

FILTERS: dict[str, list[str]] = {
    # Per query parameter: which of somebody's ids are tried.
    "id": ["offer", "job", "done"],
    "entity": ["offer", "job", "user", "email"],
    "verb": [],
    "code": [],
    "refusals": [],
    "user": ["user", "email"],
    "job": ["job", "done"],
    "offer": ["offer"],
    "queue": ["queue"],
    "volume": ["volume"],
    "hook": [],
    "state": [],
    "since": [],
    "finished": [],
    "tasks": [],
    "where": [],
    "limit": [],
    "skip": [],
}
ALWAYS = ["", "?limit=500", "?finished=true&tasks=true&limit=500", "?since=2000-01-01T00:00:00Z&limit=500"]
STATES = {"/jobs": ["done", "upload", "awaiting_bytes", "waiting,done,failed"], "/offers": ["open", "submitted"]}


@pytest.mark.parametrize("path", LISTS)
def test_no_list_holds_what_is_somebody_elses(victim: Victim, stranger: Person, path: str) -> None:
    queries = [*ALWAYS, *(f"?state={state}&finished=true" for state in STATES.get(path, []))]
    for query in queries:
        answer = stranger.get(path + query)
        assert answer.status in (200, 403), answer
        for secret in victim.secrets():
            assert secret.encode() not in answer.body, (path, query)


@pytest.mark.parametrize("path", LISTS)
def test_filters_by_foreign_and_unknown_ids_get_identical_answers(
    document: dict[str, Any], victim: Victim, stranger: Person, path: str
) -> None:
    parameters = [item["name"] for item in document["paths"][V1 + path]["get"].get("parameters", ())]
    for name in parameters:
        for kind in FILTERS[name]:
            for more in ("", "&finished=true&tasks=true"):
                foreign = stranger.get(f"{path}?{name}={victim.ids[kind]}{more}")
                unknown = stranger.get(f"{path}?{name}={nobodys()[kind]}{more}")
                assert without_chance(foreign) == without_chance(unknown), (path, name, kind)
                if foreign.status == 200:
                    assert foreign.json == {"total": 0, "items": []}


ASKED: dict[str, dict[str, tuple[str, ...]]] = {
    # Per list: attributes, and which of somebody's ids they are compared with.
    "/jobs": {"id": ("job", "done"), "user": ("user", "email"), "offer": ("offer",)},
    "/tasks": {"id": ("task", "done_task"), "job": ("job", "done"), "upload": ("upload",), "user": ("user", "email")},
    "/offers": {"id": ("offer",), "user": ("user", "email")},
    "/users": {"id": ("user",), "code": ("email",)},
}


@pytest.mark.parametrize("path", ASKED)
@pytest.mark.parametrize("operator", ["=", "!=", "in", "contains", "not matches"])
def test_expressions_with_foreign_and_unknown_ids_get_identical_answers(
    victim: Victim, stranger: Person, path: str, operator: str
) -> None:
    for attribute, kinds in ASKED[path].items():
        for kind in kinds:
            answers = []
            for ids in (victim.ids, nobodys()):
                where = quote(f"{attribute} {operator} '{ids[kind]}' or {attribute} = x")
                answer = stranger.get(f"{path}?finished=true&where={where}")
                answers.append(without_chance(answer))
                assert answer.status == 200
                for secret in victim.secrets():
                    assert secret.encode() not in answer.body
            assert answers[0] == answers[1], (attribute, kind)


@pytest.mark.parametrize("path", ASKED)
def test_a_vendor_cannot_ask_for_what_they_are_not_shown(stranger: Person, path: str) -> None:
    """As of what there is not: the same code and sentence, and no word of it among what there is."""
    for attribute in ("path", "volume", "detail", "ip", "run", "password"):
        answer = stranger.get(f"{path}?where={quote(f'{attribute} contains a')}")
        assert answer.refusal == (400, "attribute_unknown")
        assert attribute not in answer.json["details"]["known"]


def test_own_things_are_listed(house: House) -> None:
    """Else the tests above would hold for a server that lists nothing."""
    mine = make_victim(house)
    ids = mine.ids
    jobs = mine.person.get("/jobs?finished=true").json
    assert {job["id"] for job in jobs["items"]} == {ids["job"], ids["done"]}
    assert ids["offer"] in {offer["id"] for offer in mine.person.get("/offers").json["items"]}
    assert [user["id"] for user in mine.person.get("/users").json["items"]] == [ids["user"]]
    for owner in ("user", "email"):
        assert mine.person.get(f"/jobs?finished=true&user={ids[owner]}").json["total"] == 2
        assert mine.person.get(f"/offers?user={ids[owner]}").json["total"] == 3


@pytest.mark.parametrize("route", PLAIN, ids=" ".join)
def test_routes_without_an_id_say_nothing_of_others(victim: Victim, stranger: Person, route: tuple[str, str]) -> None:
    method, path = route
    answer = stranger.ask(method, path, PLAIN[route])
    for secret in victim.secrets():
        assert secret.encode() not in answer.body


# --- what a vendor is not given ------------------------------------------------------------------------------------


def test_a_vendor_is_given_no_path_volume_or_hook_of_the_studio(house: House) -> None:
    mine = make_victim(house)
    ids = mine.ids
    texts = [json.dumps(item) for item in everything(mine)]
    texts += [mine.person.get(path).body.decode() for path in ("/jobs?finished=true&tasks=true", "/offers")]
    texts.append(mine.person.get(f"/jobs/{ids['done']}/tasks/{ids['done_task']}/files").body.decode())
    with zipfile.ZipFile(io.BytesIO(mine.person.get(f"/jobs/{ids['done']}/receipt/mhl").body)) as pack:
        texts += [*pack.namelist(), *(pack.read(name).decode() for name in pack.namelist())]
    for text in texts:
        for secret in (str(house.studio.folder), "volume=", '"projects', "publish-server", ".py", house.admin.code):
            assert secret not in text


def test_a_job_that_the_studio_aborted_names_no_person(house: House) -> None:
    mine = make_victim(house)
    assert house.admin.post(f"/jobs/{mine.ids['job']}/abort").status == 200
    seen = mine.person.get(f"/jobs/{mine.ids['job']}")
    assert (seen.json["status"], seen.json["error"]) == ("aborted", "Aborted by the studio.")
    assert house.admin.code.encode() not in seen.body
    assert house.admin.code in house.admin.get(f"/jobs/{mine.ids['job']}").json["detail"]


# --- places that cannot be had -------------------------------------------------------------------------------------


def verdict(person: Person, path: str) -> dict[str, Any]:
    """What an offer for this place on the volume is answered, without what the offer brought along."""
    entry = file("clip.mov")
    person.plan({"clip.mov": {"can_publish": True, "path": f"volume=projects/{path}", "ident": "clip"}})
    given = person.offered(entry)["files"][0]
    return {key: value for key, value in given.items() if key != "id"}


def test_a_place_that_cannot_be_had_is_refused_in_the_same_words_for_whatever_reason(house: House) -> None:
    """It exists, somebody's open offer holds it, somebody's job is writing it, or something around it."""
    place = f"in/{fresh('taken')}"
    (house.studio.volume / place / "exists.mov").mkdir(parents=True)
    other = house.vendor()
    for name in ("offered", "written", "placed"):
        entry = file()
        other.plan({entry["filename"]: {"can_publish": True, "path": f"volume=projects/{place}/{name}"}})
        if name == "offered":
            other.offered(entry)
        elif name == "written":
            other.job(entry)
        else:
            assert other.done(entry)["status"] == "done"
    names = ["exists.mov", "offered", "written", "placed", "offered/below", "written/below/deep"]
    refused = [verdict(house.vendor(), f"{place}/{name}") for name in names]
    refused += [verdict(house.vendor(), place)]
    assert refused[0]["code"] == "destination_taken"
    assert refused[0]["rejected"] is True
    assert "path" not in refused[0]
    assert [given == refused[0] for given in refused] == [True] * len(refused)
    assert verdict(house.vendor(), f"{place}/free.mov")["can_publish"] is True


def test_a_place_that_was_taken_since_is_refused_at_submit_in_the_same_words(house: House, vendor: Person) -> None:
    entry = file()
    vendor.offered(entry)
    (house.studio.volume / "in").mkdir(exist_ok=True)
    (house.studio.volume / "in" / entry["filename"]).write_bytes(b"by hand")
    answer = vendor.submit(entry["id"])
    assert answer.refusal == (409, "destination_taken")
    assert answer.json["message"] == verdict(house.vendor(), f"in/{entry['filename']}")["warning"]
    assert answer.json["details"] == {"id": entry["id"]}


# --- who are you? --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def nobodies(house: House) -> dict[str, dict[str, str]]:
    """Credentials that open nothing."""
    one, other, disabled, revoked = (house.vendor() for _ in range(4))
    assert house.admin.ask("PATCH", f"/users/{disabled.id}", {"status": "disabled"}).status == 200
    key = revoked.get(f"/users/{revoked.id}/keys").json["items"][0]["id"]
    assert revoked.ask("DELETE", f"/users/{revoked.id}/keys/{key}").status == 204
    return {
        "none": {},
        "a wrong key": basic(one.code, one.api_key[:-1] + ("A" if one.api_key[-1] != "A" else "B")),
        "somebody else's key": basic(one.code, other.api_key),
        "an unknown user": basic("nobody@example.com", one.api_key),
        "a disabled user": disabled.credentials,
        "a revoked key": revoked.credentials,
        "no key": basic(one.code, ""),
        "nothing": basic("", ""),
        "no base64": {"Authorization": "Basic ####"},
        "no text": {"Authorization": "Basic /////w=="},
        "another scheme": {"Authorization": f"Bearer {one.api_key}"},
        "an id for a name": basic(one.id, one.api_key),
        "SQL": basic("' OR 1=1 --", one.api_key),
        "NUL": basic(one.code + "\0", one.api_key),
        "much": basic("x" * 20000, "y" * 20000),
    }


def test_without_sign_in_everything_answers_the_same(
    house: House, document: dict[str, Any], victim: Victim, nobodies: dict[str, dict[str, str]]
) -> None:
    """Every route, and what is none, with ids that exist and with ids that do not."""
    expected = without_chance(house.send("GET", "/me"))
    assert expected[0] == 401
    assert json.loads(expected[2])["code"] == "sign_in_refused"
    targets = [(method, path) for method, path in routes(document) if path != "/healthz"]
    targets = [target for target in targets if target not in OPEN]
    targets += [("GET", "/nope"), ("POST", "/me"), ("GET", "/openapi/openapi.json"), ("GET", "/openapi/x"), ("GET", "")]
    for method, path in targets:
        for ids in (victim.ids, nobodys()):
            names = CASES[method, path][0][2] if (method, path) in CASES else ()
            answer = house.send(method, fill(path, names, ids))
            assert without_chance(answer) == expected, (method, path)


WHO = """none|a wrong key|somebody else's key|an unknown user|a disabled user|a revoked key|no key|nothing|no base64
no text|another scheme|an id for a name|SQL|NUL|much"""


@pytest.mark.parametrize("who", re.split(r"[|\n]", WHO))
def test_whoever_is_not_known_is_answered_the_same(house: House, nobodies: dict[str, dict[str, str]], who: str) -> None:
    expected = without_chance(house.send("GET", "/me"))
    for method, path in (("GET", "/me"), ("GET", "/nope"), ("POST", "/offers"), ("PUT", f"/uploads/{NO_ID}")):
        assert without_chance(house.send(method, path, headers=nobodies[who])) == expected
