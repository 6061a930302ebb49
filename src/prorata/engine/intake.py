"""Intake: rows as people write them become histories, or sentences that say what is wrong with which row."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, get_args
from zoneinfo import ZoneInfo

from prorata.engine.calendar import (
    MONTHS,
    YEARS,
    Day,
    Interval,
    Moment,
    midnight,
    moment_at,
    moment_of,
    point_of,
    to_day,
)
from prorata.engine.facts import Fact, contradictions, ends_nothing, history
from prorata.engine.history import BEGIN_EVENTS, END_EVENTS, FOLLOWING, EventKind, Subscription
from prorata.engine.money import parse_amount
from prorata.engine.policy.model import Policy, is_taken

COLUMNS: tuple[str, ...] = (
    "at", "account", "event", "user", "role", "plan", "quantity", "price", "amount", "interval", "payment_method",
    "item", "until", "reason", "recorded_at", "withdrawn_at",
)  # fmt: skip
KINDS: tuple[EventKind, ...] = tuple(kind for kind in get_args(EventKind) if kind not in FOLLOWING)

# What each event must state, and what it may.
_NEEDS: dict[EventKind, frozenset[str]] = {
    **dict.fromkeys(
        ("invite", "accept", "activate", "deactivate", "suspend", "resume", "activity"), frozenset({"user"})
    ),
    "role": frozenset({"user", "role"}),
    "seats": frozenset({"quantity"}),
    "plan": frozenset({"plan"}),
    "trial_plan": frozenset({"plan"}),
    "add_on": frozenset({"item"}),
    "remove_add_on": frozenset({"item"}),
    "interval": frozenset({"interval"}),
    "payment_method": frozenset({"payment_method"}),
    "credit": frozenset({"amount"}),
}
_ALWAYS = frozenset({"at", "account", "event", "user", "role", "reason", "recorded_at", "withdrawn_at"})
_MAY: dict[EventKind, frozenset[str]] = {
    "start": frozenset({"plan", "quantity", "price", "interval", "payment_method"}),
    "trial": frozenset({"plan", "quantity", "price", "interval", "payment_method", "until"}),
    "seats": frozenset({"quantity", "price"}),
    "plan": frozenset({"plan", "price"}),
    "trial_plan": frozenset({"plan", "until"}),
    "add_on": frozenset({"item", "quantity", "price"}),
    "remove_add_on": frozenset({"item"}),
    "interval": frozenset({"interval", "price"}),
    "payment_method": frozenset({"payment_method"}),
    "cancel": frozenset({"until"}),
    "pause": frozenset({"until"}),
    "credit": frozenset({"amount"}),
}
INTERVAL_WORDS: dict[str, Interval] = {
    **{name: name for name in MONTHS},
    "monthly": "month",
    "quarterly": "quarter",
    "half-year": "half_year",
    "half-yearly": "half_year",
    "half_yearly": "half_year",
    "yearly": "year",
    "annual": "year",
    "annually": "year",
    "weekly": "week",
    "two-weeks": "two_weeks",
    "two-weekly": "two_weeks",
    "fortnight": "two_weeks",
    "fortnightly": "two_weeks",
    "four-weeks": "four_weeks",
    "four-weekly": "four_weeks",
    "30-days": "30_days",
    "30 days": "30_days",
}
_MOST_SAID = 20


class IntakeError(ValueError):
    """Rows that cannot be read; one sentence for each problem, naming its place."""

    def __init__(self, sentences: Sequence[str]) -> None:
        self.sentences = tuple(sentences)
        said = list(self.sentences[:_MOST_SAID])
        if len(self.sentences) > _MOST_SAID:
            said.append(f"… and {len(self.sentences) - _MOST_SAID} more.")
        super().__init__("\n".join(said))


@dataclass(frozen=True, slots=True)
class Row:
    """One row of an event file: where it stands, and what its columns say (empty ones left out)."""

    place: str
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Intake:
    """Which policy the rows are read for, and what holds where they are silent.

    `start` begins accounts without a start or trial of their own on that day, with the members they have by then;
    without it they start with their first event. `roles` translates roles of the rows into the policy's.
    """

    policy: Policy
    plan: str | None = None
    interval: Interval | None = None
    start: date | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
    seats_follow: bool = False
    payment_method: str | None = None
    account: str | None = None  # the account of rows that name none
    as_keys: bool = False  # whether these are keys of a story, and not options of the command line

    def called(self, setting: str) -> str:
        """What a setting is called where it was given."""
        return setting if self.as_keys else _OPTIONS[setting]

    def translating(self, role: str) -> str:
        """How a role is translated into one of the policy's."""
        key = role if re.fullmatch(r"[\w-]+", role, re.ASCII) else f'"{role}"'
        return f'roles = {{ {key} = "ROLE" }}' if self.as_keys else f"{_OPTIONS['roles']} {role}=ROLE"


