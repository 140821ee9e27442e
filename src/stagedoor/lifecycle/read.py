"""Finding what somebody asks for: one of a kind by id, or a page of them. `views` says how it is shown.

Rules
1. A standard user's lists hold only their own, whatever the filters say; a filter that names somebody else gives an
   empty page, as it would for nobody.
2. Ended jobs are left out of lists unless asked for, by state, id or time; by id they are always found.
3. `where` is an expression of the query language (`grammar`). It only narrows what a list holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import msgspec

from ..model import errors
from ..model.entities import HookRun, Job, Offer, Role, User, Volume, Workspace
from ..model.hooks import canonical
from ..model.query import Expression, comparisons
from ..model.slice import ONE
from ..model.states import JobState, OfferState
from ..wire.house import RunDetail, RunView
from ..wire.jobs import JobView, Page, Receipt
from ..wire.offers import OfferAnswer
from ..wire.tree import Entry
from . import house, mhl, views
from .needs import House, JobBook, Lists, OfferBook, Programs, RunBook, TurnBook
from .receive import Receiving
from .wanted import Wanted


class Reading:
    def __init__(
        self,
        house: House,
        offers: OfferBook,
        jobs: JobBook,
        runs: RunBook,
        lists: Lists,
        programs: Programs,
        receiving: Receiving,
        turns: TurnBook,
    ) -> None:
        self._house = house
        self._offers = offers
        self._jobs = jobs
        self._runs = runs
        self._lists = lists
        self._programs = programs
        self._receiving = receiving
        self._turns = turns

    def workspace(self) -> Workspace:
        return self._house.workspace()

    def user(self, user_id: str) -> User | None:
        return self._house.user(user_id)

    def users(self, user: User, *, wanted: Wanted) -> tuple[int, list[User]]:
        """All users; for a standard user, themselves."""
        return self._lists.users(
            id=None if user.works_here else user.id,
            wanted=wanted.slice(inside=user.works_here),
        )

    def volumes(self, *, wanted: Wanted) -> tuple[int, list[Volume]]:
        return self._lists.volumes(wanted=wanted.slice())

    # --- offers

    def offer(self, user: User, offer_id: str) -> OfferAnswer:
        offer = self._offers.offer(offer_id)
        if offer is None or not views.may_see(user, offer.user_id):
            raise errors.NotFound
        return views.offer(offer, user, self._volumes())

    def shown(self, user: User, offer: Offer) -> OfferAnswer:
        return views.offer(offer, user, self._volumes())

    def offers(
        self,
        user: User,
        *,
        id: str | None,
        state: str | None,
        owner: str | None,
        since: int | None,
        wanted: Wanted,
    ) -> Page:
        owner_id = self._owner(user, owner)
        total, found_offers = self._lists.offers(
            user_id=owner_id,
            id=id,
            state=None if state is None else _offer_state(state),
            since=since,
            wanted=wanted.slice(inside=user.works_here),
        )
        volumes = self._volumes()
        return Page(total=total, items=[views.offer(offer, user, volumes) for offer in found_offers])

    # --- jobs

    def job(self, user: User, job_id: str) -> JobView:
        return self.view(user, views.seen_by(user, self._jobs.job(job_id)))

    def view(self, user: User, job: Job) -> JobView:
        return views.job(
            job,
            user,
            self._house.user(job.user_id),
            self._volumes(),
            queue=self._house.queue(job.queue_id),
            reason=self._turns.reasons([job]).get(job.id, "") if user.works_here else "",
            progress=self._receiving.received,
            speed=self._receiving.meter.speed,
        )

    def jobs(
        self,
        user: User,
        *,
        id: str | None,
        state: str | None,
        owner: str | None,
        since: int | None,
        finished: bool,
        tasks: bool,
        wanted: Wanted,
    ) -> Page:
        asked = wanted.slice(inside=user.works_here)
        total, found = self._lists.jobs(
            user_id=self._owner(user, owner),
            id=id,
            states=None if state is None else _job_states(state),
            since=since,
            finished=finished or _asks_for_ended(asked.where),
            wanted=asked,
        )
        sums = {} if tasks else self._lists.sums([job.id for job in found])
        if tasks:
            found = self._lists.with_tasks(found)
        owners = self._lists.owners(job.user_id for job in found)
        reasons = self._turns.reasons(found) if user.works_here else {}
        queues = {queue.id: queue for queue in self._house.queues()}
        volumes = self._volumes() if tasks else {}
        items = [
            views.job(
                job,
                user,
                owners.get(job.user_id),
                volumes,
                queue=queues.get(job.queue_id),
                reason=reasons.get(job.id, ""),
                summed=sums.get(job.id),
                progress=self._receiving.received if tasks else None,
                speed=self._receiving.meter.speed,
            )
            for job in found
        ]
        return Page(total=total, items=items)

    def tasks(self, user: User, *, job: str | None, wanted: Wanted) -> Page:
        """Tasks of all jobs, or of one; `received` as last summed up."""
        total, found = self._lists.tasks(
            user_id=None if user.works_here else user.id,
            job_id=job,
            wanted=wanted.slice(inside=user.works_here),
        )
        volumes = self._volumes() if user.works_here else {}
        return Page(total=total, items=[views.task(task, user, volumes) for task in found])

    def receipt(self, user: User, job_id: str) -> bytes:
        """The JSON of a job's receipt, once everything in it is placed."""
        job = views.seen_by(user, self._jobs.job(job_id))
        receipt = self._jobs.receipt(job_id)
        placed = job.state.phase == "ingest" or job.state is JobState.DONE
        if receipt is None or not placed:
            raise errors.Conflict("There is no receipt yet: it is made when everything has arrived.", code="no_receipt")
        return receipt

    def receipt_mhl(self, user: User, job_id: str) -> bytes:
        """The same as ASC MHL: a ZIP with a history for each entry."""
        return mhl.packed(msgspec.json.decode(self.receipt(user, job_id), type=Receipt))

    def files(self, user: User, job_id: str, task_id: str) -> Entry:
        """The validated tree of one entry of a job."""
        found = self._lists.jobs(id=job_id, wanted=ONE)[1]  # without its tasks: a client asks for each of them
        job = views.seen_by(user, found[0] if found else None)
        entry = self._offers.entry(job.offer_id, task_id)
        if entry is None or entry.place is None:
            raise errors.NotFound
        tree = self._offers.tree(job.offer_id, task_id)
        return Entry(
            id=entry.id,
            filename=entry.filename,
            size=entry.size,
            is_dir=entry.is_dir,
            files=cast(Any, msgspec.Raw(tree)) if entry.is_dir else None,  # as it is kept: not decoded again
            modified=entry.modified,
        )

    # --- hook runs, for employees and admins

    def runs(
        self,
        reader: User,
        *,
        hook: str | None,
        job: str | None,
        offer: str | None,
        owner: str | None,
        since: int | None,
        wanted: Wanted,
    ) -> Page:
        name = None if hook is None else canonical(hook)
        if hook is not None and name is None:
            raise errors.BadRequest("There is no hook of that name.", code="hook_unknown")
        total, found = self._lists.runs(
            hook=name,
            job_id=job,
            offer_id=offer,
            user_id=self._id_of(owner),
            since=since,
            wanted=wanted.slice(inside=reader.role is Role.ADMIN),
        )
        return Page(total=total, items=run_views(self._lists, found, reader))

    def run(self, reader: User, run_id: str, most: int | None = None) -> RunDetail:
        """What a program said is for administrators: it may hold what only they may know.

        `most`: bytes of each text; of what is longer the beginning is shown, and said that it is.
        """
        run = self._runs.run(run_id)
        if run is None:
            raise errors.NotFound
        read = self._programs.read_record(run_id, -1 if most is None else most + 1)
        kept: dict[str, Any] = {name: _beginning(text, most) for name, text in read.items()}
        if reader.role is not Role.ADMIN:
            kept |= {"stdout": None, "stderr": None}
        cut = tuple(name for name, text in kept.items() if text is not None and text != read[name])
        return RunDetail(run=run_views(self._lists, [run], reader)[0], cut=cut, **kept)

    def _volumes(self) -> dict[str, Volume]:
        return {volume.id: volume for volume in self._house.volumes()}

    def _owner(self, user: User, owner: str | None) -> str | None:
        """Whose: for a standard user always their own; an impossible id where they ask for somebody else's."""
        owner = self._id_of(owner)
        if user.works_here:
            return owner
        return user.id if owner in (None, user.id) else "-"

    def _id_of(self, owner: str | None) -> str | None:
        """A user's id, from that or the e-mail address; an impossible one for nobody's address."""
        if owner is None or "@" not in owner:
            return owner
        found = self._lists.users(code=owner, wanted=ONE)[1]
        return found[0].id if found else "-"


