"""The guard before every address: host, origin, token, method and size of a request, and headers of the response."""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from studies.output.formats import visible
from sweeps.server.settings import ServerSettings

log = logging.getLogger("hnet")

MAX_BODY = 64 * 1024
READ, WRITE = "read", "write"
UNEXPECTED = "unexpected error (a bug of hnet; the log of the server shows where)"
HEADERS = {
    "content-security-policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'",
    "x-content-type-options": "nosniff",
    # Not no-referrer: browsers then send "Origin: null" with a form, the same as from a foreign page.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Refused(Exception):
    """A request that is refused, with the status and the line that the client gets."""

    def __init__(self, status: int, why: str, headers: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(why)
        self.status = status
        self.headers = list(headers)


class Guard:
    """ASGI middleware that refuses what must not reach the application.

    It routes by the encoded path, so that a study name may hold a slash, and leaves the access of the token, "read" or
    "write", in `scope["state"]["access"]`.
    """

    def __init__(self, app: ASGIApp, settings: ServerSettings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # a web socket: there is none
            await send({"type": "websocket.close", "code": 1008})
            return
        try:
            headers = _headers(scope)
            if (location := self._login(scope, headers)) is not None:
                await _answer(send, 303, "", location)
                return
            access = self._check(scope, headers)
        except Refused as refused:
            _log(scope, refused)
            await _answer(send, refused.status, _body(scope, refused), refused.headers)
            return
        raw = scope.get("raw_path") or scope["path"].encode()
        inside = {
            **scope,
            "path": raw.decode("ascii", "replace"),
            "state": {**scope.get("state", {}), "access": access},
        }
        outgoing = _Outgoing(send)
        try:
            await self._app(inside, _limited(receive), outgoing)
        except Exception:
            log.exception("unexpected error at %s %s", scope["method"], visible(scope["path"][:200]))
            if not outgoing.has_begun:
                await _answer(send, 500, _body(scope, Refused(500, UNEXPECTED)), [])

    def _check(self, scope: Scope, headers: dict[str, str]) -> str:
        """Return the access of a request, or raise Refused."""
        self._check_host(headers)
        self._check_origin(headers)
        method = scope["method"]
        if method not in ("GET", "HEAD", "POST"):
            raise Refused(405, f"method {method} is not used here", [("allow", "GET, HEAD, POST")])
        access, by_cookie = self._access(headers)
        if access is None:
            raise Refused(401, "a token is needed: open the address that hnet serve printed, or send it as "
                          "Authorization: Bearer TOKEN", [("www-authenticate", "Bearer")])  # fmt: skip
        if method == "POST":
            self._check_write(access, by_cookie, headers)
        return access

    def _check_host(self, headers: dict[str, str]) -> None:
        name = urlsplit(f"//{headers.get('host', '')}").hostname or ""
        if not self._settings.knows_host(name):
            raise Refused(421, "this server is not known by that host name; allow it with --allow-host")

    def _check_origin(self, headers: dict[str, str]) -> None:
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower():
            raise Refused(403, "a request from a page of another origin is refused")

    def _check_write(self, access: str, by_cookie: bool, headers: dict[str, str]) -> None:
        if self._settings.read_only:
            raise Refused(403, "this server was started with --read-only: nothing can be changed")
        if access != WRITE:
            raise Refused(403, "this token may read only; use the write token (--token)")
        is_own_page = "origin" in headers or headers.get("sec-fetch-site") == "same-origin"
        if by_cookie and not is_own_page:
            raise Refused(403, "a change by cookie must come from a page of this server; send a Bearer token instead")
        if int(headers.get("content-length") or 0) > MAX_BODY:
            raise Refused(413, f"a request may have at most {MAX_BODY} bytes")

    def _login(self, scope: Scope, headers: dict[str, str]) -> list[tuple[str, str]] | None:
        """Turn ?token=... of an address into a cookie; None where the address has no token."""
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = [value for name, value in query if name == "token"]
        if not given or scope["method"] != "GET":
            return None
        self._check_host(headers)
        if self._of(given[0]) is None:
            raise Refused(401, "this token is not valid; use the address that hnet serve printed last")
        rest = urlencode([pair for pair in query if pair[0] != "token"])
        raw = (scope.get("raw_path") or b"/").decode("ascii", "replace")
        path = "/" + raw.lstrip("/\\")  # two slashes would name another host
        return [
            ("location", path + (f"?{rest}" if rest else "")),
            ("set-cookie", f"{self._settings.cookie}={given[0]}; Path={self._settings.root_path or '/'}; HttpOnly; "
             "SameSite=Strict; Max-Age=2592000"),
        ]  # fmt: skip

    def _access(self, headers: dict[str, str]) -> tuple[str | None, bool]:
        """Return the access of the token of a request, and whether a cookie brought it."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._of(token.strip()), False
        try:
            found = SimpleCookie(headers.get("cookie", "")).get(self._settings.cookie)
        except CookieError:
            found = None
        return (None if found is None else self._of(found.value)), True

    def _of(self, token: str) -> str | None:
        """Return the access of a token; the time does not depend on how much of it is right."""
        access = None
        for known, kind in ((self._settings.read_token, READ), (self._settings.write_token, WRITE)):
            if known is not None and hmac.compare_digest(known.encode(), token.encode("utf-8", "surrogatepass")):
                access = kind
        return access


def _headers(scope: Scope) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key = name.decode("latin-1").lower()
        if key in ("host", "origin", "content-length") and key in found:
            raise Refused(400, f"a request must have one header {key}")
        found[key] = value.decode("latin-1")
    if not (found.get("content-length") or "0").isdecimal():
        raise Refused(400, "content-length must be a number")
    return found


def _limited(receive: Receive) -> Receive:
    """Cut a body off that is longer than allowed, with any content-length."""
    size = 0

    async def limited() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        return message if size <= MAX_BODY else {"type": "http.disconnect"}

    return limited


class _Outgoing:
    """Sends a response with the headers that every response has."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.has_begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_begun = True
            there = {name for name, _ in message["headers"]}
            more = [(n.encode(), v.encode()) for n, v in HEADERS.items() if n.encode() not in there]
            message = {**message, "headers": [*message["headers"], *more]}
        await self._send(message)


async def _answer(send: Send, status: int, body: str, headers: Iterable[tuple[str, str]]) -> None:
    content = body.encode()
    kind = "application/json" if body.startswith("{") else "text/plain; charset=utf-8"
    given = [*HEADERS.items(), *headers, ("content-type", kind), ("content-length", str(len(content)))]
    encoded = [(name.encode(), value.encode()) for name, value in (*given, ("cache-control", "no-store"))]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": content})


def _body(scope: Scope, refused: Refused) -> str:
    return json.dumps({"error": str(refused)}) if "/api/" in scope["path"] else f"error: {refused}\n"


def _log(scope: Scope, refused: Refused) -> None:
    client: Any = scope.get("client")
    who = client[0] if client else "?"
    path = visible(scope["path"][:200])  # without the query, which may hold a token
    log.warning("refused %d %s %s from %s: %s", refused.status, scope["method"], path, who, refused)