_OPTIONS = {"plan": "--plan", "interval": "--interval", "payment_method": "--payment-method", "roles": "--map-role"}


def read_history(rows: Iterable[Mapping[str, object]], *, policy: Policy, **settings: Any) -> Subscription:
    """One account's history from plain mappings with the columns of an event file; raises IntakeError.

    Dates may be date objects, quantities numbers. `settings` are those of Intake: plan, interval,
    payment_method, start, roles, seats_follow, account.
    """
    intake = Intake(policy=policy, **{"account": "account", **settings})
    told = [
        Row(f"row {number}", {name: str(value) for name, value in row.items() if value not in (None, "")})
        for number, row in enumerate(rows, 1)
    ]
    subscriptions = read_histories(told, intake)
    if len(subscriptions) != 1:
        raise IntakeError([f"the rows are of {len(subscriptions)} accounts; give those of one"])
    return subscriptions[0]


def read_histories(rows: Iterable[Row], intake: Intake) -> tuple[Subscription, ...]:
    """The accounts of the rows, in the order in which they first appear; raises IntakeError with every problem."""
    return tuple(history(agreement, facts) for agreement, facts in read_facts(rows, intake))


def new_agreement(account: str, intake: Intake) -> Subscription:
    """What holds of an account before anything is told of it; raises IntakeError where the policy has no such thing."""
    reader = _Reader(intake)
    if reader.count:
        raise IntakeError(reader.problems)
    return reader.agreement(account)


def read_facts(
    rows: Iterable[Row], intake: Intake, known: Container[str] = ()
) -> tuple[tuple[Subscription, tuple[Fact, ...]], ...]:
    """The same accounts before anything was told of them, each with what was told, in the order of the rows.

    Of an account that is `known`, more was told elsewhere: it gets no start, and nothing is checked against the rest.
    """
    reader = _Reader(intake)
    accounts: dict[str, list[Fact]] = {}
    for row in rows:
        fact = reader.row(row)
        if fact is not None:
            accounts.setdefault(row.cells.get("account") or intake.account or "", []).append(fact)
    if reader.count:  # what rows say of one another is worth checking only once each can be read
        raise IntakeError(reader.problems)
    found = []
    for account, facts in accounts.items():
        agreement = reader.agreement(account)
        if account in known:
            found.append((agreement, tuple(facts)))
            continue
        told = reader.with_start(facts)
        for problem in contradictions(agreement, told):
            reader.say(Row(problem.fact.place, {}), problem.column, problem.sentence)
        found.append((agreement, tuple(told)))
    if reader.count:
        raise IntakeError(reader.problems)
    return tuple(found)


