"""Files of rows: CSV or JSON Lines on disk, and every problem names the file and the line."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prorata.engine.intake import COLUMNS, IntakeError, Row, near


@dataclass(frozen=True, slots=True)
class Format:
    """Which columns a file has, and which of them it needs; what a row is called. Others may be there if `open`."""

    columns: tuple[str, ...]
    needed: tuple[str, ...]
    row: str
    open: bool = False


EVENTS = Format(COLUMNS, ("at", "account", "event"), "event")
USERS = Format(("account", "user", "role"), ("account", "user"), "user", open=True)


def read_event_file(name: str) -> list[Row]:
    """The events of a file, `-` for standard input; JSON Lines where the first line begins with a brace."""
    return rows_of(*_text(name))


def read_user_list(name: str) -> list[Row]:
    """The users of a file, as events are read; columns that say something else of them are left out."""
    rows = rows_of(*_text(name), USERS)
    return [
        Row(row.place, {column: cell for column, cell in row.cells.items() if column in USERS.columns}) for row in rows
    ]


def read_account_file(name: str, columns: tuple[str, ...]) -> list[Row]:
    """What a file tells of accounts in these columns, as events are read."""
    return rows_of(*_text(name), Format(columns, ("account",), "account"))


def read_payment_file(name: str, columns: tuple[str, ...], needed: tuple[str, ...]) -> list[Row]:
    """The payments of a file, as events are read."""
    return rows_of(*_text(name), Format(columns, needed, "payment"))


def rows_of(shown: str, text: str, format: Format = EVENTS) -> list[Row]:
    """The rows of a text; `shown` is how problems name it."""
    if not text.strip():
        raise IntakeError([f"{shown} is empty; the first line names the columns: {', '.join(format.columns)}"])
    first = text.lstrip()[0]
    if first == "[":
        raise IntakeError(
            [f"{shown}, line 1: this is a JSON array; write JSON Lines, each {format.row} an object on its line"]
        )
    rows = list(_json_rows(shown, text) if first == "{" else _csv_rows(shown, text, format))
    if not rows:
        raise IntakeError([f"{shown} has a header and no {format.row}s"])
    return rows


def _text(name: str) -> tuple[str, str]:
    """How problems name the file, and what it says."""
    shown = "standard input" if name == "-" else name
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise IntakeError([f"{shown} cannot be read: {error.strerror}"]) from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise IntakeError(
            [f"{shown}, line {line}: the byte 0x{raw[error.start]:02X} is not UTF-8; save the file as UTF-8"]
        ) from None
    if "\0" in text:
        raise IntakeError([f"{shown}, line 1: the file holds zero bytes, so it is not UTF-8 text; save it as UTF-8"])
    return shown, text


def _csv_rows(name: str, text: str, format: Format) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    begins = 1
    try:
        header = [column.strip() for column in next(reader)]
        _check_header(name, header, format)
        begins = reader.line_num + 1
        for cells in reader:
            begins, began = reader.line_num + 1, begins
            if not any(cell.strip() for cell in cells):
                continue
            place = f"{name}, line {began}"
            if len(cells) > len(header):
                raise IntakeError(
                    [f"{place}: {len(cells)} values for {len(header)} columns; put texts with commas in quotes"]
                )
            yield Row(
                place, {column: cell.strip() for column, cell in zip(header, cells, strict=False) if cell.strip()}
            )
    except csv.Error as error:
        said = str(error)
        if "expected after" in said:
            said = "a quoted value goes on after its closing quote; write a quote within one as two"
        elif "end of data" in said:
            said = "a quote is opened here and never closed"
        elif "limit" in said:
            said = f"a value has more than {csv.field_size_limit():,} signs; a quote may not be closed"
        raise IntakeError([f"{name}, line {begins}: {said}"]) from None


def _check_header(name: str, header: list[str], format: Format) -> None:
    problems = []
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        raise IntakeError([f"{name}, line 1: the columns are separated by something else than commas: {header[0]!r}"])
    for at, column in enumerate(header, 1):
        meant = near(column, format.columns)
        if column not in format.columns and (meant or not format.open):
            allowed = ", ".join(format.columns)
            problems.append(f"{name}, line 1, column {at}: {column!r} is not a column; {meant}allowed: {allowed}")
        elif column in header[: at - 1]:
            problems.append(f"{name}, line 1, column {at}: {column!r} is there twice")
    problems += [f"{name}, line 1: the column {column} is missing" for column in format.needed if column not in header]
    if problems:
        raise IntakeError(problems)


class _Twice(Exception):
    """A key that an object has twice."""


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for key, value in pairs:
        if key in told:
            raise _Twice(key)
        told[key] = value
    return told


def _json_rows(name: str, text: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        place = f"{name}, line {number}"
        try:
            told = json.loads(line, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_once_each)
        except json.JSONDecodeError as error:
            raise IntakeError([f"{place}, column {error.colno}: this is not JSON: {error.msg}"]) from None
        except _Twice as error:
            raise IntakeError([f"{place}: {error.args[0]!r} is there twice"]) from None
        except RecursionError:
            told = None
        if not isinstance(told, dict) or any(isinstance(value, (dict, list, bool)) for value in told.values()):
            raise IntakeError([f"{place}: a line is one flat object of texts and numbers"])
        cells = {key: value.strip() for key, value in told.items() if value is not None}
        for key, value in cells.items():
            if "\0" in key + value:
                raise IntakeError([f"{place}: {key!r} holds a zero byte"])
            if any("\ud800" <= sign <= "\udfff" for sign in key + value):
                raise IntakeError([f"{place}: {key!r} holds half of a character ({value!r})"])
        yield Row(place, {key: value for key, value in cells.items() if value})
