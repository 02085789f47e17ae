"""Output texts with placeholders: `step {n} loss {loss:.4f}`, and no more of Python's format language."""

from __future__ import annotations

import re
from collections.abc import Collection

from emulator.documents import Node
from emulator.documents.syntax import cut
from emulator.scenario.file.grammar import Findings, listed, nearest
from emulator.scenario.output import Placeholder, Template

COUNTER = "n"
"""The placeholder that counts an entry's lines, from 1."""

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+")
_SPEC = re.compile(r"0?[1-9]?[0-9]?(?:\.[0-9]{1,2})?[feg]|0?[0-9]{0,2}d", re.ASCII)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def read_template(text: str, names: Collection[str] | None, node: Node, path: str, findings: Findings) -> Template:
    """`text` cut at its placeholders, each `n` or one of `names`; what is wrong goes to `findings`.

    None: the names could not be read, and may be any.
    """
    pieces: list[str | Placeholder] = []
    literal: list[str] = []
    for found in _PIECE.finditer(text):
        piece = found.group()
        if piece in ("{{", "}}"):
            literal.append(piece[0])
        elif found.group(1) is None and piece not in ("{", "}"):
            literal.append(piece)
        else:
            problem = _problem(piece, names)
            if problem is not None:
                findings.note(node, path, problem, beyond_schema=True)
                continue
            if literal:
                pieces.append("".join(literal))
                literal = []
            name, _, spec = piece[1:-1].partition(":")
            pieces.append(Placeholder(name, spec))
    if literal:
        pieces.append("".join(literal))
    return tuple(pieces)


def _problem(piece: str, names: Collection[str] | None) -> str | None:
    """What is wrong with one placeholder."""
    if len(piece) == 1:
        closed = ", or close the placeholder with `}`" if piece == "{" else ""
        return f"a lone `{piece}`: write `{piece * 2}` for a brace in the output{closed}"
    inside = piece[1:-1]
    name, colon, spec = inside.partition(":")
    if _NAME.fullmatch(name) is None and name.strip() in (COUNTER, *(names or ())):
        return f"`{cut(piece)}` has spaces in it: write `{{{name.strip()}{colon}{spec.strip()}}}`"
    if _NAME.fullmatch(name) is None:
        what = "an empty placeholder" if not inside.strip() else f"`{cut(piece)}` is no placeholder"
        escaped = cut("{{" + inside + "}}")
        return f"{what}: write `{escaped}` for braces in the output, or `{{n}}` for the number of the line"
    if names is not None and name != COUNTER and name not in names:
        near = nearest(name, (*names, COUNTER))
        known = f"did you mean `{{{near}}}`?" if near else f"add it to `fields`, or write `{{{{{cut(inside)}}}}}`"
        return f"`{cut(piece)}` names no field: {known}"
    if colon and _SPEC.fullmatch(spec) is None:
        examples = listed((f"{{{name}:.4f}}", f"{{{name}:5d}}", f"{{{name}:.1e}}", f"{{{name}:g}}"))
        return f"`{cut(spec)}` in `{cut(piece)}` is no number format: write for example {examples}"
    return None
