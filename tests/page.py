"""What a page does, without a browser: cookies are kept and sent, the page's header is set."""

from __future__ import annotations

import json
import re
from typing import Any

from rest import Answer, House

PASSWORD = "correct horse battery"


class Browser:
    """One browser, in which a page of the server is open."""

    def __init__(self, house: House, **headers: str) -> None:
        self.house = house
        self.cookies: dict[str, str] = {}
        self.headers = headers

    def ask(
        self, method: str, path: str, data: Any = None, *, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        given = {"X-Stagedoor-Page": "1", **self.headers}
        if self.cookies:
            given["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if data is not None:
            body = json.dumps(data).encode()
            given["Content-Type"] = "application/json"
        given |= headers or {}
        answer = self.house.send(method, path, headers={k: v for k, v in given.items() if v}, body=body)
        set_ = answer.headers.get("set-cookie")
        if set_:
            name, value = re.match(r"([^=]+)=([^;]*)", set_).groups()  # type: ignore[union-attr]
            self.cookies[name] = value
            if "Max-Age=0" in set_:
                del self.cookies[name]
        return answer

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def post(self, path: str, data: Any = None) -> Answer:
        return self.ask("POST", path, {} if data is None else data)

    def sign_in(self, user: str, password: str = PASSWORD) -> Answer:
        return self.post("/sign-in/password", {"user": user, "password": password})

    def redeem(self, url: str, password: str = PASSWORD, **more: Any) -> Answer:
        return self.post("/sign-in/redeem", {"token": token_of(url), "password": password, **more})


def token_of(url: str) -> str:
    return url.partition("#")[2]
