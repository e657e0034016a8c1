"""Opens a page in a real, headless browser: what it did, and its pictures on screen and on paper."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--virtual-time-budget=4000",
)


@dataclass(frozen=True)
class Visit:
    """What a browser made of a page: lines on its console, paths it asked the server for, and the script's result."""

    console: list[str]
    requests: list[str]
    result: Any


def visit(browser: str, folder: Path, page: str, profile: Path, script: str = "", *flags: str) -> Visit:
    """Loads `folder/page` from a local server, runs `script` (the body of a function returning JSON) after its own."""
    probe = f"(() => {{ {script} }})" if script else "(() => null)"
    name = _with_probe(folder, page, probe)
    with _server(folder) as (port, requests):
        command = [
            browser,
            *FLAGS,
            "--enable-logging=stderr",
            "--window-size=1200,1000",
            *flags,
            f"--user-data-dir={profile}",
            "--dump-dom",
            f"http://127.0.0.1:{port}/{name}",
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)
    found = re.search(r'<pre id="probe">(.*?)</pre>', done.stdout, re.DOTALL)
    console = re.findall(r":CONSOLE[:(]\d+\)?\] (.*)", done.stderr)
    return Visit(console, list(requests), json.loads(html.unescape(found[1])) if found else None)


def screenshot(browser: str, page: Path, profile: Path, *flags: str) -> NDArray[np.uint8]:
    """The page on a screen of 1280 x 1500 pixels, (height, width, 3)."""
    file = profile.with_suffix(".png")
    _take(browser, page, profile, "--hide-scrollbars", "--window-size=1280,1500", *flags, f"--screenshot={file}")
    return _pixels(file)


def printed(browser: str, page: Path, profile: Path) -> list[NDArray[np.uint8]]:
    """The sheets of the page as printed to PDF and painted by poppler, each (height, width, 3)."""
    file = profile.with_suffix(".pdf")
    _take(browser, page, profile, "--no-pdf-header-footer", f"--print-to-pdf={file}")
    subprocess.run(["pdftoppm", "-r", "60", "-png", file, file.with_suffix("")], timeout=120, check=True)
    return [_pixels(sheet) for sheet in sorted(file.parent.glob(f"{file.stem}-*.png"))]


def widths(browser: str, pages: Sequence[Path], profile: Path, frame: int = 390) -> list[int]:
    """The width of each page in pixels in a frame as narrow as a phone, which no browser window is."""
    frames = "".join(f'<iframe src="{page.as_uri()}" width="{frame}" height="800"></iframe>' for page in pages)
    measure = (
        "onload = () => { document.body.dataset.widths = [...document.querySelectorAll('iframe')]"
        ".map((one) => one.contentDocument.documentElement.scrollWidth).join(' '); };"
    )
    wrapper = profile.with_suffix(".html")
    wrapper.write_text(f"<!doctype html><style>iframe {{ border: 0 }}</style>{frames}<script>{measure}</script>")
    flags = ("--allow-file-access-from-files", f"--user-data-dir={profile}", "--dump-dom")
    done = subprocess.run(
        [browser, *FLAGS, *flags, wrapper.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    found = re.search(r'data-widths="([\d ]*)"', done.stdout)
    assert found is not None, done.stdout[:500]
    return [int(width) for width in found[1].split()]


def _take(browser: str, page: Path, profile: Path, *flags: str) -> None:
    command = [browser, *FLAGS, *flags, f"--user-data-dir={profile}", page.as_uri()]
    subprocess.run(command, capture_output=True, timeout=120, check=True)


def _pixels(file: Path) -> NDArray[np.uint8]:
    with Image.open(file) as image:
        return np.asarray(image.convert("RGB"))


def _with_probe(folder: Path, page: str, probe: str) -> str:
    """A copy of the page whose policy allows one script more."""
    code = (
        "const out = document.createElement('pre'); out.id = 'probe'; "
        f"out.textContent = JSON.stringify({probe}()); document.body.append(out); console.info('probe ran');"
    )
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    text = (folder / page).read_text(encoding="utf-8")
    text = text.replace("script-src &#39;", f"script-src &#39;sha256-{digest}&#39; &#39;", 1)
    (folder / f"probed-{page}").write_text(text.replace("</body>\n</html>", f"<script>{code}</script></body></html>"))
    return f"probed-{page}"


@contextmanager
def _server(folder: Path) -> Iterator[tuple[int, list[str]]]:
    requests: list[str] = []

    class Recorder(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.path)
            super().do_GET()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Recorder, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1], requests
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
