"""Each kind of mark is seen: the picture of a page differs from that of the page without it, on screen and on paper."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from reports.pages.tradeoff_content import collect
from reports.pages.tradeoff_page import page
from studies.queries.studies import Studies
from tests.reports.browser import printed, screenshot
from tests.reports.pages.test_tradeoff import STUDY, Many

CLOUD = r'<g class="points cloud [^"]*">.*?</g>'
SQUARES = r'<g class="points during [^"]*"( id="[^"]*")?( data-trials="[^"]*")?>.*?</g>'


@pytest.fixture(scope="module")
def many(sample: Studies) -> str:
    """The page of more configurations than are drawn one by one."""
    studies: Any = Many(sample, 1700)
    return page(collect(studies, STUDY))


@pytest.fixture
def poppler() -> None:
    if shutil.which("pdftoppm") is None:
        pytest.skip("no pdftoppm (poppler-utils): printed pages were not looked at")


def with_and_without(html: str, marks: str, folder: Path) -> list[Path]:
    """Files of the page and of the page without some of its marks."""
    without = re.sub(marks, "", html, flags=re.DOTALL)
    assert without != html
    files = [folder / "with.html", folder / "without.html"]
    for file, text in zip(files, (html, without), strict=True):
        file.write_text(text, encoding="utf-8")
    return files


def n_different(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> int:
    """Number of pixels that differ visibly."""
    assert one.shape == other.shape
    return int((np.abs(one.astype(int) - other).max(axis=2) > 20).sum())


@pytest.mark.parametrize("theme", [1, pytest.param(0, marks=pytest.mark.slow)], ids=["light", "dark"])
@pytest.mark.parametrize("marks", [CLOUD, pytest.param(SQUARES, marks=pytest.mark.slow)], ids=["cloud", "squares"])
def test_marks_are_seen_on_screen(chromium: str, many: str, tmp_path: Path, marks: str, theme: int) -> None:
    flag = f"--blink-settings=preferredColorScheme={theme}"
    files = with_and_without(many, marks, tmp_path)
    pictures = [screenshot(chromium, file, tmp_path / f"profile-{file.stem}", flag) for file in files]
    assert n_different(*pictures) > 300


@pytest.mark.slow
@pytest.mark.usefixtures("poppler")
@pytest.mark.parametrize("marks", [CLOUD, SQUARES], ids=["cloud", "squares"])
def test_marks_of_many_configurations_are_seen_on_paper(chromium: str, many: str, tmp_path: Path, marks: str) -> None:
    assert sum(seen_on_paper(chromium, many, marks, tmp_path)) > 300


@pytest.mark.slow
@pytest.mark.usefixtures("poppler")
def test_squares_and_dots_are_seen_on_paper(chromium: str, report_folder: Path, tmp_path: Path) -> None:
    html = (report_folder / "tradeoff.html").read_text(encoding="utf-8")
    assert sum(seen_on_paper(chromium, html, SQUARES, tmp_path)) > 100


def seen_on_paper(chromium: str, html: str, marks: str, folder: Path) -> list[int]:
    """Number of pixels of each sheet that the marks change."""
    files = with_and_without(html, marks, folder)
    one, other = (printed(chromium, file, folder / f"profile-{file.stem}") for file in files)
    return [n_different(*sheets) for sheets in zip(one, other, strict=True)]


def test_no_mark_is_a_path_without_length(many: str, report_folder: Path) -> None:
    for html in (many, (report_folder / "tradeoff.html").read_text(encoding="utf-8")):
        assert not re.findall(r"[hv]-?0(?![.\d])", "".join(re.findall(r' d="([^"]*)"', html)))
