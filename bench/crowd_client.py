"""Uploads several jobs at once, each over one connection: python -m bench.crowd_client JOB..."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

from stagedoor import Session


def main(jobs: list[str]) -> None:
    def upload(job: str) -> None:
        with Session() as session:
            session.upload(job, connections=1)

    with ThreadPoolExecutor(len(jobs)) as threads:
        list(threads.map(upload, jobs))


if __name__ == "__main__":
    main(sys.argv[1:])
