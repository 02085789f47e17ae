"""Texts that others made: bytes that were no UTF-8 reach us as halves of surrogate pairs, and no JSON takes those."""

from __future__ import annotations


def writable(text: str) -> str:
    """`text` as far as it is Unicode: what a request made us say, or a directory is called, may not be."""
    return text.encode("utf-8", "replace").decode()
