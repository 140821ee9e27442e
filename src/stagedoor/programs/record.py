"""The folder of a run: what the hook reads and writes while it runs, and what is kept of it.

Rules
1. The folder is the server's alone (0700), and the hook's working directory.
2. The answer is a regular file of bounded size, opened without following a link and without waiting; a longer one is
   not read.
3. After the run the folder holds `input.json.gz`, `output.json.gz`, `stdout.gz` and `stderr.gz` and nothing else,
   whatever the hook left there. The input that is kept is the one that was given.
"""

from __future__ import annotations

import gzip
import os
import shutil
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

INPUT = "input.json"
OUTPUT = "output.json"
KEPT = (INPUT, OUTPUT, "stdout", "stderr")
OUTPUT_PLACEHOLDER = "${PATH_JSON_OUTPUT}"


class AnswerUnreadable(Exception):
    """The hook's answer cannot be read; the message says why."""


class RunFolder:
    """One run's folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def make(self, data: bytes, files: Mapping[str, bytes]) -> None:
        """Raises OSError."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.chmod(0o700)
        for name, content in {**files, INPUT: data}.items():
            (self.path / name).write_bytes(content)

    def replace_placeholders(self, word: str) -> str:
        word = word.replace("${PATH_JSON_INPUT}", str(self.path / INPUT))
        return word.replace(OUTPUT_PLACEHOLDER, str(self.path / OUTPUT))

    def answer(self, most: int) -> bytes | None:
        """What the hook wrote, or None where it wrote nothing. Raises AnswerUnreadable."""
        try:
            handle = os.open(self.path / OUTPUT, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise AnswerUnreadable(f"cannot be opened ({error.strerror}): write it as a regular file") from None
        try:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode):
                raise AnswerUnreadable("is not a regular file: write one")
            if found.st_size > most:
                raise AnswerUnreadable(
                    f"has {found.st_size} bytes, and at most {most} are read (setting hook_answer_bytes): "
                    "leave out the inner `files`"
                )
            with os.fdopen(handle, "rb", closefd=False) as stream:
                return stream.read(most)
        finally:
            os.close(handle)

    def keep(self, data: bytes, output: bytes | None, stdout: bytes, stderr: bytes) -> None:
        """Replace all that lies there by the record. Raises OSError."""
        self._clear()
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, content in zip(KEPT, (data, output, stdout, stderr), strict=True):
            if content is not None:
                with gzip.open(self.path / f"{name}.gz", "wb", compresslevel=3) as stream:
                    stream.write(content)

    def read(self, most: int = -1) -> dict[str, str]:
        """`input`, `output`, `stdout`, `stderr` as text, of each the first `most` bytes; empty where there is none."""
        return {name.removesuffix(".json"): self._text(name, most) for name in KEPT}

    def _text(self, name: str, most: int) -> str:
        with suppress(FileNotFoundError), gzip.open(self.path / f"{name}.gz") as stream:
            return stream.read(most).decode(errors="replace")
        with suppress(OSError):  # not kept yet: it runs, or the server ended while it ran
            plain = self.path / name
            if stat.S_ISREG(plain.lstat().st_mode):
                with plain.open("rb") as stream:
                    return stream.read(most).decode(errors="replace")
        return ""

    def _clear(self) -> None:
        with suppress(FileNotFoundError):
            for left in list(self.path.iterdir()):
                if left.is_dir() and not left.is_symlink():
                    shutil.rmtree(left, ignore_errors=True)
                else:
                    left.unlink(missing_ok=True)
