"""Step 4: everything that arrived has been read once and compared with what was written; the receipt is made.

Rules
1. No entry goes on before every entry of the job is proved. What was left out is none of them; where entries were let
   in or left out meanwhile, the proof is made again.
2. Damage is not a failure: the damaged ranges are missing again and the job waits for just those.
3. The receipt is made from the proof, before anything moves: hooks may take the files away at once. It is signed then,
   where the studio signs, and never changed afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from ..model.entities import Job, Task
from ..model.states import JobFact, JobState, TaskFact, TaskStatus
from ..wire.jobs import Receipt, ReceiptEntry, ReceiptFile
from ..wire.signing import signed_form
from .failing import Failing
from .needs import Clock, House, JobBook, Proof, Signer, Storage
from .views import moment, receipt_entry


class Proving:
    def __init__(
        self, house: House, jobs: JobBook, storage: Storage, signer: Signer, failing: Failing, clock: Clock
    ) -> None:
        self._house = house
        self._jobs = jobs
        self._storage = storage
        self._signer = signer
        self._failing = failing
        self._clock = clock

    def prove(self, job_id: str, stop: Callable[[], bool]) -> None:
        """Do the step, where the job stands before it. Raises InterruptedError when `stop` says so."""
        job = self._jobs.job(job_id)
        if job is None or job.state is not JobState.PROVING:
            return
        with self._failing.caught(job, "The proof of what arrived could not be made."):
            try:
                self._prove(job, lambda: stop() or self._jobs.state(job_id) is not JobState.PROVING)
            except InterruptedError:
                if stop():
                    raise

    def _prove(self, job: Job, stop: Callable[[], bool]) -> None:
        entries: list[ReceiptEntry] = []
        damaged = 0
        tasks = [task for task in job.tasks if task.status is not TaskStatus.EXCLUDED]
        for task in tasks:
            upload = self._storage.open(Path(task.staging), task.upload_id)
            proof = upload.prove(stop)
            if proof.lost:
                damaged += proof.lost.size
                if task.status is TaskStatus.QUEUED:  # else it was told before, and the job was paused then
                    self._jobs.move_task(job.id, task.id, TaskFact.DAMAGED, received=upload.received)
            else:
                entries.append(_entry(task, proof, [folder.path for folder in upload.manifest.folders if folder.path]))
        if damaged:
            note = f"The proof found {damaged} damaged bytes; they are asked for again."
            self._jobs.note(job.id, note, self._clock())
            self._jobs.move(job.id, JobFact.DAMAGED, self._clock(), error=note, error_code="damaged")
            return
        receipt = msgspec.json.encode(self._receipt(job, entries))
        self._jobs.proved(job.id, [task.id for task in tasks], receipt, self._clock())

    def _receipt(self, job: Job, entries: list[ReceiptEntry]) -> Receipt:
        user = self._house.user(job.user_id)
        receipt = Receipt(
            job=job.id,
            code=job.code,
            workspace=self._house.workspace().code,
            user=user.code if user else "",
            submitted=moment(job.created),
            proved=moment(self._clock()),
            size=job.size,
            entries=entries,
        )
        if not self._house.settings().flag("sign_receipts"):
            return receipt
        return msgspec.structs.replace(receipt, signature=self._signer.sign(signed_form(receipt)))


def _entry(task: Task, proof: Proof, folders: list[str]) -> ReceiptEntry:
    files = [
        ReceiptFile(path=one.path, size=one.size, modified=one.modified, xxh128=one.xxh128, blake3=one.blake3)
        for one in proof.files
    ]
    return receipt_entry(task, proof.read_from, folders, files)
