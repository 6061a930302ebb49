"""The reference of the policy language, written from its model: a page for people and a JSON Schema for editors."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from prorata.engine.calendar import MONTHS
from prorata.engine.money import Minor
from prorata.engine.policy.language import RULE_TABLES, Key, json_schema, keys_of, tables
from prorata.engine.policy.model import PolicyKeys
from prorata.engine.policy.tariff import Price

_INTRODUCTION = """\
# The policy language

A policy is a TOML file: what a vendor sells, at which prices, and by which rules it is billed. This page lists every
key. It is written from the same model from which files are read, so it cannot differ from what is accepted.
`prorata policy check FILE` checks a file, `prorata policy show FILE` tells it in plain sentences, and
[policy.schema.json](policy.schema.json) lets an editor complete and check it while you type.

A key that is not listed here is an error, and so are a value that is not allowed, choices that contradict each other,
and a key that would never have an effect. Every error names the file, the line, the key and what is allowed.

The shortest policy names a currency, an interval and a plan:

```toml
currency = "EUR"
intervals = ["month"]

[plans.standard]
price = "10.00 per month"
```
"""

_WHEN = """\
Any of the rule tables (%s) may stand in a `[[when]]`, with only the keys that differ:

```toml
[[when]]
interval = "year"
rise.settle = "quarter"
share.by = "months"
```
"""

# What an example needs beside it: alone it would be refused, because it contradicts a default or has no effect.
_TWO_PLANS = '[plans.BASIC]\nprice = "299.00 per month"\n\n[plans.PRO]\nprice = "699.00 per month"'

# What has to stand above the table that an example is in.
_ABOVE: Mapping[tuple[str, str], str] = {("when", "payment_method"): 'payment_methods = ["card", "invoice"]'}

BESIDE: Mapping[tuple[str, str], str] = {
    ("….prices", "announced"): "from = 2027-01-01",
    ("plans.NAME", "tiers"): '[[plans.PRO.prices]]\nabove = 10\nprice = "599.00 per month"',
    ("….prices", "role"): "[roles.editor]\n\n[roles.viewer]",
    ("….prices", "above"): '[[plans.PRO.prices]]\nprice = "10.00 per month"',
    ("….prices", "overage"): '[seats]\ncount = "larger"',
    ("roles.NAME", "billed"): "[roles.paying]",
    ("when", "interval"): 'rise.settle = "quarter"',
    ("when", "plan"): 'rise.settle = "quarter"',
    ("", "payment_methods"): '[[when]]\npayment_method = "invoice"\nrise.settle = "now"',
    ("when", "payment_method"): 'rise.settle = "now"',
    ("when", "item"): 'share.by = "period"\n\n[add_ons.sms]\nprice = "49.00 per month"',
    ("when", "role"): "seats.minimum = 3\n\n[roles.editor]\n\n[roles.viewer]",
    ("when", "from"): 'rise.settle = "quarter"',
    ("when", "until"): 'rise.settle = "quarter"',
    ("seats", "below_active"): 'count = "bought"',
    ("seats", "free"): "[roles.editor]\n\n[roles.commenter]",
    ("period", "term_months"): '[cancel]\nends = "term"',
    ("change", "dearer_plan"): _TWO_PLANS,
    ("change", "cheaper_plan"): _TWO_PLANS,
    ("fall", "window_days"): 'takes_effect = "next_period"',
    ("period", "stub"): 'anchor = "calendar"',
    ("seats", "idle_days"): 'counts_from = "activity"',
    ("seats", "on_day"): 'measure = "snapshot"',
    ("seats", "least_days"): 'measure = "distinct"',
    ("seats", "of"): 'measure = "peak"',
    ("rise", "least_seats"): 'settle = "now"',
    ("rise", "least_amount"): 'settle = "now"',
    ("share", "started"): 'by = "months"',
}


def pages() -> dict[str, str]:
    """The files of the reference that are written from the model, by name."""
    schema = json.dumps(json_schema(), indent=2, ensure_ascii=False)
    return {"policy.md": "\n".join(_page()), "policy.schema.json": f"{schema}\n"}


def block(path: str, key: Key) -> str:
    """A key's example in TOML, complete but for what every policy has: currency, intervals and a plan."""
    others = [one.example for one in keys_of(dict(tables())[path]) if one.required and one.name != key.name]
    beside = BESIDE.get((path, key.name), "").split("\n\n")
    examples = [*(others if path else ()), *beside, key.example]
    lines = [one for one in examples if one and not one.startswith("[")]
    own = [_header(path), *lines] if lines and path else lines
    above = [_ABOVE[path, key.name]] if (path, key.name) in _ABOVE else []
    return "\n\n".join([*above] + ["\n".join(own)] * bool(own) + [one for one in examples if one.startswith("[")])


def _header(path: str) -> str:
    """The line with which the examples of a table begin, under the name that the model's own example gives it."""
    if path == "when":
        return "[[when]]"
    if path in RULE_TABLES:
        return f"[{path}]"
    keys = {key.name: key.example for _, table in list(tables())[:2] for key in keys_of(table)}
    example = keys[path.removesuffix(".NAME").removeprefix("….")]
    return [line for line in example.splitlines() if line.startswith("[")][-1]


def _page() -> Iterator[str]:
    yield _INTRODUCTION
    for path, table in tables():
        yield f"## {_title(path)}\n"
        yield f"{_says(table)}\n"
        if path == "when":
            yield _WHEN % ", ".join(f"`{name}`" for name in RULE_TABLES)
        for key in keys_of(table):
            yield f"### `{_dotted(path, key)}`\n"
            yield f"{key.meaning}\n"
            yield f"- Value: {_value(key.type)}{'; or once' if key.type is Price and key.name == 'price' else ''}"
            yield f"- Default: {_default(key)}\n"
            yield f"```toml\n{block(path, key)}\n```\n"


def _says(table: type) -> str:
    if table is PolicyKeys:
        return "Those of these keys that are not tables themselves stand at the top, before the first table."
    return inspect.cleandoc(table.__doc__ or "")


def _title(path: str) -> str:
    named = {"": "The file", "….prices": "`plans.NAME.prices` and `add_ons.NAME.prices`", "when": "`[[when]]`"}
    return named.get(path, f"`[{path}]`")


def _dotted(path: str, key: Key) -> str:
    return f"{path.removeprefix('….')}.{key.name}" if path else key.name


def _value(type_: Any) -> str:
    origin = get_origin(type_)
    if origin is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(type_))
    if origin is tuple:
        one = get_args(type_)[0]
        if get_origin(one) is Literal:
            return f"a list of {_value(one)}"
        return {str: "a list of texts", int: "a list of whole numbers"}.get(one, "a list of tables")
    if origin is Mapping:
        return "a table for each name"
    return {
        Price: f"an amount in quotes and what it buys: per {', '.join(MONTHS)}",
        Minor: 'an amount in quotes, such as `"100.00"`',
        Fraction: "a percentage in quotes, from 0 to 100",
        str: "a text",
        int: "a whole number, 0 or more",
        bool: "`true` or `false`",
        date: "a day, without quotes",
    }[type_]


def _default(key: Key) -> str:
    if key.required:
        return "none, it must be given"
    if key.default in (None, ()):
        return "left out"
    if isinstance(key.default, bool):
        return f"`{str(key.default).lower()}`"
    if isinstance(key.default, Fraction) or key.type is Minor:
        return f'`"{key.default}"`'
    return f"`{key.default}`"


def run(folder: Path) -> None:
    """Writes the files into a folder."""
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        sys.exit("usage: python -m prorata.console.reference FOLDER")
    run(Path(sys.argv[1]))
