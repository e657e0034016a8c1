"""One sample study read by many tests, and the report of it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from reports.pages.tradeoff import write_study as write
from studies.queries.studies import Studies
from tests.reports.cases import new_engine, open_in
from tests.studies.sample import sample_study

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Studies:
    """A study of 24 trials, 3 seeds and 4 tasks with failures, duplicates and skipped trials."""
    folder = tmp_path_factory.mktemp("sample")
    engine = new_engine(folder)
    sample_study(engine, n_trials=24, seeds=3, n_tasks=4)
    engine.dispose()
    return open_in(folder)


@pytest.fixture(scope="session")
def report_folder(sample: Studies, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the sample study as written to disk."""
    folder = tmp_path_factory.mktemp("report")
    write(sample, "sample-tradeoff", folder)
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """A browser to look at the page with; missing it is a failure unless HNET_NO_CHROMIUM=1 says that is meant."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is not None:
        return found
    if os.environ.get("HNET_NO_CHROMIUM") == "1":
        pytest.skip("no browser, and HNET_NO_CHROMIUM=1: the page was not looked at")
    pytest.fail("the report must be looked at in a browser: install chromium, or set HNET_NO_CHROMIUM=1 to do without")
