"""Mails by SMTP: `lifecycle.needs.Mailer`.

Rules
1. `Direct` sends while one waits, for commands; `Posted` in a thread, for the server. What goes wrong is in the log.
2. At most `MOST` wait; one more is left out, and the log says so. What waits when the server ends is lost: an
   invitation can be made again.
3. No address is taken that holds more than an address, and text stands in bodies only: what people write becomes no
   header.
"""

from __future__ import annotations

import logging
import smtplib
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr

from .config import MailChoice

log = logging.getLogger("stagedoor.mail")
MOST = 200
SECONDS = 15.0


class Direct:
    def __init__(self, choice: MailChoice) -> None:
        self._choice = choice

    def send(self, to: str, subject: str, text: str) -> bool:
        """Whether the mail was taken."""
        try:
            self._deliver(_message(self._choice.sender, to, subject, text))
        except (OSError, smtplib.SMTPException, ValueError) as error:
            log.error("a mail to %s could not be sent by %s: %s", to, self._choice.host, error)
            return False
        return True

    def _deliver(self, message: EmailMessage) -> None:
        with _opened(self._choice) as server:
            server.send_message(message)


def try_out(choice: MailChoice) -> None:
    """Go as far as a mail would, and send none. Raises OSError, SMTPException."""
    with _opened(choice) as server:
        server.noop()


class Posted:
    """Sends in a thread of its own, one mail after the other."""

    def __init__(self, send: Callable[[str, str, str], bool]) -> None:
        self._send = send
        self._room = threading.BoundedSemaphore(MOST)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="mail")

    def send(self, to: str, subject: str, text: str) -> bool:
        if not self._room.acquire(blocking=False):
            log.error("too many mails wait; the one to %s was left out", to)
            return False
        self._pool.submit(self._one, to, subject, text)
        return True

    def stop(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _one(self, to: str, subject: str, text: str) -> None:
        try:
            self._send(to, subject, text)
        except Exception:  # nobody waits for what this thread does
            log.exception("the mail to %s could not be made", to)
        finally:
            self._room.release()


@contextmanager
def _opened(choice: MailChoice) -> Iterator[smtplib.SMTP]:
    """A server that would take a mail now."""
    secure = ssl.create_default_context()
    with _smtp(choice, secure) as server:
        if choice.security == "starttls":
            server.starttls(context=secure)
        if choice.user:
            server.login(choice.user, choice.password)
        yield server


def _smtp(choice: MailChoice, secure: ssl.SSLContext) -> smtplib.SMTP:
    if choice.security == "tls":
        return smtplib.SMTP_SSL(choice.host, choice.port, timeout=SECONDS, context=secure)
    return smtplib.SMTP(choice.host, choice.port, timeout=SECONDS)


def _message(sender: str, to: str, subject: str, text: str) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, to, subject
    made["Date"] = formatdate()
    made["Message-ID"] = make_msgid(domain=parseaddr(sender)[1].partition("@")[2] or None)
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(text)
    return made
