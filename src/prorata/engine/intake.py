"""Intake: rows as people write them become histories, or sentences that say what is wrong with which row."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, get_args
from zoneinfo import ZoneInfo

from prorata.engine.calendar import (
    MONTHS,
    YEARS,
    Interval,
    Moment,
    midnight,
    moment_at,
    moment_of,
    point_of,
    speak_point,
    to_day,
)
from prorata.engine.history import FOLLOWING, PERSON_EVENTS, Event, EventKind, Subscription, buys
from prorata.engine.money import parse_amount
from prorata.engine.policy.model import Policy, is_taken, seats_of
from prorata.engine.population import People

COLUMNS: tuple[str, ...] = (
    "at", "account", "event", "user", "role", "plan", "quantity", "price", "interval", "payment_method", "item",
    "until", "reason", "recorded_at",
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
}
_ALWAYS = frozenset({"at", "account", "event", "user", "role", "reason", "recorded_at"})
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


@dataclass(slots=True)
class _Told:
    """A row that has been read, before its place among the others is known."""

    row: Row
    moment: Moment
    values: dict[str, Any]
    interval: Interval = "month"  # the one the account has asked for by then


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
    reader = _Reader(intake)
    accounts: dict[str, list[_Told]] = {}
    for row in rows:
        told = reader.row(row)
        if told is not None:
            accounts.setdefault(told.values["account"], []).append(told)
    if reader.count:  # what rows say of one another is worth checking only once each can be read
        raise IntakeError(reader.problems)
    subscriptions = [reader.subscription(account, told) for account, told in accounts.items()]
    if reader.count:
        raise IntakeError(reader.problems)
    return tuple(subscriptions)


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
        self.method = self.policy.default_payment_method
        self.count = 0  # of problems
        self._said: dict[tuple[str | None, str], list[str]] = {}
        if intake.plan is not None:
            self.plan = self.known_plan(intake.plan, intake.called("plan")) or self.plan
        if self.interval not in self.policy.intervals:
            self.not_offered(intake.called("interval"), self.interval)
        if intake.payment_method is not None:
            self.method = self.known_method(intake.payment_method, intake.called("payment_method"))
            if not self.methods:
                told = f"policy {self.policy.name} names no payment_methods"
                self.say(intake.called("payment_method"), None, told)
        for role in intake.roles.values():
            self.known_role(role, intake.called("roles"))

    def row(self, row: Row) -> _Told | None:
        """The row's values, each read by its column; None after saying what is wrong."""
        before = self.count
        cells = row.cells
        for name in cells:
            if name not in COLUMNS:
                self.say(row, None, f"{name!r} is not a column; {near(name, COLUMNS)}allowed: {', '.join(COLUMNS)}")
        kind = cells.get("event", "")
        if kind not in KINDS:
            self.say(row, "event", f"{kind!r} is not an event; {near(kind, KINDS)}allowed: {', '.join(KINDS)}")
            return None
        values: dict[str, Any] = {"kind": kind, "account": cells.get("account") or self.intake.account}
        if not values["account"]:
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
        self.words(row, cells, values)
        self.numbers(row, cells, values)
        if self.count > before or moment is None or recorded is None:
            return None
        values |= {"day": point_of(moment, self.ticks), "recorded": recorded}
        self.until(row, cells, values)
        return _Told(row, moment, values) if self.count == before else None

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
        if "price" in cells:
            try:
                values["price_minor"] = parse_amount(cells["price"], self.policy.currency)
            except ValueError as error:
                self.say(row, "price", str(error))

    def until(self, row: Row, cells: Mapping[str, str], values: dict[str, Any]) -> None:
        """`until` as a day."""
        kind, day = values["kind"], values["day"]
        values["until"] = None
        if "until" in cells:
            moment = self.moment(row, "until", cells["until"])
            if moment is not None and point_of(moment, self.ticks) <= day and kind != "cancel":
                self.say(
                    row,
                    "until",
                    f"{cells['until']!r} is not after {cells['at']}; it is the first day no longer included",
                )
            elif moment is not None:
                values["until"] = point_of(moment, self.ticks)

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

    def subscription(self, account: str, told: list[_Told]) -> Subscription:
        """The account's events in the order in which they took effect, checked against one another."""
        told.sort(key=lambda one: one.moment)  # stable: rows of one moment stay in the order of the file
        if all(one.values["kind"] not in ("start", "trial") for one in told):
            told = self.with_start(account, told)
        self.set_lengths(told)
        told = self.with_following(told)
        events = []
        for order, one in enumerate(told):
            values = {name: value for name, value in one.values.items() if name != "account"}
            events.append(Event(order=order, **values))
        self.check_schedule(told, events)
        self.check_people(told, events)
        self.check_seats(told, events)
        return Subscription(
            account=account,
            policy=self.policy,
            events=tuple(events),
            plan=self.plan,
            interval=self.interval,
            seats_follow=self.intake.seats_follow,
            payment_method=self.method,
        )

    def set_lengths(self, told: list[_Told]) -> None:
        """The account's interval with every row, and the policy's length of a trial where the row names no end."""
        interval, method = self.interval, self.method
        for one in told:
            values = one.values
            interval = one.interval = values.get("interval") or interval
            method = values.get("payment_method") or method
            if values["kind"] not in ("trial", "trial_plan") or values["until"] is not None:
                continue
            trial = self.policy.rules(interval, values["day"] // self.ticks, payment_method=method).trial
            days, named = (trial.days, "days") if values["kind"] == "trial" else (trial.plan_days, "plan_days")
            if not days:
                self.say(
                    one.row,
                    "until",
                    f"is empty, and policy {self.policy.name} says nothing of trial.{named}; "
                    "give the first day after it",
                )
            values["until"] = values["day"] + days * self.ticks

    def with_following(self, told: list[_Told]) -> list[_Told]:
        """With the days on which people have not been active for as long as the policy waits, or are free no longer."""
        follows: list[_Told] = []
        if waits := self.policy.idle_days:
            follows += [self.after(one, "idle", waits) for one in told if one.values["kind"] == "activity"]
        if waits := self.policy.free_days:
            follows += [self.after(one, "free_end", waits) for one in _first_joins(told, self.policy)]
        return sorted([*follows, *told], key=lambda one: one.moment) if follows else told

    def after(self, one: _Told, kind: EventKind, waits: int) -> _Told:
        """What follows from something that was told, so many days later."""
        day = one.values["day"] + waits * self.ticks
        begins = moment_at(day, self.ticks)
        recorded = max(begins, one.values["recorded"])
        values = {**one.values, "kind": kind, "day": day, "recorded": recorded, "until": one.values["day"], "role": ""}
        return _Told(one.row, begins, values, one.interval)

    def with_start(self, account: str, told: list[_Told]) -> list[_Told]:
        if self.intake.start is not None:
            day = to_day(self.intake.start) * self.ticks
            recorded = moment_at(day, self.ticks)
        else:
            day = told[0].values["day"]
            recorded = max(moment_at(day, self.ticks), min(one.values["recorded"] for one in told))
        moment = moment_at(day, self.ticks)
        values = {"kind": "start", "account": account, "day": day, "recorded": recorded}
        start = _Told(Row("start", {}), moment, values)
        before = [one for one in told if one.moment < moment]
        return [*before, start, *told[len(before) :]]

    def check_schedule(self, told: list[_Told], events: list[Event]) -> None:
        seen: dict[str, Event] = {}
        for one, event in zip(told, events, strict=True):
            if event.kind not in ("start", "trial"):
                continue
            if event.kind in seen:
                self.say(
                    one.row,
                    "event",
                    f"the account has a {event.kind} on {speak_point(seen[event.kind].day, self.ticks)} already",
                )
            seen[event.kind] = event
        start, trial = seen.get("start"), seen.get("trial")
        if start and trial and trial.day > start.day:
            place = next(one.row for one, event in zip(told, events, strict=True) if event is trial)
            self.say(
                place, "at", f"the trial begins after the agreement started on {speak_point(start.day, self.ticks)}"
            )

    def check_people(self, told: list[_Told], events: list[Event]) -> None:
        met: set[str] = set()
        for one, event in zip(told, events, strict=True):
            if event.kind in ("invite", "accept", "activate", "activity"):
                met.add(event.user)
            elif event.kind in ("deactivate", "suspend", "resume", "role") and event.user not in met:
                was = "was never a member before" if event.kind == "role" else "was never active before"
                self.say(one.row, "user", f"{event.user!r} {was} {one.row.cells['at']}")

    def check_seats(self, told: list[_Told], events: list[Event]) -> None:
        """Where the policy forbids it, there may at no moment be fewer seats bought than members are active.

        Rows of the same moment, such as those of one date, are one change: whoever leaves on that date has left. The
        seats of each role that is counted apart are for its members.
        """
        people = People(self.policy)
        active: dict[str, int] = {}
        bought: dict[str, int] = {}
        short: dict[str, int] = {}
        lowered: set[str] = set()
        for at, (one, event) in enumerate(zip(told, events, strict=True)):
            if event.kind in PERSON_EVENTS:
                was = people.seat_of(event.user)
                people.learn((event,))
                for role, more in ((was, -1), (people.seat_of(event.user), 1)):
                    if role is not None:
                        active[role] = active.get(role, 0) + more
            elif buys(event):
                assert event.quantity is not None
                role = self.policy.role_apart(event.role)
                if event.quantity < bought.get(role, 0):
                    lowered.add(role)
                bought[role] = event.quantity
            if at + 1 < len(told) and told[at + 1].moment == one.moment:
                continue
            roles = {**active, **bought} if bought else {}
            missing = {role: max(active.get(role, 0) - bought.get(role, 0), 0) for role in roles}
            for role in (role for role in missing if missing[role] > short.get(role, 0)):
                seats = self.policy.rules(one.interval, event.day // self.ticks, item=seats_of(role)).seats
                if seats.below_active == "refused" and seats.count == "bought":
                    count, whose = bought.get(role, 0), f"{role} members" if role else "members"
                    way_out = (
                        f"free some before reducing to {count}" if role in lowered else f"buy more than {count} first"
                    )
                    column = "quantity" if event.quantity is not None else "user" if event.user else "event"
                    self.say(one.row, column, f"{active[role]} {whose} hold seats; {way_out}")
            short = missing
            lowered = set()


def _first_joins(told: Iterable[_Told], policy: Policy) -> list[_Told]:
    """What each person joined with first; as this became known, where that was told late."""
    joins = [one for one in told if one.values["kind"] in policy.joins_with]
    first: dict[str, Moment] = {}
    found = []
    for one in sorted(joins, key=lambda one: (one.values["recorded"], one.moment)):
        user = one.values["user"]
        if user not in first or one.moment < first[user]:
            first[user] = one.moment
            found.append(one)
    return found


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
