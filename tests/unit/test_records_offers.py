"""Offers: what is kept, which places conflict, who gives way."""

from __future__ import annotations

from dataclasses import replace

import pytest
from some_records import HOUR, NOW, claim_of, entry_of, job_of, keep, kept, kinds, offer_of, refused, submitted, user_of

from stagedoor.model.errors import LimitExceeded, NotFound
from stagedoor.model.states import JobFact, OfferFact, OfferState
from stagedoor.records import Records


def state_of(records: Records, offer_id: str) -> OfferState:
    offer = records.offers.offer(offer_id)
    assert offer
    return offer.state


def test_an_offer_comes_back_as_it_was_kept(records: Records) -> None:
    entries = [entry_of("/p/b", number=0, modified=5), entry_of("/p/a", number=1), refused(entry_of("/p/c", number=2))]
    offer = keep(records, offer_of(user_of(records), *entries, run_id="0" * 24))
    assert records.offers.offer(offer.id) == offer
    assert offer.entries == tuple(entries)


def test_an_unknown_offer_is_none(records: Records) -> None:
    assert records.offers.offer("f" * 24) is None


def test_the_tree_of_an_entry_comes_back_byte_for_byte(records: Records) -> None:
    offer = kept(records, user_of(records), "/p/a")
    assert records.offers.tree(offer.id, offer.entries[0].id) == b'[{"filename":"a.exr","size":100}]'


def test_a_file_has_the_tree_null(records: Records) -> None:
    offer = offer_of(user_of(records), entry_of("/p/a.mov", is_dir=False))
    records.offers.keep(offer, {}, [], refused)
    assert records.offers.tree(offer.id, offer.entries[0].id) == b"null"


def test_the_tree_of_an_unknown_entry_is_not_found(records: Records) -> None:
    with pytest.raises(NotFound):
        records.offers.tree("f" * 24, "x")


@pytest.mark.parametrize(
    ("theirs", "mine"),
    [
        ("/p/a", "/p/a"),
        ("/p/a", "/p/a/below/deep"),
        ("/p/a/below/deep", "/p/a"),
        ("/p/ä%_", "/p/ä%_/x"),
        ("/p/a/~", "/p/a"),
        ("/p/a/ ", "/p/a"),
    ],
)
def test_the_same_place_below_it_and_above_it_conflict(records: Records, theirs: str, mine: str) -> None:
    kept(records, user_of(records, "b@x.example"), theirs)
    assert kinds(kept(records, user_of(records), mine)) == ["refused"]


@pytest.mark.parametrize(
    ("theirs", "mine"),
    [
        ("/p/a", "/p/b"),
        ("/p/a", "/p/ab"),
        ("/p/ab", "/p/a"),
        ("/p/a", "/p/a-1"),
        ("/p/a", "/p/a0/x"),
        ("/p/a0/x", "/p/a"),
        ("/p/a.b/c", "/p/a"),
        ("/p/A", "/p/a"),
        ("/p/a_b", "/p/axb"),
        ("/p/a/x", "/p/a/y"),
    ],
)
def test_neighbours_do_not_conflict(records: Records, theirs: str, mine: str) -> None:
    """Keys are compared by bytes: how names compare on the disk is in the key already."""
    kept(records, user_of(records, "b@x.example"), theirs)
    assert kinds(kept(records, user_of(records), mine)) == ["accepted"]


def test_of_several_entries_only_those_in_conflict_are_refused(records: Records) -> None:
    kept(records, user_of(records, "b@x.example"), "/p/a")
    offer = kept(records, user_of(records), "/p/x", "/p/a/1", "/p/y")
    assert kinds(offer) == ["accepted", "refused", "accepted"]
    assert records.offers.offer(offer.id) == offer


def test_a_refused_entry_reserves_nothing(records: Records) -> None:
    first = kept(records, user_of(records, "b@x.example"), "/p/a/1")
    kept(records, user_of(records), "/p/a")
    records.offers.close(first.id, OfferFact.WITHDRAWN, NOW)
    assert kinds(kept(records, user_of(records, "c@x.example"), "/p/a/2")) == ["accepted"]


def test_an_unfinished_job_holds_against_its_own_user(records: Records) -> None:
    user = user_of(records)
    submitted(records, user, "/p/a")
    assert kinds(kept(records, user, "/p/a")) == ["refused"]


