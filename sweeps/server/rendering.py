"""Pages as responses: one layout, made once per version of what they show, with an ETag."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from reports.pages.render import asset, page_template
from studies.database.urls import mask_passwords
from sweeps.server.addresses import Addresses
from sweeps.server.service import Kept, Service

FOLDER = Path(__file__).parent
MAX_BYTES = 64 * 2**20  # of the pages that are kept


def assets() -> dict[str, tuple[str, str]]:
    """Return the content type and the text of each file the pages refer to."""
    own = {path.name: path.read_text(encoding="utf-8") for path in sorted((FOLDER / "static").iterdir())}
    return {
        "page.css": ("text/css; charset=utf-8", asset("report.css") + own["server.css"]),
        "figures.js": ("text/javascript; charset=utf-8", asset("report.js")),
        "live.js": ("text/javascript; charset=utf-8", own["live.js"]),
        "icon.svg": ("image/svg+xml", own["icon.svg"]),
    }


ASSETS = assets()
ASSET_VERSION = hashlib.sha256("".join(text for _, text in ASSETS.values()).encode()).hexdigest()[:12]


class Pages:
    """Renders pages, and keeps them until what they show changes."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._kept = Kept(MAX_BYTES, len)
        self.addresses = Addresses(service.settings.root_path)

    def respond(self, request: Request, version: str, template: str, make: Callable[[], dict[str, Any]]) -> Response:
        """Return a page, or 304 where the browser has it.

        Args:
            version: of everything the page shows besides its address and the access of the token.
            make: the content of the template, where the page was not made before.
        """
        access = "write" if self._service.may_write(request) else "read"
        key = (request.url.path, str(request.query_params), access)
        tag = (
            '"'
            + hashlib.sha256(repr((*key, version, ASSET_VERSION)).encode("utf-8", "surrogatepass")).hexdigest()[:24]
            + '"'
        )
        headers = {"etag": tag, "cache-control": "private, no-cache"}
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        body = self._kept.get(key, version, lambda: self.render(request, template, make()))
        return Response(body, headers=headers, media_type="text/html")

    def render(self, request: Request, template: str, content: dict[str, Any]) -> bytes:
        """Fill a template of this package."""
        text = page_template(template, FOLDER / "templates").render(
            at=self.addresses,
            asset=lambda name: self.addresses.to(f"/static/{name}", v=ASSET_VERSION),
            may_write=self._service.may_write(request),
            read_only=self._service.settings.read_only,
            db=mask_passwords(self._service.settings.db),
            root=self._service.settings.root_path,
            here=self.addresses.to(request.url.path.removeprefix(self._service.settings.root_path)),
            query=list(request.query_params.multi_items()),
            **{"live": "", "hover": {}, **content},
        )
        return text.encode("utf-8", "backslashreplace")
