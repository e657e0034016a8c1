from __future__ import annotations

from pathlib import Path

import pytest

from hnet_core.errors import ConfigInvalid
from studies.database.urls import masked, parse_url, sqlite_path, without_secrets


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("hnet.db", "hnet.db"),
        ("sqlite:///hnet.db", "hnet.db"),
        ("sqlite:////data/hnet.db", "/data/hnet.db"),
        ("/data/50% off & more?.db", "/data/50% off & more?.db"),
    ],
)
def test_file_name_and_sqlite_url_name_the_same_file(url: str, path: str) -> None:
    assert sqlite_path(parse_url(url)) == Path(path)
    assert masked(parse_url(url)) == path


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2"])
def test_postgresql_goes_through_psycopg(scheme: str) -> None:
    url = parse_url(f"{scheme}://ann@db/studies")
    assert url.drivername == "postgresql+psycopg"
    assert sqlite_path(url) is None


def test_no_password_is_shown() -> None:
    url = parse_url("postgresql://ann:p%40ss@db/studies?password=word&application_name=x")
    assert masked(url) == "postgresql+psycopg://ann:***@db/studies?application_name=x&password=hidden"
    assert without_secrets("no entry for p@ss\nor word", url) == "no entry for ***"


def test_options_of_a_sqlite_url_are_named_as_the_reason() -> None:
    with pytest.raises(ConfigInvalid, match=r"got 'hnet\.db' with the options mode; leave them out"):
        sqlite_path(parse_url("sqlite:///hnet.db?mode=ro"))
