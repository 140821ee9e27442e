"""The server on a home: steps, engine and HTTP door put together, started and ended in order."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from .. import config
from ..api.app import Doors, Services, make_app
from ..api.events import Broadcast
from ..api.front import Peers
from ..api.lane import PartLane
from ..api.server import HttpServer, Tls
from ..api.who import Reached, SignIn
from ..credentials import Argon2, WebAuthn
from ..engine import Engine
from ..lifecycle.acting import acting
from ..lifecycle.control import Control
from ..lifecycle.failing import Failing
from ..lifecycle.ingest import LOST, Ingesting
from ..lifecycle.inviting import Inviting, Redeeming
from ..lifecycle.jobhooks import JobHooks
from ..lifecycle.levels import Levels
from ..lifecycle.notify import Notifying
from ..lifecycle.offer import Offering
from ..lifecycle.passkeys import Passkeys
from ..lifecycle.passwords import Passwords
from ..lifecycle.place import Placing
from ..lifecycle.presubmit import PreSubmit
from ..lifecycle.prove import Proving
from ..lifecycle.queues import Queues
from ..lifecycle.read import Reading
from ..lifecycle.receive import Receiving
from ..lifecycle.refusals import Refusals
from ..lifecycle.reuse import Reusing
from ..lifecycle.signin import ByLink, ByPasskey, ByPassword, Counting
from ..lifecycle.slowing import Slowing
from ..lifecycle.submit import Submitting
from ..lifecycle.sweep import Sweep
from ..lifecycle.tally import Tally
from ..lifecycle.trial import Trying
from ..lifecycle.turns import Turns
from ..lifecycle.watching import Watching
from ..mail import Posted
from ..model.audit import SYSTEM
from ..model.entities import RunState
from ..model.errors import BadRequest, Busy
from ..model.hooks import HookName
from ..records import new_id
from ..signing import SigningKey
from ..version import __version__
from ..volumes.probe import probe
from ..wire.house import Checkup
from . import logs
from .homes import Home, now, open_home, room
from .memory import give_back_large_blocks, pass_over_what_stays

log = logging.getLogger("stagedoor")
SWEEP_SECONDS = 2.0


def serve(
    folder: Path,
    host: str,
    port: int,
    *,
    tls_cert: Path | None = None,
    tls_key: Path | None = None,
    self_signed: bool = False,
    behind_proxy: bool = False,
    insecure: bool = False,
    log_format: str | None = None,
    access_log: bool | None = None,
) -> None:
    """Run the server on a home until SIGTERM or SIGINT. Raises BadRequest, Conflict where it cannot start."""
    paths = config.Home(folder.absolute())
    paths.check()
    log_choice = paths.log_choice(format=log_format, access=access_log)
    tls = _tls(paths, host, tls_cert, tls_key, self_signed)
    if tls is None and not (behind_proxy or insecure) and not _is_loopback(host):
        raise BadRequest(
            f"Without TLS the server listens on this machine only, and {host} is not that. Give --tls-self-signed, a "
            "certificate, --behind-proxy where a proxy does TLS, or --insecure.",
            code="tls_missing",
        )
    give_back_large_blocks()
    with paths.locked() as lock, open_home(folder) as home:
        logs.start(paths, log_choice)
        _probe_volumes(home)
        _warn_unready(home)
        reached = Reached(tls=tls is not None, behind_proxy=behind_proxy, public_url=paths.public_url)
        _Running(home, reached).run(host, port, tls, _note(lock, host, tls))


class _Running:
    """A server from start to stop."""

    def __init__(self, home: Home, reached: Reached) -> None:
        records, storage, programs = home.records, home.storage, home.programs
        house, offers, jobs, runs = records.house, records.offers, records.jobs, records.runs
        self._stopping = threading.Event()
        self._programs = programs
        self._storage = storage
        self._engine = Engine(home.paths.engine)
        self._turns = turns = Turns(records.queues, self._engine, now)
        failing = Failing(jobs, now)
        signer = SigningKey(home.paths.keys)
        self._proving = Proving(house, jobs, storage, signer, failing, now)
        hooks = JobHooks(house, offers, jobs, runs, programs, now)
        self._placing = Placing(house, jobs, storage, failing, now)
        self._ingesting = Ingesting(house, jobs, runs, programs, hooks, failing, now)
        tally = Tally()
        programs.on_end = tally.hook_ended
        receiving = Receiving(house, jobs, storage, turns, now, tally)
        control = Control(house, offers, jobs, storage, programs, receiving, turns, self._engine, now)
        self._notifying = Notifying(house, jobs, records.notices, hooks)
        self._sweep = Sweep(
            house,
            offers,
            jobs,
            runs,
            records.audit,
            home.sessions,
            records.links,
            records.invitations,
            storage,
            programs,
            control,
            receiving,
            turns,
            self._engine,
            self._notifying,
            now,
        )
        self._end_survivors(home)

        def settings_changed() -> None:
            receiving.settings_changed()
            turns.begin_next()

        self._mail = Posted(home.mail.send) if home.mail else None
        self._doors = self._open_doors(home, reached, tally)
        self._services = Services(
            offering=Offering(house, offers, runs, storage, programs, now),
            submitting=Submitting(house, offers, jobs, storage, turns, PreSubmit(house, runs, hooks), now),
            receiving=receiving,
            reusing=Reusing(house, jobs, storage, receiving, now),
            reading=Reading(house, offers, jobs, runs, records.lists, programs, receiving, records.queues),
            control=control,
            auditing=home.auditing,
            refusals=Refusals(records.audit),
            manage=home.manage,
            replaying=home.replaying,
            trying=Trying(home.replaying, house, records.audit, now),
            queues=Queues(records.queues, now, turns.begin_next),
            levels=Levels(records.levels, house, jobs.job, settings_changed),
            doors=self._doors,
            receipt_key=signer.public,
            probe=probe,
            room=room,
            tally=tally,
            census=records.health,
            examine=_one_at_a_time(home.paths.folder),
            events=Broadcast(Watching(records.lists, receiving, now)),
        )

    def _open_doors(self, home: Home, reached: Reached, tally: Tally) -> Doors:
        records, house = home.records, home.records.house
        hasher, slowing, counting, sessions = Argon2(), Slowing(), Counting(tally), home.sessions
        passkeys = Passkeys(records.passkeys, WebAuthn(), new_id, now)
        return Doors(
            sign_in=SignIn(lambda user, key: records.keys.check(user, key, now()), sessions.known, reached),
            sessions=sessions,
            by_password=ByPassword(records.passwords, hasher, slowing, sessions, counting),
            by_link=ByLink(
                records.links, records.passwords, house, self._mail, reached.public_url, sessions, counting, now
            ),
            by_passkey=ByPasskey(passkeys, sessions, counting),
            passwords=Passwords(records.passwords, hasher, slowing, now),
            passkeys=passkeys,
            inviting=Inviting(records.invitations, house, house.user_by_code, self._mail, now),
            redeeming=Redeeming(
                records.invitations, house, house.user_by_code, passkeys, sessions, hasher, counting, now
            ),
        )

    def run(self, host: str, port: int, tls: Tls | None, listening: Callable[[int], None]) -> None:
        self._engine.start(
            prove=_alone(lambda job_id: self._proving.prove(job_id, self._stopping.is_set)),
            place=_alone(lambda job_id: self._placing.place(job_id, self._stopping.is_set)),
            ingest=_alone(self._ingesting.ingest),
            ended=self._begin_next,
        )
        sweeper = threading.Thread(target=self._sweeping, name="sweep", daemon=True)
        sweeper.start()
        threading.Thread(target=self._sweep.start, name="settle", daemon=True).start()
        peers: Peers = {}
        app = make_app(self._services, peers)
        lane = PartLane(self._services.receiving, self._services.doors.sign_in, self._services.tally)
        pass_over_what_stays()
        log.info("version %s starts, process %d", __version__, os.getpid())
        try:
            HttpServer(app, lane, peers, host, port, tls, listening, self._services.events.stop).run()
        finally:
            log.info("ending: steps under way are left for the next start")
            self._stopping.set()
            self._programs.shutdown()
            sweeper.join(timeout=30)
            self._notifying.stop()
            self._doors.by_link.stop()
            if self._mail:
                self._mail.stop()
            self._engine.stop()
            self._storage.stop()

    def _sweeping(self) -> None:
        while not self._stopping.wait(SWEEP_SECONDS):
            try:
                self._sweep.sweep()
            except Exception:
                log.exception("sweep")

    def _begin_next(self) -> None:
        try:
            self._turns.begin_next()
        except Exception:
            log.exception("the next jobs are begun by the sweep")

    def _end_survivors(self, home: Home) -> None:
        """What a server that was killed had begun. The publish hook's step looks for its own; of the others the outcome
        is open for ever: nobody waits for a check any more, and a post hook runs anew."""
        for run in home.records.runs.unfinished():
            home.programs.end(run)
            if run.hook is not HookName.PUBLISH or run.replay:
                home.records.runs.update(run.id, state=RunState.LOST, ended=now(), error=LOST)


def _one_at_a_time(folder: Path) -> Callable[[str], Checkup]:
    """The doctor; a volume that hangs lets one thread wait, and no other."""
    looking = threading.Lock()

    def examine(host: str) -> Checkup:
        from . import doctor

        if not looking.acquire(blocking=False):
            raise Busy("The doctor is looking already; try again in a moment.")
        try:
            return doctor.examine(folder, host=host)
        finally:
            looking.release()

    return examine


def _alone(step: Callable[[str], None]) -> Callable[[str], None]:
    """A step that the server does by itself, whoever set the job going."""

    def done(job_id: str) -> None:
        with acting(SYSTEM):
            step(job_id)

    return done


def _tls(paths: config.Home, host: str, cert: Path | None, key: Path | None, self_signed: bool) -> Tls | None:
    if cert and key:
        return Tls(cert, key, "")
    if self_signed:
        from ..api.certificate import self_signed as make

        return make(paths.tls, host)
    return None


def _note(lock: IO[str], host: str, tls: Tls | None) -> Callable[[int], None]:
    """Tells `doctor` how this server runs, once its port is known."""
    certificate, key = (str(tls.cert.absolute()), str(tls.key.absolute())) if tls else ("", "")

    def note(port: int) -> None:
        serving = config.Serving(pid=os.getpid(), host=host, port=port, certificate=certificate, key=key)
        config.note_serving(lock, serving)

    return note


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def _warn_unready(home: Home) -> None:
    """What vendors would stumble over."""
    if not any(volume.enabled for volume in home.manage.volumes()):
        log.warning("there is no volume: hooks have nowhere to send entries (stagedoor volume add)")
    if home.records.house.hook(HookName.PRE_PUBLISH) is None:
        log.warning("the hook %s is not set: every offer is refused (stagedoor hook set)", HookName.PRE_PUBLISH)


def _probe_volumes(home: Home) -> None:
    """What the file systems can do may have changed since they were added."""
    for volume in home.manage.volumes():
        if not volume.enabled:
            continue
        found: dict[str, Any] = probe(volume.root) if Path(volume.root).is_dir() else {}
        if not found.get("safe"):
            log.warning("volume %s cannot be used: %s", volume.code, found.get("reason", f"{volume.root} is missing"))
        if found and found != volume.capabilities:
            home.manage.update_volume(volume.code, capabilities=found)
