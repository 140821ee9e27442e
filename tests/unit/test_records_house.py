"""Workspace, users, volumes, hooks, settings, as the database keeps them."""

from __future__ import annotations

import pytest
from some_records import HOUR, NOW, entry_of, job_of, keep, offer_of, user_of

from stagedoor.model.entities import Hook, Queue, Role, User, Volume
from stagedoor.model.errors import Conflict, NotFound
from stagedoor.model.hooks import HookName
from stagedoor.model.notation import Place
from stagedoor.model.settings import Level
from stagedoor.model.states import JobFact
from stagedoor.records import Records


def volume(code: str = "projects", *, default: bool = False) -> Volume:
    return Volume(
        id="",
        code=code,
        root=f"/mnt/{code}",
        aliases=("/Volumes/x",),
        default=default,
        file_mode=0o640,
        capabilities={"safe": True, "longest_name": 255},
        created=NOW,
        modified=NOW,
    )


def defaults(records: Records) -> list[str]:
    return [volume.code for volume in records.house.volumes() if volume.default]


def test_there_is_no_workspace_before_it_is_founded(records: Records) -> None:
    with pytest.raises(NotFound):
        records.house.workspace()


def test_founding_makes_workspace_and_admin_once(records: Records) -> None:
    workspace, admin = records.house.found("acme", "boss@acme.example", NOW)
    assert records.house.workspace() == workspace
    assert records.house.user(admin.id) == admin
    assert (admin.role, admin.created) == (Role.ADMIN, NOW)
    with pytest.raises(Conflict):
        records.house.found("other", "x@acme.example", NOW)


def test_settings_are_read_anew_at_each_call(records: Records) -> None:
    records.house.found("acme", "boss@acme.example", NOW)
    assert records.house.settings().number("open_offers") == 20
    workspace = records.house.workspace().id
    records.levels.change_setting(Level.WORKSPACE, workspace, "open_offers", 3)
    records.levels.change_setting(Level.WORKSPACE, workspace, "durability", "flush")
    assert records.house.settings().number("open_offers") == 3
    assert records.levels.change_setting(Level.WORKSPACE, workspace, "open_offers", None) is True
    assert records.levels.change_setting(Level.WORKSPACE, workspace, "open_offers", None) is False
    assert records.house.settings().number("open_offers") == 20
    assert records.house.settings().word("durability") == "flush"


def test_a_user_is_found_however_the_address_is_typed(records: Records) -> None:
    user = user_of(records, "JÖNS@x.se")
    assert user.code == "JÖNS@x.se"
    for typed in ("jöns@x.se", "jo\u0308ns@X.SE", "JÖNS@x.se"):
        assert records.house.user_by_code(typed) == user
    assert records.house.user_by_code("jons@x.se") is None
    assert records.house.user("f" * 24) is None


def test_no_two_users_have_the_same_address_as_people_compare_it(records: Records) -> None:
    user_of(records, "straße@x.se")
    with pytest.raises(Conflict) as refusal:
        records.house.add_user("STRASSE@x.se", Role.STANDARD, "", NOW)
    assert refusal.value.error_code == "user_exists"


def test_a_user_changes_and_keeps_the_rest(records: Records) -> None:
    user = user_of(records)
    changed = records.house.update_user(user.id, NOW + 1, name="Anna", role=Role.EMPLOYEE)
    assert changed == User(
        id=user.id,
        code=user.code,
        role=Role.EMPLOYEE,
        name="Anna",
        created=NOW,
        modified=NOW + 1,
    )
    assert records.house.users() == [changed]


def test_who_a_user_is_cannot_be_changed(records: Records) -> None:
    user = user_of(records)
    with pytest.raises(TypeError):
        records.house.update_user(user.id, NOW, code="other@x.se")
    with pytest.raises(NotFound):
        records.house.update_user("f" * 24, NOW, name="x")


def test_the_last_administrator_stays(records: Records) -> None:
    _, admin = records.house.found("acme", "boss@acme.example", NOW)
    second = records.house.add_user("second@acme.example", Role.ADMIN, "", NOW)
    records.house.update_user(second.id, NOW, enabled=False)
    for changes in ({"enabled": False}, {"role": Role.STANDARD}):
        with pytest.raises(Conflict):
            records.house.update_user(admin.id, NOW, **changes)
    records.house.update_user(second.id, NOW, enabled=True)
    assert records.house.update_user(admin.id, NOW, enabled=False).enabled is False


