"""Reading a policy file: strictly, and with every mistake named by its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from difflib import get_close_matches
from fractions import Fraction
from itertools import product
from typing import Any, Literal, cast, get_args, get_origin, get_type_hints

from prorata.engine.calendar import DAYS, MONTHS, YEARS, Interval
from prorata.engine.money import Minor, parse_amount
from prorata.engine.policy.checks import contradictions
from prorata.engine.policy.language import RULE_TABLES, Key, keys_of
from prorata.engine.policy.model import SIZES, Policy, PolicyKeys, Rules, When, matching
from prorata.engine.policy.problems import Path, Problem
from prorata.engine.policy.tariff import AddOn, Plan, Price, PriceRow
from prorata.engine.words import listed


class PolicyError(ValueError):
    """A policy that cannot be used; says for each problem the file, the line, the key and what is allowed."""

    def __init__(self, sentences: Sequence[str]) -> None:
        self.sentences = tuple(sentences)
        super().__init__("\n".join(self.sentences))

    @classmethod
    def of_text(cls, source: str, text: str, problems: Sequence[Problem]) -> PolicyError:
        places = [f"{source}, line {line_of(text, one.path)}" if text else source for one in problems]
        return cls([f"{place}: {one.sentence}" for place, one in zip(places, problems, strict=True)])


def read_policy(text: str, *, name: str, source: str) -> Policy:
    """The policy that a TOML text writes down; `source` is how errors name the file. Raises PolicyError."""
    try:
        document = tomllib.loads(text)
    except RecursionError:
        raise PolicyError([f"{source}: this is not TOML that can be read: it is nested too deeply"]) from None
    except ValueError as error:  # TOMLDecodeError is one; so is a number of thousands of digits
        raise PolicyError([f"{source}: this is not TOML: {error}"]) from error
    return read_document(document, name=name, source=source, text=text)


def read_document(document: Mapping[str, Any], *, name: str, source: str, text: str = "") -> Policy:
    """The policy that plain data writes down; `text` is the file it came from, for line numbers. Raises PolicyError."""
    reader = _Reader()
    policy = reader.policy(document, name)
    if policy is not None and not reader.problems:
        reader.problems.extend(contradictions(policy, document))
    if policy is None or reader.problems:
        raise PolicyError.of_text(source, text, reader.problems)
    return policy


# What the values of the language are called elsewhere.
_CALLED: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("immediate", "immediately", "at_once"), ("now", "day")),
    **dict.fromkeys(("credit_note", "prorated"), ("credit",)),
    **dict.fromkeys(("refunded", "money_back", "paid_back", "payback"), ("refund",)),
    **dict.fromkeys(("none", "no", "no_refund"), ("nothing", "never")),
    **dict.fromkeys(("provisioned", "purchased", "licensed", "ordered"), ("bought",)),
    **dict.fromkeys(("used", "members", "users", "people"), ("active",)),
    **dict.fromkeys(("renewal", "at_renewal", "next_renewal"), ("next_period", "next_invoice")),
    **dict.fromkeys(("day", "daily", "days"), ("days_of_period",)),
    **dict.fromkeys(("days_of_30", "30_days"), ("months",)),
    **dict.fromkeys(("monthly",), ("month", "months")),
    **dict.fromkeys(("yearly", "annual", "annually"), ("year",)),
    **dict.fromkeys(("max", "maximum", "highest"), ("peak",)),
    **dict.fromkeys(("average",), ("mean",)),
    **dict.fromkeys(("prepaid", "upfront"), ("advance",)),
    **dict.fromkeys(("postpaid",), ("arrears",)),
    **dict.fromkeys(("login", "signed_in"), ("activity",)),
}

# What others call the tables of rules.
_TABLES: dict[str, str] = {
    **dict.fromkeys(("proration", "prorate"), "[share]"),
    **dict.fromkeys(("refund", "refunds", "downgrade", "removal"), "[fall]"),
    **dict.fromkeys(("upgrade", "addition", "true_up"), "[rise]"),
    **dict.fromkeys(("billing", "invoice", "invoices"), "[period]"),
    **dict.fromkeys(("users", "licences", "licenses"), "[seats]"),
    **dict.fromkeys(("cancellation", "renewal", "termination"), "[cancel]"),
}

_MISSPELT = 0.85  # words so like another are the other one, and not a key of another table

# A price where there is none: one of a plan that costs its base alone, too.
_PRICES: dict[type, str] = {
    Plan: 'price = "8.00 per month", or "0.00 per month" where seats cost nothing',
    AddOn: 'price = "49.00 per month"',
}

_MOST = 10_000  # seats, days, months: more is a slip of the keyboard


class _Reader:
    """Turns plain TOML values into the model's, noting every problem on the way."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.currency = "EUR"
        self.buys: tuple[Interval, ...] = tuple(interval for interval in MONTHS if interval not in DAYS)

    def policy(self, document: Mapping[str, Any], name: str) -> Policy | None:
        whens = document.get("when", [])
        if not isinstance(whens, list):
            self.say(("when",), "when is written as [[when]], a table for each difference")
            whens = []
        currency = document.get("currency")
        if isinstance(currency, str):
            self.currency = currency
        intervals = document.get("intervals")
        if isinstance(intervals, list):
            of_days = tuple(interval for interval in DAYS if interval in intervals)
            self.buys = of_days if 0 < len(of_days) == len(intervals) else (*self.buys, *of_days)
        own = {key: value for key, value in document.items() if key not in RULE_TABLES and key != "when"}
        self.unknown(own, (), [key.name for key in keys_of(PolicyKeys)] + [*RULE_TABLES, "when"])
        keys = self.table(PolicyKeys, own, (), known=False)
        base = {table: document[table] for table in RULE_TABLES if table in document}
        self.rules(base, ())
        conditions = tuple(self.when(table, ("when", at)) for at, table in enumerate(whens))
        if self.problems or keys is None:
            return None
        variants: dict[tuple[int, ...], Rules] = {}
        days = {date.min, *(day for when in conditions for day in (when.from_, when.until) if day is not None)}
        items = {"": None} | {when.of_item: None for when in conditions if when.of_item is not None}
        methods = keys.payment_methods or ("",)
        for interval, plan, day, item, method in product(keys.intervals, keys.plans, days, items, methods):
            chosen = matching(conditions, interval, plan, day, item, method)
            if chosen not in variants:
                of_role = any(conditions[at].role is not None for at in chosen)
                merged = _without_sizes(base) if of_role else base
                for at in chosen:
                    over = {key: whens[at][key] for key in RULE_TABLES if key in whens[at]}
                    is_general = of_role and conditions[at].role is None
                    merged = _merged(merged, _without_sizes(over) if is_general else over)
                variants[chosen] = self.rules(merged, ())
        return Policy(
            name=name,
            title=keys.title or name,
            currency=keys.currency,
            time_zone=keys.time_zone,
            intervals=keys.intervals,
            plans=keys.plans,
            add_ons=keys.add_ons or {},
            roles=keys.roles or {},
            whens=conditions,
            variants=variants,
            notes=keys.notes,
            precision=keys.precision,
            payment_methods=keys.payment_methods,
        )

    def when(self, table: Any, path: Path) -> When:
        if not isinstance(table, dict):
            self.say(path, "when is written as [[when]], a table for each difference")
            return When()
        conditions = {key: value for key, value in table.items() if key not in RULE_TABLES}
        self.unknown(conditions, path, [key.name for key in keys_of(When)] + list(RULE_TABLES))
        self.rules({key: value for key, value in table.items() if key in RULE_TABLES}, path)
        return self.table(When, conditions, path, known=False) or When()

    def rules(self, tables: Mapping[str, Any], path: Path) -> Rules:
        hints = get_type_hints(Rules)
        read = {}
        for name, value in tables.items():
            table = self.value(hints[name], value, (*path, name))
            if table is not None:
                read[name] = table
        return Rules(**read)

    def table(self, table: type, value: Any, path: Path, *, known: bool = True) -> Any:
        if not isinstance(value, dict):
            self.say(path, f"{_dotted(path)} is a table of keys, not {_shown(value)}")
            return None
        if table in (Plan, AddOn) and "price" in value:
            if "prices" in value:
                self.say((*path, "price"), f"{_dotted(path)} has both price and prices; keep one of them")
            row = {key: item for key, item in value.items() if key in ("price", "base")}
            value = {key: item for key, item in value.items() if key not in row} | {"prices": [row]}
            shorthand = True
        else:
            shorthand = False
        keys = keys_of(table)
        if known:
            names = [key.name for key in keys]
            short = ["price", *(["base"] if table is Plan else [])] if table in (Plan, AddOn) else []
            self.unknown(value, path, names + short)
        read: dict[str, Any] = {}
        for key in keys:
            if key.name in value:
                at = (*path, "price" if shorthand and key.name == "prices" else key.name)
                if shorthand and key.name == "prices":
                    read["prices"] = self.prices(value["prices"], at)
                else:
                    read[_field(table, key)] = self.value(key.type, value[key.name], at)
            elif key.required:
                missing, example = (key.name, _one_line(key)) if key.name != "prices" else ("price", _PRICES[table])
                self.say(path, f"{_dotted((*path, missing))} is missing; for example: {example}")
        if any(one is None for one in read.values()) or self.lacks(keys, value):
            return None
        return table(**read)

    def lacks(self, keys: tuple[Key, ...], value: Mapping[str, Any]) -> bool:
        return any(key.required and key.name not in value for key in keys)

    def prices(self, rows: Any, path: Path) -> tuple[PriceRow, ...] | None:
        price = self.price(rows[0]["price"], path)
        base = self.price(rows[0]["base"], (*path[:-1], "base")) if "base" in rows[0] else None
        return None if price is None else (PriceRow(price, base),)

    def unknown(self, value: Mapping[str, Any], path: Path, names: list[str]) -> None:
        for name in value:
            if name not in names:
                near, misspelt = get_close_matches(name, names, 1), get_close_matches(name, names, 1, _MISSPELT)
                elsewhere = "" if misspelt else _elsewhere(name, path)
                hint = elsewhere or (f"did you mean {near[0]}? " if near else "")
                self.say(
                    (*path, name), f"{_dotted((*path, name))} is not a key; {hint}allowed here: {', '.join(names)}"
                )

    def value(self, type_: Any, value: Any, path: Path) -> Any:
        """`value` as the model's type, or None after saying what is wrong with it."""
        name = _dotted(path)
        origin = get_origin(type_)
        if origin is Literal:
            return self.choice(get_args(type_), value, path)
        if origin is tuple:
            if not isinstance(value, list) or (not value and get_args(type_)[0] is not str):
                return self.say(path, f"{name} is a list with at least one entry, not {_shown(value)}")
            read = tuple(self.value(get_args(type_)[0], one, (*path, at)) for at, one in enumerate(value))
            return None if None in read else read
        if origin is Mapping:
            if not isinstance(value, dict) or not value:
                return self.say(path, f"{name} is a table with a table for each name, not {_shown(value)}")
            tables = {one: self.table(get_args(type_)[1], value[one], (*path, one)) for one in value}
            return None if None in tables.values() else tables
        if type_ is Price:
            return self.price(value, path)
        if type_ is Minor:
            return self.amount(value, path)
        if type_ is Fraction:
            return self.percent(value, path)
        if type_ is int:
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                return self.say(path, f"{name} is a whole number, 0 or more, not {_shown(value)}")
            if value > _MOST:
                return self.say(path, f"{name} is at most {_MOST:,}, not {value:,}")
            return value
        if type_ is date:
            if not isinstance(value, date) or isinstance(value, datetime):
                return self.say(path, f"{name} is a day, written without quotes like 2027-01-01, not {_shown(value)}")
            if value.year not in YEARS:
                return self.say(path, f"{name} is a day of the years {YEARS[0]} to {YEARS[-1]}, not {value}")
            return value
        if type_ in (str, bool):
            if not isinstance(value, type_):
                kind = "a text in quotes" if type_ is str else "true or false"
                return self.say(path, f"{name} is {kind}, not {_shown(value)}")
            return value
        return self.table(type_, value, path)

    def choice(self, allowed: tuple[str, ...], value: Any, path: Path) -> str | None:
        if isinstance(value, str) and value in allowed:
            return value
        near = get_close_matches(value, allowed, 1) if isinstance(value, str) else []
        if isinstance(value, str):  # what others call it, before what is spelt alike
            near = [word for word in allowed if word in _CALLED.get(value, ())][:1] or near
        hint = f"did you mean {near[0]}? " if near else ""
        self.say(path, f"{_dotted(path)} cannot be {_shown(value)}; {hint}allowed: {', '.join(allowed)}")
        return None

    def price(self, value: Any, path: Path) -> Any:
        """A Price, or None after saying what is wrong."""
        name = _dotted(path)
        match = re.fullmatch(r"(\S+) (?:once|per (\w+))", value) if isinstance(value, str) else None
        if match is None or match[2] not in (None, *self.buys):
            allowed = f"per {', '.join(self.buys)}{'; or once' if path[0] == 'add_ons' else ''}"
            like = f'"699.00 per {self.buys[0]}"'
            return self.say(path, f"{name} is written like {like} ({allowed}), not {_shown(value)}")
        try:
            months = MONTHS[cast(Interval, match[2])] if match[2] else 0
            return Price(parse_amount(match[1], self.currency), months)
        except ValueError as error:
            return self.say(path, f"{name}: {error}")

    def amount(self, value: Any, path: Path) -> Any:
        """Minor units, or None after saying what is wrong."""
        if not isinstance(value, str):
            return self.say(path, f'{_dotted(path)} is an amount in quotes like "100.00", not {_shown(value)}')
        try:
            return Minor(parse_amount(value, self.currency))
        except ValueError as error:
            return self.say(path, f"{_dotted(path)}: {error}")

    def percent(self, value: Any, path: Path) -> Any:
        """A Fraction of percent, or None after saying what is wrong."""
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,6})?", value) and Fraction(value) <= 100:
            return Fraction(value)
        return self.say(path, f'{_dotted(path)} is a percentage in quotes like "25", not {_shown(value)}')

    def say(self, path: Path, sentence: str) -> Any:
        """Notes a problem; gives None, for the value that could not be read."""
        if all(problem.sentence != sentence for problem in self.problems):
            self.problems.append(Problem(path, sentence))
        return None


