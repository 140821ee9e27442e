"""A server that takes mails and keeps them."""

from __future__ import annotations

import re
import socketserver
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage

from studio import until


class Mailbox:
    """Between `with`s; `port` is where it listens."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        box = self

        class Taking(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(b"220 here\r\n")
                while line := self.rfile.readline():
                    if not self.take(line.strip().upper()):
                        return

            def take(self, said: bytes) -> bool:
                if said == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    lines = iter(self.rfile.readline, b".\r\n")
                    box.mails.append(message_from_bytes(b"".join(lines), policy=policy.default))  # type: ignore[arg-type]
                self.wfile.write(b"221 bye\r\n" if said == b"QUIT" else b"250 ok\r\n")
                return said != b"QUIT"

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Taking)
        self.port = int(self._server.server_address[1])

    def __enter__(self) -> Mailbox:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def link(self, to: str) -> str:
        """The address in the newest mail to somebody."""
        until(lambda: any(mail["To"] == to for mail in self.mails))
        newest = [mail for mail in self.mails if mail["To"] == to][-1]
        return re.search(r"https?://\S+", newest.get_content())[0]  # type: ignore[index]