class _Reader:
    def __init__(self, intake: Intake) -> None:
        self.intake = intake
        self.policy = intake.policy
        self.ticks = intake.policy.ticks
        self.zone = ZoneInfo(intake.policy.time_zone)
        self.plans = {name.lower(): name for name in self.policy.plans}
        self.plan = self.policy.default_plan
        self.interval = INTERVAL_WORDS.get(intake.interval or "", intake.interval) or self.policy.default_interval
        self.methods = {name.lower(): name for name in self.policy.payment_methods}
        self.method = "" if self.policy.may_wait else self.policy.default_payment_method
        self.count = 0  # of problems
        self._said: dict[tuple[str | None, str], list[str]] = {}
        if intake.plan is not None:
            self.plan = self.known_plan(intake.plan, intake.called("plan")) or self.plan
        if self.interval not in self.policy.intervals:
            self.not_offered(intake.called("interval"), self.interval)
        if intake.payment_method is not None:
            self.method = self.known_method(intake.payment_method, intake.called("payment_method"))
            if not self.methods and not self.policy.may_wait:
                told = f"policy {self.policy.name} names no payment_methods"
                self.say(intake.called("payment_method"), None, told)
        for role in intake.roles.values():
            self.known_role(role, intake.called("roles"))

    def agreement(self, account: str) -> Subscription:
        """What holds of an account before anything is told of it."""
        return Subscription(
            account=account,
            policy=self.policy,
            events=(),
            plan=self.plan,
            interval=self.interval,
            seats_follow=self.intake.seats_follow,
            payment_method=self.method,
        )

    def row(self, row: Row) -> Fact | None:
        """What the row tells, each value read by its column; None after saying what is wrong."""
        before = self.count
        cells = row.cells
        for name in cells:
            if name not in COLUMNS:
                self.say(row, None, f"{name!r} is not a column; {near(name, COLUMNS)}allowed: {', '.join(COLUMNS)}")
        kind = cells.get("event", "")
        if kind not in KINDS:
            self.say(row, "event", f"{kind!r} is not an event; {near(kind, KINDS)}allowed: {', '.join(KINDS)}")
            return None
        values: dict[str, Any] = {"kind": kind}
        if not cells.get("account") and not self.intake.account:
            self.say(row, "account", "is empty; every row names its account")
        needed = _NEEDS.get(kind, frozenset())
        for name in sorted(needed):
            if name not in cells:
                self.say(row, name, f"is empty; {kind} needs it")
        takes = _ALWAYS | _MAY.get(kind, frozenset())
        for name in cells:
            if name in COLUMNS and name not in takes:
                more = ", ".join(sorted(takes - {"at", "account", "event"}))
                self.say(row, name, f"{cells[name]!r} has no meaning with {kind}, which takes: {more}")
        moment = self.moment(row, "at", cells.get("at", ""))
        recorded = self.moment(row, "recorded_at", cells["recorded_at"]) if "recorded_at" in cells else moment
        withdrawn = self.withdrawn(row, cells, kind, recorded)
        self.words(row, cells, values)
        self.numbers(row, cells, values)
        if self.count > before or moment is None or recorded is None:
            return None
        values["until"] = self.until(row, cells, kind, point_of(moment, self.ticks))
        if self.count > before:
            return None
        return Fact(at=moment, recorded=recorded, withdrawn=withdrawn, place=row.place, **values)

    def withdrawn(self, row: Row, cells: Mapping[str, str], kind: str, recorded: Moment | None) -> Moment | None:
        """When it was said that this did not happen, or is not to be."""
        if "withdrawn_at" not in cells:
            return None
        moment = self.moment(row, "withdrawn_at", cells["withdrawn_at"])
        if kind in BEGIN_EVENTS:
            self.say(row, "withdrawn_at", f"what an agreement begins with stays; cancel it instead of its {kind}")
        elif moment is not None and recorded is not None and moment <= recorded:
            told = cells.get("recorded_at") or cells["at"]
            self.say(row, "withdrawn_at", f"{cells['withdrawn_at']!r} is not after {told}, when it was recorded")
        return moment

    def words(self, row: Row, cells: Mapping[str, str], values: dict[str, Any]) -> None:
        for name in ("user", "item", "reason"):
            values[name] = cells.get(name, "")
        role = self.intake.roles.get(cells.get("role", ""), cells.get("role", ""))
        values["role"] = role
        if role:
            self.known_role(role, row)
        values["plan"] = (self.known_plan(cells["plan"], row) or "") if "plan" in cells else ""
        values["payment_method"] = self.known_method(cells["payment_method"], row) if "payment_method" in cells else ""
        values["interval"] = None
        if "interval" in cells:
            interval = INTERVAL_WORDS.get(cells["interval"].lower())
            if interval is None or interval not in self.policy.intervals:
                self.not_offered(row, cells["interval"])
            values["interval"] = interval
        item = values["item"]
        if is_taken(item):
            whose = "the name of a plan's base price" if item == "base" else "the seats' own name"
            self.say(row, "item", f"'{item}' is {whose}; call the add-on something else")
        if item and item not in self.policy.add_ons and values["kind"] == "add_on" and "price" not in cells:
            offered = ", ".join(self.policy.add_ons) or "none"
            self.say(row, "item", f"{item!r} is not an add-on of policy {self.policy.name} (it has: {offered}), "
                     "so the row needs a price")  # fmt: skip

    def numbers(self, row: Row, cells: Mapping[str, str], values: dict[str, Any]) -> None:
        values["quantity"] = values["price_minor"] = None
        if "quantity" in cells:
            text = cells["quantity"].strip()
            if text.isascii() and text.isdigit() and len(text) <= 9:
                values["quantity"] = int(text)
            else:
                self.say(
                    row, "quantity", f"{text!r} is not a number of seats or units; allowed: a whole number, 0 or more"
                )
        for name in (name for name in ("price", "amount") if name in cells):
            try:
                values["price_minor"] = parse_amount(cells[name], self.policy.currency)
            except ValueError as error:
                self.say(row, name, str(error))
        if values["kind"] == "credit" and values["price_minor"] == 0:
            self.say(row, "amount", f"{cells['amount']!r} is no credit; grant more than nothing")

    def until(self, row: Row, cells: Mapping[str, str], kind: str, day: Day) -> Day | None:
        """`until` as a day."""
        moment = self.moment(row, "until", cells["until"]) if "until" in cells else None
        if moment is None:
            return None
        until = point_of(moment, self.ticks)
        if until <= day and kind not in END_EVENTS:
            told = f"{cells['until']!r} is not after {cells['at']}; it is the first day no longer included"
            self.say(row, "until", told)
        return until

    def moment(self, row: Row, column: str, text: str) -> Moment | None:
        """The moment as the account lives through it; a date is the beginning of its day."""
        read = _moment(text.strip(), self.zone)
        if isinstance(read, str):
            self.say(row, column, read)
            return None
        return read

    def known_plan(self, name: str, where: Row | str) -> str | None:
        plan = name if name in self.policy.plans else self.plans.get(name.lower())
        if plan is None:
            plans = tuple(self.policy.plans)
            self.say(where, "plan", f"{name!r} is not a plan of policy {self.policy.name}; "
                     f"{near(name, plans)}allowed: {', '.join(plans)}")  # fmt: skip
        return plan

    def known_method(self, name: str, where: Row | str) -> str:
        """The method as the policy writes it; a policy that names none takes any."""
        if self.methods and name.lower() not in self.methods:
            methods = self.policy.payment_methods
            self.say(where, "payment_method", f"{name!r} is not a payment method of policy {self.policy.name}; "
                     f"{near(name, methods)}allowed: {', '.join(methods)}")  # fmt: skip
        return self.methods.get(name.lower(), name)

    def known_role(self, role: str, where: Row | str) -> None:
        if self.policy.roles and role not in self.policy.roles:
            roles = tuple(self.policy.roles)
            hint = near(role, roles)
            translated = self.intake.translating(role)
            way_out = "" if hint or isinstance(where, str) else f"; {translated} translates it into one of them"
            self.say(
                where,
                "role",
                f"{role!r} is not a role of policy {self.policy.name}; {hint}allowed: {', '.join(roles)}{way_out}",
            )

    def not_offered(self, where: Row | str, interval: str) -> None:
        offered = ", ".join(self.policy.intervals)
        self.say(where, "interval", f"{interval!r} is not an interval of policy {self.policy.name}; allowed: {offered}")

    def say(self, where: Row | str, column: str | None, sentence: str) -> None:
        place = where.place if isinstance(where, Row) else where
        self._said.setdefault((column if isinstance(where, Row) else None, sentence), []).append(place)
        self.count += 1

    @property
    def problems(self) -> list[str]:
        """A sentence for each problem, at the first place that has it."""
        told = []
        for (column, sentence), places in self._said.items():
            named = f", column {column}" if column else ""
            again = f" (and {len(places) - 1} more times)" if len(places) > 2 else ""
            again = f" (and once more: {places[1]})" if len(places) == 2 else again
            told.append(f"{places[0]}{named}: {sentence}{again}")
        return told

    def with_start(self, facts: list[Fact]) -> list[Fact]:
        """With the start of an account that tells of none before it ends, before what happened at its moment."""
        begins = [fact for fact in facts if fact.kind in BEGIN_EVENTS]
        if begins and not any(ends_nothing(fact, begins) for fact in facts):
            return facts
        if self.intake.start is not None:
            at = recorded = midnight(to_day(self.intake.start))
        else:
            at = moment_at(point_of(min(fact.at for fact in facts), self.ticks), self.ticks)
            recorded = max(at, min(fact.recorded for fact in facts))
        return [Fact("start", at, recorded, place="start"), *facts]


@lru_cache(maxsize=65536)
def _moment(text: str, zone: ZoneInfo) -> Moment | str:
    wanted = "write a date like 2026-04-01, or a moment with its zone like 2026-04-01T09:30:00Z"
    if not text:
        return f"is empty; {wanted}"
    try:
        if text[4:5] + text[7:8] != "--":  # weeks and other dates that Python reads
            raise ValueError
        day = date.fromisoformat(text) if len(text) == 10 else None
        moment = day or datetime.fromisoformat(text)
    except ValueError:
        return f"{text!r} is not a date; {wanted}"
    if moment.year not in YEARS:
        return f"{text!r} is too far away; write a year from {YEARS[0]} to {YEARS[-1]}"
    if not isinstance(moment, datetime):
        return midnight(to_day(moment))
    if moment.tzinfo is None:
        return f"{text!r} has no time zone; {wanted}"
    return moment_of(moment, zone)


def near(word: str, allowed: Sequence[str]) -> str:
    """The question whether one of the allowed words was meant, if one is like it."""
    alike = get_close_matches(word, allowed, 1)
    return f"did you mean {alike[0]!r}? " if alike else ""
