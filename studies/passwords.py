"""Keeps passwords out of what is stored and shown."""

from __future__ import annotations

import re


def mask_passwords(text: str) -> str:
    """The text with the password of every URL in it hidden."""
    return re.sub(r"(\w://[^\s:/@]*):[^\s/]*@", r"\1:***@", text)
