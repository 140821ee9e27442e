"""Hooks are real programs here; deadlines are short."""

from __future__ import annotations

import json
import os
import pwd
import resource
import shlex
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from some_records import NOW, run_of

from stagedoor.lifecycle.needs import Outcome, RunOrder
from stagedoor.model.entities import RunState
from stagedoor.programs import ProgramRunner, processes
from stagedoor.programs.capture import LIMIT, Capture
from stagedoor.records import Records

MARK = processes.MARK


class Bench:
    """A runner with a database, and scripts for it."""

    def __init__(self, records: Records, folder: Path) -> None:
        self.records = records
        self.folder = folder
        self.runner = ProgramRunner(folder / "home", records.runs, lambda: NOW + 1, grace=0.2)

    def bash(self, text: str) -> str:
        """A line that runs this text; `$in` and `$out` are the two files."""
        script = self.folder / "hook.sh"
        script.write_text('in="$1"; out="$2"\n' + text)
        return f"bash {script} ${{PATH_JSON_INPUT}} ${{PATH_JSON_OUTPUT}}"

    def order(self, command: str, *, job_id: str = "", **changes: Any) -> RunOrder:
        run = run_of(command=command, job_id=job_id)
        self.records.runs.begin(run)
        return RunOrder(run=run, **{"input": b'{"files":[]}', "seconds": 5, "answer_bytes": 10_000, **changes})

    def run(self, command: str, **changes: Any) -> tuple[Outcome, RunOrder]:
        order = self.order(command, **changes)
        return self.runner.run(order), order


@pytest.fixture
def bench(records: Records, tmp_path: Path) -> Bench:
    return Bench(records, tmp_path)


def until(condition: Any) -> Any:
    for _ in range(500):
        found = condition()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError("did not happen")