def _beginning(text: str, most: int | None) -> str:
    packed = text.encode()
    return text if most is None or len(packed) <= most else packed[:most].decode(errors="ignore")


def _asks_for_ended(expression: Expression | None) -> bool:
    """Whether the question is about ended jobs as well: then they are not hidden."""
    return expression is not None and any(part.attribute in _OF_ENDED for part in comparisons(expression))


_OF_ENDED = {"id", "status", "state", "phase", "finished"}


def _job_states(text: str) -> list[JobState]:
    """From a state's own name, a status or a phase, or several with commas between."""
    wanted = {part.strip() for part in text.lower().split(",")}
    found = [state for state in JobState if wanted & {state.value, state.status, state.phase}]
    known = {word for state in JobState for word in (state.value, state.status, state.phase)}
    if not wanted <= known:
        raise errors.BadRequest(f"There is no such state; there are: {', '.join(sorted(known))}.", code="state_unknown")
    return found


def _offer_state(text: str) -> OfferState:
    try:
        return OfferState(text)
    except ValueError:
        known = ", ".join(state.value for state in OfferState)
        raise errors.BadRequest(f"There is no such state; there are: {known}.", code="state_unknown") from None


def run_view(run: HookRun, reader: User | None = None) -> RunView:
    """`reader`: None for who has the home itself."""
    seconds = None if run.ended is None else round((run.ended - run.started) / 1000, 3)
    return RunView(
        id=run.id,
        hook=run.hook.value,
        state=run.state.value,
        command=house.command_line(run.command, reader),
        version=run.version,
        user=run.user_id,
        offer=run.offer_id,
        job=run.job_id,
        attempt=run.attempt,
        started=views.moment(run.started),
        ended=views.moment_or_none(run.ended),
        seconds=seconds,
        exit_code=run.exit_code,
        error=run.error,
        replay=run.replay,
    )


def run_views(lists: Lists, found: Sequence[HookRun], reader: User | None = None) -> list[RunView]:
    """With whom and what they are about."""
    concerns = lists.concerns(found)
    return [
        msgspec.structs.replace(run_view(run, reader), user_hr=about.user, about=about.name, entries=about.entries)
        for run, about in ((run, concerns[run.id]) for run in found)
    ]