def test_a_job_that_ended_holds_nothing(records: Records) -> None:
    user = user_of(records)
    job = submitted(records, user, "/p/a")
    records.jobs.move(job.id, JobFact.ABORTED, NOW)
    assert kinds(kept(records, user, "/p/a")) == ["accepted"]


def test_a_newer_offer_of_the_same_user_takes_over_conflicting_places(records: Records) -> None:
    user = user_of(records)
    earlier = kept(records, user, "/p/a", "/p/b")
    newer = kept(records, user, "/p/a/below")
    assert kinds(newer) == ["accepted"]
    assert state_of(records, earlier.id) is OfferState.SUPERSEDED
    assert kinds(kept(records, user_of(records, "b@x.example"), "/p/b")) == ["accepted"]


def test_a_refused_entry_leaves_own_earlier_offers_open(records: Records) -> None:
    user = user_of(records)
    earlier = kept(records, user, "/p/a/mine")
    kept(records, user_of(records, "b@x.example"), "/p/a/theirs")
    assert kinds(kept(records, user, "/p/a")) == ["refused"]
    assert state_of(records, earlier.id) is OfferState.OPEN


def test_an_offer_of_other_places_leaves_earlier_ones_open(records: Records) -> None:
    user = user_of(records)
    earlier = kept(records, user, "/p/a")
    kept(records, user, "/p/b")
    assert state_of(records, earlier.id) is OfferState.OPEN


def test_an_offer_with_an_entry_of_the_same_id_supersedes_the_earlier_one(records: Records) -> None:
    user = user_of(records)
    earlier = kept(records, user, "/p/a")
    keep(records, offer_of(user, entry_of("/p/elsewhere", id=earlier.entries[0].id)))
    assert state_of(records, earlier.id) is OfferState.SUPERSEDED


def test_another_users_offer_with_the_same_entry_id_is_left_alone(records: Records) -> None:
    theirs = kept(records, user_of(records, "b@x.example"), "/p/a")
    keep(records, offer_of(user_of(records), entry_of("/p/b", id=theirs.entries[0].id)))
    assert state_of(records, theirs.id) is OfferState.OPEN


def test_a_checked_offer_reserves_and_supersedes_nothing(records: Records) -> None:
    user = user_of(records)
    earlier = kept(records, user, "/p/a")
    checked = keep(records, offer_of(user, entry_of("/p/a", id=earlier.entries[0].id), state=OfferState.CHECKED))
    assert kinds(checked) == ["accepted"]
    assert state_of(records, earlier.id) is OfferState.OPEN
    kept(records, user, "/p/free", state=OfferState.CHECKED)
    assert kinds(kept(records, user_of(records, "b@x.example"), "/p/free")) == ["accepted"]


def test_a_checked_offer_is_told_of_conflicts_too(records: Records) -> None:
    kept(records, user_of(records, "b@x.example"), "/p/a")
    assert kinds(kept(records, user_of(records), "/p/a", state=OfferState.CHECKED)) == ["refused"]


def test_an_offer_past_its_time_holds_nothing(records: Records) -> None:
    """Even before anybody has swept."""
    theirs = kept(records, user_of(records, "b@x.example"), "/p/a", expires=NOW + HOUR)
    assert kinds(kept(records, user_of(records), "/p/a", created=NOW + HOUR)) == ["accepted"]
    assert state_of(records, theirs.id) is OfferState.EXPIRED


def test_expiring_counts_and_frees(records: Records) -> None:
    user = user_of(records, "b@x.example")
    gone = kept(records, user, "/p/a", expires=NOW + HOUR)
    stays = kept(records, user, "/p/b", expires=NOW + 2 * HOUR)
    assert records.offers.expire(NOW + HOUR) == 1
    assert records.offers.expire(NOW + HOUR) == 0
    assert (state_of(records, gone.id), state_of(records, stays.id)) == (OfferState.EXPIRED, OfferState.OPEN)
    assert records.offers.reserved(1) == 100


def test_only_an_open_offer_can_be_closed(records: Records) -> None:
    offer = kept(records, user_of(records), "/p/a")
    assert records.offers.close(offer.id, OfferFact.WITHDRAWN, NOW) is True
    assert records.offers.close(offer.id, OfferFact.EXPIRED, NOW) is False
    assert records.offers.close("f" * 24, OfferFact.EXPIRED, NOW) is False
    assert state_of(records, offer.id) is OfferState.WITHDRAWN
    assert records.offers.reserved(1) == 0