def _elsewhere(name: str, path: Path) -> str:
    """In which table a key stands that was written elsewhere, or what is called so; nothing where it is no key."""
    if path[:1] == ("roles",) and name in ("price", "prices"):
        return f'a price by role is one of a plan\'s prices, with role = "{path[1]}"; '
    if path and name in ("plans", "add_ons", "roles"):
        return f"it is a table of its own, such as [{name}.NAME]; "
    if path[:1] in (("plans",), ("add_ons",)) and name in (key.name for key in keys_of(PriceRow)):
        return f"it is said of a price, in one of [[{_dotted(path)}.prices]]; "
    if path and name in (key.name for key in keys_of(PolicyKeys)):
        return "it stands at the top, before the first table; "
    if not path and name in _TABLES:
        return f"did you mean {_TABLES[name]}? "
    hints = get_type_hints(Rules)
    found = [f"[{table}]" for table in RULE_TABLES if any(key.name == name for key in keys_of(hints[table]))]
    if not found:
        return ""
    alone = f' (for one plan alone: in a [[when]] with plan = "{path[1]}")' if path[:1] == ("plans",) else ""
    return f"it is a key of {listed(found, 'or')}{alone}; "


_HEADER = re.compile(r"""\s*(\[\[?)\s*((?:"[^"]*"|'[^']*'|[^\[\]"'])+?)\s*\]""")
_ASSIGNED = re.compile(r"""\s*((?:"[^"]*"|'[^']*'|[\w.\s-])+?)\s*=""")
_PART = re.compile(r""""([^"]*)"|'([^']*)'|([\w-]+)""")


