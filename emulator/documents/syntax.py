"""YAML's words: what a plain one stands for, and what to do about a text that does not parse."""

from __future__ import annotations

import re

import yaml

from emulator.errors import Problem

INTEGER_RANGE = range(-(2**63), 2**64)
"""Whole numbers that JSON readers agree on; longer ones stay text."""

_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", re.ASCII)
_UNIT = re.compile(r"[-+.]?[0-9]\S*|~|true|false|null")
_FLOW_KEY = re.compile(r"(?<![^\s,{\[])[^\s,:{}\[\]'\"]+:\s+(?=[^\s,{}\[\]'\"])")
_FLOW_VALUE = re.compile(r"(?:\{\w*(?::[^{}]*)?\}|[^,{}\[\]])*")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_WORDS: dict[str, bool | float | None] = {"": None, "~": None}
for _word, _value in (("null", None), ("true", True), ("false", False)):
    _WORDS |= {_word: _value, _word.title(): _value, _word.upper(): _value}
for _word in (".inf", ".Inf", ".INF"):
    _WORDS |= {_word: float("inf"), f"+{_word}": float("inf"), f"-{_word}": float("-inf")}
_WORDS |= dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan"))


def plain_value(text: str) -> bool | int | float | str | None:
    """What the unquoted `text` stands for by YAML 1.2's core schema."""
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > 400:
        return text
    if _INTEGER.fullmatch(text):
        number = int(text, 0 if text[:2] in ("0o", "0x") else 10)
        return number if number in INTEGER_RANGE else text
    return float(text) if _FLOAT.fullmatch(text) else text


def is_long_integer(text: str) -> bool:
    """Whether `plain_value` left `text` as it is only because it is too long for a number."""
    return _INTEGER.fullmatch(text) is not None and plain_value(text) == text


def explain_syntax_error(text: str, error: yaml.MarkedYAMLError) -> Problem:
    """The parser's complaint in words a person understands, with what would be right.

    Told by phrases that PyYAML's two parsers share, and by the line it stopped at.
    """
    mark = error.problem_mark or error.context_mark
    line = 0 if mark is None else mark.line
    column = 0 if mark is None else mark.column
    return _Complaint(text.splitlines() or [""], error, line, column).explained()


def cut(text: str) -> str:
    """`text` as a message can show it: its first line, and not too much of that."""
    first = text[:61].splitlines()[0] if text[:61].splitlines() else ""
    return text if first == text and len(text) <= 60 else f"{first[:59].rstrip()}…"