def test_open_offers_are_counted_per_user_until_their_time(records: Records) -> None:
    user = user_of(records)
    kept(records, user, "/p/a", expires=NOW + HOUR)
    kept(records, user, "/p/b")
    kept(records, user, "/p/c", state=OfferState.CHECKED)
    kept(records, user_of(records, "b@x.example"), "/p/d")
    assert records.offers.count_open(user.id, NOW) == 2
    assert records.offers.count_open(user.id, NOW + HOUR) == 1


def test_a_submit_means_the_newest_open_offer_of_the_user(records: Records) -> None:
    user = user_of(records)
    first = kept(records, user, "/p/a")
    same_id = replace(first.entries[0])
    second = keep(records, offer_of(user, same_id))
    records.offers.close(second.id, OfferFact.WITHDRAWN, NOW)
    keep(records, offer_of(user, same_id, state=OfferState.CHECKED))
    keep(records, offer_of(user_of(records, "b@x.example"), same_id))
    newest = records.offers.newest_with(user.id, ["unknown", same_id.id])
    assert newest
    assert newest.id == second.id
    open_one = keep(records, offer_of(user, same_id, id="0" * 24))
    newest = records.offers.newest_with(user.id, [same_id.id])
    assert newest == replace(open_one)


def test_no_offer_holds_unknown_entries(records: Records) -> None:
    user = user_of(records)
    assert records.offers.newest_with(user.id, ["x"]) is None
    assert records.offers.newest_with(user.id, []) is None


def test_a_submit_may_name_more_entries_than_a_statement_takes(records: Records) -> None:
    user = user_of(records)
    offer = kept(records, user, "/p/a")
    assert records.offers.newest_with(user.id, [f"{n}" for n in range(40_000)] + [offer.entries[0].id]) == offer


def test_reserved_is_what_is_still_to_come_on_that_device(records: Records) -> None:
    user = user_of(records)
    keep(records, offer_of(user, entry_of("/p/a", size=1000)))
    keep(records, offer_of(user, entry_of("/q/a", size=70)), device=2)
    offer = keep(records, offer_of(user, entry_of("/p/b", size=500), entry_of("/p/c", size=30, number=1)))
    job = records.jobs.submit(job_of(offer), NOW)
    assert records.offers.reserved(1) == 1530
    records.jobs.set_received(job.id, job.tasks[0].id, 400)
    assert records.offers.reserved(1) == 1130
    records.jobs.set_received(job.id, job.tasks[1].id, 31)
    assert records.offers.reserved(1) == 1100
    assert (records.offers.reserved(2), records.offers.reserved(3)) == (70, 0)


def test_reserved_can_leave_out_a_users_open_offers_but_not_their_jobs(records: Records) -> None:
    user, other = user_of(records), user_of(records, "b@x.example")
    kept(records, user, "/p/a")
    kept(records, other, "/p/b")
    submitted(records, user, "/p/c")
    assert records.offers.reserved(1) == 300
    assert records.offers.reserved(1, without_offers_of=user.id) == 200


def test_sizes_that_no_database_can_count_are_refused(records: Records) -> None:
    with pytest.raises(LimitExceeded):
        keep(records, offer_of(user_of(records), entry_of("/p/a", size=2**63)))


def test_a_large_offer_is_kept_quickly(records: Records) -> None:
    """500 entries, each looking for conflicts among 500 others."""
    kept(records, user_of(records, "b@x.example"), *[f"/q/shot_{n:04}" for n in range(500)])
    offer = offer_of(user_of(records), *[entry_of(f"/p/{n}/x/y/z", number=n) for n in range(500)])
    claims = [claim_of(offer, entry) for entry in offer.entries]
    assert kinds(records.offers.keep(offer, {}, claims, refused)) == ["accepted"] * 500


def test_text_that_databases_do_not_take_is_kept_all_the_same(records: Records) -> None:
    offer = kept(records, user_of(records), "/p/a", hostname="a\0b\ud800c")
    found = records.offers.offer(offer.id)
    assert found
    assert found.hostname == "a\ufffdb\ufffdc"
