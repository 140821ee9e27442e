"""Mails: whether the server that is to send them would take one."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator

from ... import mail
from ...config import Home
from .diagnosis import Diagnosis, fault, ok


def examine(paths: Home) -> Iterator[Diagnosis]:
    choice = paths.mail_choice()
    if choice is None:
        yield ok("mail", "", "None are sent: invitations are shown, to be passed on.")
        return
    where = f"{choice.host} port {choice.port}"
    try:
        mail.try_out(choice)
    except (OSError, smtplib.SMTPException) as error:
        advice = "Look at [mail] in the configuration; until then invitations are shown, and no links are mailed."
        yield fault("mail", choice.host, f"{where} would take no mail: {error}", advice)
    else:
        yield ok("mail", choice.host, f"{where} would take mails.")