def test_the_first_volume_is_the_default_and_there_is_exactly_one(records: Records) -> None:
    first = records.house.add_volume(volume("one"))
    assert first.default
    assert records.house.volumes() == [first]
    second = records.house.add_volume(volume("two"))
    assert defaults(records) == ["one"]
    records.house.add_volume(volume("three", default=True))
    assert defaults(records) == ["three"]
    records.house.update_volume(second.id, NOW, default=True)
    assert defaults(records) == ["two"]
    with pytest.raises(Conflict):
        records.house.update_volume(second.id, NOW, default=False)
    with pytest.raises(Conflict):
        records.house.remove_volume(second.id)
    assert defaults(records) == ["two"]


def test_volume_codes_are_unique_as_people_compare_them(records: Records) -> None:
    records.house.add_volume(volume("Projects"))
    with pytest.raises(Conflict):
        records.house.add_volume(volume("PROJECTS"))


def test_a_volume_changes(records: Records) -> None:
    made = records.house.add_volume(volume())
    changed = records.house.update_volume(made.id, NOW + 1, aliases=("/a", "/b"), enabled=False, capabilities={})
    assert (changed.aliases, changed.enabled, changed.capabilities) == (("/a", "/b"), False, {})
    assert records.house.volumes() == [changed]


def test_a_volume_that_unfinished_jobs_use_cannot_be_removed(records: Records) -> None:
    used = records.house.add_volume(volume())
    entry = entry_of("/p/a", place=Place(used.id, "a"))
    job = records.jobs.submit(job_of(keep(records, offer_of(user_of(records), entry))), NOW)
    with pytest.raises(Conflict) as refusal:
        records.house.remove_volume(used.id)
    assert refusal.value.error_code == "volume_in_use"
    records.jobs.move(job.id, JobFact.ABORTED, NOW)
    records.house.remove_volume(used.id)
    assert records.house.volumes() == []
    with pytest.raises(NotFound):
        records.house.remove_volume(used.id)


def test_hooks_are_set_again_and_unset(records: Records) -> None:
    hook = Hook(name=HookName.PUBLISH, command="a ${PATH_JSON_INPUT}", environment={"A": "1"}, modified=NOW)
    records.house.set_hook(hook)
    newer = Hook(name=HookName.PUBLISH, command="b", modified=NOW + HOUR)
    records.house.set_hook(newer)
    assert records.house.hook(HookName.PUBLISH) == newer
    assert records.house.hooks() == [newer]
    assert records.house.unset_hook(HookName.PUBLISH) is True
    assert records.house.unset_hook(HookName.PUBLISH) is False
    assert records.house.hook(HookName.PUBLISH) is None


def test_a_queue_has_a_hook_of_its_own_or_that_of_the_workspace(records: Records) -> None:
    queue = records.queues.add_queue(Queue(id="", code="quick", priority=7)).id
    everywhere = Hook(name=HookName.PUBLISH, command="a", modified=NOW)
    quick = Hook(name=HookName.PUBLISH, queue="quick", command="b", run_as="farm", modified=NOW)
    records.house.set_hook(everywhere)
    records.house.set_hook(quick)
    assert records.house.hook(HookName.PUBLISH, queue) == quick
    assert records.house.hook(HookName.PUBLISH, "slow") == records.house.hook(HookName.PUBLISH) == everywhere
    assert records.house.hooks() == [everywhere, quick]
    assert records.house.unset_hook(HookName.PUBLISH, "quick") is True
    assert records.house.hook(HookName.PUBLISH, queue) == everywhere
    records.house.set_hook(quick)
    records.queues.add_queue(Queue(id="", code="default", priority=7, default=True))
    records.queues.remove_queue(queue)
    assert records.house.hooks() == [everywhere]


def test_a_hook_that_is_switched_off_does_not_run_nor_one_in_its_stead(records: Records) -> None:
    queue = records.queues.add_queue(Queue(id="", code="quick", priority=7)).id
    records.house.set_hook(Hook(name=HookName.PUBLISH, command="a"))
    records.house.set_hook(Hook(name=HookName.PUBLISH, queue="quick", command="b", enabled=False))
    assert records.house.hook(HookName.PUBLISH, queue) is None
    assert records.house.hook(HookName.PUBLISH, "medium") is not None