class _Complaint:
    """Lines, and what the parser said about which of them; lines and columns count from 0 in here."""

    def __init__(self, lines: list[str], error: yaml.MarkedYAMLError, line: int, column: int) -> None:
        self.lines, self.line, self.column = lines, line, column
        self.said, self.context = error.problem or "", error.context or ""
        self.context_mark = error.context_mark

    def explained(self) -> Problem:
        tab = self._tab()
        if tab is not None:
            return tab
        for phrases, explain in (
            (("mapping values are not allowed",), self._stray_colon),
            (("could not find expected ':'",), self._missing_colon),
            (("unexpected end of stream", "unexpected document indicator"), self._open_quote),
            (("cannot start any token",), self._reserved_character),
            (("alphabetic or numeric character",), self._bad_alias),
            (("escape",), self._bad_escape),
            (("expected ',' or",), self._open_bracket),
            (("<block end>", "expected key", "'-' indicator", "<document start>"), self._misfit),
            (("sequence entries are not allowed",), self._stray_dash),
            (("node content",), self._stray_character),
        ):
            if any(phrase in self.said for phrase in phrases):
                return explain()
        if "block scalar" in self.context:
            message = "the text of a `|` or `>` starts on the next line, indented"
            return self._at(self.line, self.column, message)
        return self._at(self.line, self.column, f"this is not YAML: {self.said}")

    def _at(self, line: int, column: int, message: str) -> Problem:
        return Problem(message, "", line + 1, column + 1)

    def _text(self, line: int) -> str:
        return self.lines[line] if line < len(self.lines) else ""

    def _tab(self) -> Problem | None:
        text = self._text(self.line)
        blank = text[: len(text) - len(text.lstrip())]
        if "\t" not in blank:
            return None
        return self._at(self.line, blank.index("\t"), "a tab indents this line: YAML wants spaces")

    def _stray_colon(self) -> Problem:
        text = self._text(self.line)
        earlier = re.search(r"(?<!\S)[^\s:{[,][^:{[,]*:\s+\S", text[: self.column])
        if earlier:
            message = f"a second `: ` in one value: {_as_text(text[earlier.end() - 1 :])}"
            return self._at(self.line, self.column, message)
        above = self._above(self.line)
        if above is None:
            return self._at(self.line, self.column, "a `:` that no key stands before")
        start = self._text(above)
        content = re.sub(r"^\s*(- +)*", "", start).rstrip()
        column = len(start) - len(re.sub(r"^\s*(- +)*", "", start))
        spaceless = self._spaceless(above, column, content)
        if spaceless is not None:
            return spaceless
        if re.match(r"-\w", content):
            message = f"a space is missing after the `-`: write `- {content[1:]}`"
            return self._at(above, column, message)
        if ": " not in content and not content.endswith(":"):
            word, _, rest = content.partition(" ")
            return self._at(
                above,
                column,
                f"`{cut(word)}` has no colon after it: write `{cut(f'{word}: {rest}'.strip())}`",
            )
        indent = len(text) - len(text.lstrip())
        message = f"this line is indented deeper than line {above + 1}, which has its value already"
        return self._at(self.line, indent, f"{message}: start it in column {column + 1}")

    def _missing_colon(self) -> Problem:
        if self.context_mark is None:
            return self._at(self.line, self.column, "a key without its colon")
        line, column = self.context_mark.line, self.context_mark.column
        content = self._text(line)[column:].rstrip()
        spaceless = self._spaceless(line, column, content)
        if spaceless is not None:
            return spaceless
        word, _, rest = content.partition(" ")
        return self._at(line, column, f"`{cut(word)}` has no colon after it: write `{cut(f'{word}: {rest}'.strip())}`")

    def _spaceless(self, line: int, column: int, content: str) -> Problem | None:
        found = re.match(r"([A-Za-z_]\w*):(?=[^\s/:])(.*)", content)
        if found is None:
            return None
        written = cut(f"{found[1]}: {found[2]}")
        return self._at(line, column, f"a space is missing after the colon: write `{written}`")

    def _open_quote(self) -> Problem:
        mark = self.context_mark
        line, column = (self.line, self.column) if mark is None else (mark.line, mark.column)
        quote = self._text(line)[column : column + 1]
        return self._at(line, column, f"the quote that opens here (`{quote}`) is never closed")

    def _reserved_character(self) -> Problem:
        character = self._text(self.line)[self.column : self.column + 1]
        if character == "\t":
            return self._at(self.line, self.column, "a tab stands here: YAML wants spaces")
        rest = self._text(self.line)[self.column :].rstrip()
        message = f"a value cannot start with `{character}`: put it in quotes, `{_quoted(rest)}`"
        return self._at(self.line, self.column, message)

    def _bad_alias(self) -> Problem:
        mark = self.context_mark
        line, column = (self.line, self.column) if mark is None else (mark.line, mark.column)
        rest = re.split(r"[,}\]]|\s#", self._text(line)[column:])[0].rstrip()
        means = "an alias" if rest.startswith("*") else "an anchor"
        message = f"`{rest[:1]}` starts {means} in YAML: put the pattern in quotes, `{_quoted(rest)}`"
        return self._at(line, column, message)

    def _bad_escape(self) -> Problem:
        found = re.search(r"\\[^\s0abtnvfre\"/\\N_LPxuU]", self._text(self.line)[max(0, self.column - 1) :])
        if found is None:
            message = "this escape names no character: write `\\n`, `\\t`, `\\x1b` or `\\u00e9`"
            return self._at(self.line, self.column, message)
        column = max(0, self.column - 1) + found.start()
        message = f"`{found[0]}` is no escape: write `\\{found[0]}`, or use single quotes"
        return self._at(self.line, column, message)

    def _open_bracket(self) -> Problem:
        mark = self.context_mark
        line, column = (self.line, self.column) if mark is None else (mark.line, mark.column)
        opening = self._text(line)[column : column + 1]
        closing = "]" if opening == "[" else "}"
        found = re.search(r"(?<![^\s,{}\[\]])[^\s,{}\[\]]+$", self._text(self.line)[: self.column])
        if found is not None and self._text(self.line)[self.column : self.column + 1] == ":":
            second = self._second_colon(found)
            if second is not None:
                return second
            if self.line == line:
                return self._at(line, found.start(), f"a `,` is missing before `{cut(found[0])}`")
        if self.line > line:
            return self._at(line, column, f"the `{opening}` that opens here is never closed with `{closing}`")
        return self._at(self.line, self.column, f"a `,` or the closing `{closing}` is missing before this")

    def _second_colon(self, word: re.Match[str]) -> Problem | None:
        """For `{error: ValueError: bad}`: text with a colon inside, unless what stands before `word` ends a value."""
        text = self._text(self.line)
        keys = list(_FLOW_KEY.finditer(text[: self.column]))
        key = keys[-1] if keys else None
        if key is None or re.search(r"[,{}\[\]]", text[key.end() : self.column]):
            return None
        before = text[key.end() : word.start()].split()
        value = _FLOW_VALUE.match(text, key.end(), key.end() + 200)  # no longer text is shown
        if (len(before) == 1 and _UNIT.fullmatch(before[0])) or value is None:
            return None
        whole, behind = _as_text(value[0]), text[self.column + 1 : value.end()].split()
        is_sentence = len(before) > 1 or len(behind) > 1 or not re.fullmatch("[a-z_]+", word[0])
        if not before or is_sentence or not re.fullmatch("[a-z][a-z_-]*", before[0]):
            return self._at(self.line, self.column, f"a second `: ` in one value: {whole}")
        message = f"a `,` is missing before `{cut(word[0])}`; if it is all one text, {whole}"
        return self._at(self.line, word.start(), message)

    def _misfit(self) -> Problem:
        for line in range(self.line, max(-1, self.line - 50), -1):
            found = re.match(r"\s*(?=-\w[^\s:]*:(\s|$))", self._text(line))
            if found is not None:
                item = self._text(line)[found.end() + 1 :].rstrip()
                message = f"a space is missing after the `-`: write `- {cut(item)}`"
                return self._at(line, found.end(), message)
        text = self._text(self.line)
        before = text[: self.column].rstrip()
        indent = len(text) - len(text.lstrip())
        if self.column > indent and before.endswith(('"', "'", "}", "]")):
            return self._unclosed_above(before[-1]) or self._spilled(before[-1])
        return self._at(self.line, indent, self._misplaced(text, indent))

    def _spilled(self, closing: str) -> Problem:
        """Text behind the end of a quoted or bracketed value."""
        if closing in "}]":
            message = f"text goes on after the closing `{closing}`: put the whole value in double quotes"
        else:
            inside = '\\"' if closing == '"' else "''"
            message = f"text goes on after the closing quote: write `{inside}` for a quote inside the text"
        return self._at(self.line, self.column, message)

    def _misplaced(self, text: str, indent: int) -> str:
        """What is wrong with a line that fits nothing above it."""
        is_item = text[indent:].startswith("- ")
        for line in range(self.line - 1, -1, -1):
            above = self._text(line)
            content = above.lstrip()
            if not content or content.startswith("#") or len(above) - len(content) > indent:
                continue
            if len(above) - len(content) < indent or content.startswith("- ") == is_item:
                break
            if is_item:
                return f"a list item beside the key in line {line + 1}: give the list a key of its own"
            return f"a key beside the list item in line {line + 1}: indent it by two more, or start it with `- `"
        spaces = "1 space" if indent == 1 else f"{indent} spaces"
        return f"this line starts after {spaces}, where none of the lines above does: align it with one of them"

    def _unclosed_above(self, quote: str) -> Problem | None:
        """A quote that an earlier line opened and this one closes, so that the text behind it spills out."""
        if quote not in "\"'":
            return None
        for line in range(self.line - 1, max(-1, self.line - 50), -1):
            text = self._text(line).replace('\\"', "  ").replace("''", "  ")
            if text.count(quote) % 2:
                return self._at(
                    line,
                    text.rindex(quote),
                    f"the quote that opens here (`{quote}`) is not closed in its line",
                )
        return None

    def _stray_dash(self) -> Problem:
        return self._at(self.line, self.column, "a list item on the line of its key: start it on a line of its own")

    def _stray_character(self) -> Problem:
        character = self._text(self.line)[self.column : self.column + 1]
        if not character:
            return self._at(self.line, self.column, "a value is missing here")
        if character == ":":
            return self._at(self.line, self.column, "a key is missing before this `:`")
        return self._at(self.line, self.column, f"a value cannot start with `{character}`: put it in quotes")

    def _above(self, line: int) -> int | None:
        """The nearest earlier line that says something."""
        for number in range(line - 1, -1, -1):
            text = self._text(number).strip()
            if text and not text.startswith("#"):
                return number
        return None


def _quoted(text: str) -> str:
    return f"'{cut(text)}'" if "'" not in text else f'"{cut(text)}"'


def _as_text(value: str) -> str:
    """How to write `value` so that its colons are text."""
    value = value.strip()
    if len(value) >= 60:
        return "put the whole value in quotes"
    doubled = value.replace("'", "''")
    return f"write the value as `'{doubled}'`"
