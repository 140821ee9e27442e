"""What entries replaced: whose job ended in the worst moment, whose time is over, and what cannot be removed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from some_records import NOW, entry_of, job_of, keep, offer_of, user_of
from volumes_kit import House, single

from stagedoor.lifecycle import replaced
from stagedoor.lifecycle.levels import Levels
from stagedoor.model.entities import Task
from stagedoor.model.notation import Place
from stagedoor.model.settings import DAY
from stagedoor.records import Records


class Kept:
    """A task whose entry has replaced something on disk; its row does not know yet."""

    def __init__(self, records: Records, house: House) -> None:
        if not records.house.users():
            records.house.found("studio", "admin@studio.example", NOW)
        self.records, self.now = records, NOW
        self.disk = house.disk
        (house.root / "shot").write_text("precious")
        entry = replace(entry_of("a/shot"), place=Place("v", "shot"))
        job = job_of(keep(records, offer_of(user_of(records), entry)))
        (task,) = job.tasks
        house.proved(single(30), "shot", task.upload_id)
        self.copy = Path(house.replace("shot", task.upload_id).kept)
        tasks = (replace(task, staging=str(house.folder)),)
        self.job_id = records.jobs.submit(replace(job, tasks=tasks), NOW).id

    def clear(self) -> None:
        replaced.clear(self.records.house, self.records.jobs, self.disk, self.task, self.now)

    def remove_due(self) -> None:
        replaced.remove_due(self.records.jobs, self.disk, self.now)

    @property
    def task(self) -> Task:
        job = self.records.jobs.job(self.job_id)
        assert job
        return job.tasks[0]


@pytest.fixture
def kept(records: Records, tmp_path: Path) -> Kept:
    return Kept(records, House(tmp_path / "disk"))


def test_a_job_that_ends_between_exchange_and_row_leaves_the_copy_and_says_where(kept: Kept) -> None:
    for _ in range(2):
        kept.clear()
        assert (kept.task.kept, kept.task.kept_until) == (str(kept.copy), NOW + 7 * DAY)
        assert not Path(kept.task.staging).exists()
        assert kept.copy.read_text() == "precious"
        kept.now += DAY


def test_a_copy_is_kept_as_long_as_was_said_and_no_longer(kept: Kept) -> None:
    kept.clear()
    Levels(kept.records.levels, kept.records.house, kept.records.jobs.job).set_setting("keep_replaced_days", 1)
    kept.now += 7 * DAY - 1
    kept.remove_due()
    assert kept.copy.exists()
    kept.now += 1
    kept.remove_due()
    assert not kept.copy.parents[1].exists()
    assert (kept.task.kept, kept.task.kept_until) == ("", NOW + 7 * DAY)
    kept.remove_due()


def test_a_copy_that_a_person_took_away_is_gone(kept: Kept) -> None:
    kept.clear()
    kept.copy.rename(kept.copy.parents[4] / "back")
    kept.now += 7 * DAY
    kept.remove_due()
    assert kept.task.kept == ""
    assert not kept.copy.parents[1].exists()


def test_a_copy_that_cannot_be_removed_is_tried_again_a_day_later(kept: Kept) -> None:
    kept.clear()
    kept.records.jobs.set_kept(kept.job_id, kept.task.id, "/nowhere/of/ours", NOW)
    kept.remove_due()
    assert (kept.task.kept, kept.task.kept_until) == ("/nowhere/of/ours", NOW + DAY)
    assert kept.records.jobs.kept_before(NOW) == []