def lives(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def number_in(path: Path) -> int:
    return int(until(lambda: path.exists() and path.read_text().strip()))


# --- what a hook is given ----------------------------------------------------------------------------------------


def test_a_hook_reads_its_input_and_its_answer_comes_back(bench: Bench) -> None:
    outcome, _ = bench.run(bench.bash('cat "$in" > "$out"'), wants_output=True)
    assert outcome == Outcome(state=RunState.SUCCEEDED, exit_code=0, error="", output=b'{"files":[]}')


def test_placeholders_are_replaced_inside_of_words_too(bench: Bench) -> None:
    """The line that studios use to enter a virtual environment first."""
    (bench.folder / "activate").write_text("WHAT=sourced\n")
    line = f'bash -c \'source {bench.folder}/activate && echo "[\\"$WHAT\\"]" > ${{PATH_JSON_OUTPUT}}\''
    assert bench.run(line, wants_output=True)[0].output == b'["sourced"]\n'


def test_no_shell_reads_the_line(bench: Bench) -> None:
    outcome, order = bench.run(r"echo $HOME ; touch `x` > y | cat && '${UNKNOWN}'")
    assert outcome.exit_code == 0
    assert bench.runner.read_record(order.run.id)["stdout"] == "$HOME ; touch `x` > y | cat && ${UNKNOWN}\n"


def test_only_what_is_named_of_the_environment_is_passed_on(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGEDOOR_API_KEY", "secret")
    monkeypatch.setenv("DATABASE_URL", "secret")
    monkeypatch.setenv("TZ", "UTC")
    _, order = bench.run(f"{sys.executable} -c 'import os; print(*os.environ)'", environment={"SHOW": "x"})
    seen = set(bench.runner.read_record(order.run.id)["stdout"].split())
    assert seen - {"LC_CTYPE", "TMPDIR"} == {"PATH", "HOME", "USER", "LANG", "TZ", "SHOW", MARK}


def test_a_hook_runs_in_a_folder_of_its_own_with_the_files_it_was_given(bench: Bench) -> None:
    command = bench.bash('pwd; stat -c %a .; cat hashes.jsonl; [ "$PWD/input.json" = "$in" ]')
    outcome, order = bench.run(command, files={"hashes.jsonl": b"{}\n"})
    folder = bench.runner.folder(order.run.id)
    assert outcome.exit_code == 0
    assert bench.runner.read_record(order.run.id)["stdout"] == f"{folder}\n700\n{{}}\n"


def test_a_hook_has_nothing_to_wait_for_on_stdin(bench: Bench) -> None:
    assert bench.run("cat")[0].exit_code == 0


# --- what is kept ------------------------------------------------------------------------------------------------


def test_everything_about_a_run_is_kept_and_nothing_else(bench: Bench) -> None:
    command = bench.bash('echo said; echo complained >&2; echo "{}" > "$out"; mkdir -p a/b; touch a/b/c; rm "$in"')
    _, order = bench.run(command, wants_output=True, files={"hashes.jsonl": b"x"})
    assert bench.runner.read_record(order.run.id) == {
        "input": '{"files":[]}',
        "output": "{}\n",
        "stdout": "said\n",
        "stderr": "complained\n",
    }
    kept = {path.name for path in bench.runner.folder(order.run.id).iterdir()}
    assert kept == {"input.json.gz", "output.json.gz", "stdout.gz", "stderr.gz"}


def test_a_run_is_recorded_with_its_process_and_its_end(bench: Bench) -> None:
    _, order = bench.run(bench.bash("echo because >&2; exit 3"))
    run = bench.records.runs.run(order.run.id)
    assert run is not None
    assert run.pid
    assert run.pid_started
    assert (run.state, run.exit_code, run.ended) == (RunState.FAILED, 3, NOW + 1)
    assert run.error == "the hook exited with code 3: because"


def test_a_removed_record_is_gone(bench: Bench) -> None:
    _, order = bench.run("true")
    bench.runner.remove(order.run.id)
    bench.runner.remove(order.run.id)
    assert not bench.runner.folder(order.run.id).exists()
    assert set(bench.runner.read_record(order.run.id).values()) == {""}


def test_the_version_changes_with_the_line_and_with_files_it_names(bench: Bench) -> None:
    script = bench.folder / "hook.py"
    script.write_text("1")
    inside = f"bash -c 'source x && python {script} y'"
    before = [bench.runner.version(line) for line in (f"python {script}", inside, "'")]
    assert before == [bench.runner.version(line) for line in (f"python {script}", inside, "'")]
    script.write_text("2")
    after = [bench.runner.version(line) for line in (f"python {script}", inside, "'")]
    assert [one == other for one, other in zip(before, after, strict=True)] == [False, False, True]
    assert len({*before, *after}) == 5


# --- as another user of the system -----------------------------------------------------------------------------------

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")


@pytest.fixture
def open_bench(records: Records) -> Iterator[Bench]:
    """A bench that everybody can reach: pytest's own folders are for one user only."""
    with tempfile.TemporaryDirectory(prefix="sd-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        (Path(folder) / "home" / "logs").mkdir(parents=True)
        (Path(folder) / "home").chmod(0o700)
        yield Bench(records, Path(folder))


@as_root
def test_a_hook_can_run_as_another_user(open_bench: Bench) -> None:
    daemon = pwd.getpwnam("daemon")
    text = 'id -u; id -g; echo $HOME $USER; cat "$in" > "$out"; cat hashes.jsonl; stat -c "%u %a" .; ls .. 2>&1 | wc -l'
    command = open_bench.bash(text)
    outcome, order = open_bench.run(command, run_as="daemon", wants_output=True, files={"hashes.jsonl": b"{}"})
    assert (outcome.error, outcome.output) == ("", b'{"files":[]}')
    said = open_bench.runner.read_record(order.run.id)["stdout"].split("\n")
    assert said[:3] == [str(daemon.pw_uid), str(daemon.pw_gid), f"{daemon.pw_dir} daemon"]
    assert said[3] == f"{{}}{daemon.pw_uid} 700"
    folder = open_bench.runner.folder(order.run.id)
    assert (folder.stat().st_uid, stat.S_IMODE(folder.stat().st_mode)) == (0, 0o700), "the record is the server's"
    home = open_bench.folder / "home"
    assert [stat.S_IMODE(path.stat().st_mode) for path in (home, home / "logs")] == [0o711, 0o700]


@as_root
def test_another_users_hook_is_ended_as_any_other(open_bench: Bench) -> None:
    command = open_bench.bash("setsid sleep 60 & sleep 60")
    outcome, order = open_bench.run(command, run_as="daemon", seconds=0.3)
    assert outcome.state is RunState.TIMED_OUT
    assert processes.belonging(order.run.id, None) == []


@as_root
def test_a_way_that_is_closed_is_told_before_anything_runs(bench: Bench) -> None:
    bench.folder.chmod(0o700)
    outcome, _ = bench.run(bench.bash("touch ran"), run_as="daemon")
    assert outcome.state is RunState.FAILED
    assert "daemon may not pass through" in outcome.error
    assert "chmod o+x" in outcome.error


def test_a_user_that_does_not_exist_is_told(bench: Bench) -> None:
    outcome, _ = bench.run(bench.bash("true"), run_as="nobody-there")
    assert outcome.error == "the hook cannot run as nobody-there: this machine has no system user 'nobody-there'"


# --- hooks that misbehave ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("exit 0", "the hook exited 0 but wrote no answer to ${PATH_JSON_OUTPUT}"),
        (': > "$out"', "the hook exited 0 but wrote an empty answer to ${PATH_JSON_OUTPUT}"),
        ("kill -9 $$", "the hook was ended by signal 9 (SIGKILL), and said nothing on stderr"),
        ('ln -s "$in" "$out"', "the hook's answer cannot be opened"),
        ('mkfifo "$out"', "the hook's answer is not a regular file: write one"),
        ('mkdir "$out"', "the hook's answer is not a regular file: write one"),
        ('head -c 10001 /dev/zero > "$out"', "the hook's answer has 10001 bytes, and at most 10000 are read"),
        ('truncate -s 1T "$out"', "the hook's answer has 1099511627776 bytes"),
        ('rm -rf "$PWD"', "the hook exited 0 but wrote no answer to ${PATH_JSON_OUTPUT}"),
    ],
)
def test_what_is_wrong_with_a_run_is_said(bench: Bench, text: str, error: str) -> None:
    outcome, order = bench.run(bench.bash(text), wants_output=True)
    assert outcome.state is RunState.FAILED
    assert outcome.output is None
    assert outcome.error.startswith(error)
    assert bench.runner.read_record(order.run.id)["input"] == '{"files":[]}'


@pytest.mark.parametrize(
    ("command", "error"),
    [
        ("/nowhere/python x", "the program '/nowhere/python' cannot be started ("),
        ("/etc/hostname", "the program '/etc/hostname' cannot be started ("),
        ("echo 'open", "the command line cannot be read (No closing quotation): check its quotes"),
        ("  ", "the command line is empty"),
        ("true", "the hook cannot answer: its command line does not name ${PATH_JSON_OUTPUT}"),
    ],
)
def test_a_line_that_cannot_work_fails_with_a_reason(bench: Bench, command: str, error: str) -> None:
    outcome, order = bench.run(command, wants_output=True)
    assert outcome.state is RunState.FAILED
    assert outcome.error.startswith(error)
    run = bench.records.runs.run(order.run.id)
    assert run is not None
    assert run.state is RunState.FAILED


def test_a_hanging_hook_is_ended_at_its_deadline_with_all_it_started(bench: Bench) -> None:
    """Also where it ignores being asked."""
    pids = bench.folder / "pids"
    command = bench.bash(f"trap '' TERM; echo before; sleep 60 & echo $$ $! > {pids}; wait; sleep 60")
    began = time.monotonic()
    outcome, order = bench.run(command, seconds=0.3)
    assert time.monotonic() - began < 2
    assert outcome.state is RunState.TIMED_OUT
    assert outcome.error == "the hook ran longer than 0.3 s and was ended"
    assert bench.runner.read_record(order.run.id)["stdout"] == "before\n"
    assert not any(lives(int(pid)) for pid in pids.read_text().split())


def test_a_hook_that_is_asked_to_end_may_clean_up(bench: Bench) -> None:
    command = bench.bash("trap 'echo cleaned; exit 0' TERM; sleep 60 & wait")
    outcome, order = bench.run(command, seconds=0.2)
    assert outcome.state is RunState.TIMED_OUT
    assert bench.runner.read_record(order.run.id)["stdout"] == "cleaned\n"


@pytest.mark.parametrize("how", ["sleep 60 &", "setsid sleep 60 &", "setsid bash -c 'setsid sleep 60 & sleep 60' &"])
def test_nothing_of_a_run_is_left_when_it_has_exited_0(bench: Bench, how: str) -> None:
    """Children that keep stdout open do not hold it up either; those in another session are found by their mark."""
    began = time.monotonic()
    outcome, order = bench.run(bench.bash(f"{how} sleep 0.05; exit 0"))
    assert time.monotonic() - began < 30
    assert (outcome.state, outcome.exit_code) == (RunState.SUCCEEDED, 0)
    assert processes.belonging(order.run.id, None) == []


def test_a_flooding_hook_fills_neither_memory_nor_disk(bench: Bench) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    text = "echo first; head -c 100000000 /dev/zero | tr '\\0' 'x'; head -c 3000000 /dev/zero >&2; echo last"
    outcome, order = bench.run(bench.bash(text), seconds=60)
    assert outcome.state is RunState.SUCCEEDED
    stdout = bench.runner.read_record(order.run.id)["stdout"]
    assert stdout.startswith("first\nxxx")
    assert stdout.endswith("xxx" + "last\n")
    assert f"\n[... {100_000_011 - LIMIT} bytes left out ...]\n" in stdout
    assert len(stdout) < LIMIT + 100
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000


def test_a_hook_that_floods_for_ever_is_ended_in_time(bench: Bench) -> None:
    began = time.monotonic()
    assert bench.run("yes", seconds=0.3)[0].state is RunState.TIMED_OUT
    assert time.monotonic() - began < 2


def test_what_is_captured_is_the_beginning_and_the_end() -> None:
    capture = Capture(10)
    for piece in (b"abc", b"defgh", b"", b"ijklmnop", b"q\nrs\n\n"):
        capture.add(piece)
    assert capture.value() == b"abcde\n[... 12 bytes left out ...]\n\nrs\n\n"
    assert capture.last_line() == "rs"
    assert Capture(10).value() == b""
    small = Capture(10)
    small.add(b"0123456789")
    assert small.value() == b"0123456789"


# --- stopping ----------------------------------------------------------------------------------------------------


def under_way(bench: Bench, command: str, **changes: Any) -> tuple[threading.Thread, list[Any], RunOrder]:
    order = bench.order(command, seconds=60, **changes)
    ends: list[Any] = []

    def work() -> None:
        try:
            ends.append(bench.runner.run(order))
        except InterruptedError as error:
            ends.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    until(lambda: processes.belonging(order.run.id, None))
    return thread, ends, order


def test_the_run_of_an_aborted_job_is_ended_and_no_other(bench: Bench) -> None:
    one, ended, order = under_way(bench, "sleep 60", job_id="a")
    other, going_on, kept = under_way(bench, "sleep 60", job_id="b")
    bench.runner.end_job("a")
    assert processes.belonging(order.run.id, None) == []
    one.join(5)
    assert ended[0].state is RunState.CANCELLED
    assert processes.belonging(kept.run.id, None)
    assert not going_on
    bench.runner.end_job("b")
    other.join(5)


def test_shutdown_ends_runs_and_leaves_their_outcome_open(bench: Bench) -> None:
    thread, ends, order = under_way(bench, "bash -c 'echo begun; sleep 60'")
    bench.runner.shutdown()
    assert processes.belonging(order.run.id, None) == []
    thread.join(5)
    assert isinstance(ends[0], InterruptedError)
    run = bench.records.runs.run(order.run.id)
    assert run is not None
    assert run.state is RunState.RUNNING
    assert bench.runner.read_record(order.run.id)["stdout"] == "begun\n"
    with pytest.raises(InterruptedError):
        bench.run("true")


def test_many_runs_at_once_do_not_disturb_each_other(bench: Bench) -> None:
    command = bench.bash('sleep 0.05; cat "$in" > "$out"')
    orders = [bench.order(command, input=str(number).encode(), wants_output=True) for number in range(8)]
    outcomes: dict[int, Any] = {}

    def work(number: int) -> None:
        outcomes[number] = bench.runner.run(orders[number]).output

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert outcomes == {number: str(number).encode() for number in range(8)}
    assert len(list(Path("/proc/self/fd").iterdir())) < 100


# --- after the server died ---------------------------------------------------------------------------------------

SERVER = """
import sys
from pathlib import Path
from stagedoor.programs import ProgramRunner
from stagedoor.lifecycle.needs import RunOrder
from stagedoor.model.entities import HookRun, RunState
from stagedoor.model.hooks import HookName

class Told:
    def update(self, run_id, **changes):
        print(changes["pid"], changes["pid_started"], flush=True)

home, command = sys.argv[1:]
run = HookRun(id="r" * 24, hook=HookName.PUBLISH, command=command, version="", state=RunState.RUNNING, started=0)
order = RunOrder(run=run, input=b"{}", seconds=60, answer_bytes=100)
ProgramRunner(Path(home), Told(), lambda: 0).run(order)
"""


def killed_server(bench: Bench, script: str) -> tuple[int, str]:
    """The process and its start time that a server had recorded for run `r...` before it was killed."""
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(bench.folder / "home"), f"bash -c {shlex.quote(script)}"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout
    pid, started = server.stdout.readline().split()
    number_in(bench.folder / "left")
    server.kill()
    server.wait()
    server.stdout.close()
    return int(pid), started


@pytest.mark.parametrize("recorded", [True, False], ids=["with its number", "before its number was recorded"])
def test_what_a_dead_server_left_running_is_found_and_ended(bench: Bench, recorded: bool) -> None:
    """The hook, and a child of it that went into a session of its own."""
    escape = f"trap '' TERM; setsid bash -c 'trap \"\" TERM; echo $$ > {bench.folder}/left; sleep 60' & sleep 60"
    pid, started = killed_server(bench, escape)
    left = number_in(bench.folder / "left")
    assert lives(pid)
    assert lives(left)
    assert processes.started(pid) == started
    changes = {"pid": pid, "pid_started": started} if recorded else {}
    bench.runner.end(run_of(id="r" * 24, **changes))
    assert not lives(pid)
    assert not lives(left)


def test_a_process_that_got_the_number_of_an_old_run_is_left_alone(bench: Bench) -> None:
    stranger = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        bench.runner.end(run_of(pid=stranger.pid, pid_started="1@another-boot"))
        assert lives(stranger.pid)
        bench.runner.end(run_of(pid=stranger.pid, pid_started=processes.started(stranger.pid)))
        assert stranger.wait(5) == -signal.SIGTERM
    finally:
        stranger.kill()
        stranger.wait()


def test_ending_a_run_of_which_nothing_is_left_does_nothing(bench: Bench) -> None:
    bench.runner.end(run_of())
    bench.runner.end(run_of(pid=2**22, pid_started="5@x"))
    assert processes.started(2**22) == ""


def test_the_server_itself_is_never_ended(bench: Bench) -> None:
    assert os.getpid() not in processes.belonging("", os.getpgrp())


def test_an_answer_of_many_entries_comes_back_whole(bench: Bench) -> None:
    data = json.dumps([{"id": number} for number in range(100_000)]).encode()
    outcome, order = bench.run("cp ${PATH_JSON_INPUT} ${PATH_JSON_OUTPUT}", input=data, answer_bytes=2**24)
    assert outcome.output == data
    assert bench.runner.read_record(order.run.id)["output"].encode() == data
