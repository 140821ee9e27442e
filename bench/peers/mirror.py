"""rsync, whole files: to its daemon, and through ssh as it is mostly used. sshd is one of our own, for this user."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

from ..contestant import Attempt, Contestant, program
from ..loads import Load
from ..processes import Server

DAEMON = """
use chroot = false
{who}
max connections = 0
log file = {folder}/daemon.log
[files]
    path = {files}
    read only = false
"""
SSHD = """
ListenAddress {host}
Port {port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
"""


class Rsync(Contestant):
    name = "rsync"
    words = "rsync to its daemon, whole files"

    def start(self) -> None:
        self._rsync = program("rsync")
        self._port = self.place.free_port()
        config = self.folder / "rsyncd.conf"
        who = "uid = 0\ngid = 0" if os.getuid() == 0 else ""
        config.write_text(DAEMON.format(folder=self.folder, files=self.ground, who=who))
        where = ["--address", self.place.host, "--port", str(self._port), "--config", str(config)]
        command = [self._rsync, "--daemon", "--no-detach", *where]
        self._server = Server(self.place, command, self._port, self.folder / "log")

    def prepare(self, load: Load, source: Path) -> Attempt:
        url = f"rsync://{self.place.host}:{self._port}/files/"
        return Attempt([self._rsync, "--recursive", "--times", "--whole-file", str(source), url])


class RsyncSsh(Contestant):
    name = "rsync-ssh"
    words = "rsync through ssh"
    tls = True

    def start(self) -> None:
        self._rsync, sshd, keygen = program("rsync"), program("sshd"), program("ssh-keygen")
        self._port = self.place.free_port()
        for key in ("host_key", "user_key"):
            made = [keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / key)]
            subprocess.run(made, check=True, capture_output=True)
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        config = self.folder / "sshd_config"
        config.write_text(SSHD.format(host=self.place.host, port=self._port, folder=self.folder))
        command = [sshd, "-D", "-e", "-f", str(config)]
        self._server = Server(self.place, command, self._port, self.folder / "log")

    def prepare(self, load: Load, source: Path) -> Attempt:
        strange = [
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            f"UserKnownHostsFile={self.folder}/known",
            "-o",
            "LogLevel=ERROR",
        ]
        ssh = ["ssh", "-F", "/dev/null", "-p", str(self._port), "-i", str(self.folder / "user_key"), *strange]
        sent = ["--recursive", "--times", "--whole-file", "--rsh", shlex.join(ssh), str(source)]
        return Attempt([self._rsync, *sent, f"{self.place.host}:{self.ground}/"])
