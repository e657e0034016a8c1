"""Addresses to notify: which are taken, and what of them is shown."""

from __future__ import annotations

import pytest

from studies.spec.notify import check_address, mask_addresses, shown_address
from tests.sweeps.tiny import tiny_spec


@pytest.mark.parametrize("address", ["https://hooks.example/a/b?c=d", "http://127.0.0.1:8000", "http://[::1]:80/x"])
def test_http_and_https_are_taken(address: str) -> None:
    assert check_address(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "hooks.example/a",
        "file:///etc/passwd",
        "ftp://host/",
        "https://",
        "http://host:port/",
        "http://a b/",
        "http://a\n/",
    ],
)
def test_anything_else_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="must be an address that begins with http"):
        check_address(address)
    with pytest.raises(ValueError, match="notify"):
        tiny_spec(notify=address)


def test_what_may_be_secret_is_not_shown() -> None:
    assert shown_address("https://me:password@hooks.example:444/a/b?c=d") == "https://hooks.example:444/..."


@pytest.mark.parametrize(
    "text",
    [
        "notify: https://hooks.example/SECRET\nseeds: 2",
        "notify: 'https://hooks.example/SECRET'",
        "hnet sweep run a.yaml --notify https://hooks.example/SECRET --workers 2",
        "hnet sweep run a.yaml --notify=https://hooks.example/SECRET?x=SECRET",
        "hnet sweep run a.yaml --set notify=https://hooks.example/SECRET",
        "hnet sweep run a.yaml --set 'notify=\"https://hooks.example/SECRET\"'",
        "variants: {quiet: {notify: https://hooks.example/SECRET}}",
    ],
)
def test_addresses_in_specs_and_command_lines_are_cut(text: str) -> None:
    masked = mask_addresses(text)
    assert "SECRET" not in masked
    assert "https://hooks.example/..." in masked
    assert len(masked.splitlines()) == len(text.splitlines())


def test_other_text_stays() -> None:
    text = "study: notify me\npaper: {cite: https://arxiv.org/abs/1906.00695}"
    assert mask_addresses(text) == text
