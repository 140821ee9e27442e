"""Settings and metadata on workspace, volumes, queues and jobs: the nearest counts, and says where it comes from."""

from __future__ import annotations

from typing import Any

import pytest
from some_records import NOW, submitted, user_of

from stagedoor.lifecycle.levels import Levels, On
from stagedoor.model.entities import Volume
from stagedoor.model.errors import BadRequest, NotFound, StagedoorError
from stagedoor.model.metadata import Metadata, merged
from stagedoor.model.settings import SETTINGS, Effective, Level
from stagedoor.records import Records

WORKSPACE, QUEUE, VOLUME = On(), On(Level.QUEUE, "medium"), On(Level.VOLUME, "nas")


@pytest.fixture
def levels(records: Records) -> Levels:
    records.house.found("acme", "boss@acme.example", NOW)
    records.house.add_volume(Volume(id="", code="nas", root="/mnt/nas", created=NOW, modified=NOW))
    return Levels(records.levels, records.house, records.jobs.job)


def job_on(records: Records) -> On:
    job = submitted(records, user_of(records), "/p/a")
    queue = next(queue for queue in records.house.queues() if queue.default)
    records.jobs.set(job.id, NOW, queue_id=queue.id)
    return On(Level.JOB, job.id)


def test_a_job_has_what_is_set_nearest(levels: Levels, records: Records) -> None:
    job = job_on(records)

    def rate() -> Effective:
        found = records.jobs.job(job.named)
        assert found
        effective = levels.settings(job)["upload_rate"]
        assert records.house.settings_of(found).number("upload_rate") == effective.value
        return effective

    assert rate() == (0, None, "")
    levels.set_setting("upload_rate", 300)
    assert rate() == (300, Level.WORKSPACE, "")
    levels.set_setting("upload_rate", 200, QUEUE)
    assert rate() == (200, Level.QUEUE, "medium")
    levels.set_setting("upload_rate", 100, job)
    assert rate() == (100, Level.JOB, job.named)
    assert levels.unset_setting("upload_rate", job) == (200, Level.QUEUE, "medium")
    levels.unset_setting("upload_rate", QUEUE)
    assert levels.unset_setting("upload_rate") == (0, None, "")


def test_a_volume_has_its_own(levels: Levels, records: Records) -> None:
    levels.set_setting("reserved_space", 20, VOLUME)
    volume = records.house.volumes()[0]
    assert records.house.settings_at(volume.id).number("reserved_space") == 20
    assert records.house.settings_at("gone").number("reserved_space") == 5
    assert levels.settings(VOLUME)["reserved_space"] == (20, Level.VOLUME, "nas")


@pytest.mark.parametrize("level", [Level.WORKSPACE, Level.VOLUME, Level.QUEUE])
def test_settings_are_told_of_things_that_can_have_them(levels: Levels, level: Level) -> None:
    on = {Level.WORKSPACE: WORKSPACE, Level.VOLUME: VOLUME, Level.QUEUE: QUEUE}[level]
    shown = levels.settings(on)
    assert set(shown) == {name for name, setting in SETTINGS.items() if setting.on(level)}
    for name in SETTINGS.keys() - shown.keys():
        with pytest.raises(BadRequest, match="cannot be set on a"):
            levels.set_setting(name, SETTINGS[name].default, on)


def test_settings_are_set_from_text_or_values(levels: Levels) -> None:
    assert levels.set_setting("open_offers", "3").value == 3
    assert levels.set_setting("windows_names", False).value is False
    assert levels.set_setting("windows_names", "on").value is True
    assert levels.set_setting("durability", "flush").value == "flush"


@pytest.mark.parametrize(
    ("name", "value"),
    [("colour", "x"), ("open_offers", "0"), ("open_offers", True), ("durability", 1), ("part_bytes", "x")],
)
def test_what_a_setting_does_not_take_is_refused(levels: Levels, name: str, value: Any) -> None:
    before = levels.settings()
    with pytest.raises(BadRequest):
        levels.set_setting(name, value)
    assert levels.settings() == before


def test_what_there_is_not_is_refused_in_words_that_can_be_printed(levels: Levels) -> None:
    hostile = "\x1b[2Jx"
    calls = [
        lambda: levels.unset_setting("colour"),
        lambda: levels.set_setting(hostile, 1),
        lambda: levels.set_setting("durability", hostile),
        lambda: levels.settings(On(Level.QUEUE, hostile)),
        lambda: levels.settings(On(Level.VOLUME, hostile)),
        lambda: levels.settings(On(Level.JOB, hostile)),
        lambda: levels.metadata(On(Level.USER, hostile)),
    ]
    for call in calls:
        with pytest.raises(StagedoorError) as refusal:
            call()
        assert isinstance(refusal.value, (BadRequest, NotFound))
        assert refusal.value.message.isprintable()


def test_who_waits_for_a_setting_is_told(records: Records, levels: Levels) -> None:
    told: list[int] = []
    listened = Levels(records.levels, records.house, records.jobs.job, lambda: told.append(1))
    listened.set_setting("jobs_at_once", 3)
    listened.unset_setting("jobs_at_once")
    assert told == [1, 1]


@pytest.mark.parametrize("level", Level)
def test_metadata_is_set_and_taken_away_pair_by_pair(levels: Levels, records: Records, level: Level) -> None:
    named = {Level.USER: "boss@acme.example", Level.VOLUME: "nas", Level.QUEUE: "low", Level.JOB: job_on(records).named}
    on = On(level, named.get(level, ""))
    levels.change_metadata(on, {"a": "1", "b": "2"}, {"a": "seen"})
    levels.change_metadata(on, {"b": None, "c": "3"}, {"d": ""})
    assert levels.metadata(on) == Metadata(internal={"a": "1", "c": "3"}, external={"a": "seen"})


@pytest.mark.parametrize("pairs", [{"": "x"}, {"a\nb": "x"}, {"k" * 256: "x"}, {"k": "x" * 65_536}])
def test_metadata_that_cannot_be_kept_is_refused(levels: Levels, pairs: dict[str, str | None]) -> None:
    with pytest.raises(BadRequest):
        levels.change_metadata(WORKSPACE, pairs, {})
    assert levels.metadata(WORKSPACE) == Metadata()


def test_of_several_the_nearer_counts_each_part_for_itself() -> None:
    far = Metadata(internal={"a": "far", "b": "far"}, external={"a": "far"})
    near = Metadata(internal={"a": "near"}, external={"b": "near"})
    expected = Metadata(internal={"a": "near", "b": "far"}, external={"a": "far", "b": "near"})
    assert merged(far, near) == expected