def line_of(text: str, path: Path) -> int:
    """The line of the file on which the key at `path` is written, or the nearest table around it."""
    header: Path = ()
    counts: dict[Path, int] = {}
    best, best_length = 1, 0
    quoted = ""
    for number, line in enumerate(text.splitlines(), 1):
        if quoted:
            quoted = "" if line.count(quoted) % 2 else quoted
            continue
        quoted = next((quote for quote in ('"""', "'''") if line.count(quote) % 2), "")
        table, assigned = _HEADER.match(line), _ASSIGNED.match(line)
        if table:
            header = _indexed(table[2], counts)
            if table[1] == "[[":
                counts[header] = counts.get(header, -1) + 1
                header = (*header, counts[header])
            here = header
        elif assigned:
            here = (*header, *_parts(assigned[1]))
        else:
            continue
        shared = 0
        while shared < min(len(here), len(path)) and here[shared] == path[shared]:
            shared += 1
        if shared > best_length and shared == min(len(here), len(path)):
            best, best_length = number, shared
    return best


def _indexed(dotted: str, counts: Mapping[Path, int]) -> Path:
    """The path of a table, with its place in each array of tables that it lies in."""
    *outer, last = _parts(dotted)
    path: Path = ()
    for part in outer:
        path = (*path, part)
        if path in counts:
            path = (*path, counts[path])
    return (*path, last)


def _parts(dotted: str) -> Path:
    return tuple(next(part for part in match.groups() if part is not None) for match in _PART.finditer(dotted))


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    return {name: {**base.get(name, {}), **over.get(name, {})} for name in {**base, **over}}


def _without_sizes(tables: Mapping[str, Any]) -> dict[str, Any]:
    """The rules that hold for the seats of a role as well, whose sizes are its own."""
    seats = {key: value for key, value in tables.get("seats", {}).items() if key not in SIZES}
    return {**tables, "seats": seats}


def _field(table: type, key: Key) -> str:
    return key.name if key.name in table.__dataclass_fields__ else f"{key.name}_"  # type: ignore[attr-defined]


def _dotted(path: Path) -> str:
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in path) or "the file"


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    return "an empty table" if value == {} else str(value)


def _one_line(key: Key) -> str:
    return key.example.replace("\n", " ⏎ ")
