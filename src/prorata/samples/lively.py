"""A lively year, made up: accounts that begin, people who join and leave, plans that change, news that comes late."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from prorata.engine.policy.model import Policy, Rules

_FIRST = "Nord Alm Berg Ek Fjord Lind Sol Strand Vik Åsen Most Lipa Brod Hora Les Reka Haug Dal Skog Holm".split()
_SECOND = "Studio Verkstad Klinikk Partner Service Group Media Bygg Design Care Data Logistik Labs Foods Sport".split()
_PEOPLE = "anna ben chris dora erik filip greta hugo ida jan karin leo mia nils olga petr runa siri tomas ulla".split()

Cells = dict[str, str]


def lively_rows(policy: Policy, *, accounts: int, first: date, days: int, seed: int) -> Iterator[Cells]:
    """The rows of an event file: so many accounts under a policy, from a day on for so many days.

    The same arguments always give the same rows.
    """
    draw = Random(f"{policy.name} {seed}")
    for number in range(accounts):
        name = f"{_FIRST[number % len(_FIRST)]} {_SECOND[number // len(_FIRST) % len(_SECOND)]} {number + 1}"
        yield from sorted(_Account(policy, draw, name, first, first + timedelta(days)).rows(), key=_at)


def _at(cells: Cells) -> str:
    return cells["at"]


@dataclass(slots=True)
class _Account:
    """One account as it lives, day by day."""

    policy: Policy
    draw: Random
    name: str
    day: date
    end: date
    people: list[str] = field(default_factory=list)
    joined: int = 0
    seats: int = 0
    plan: str = ""

    def rows(self) -> Iterator[Cells]:
        """All that happens to it."""
        self.day += timedelta(self.draw.randrange(90))
        interval = self.draw.choice([self.policy.intervals[0]] * 4 + list(self.policy.intervals))
        rules = self.policy.rules(interval, self.day.toordinal())
        yield from self._begins(rules, interval)
        ends = self.day + timedelta(self.draw.randrange(60, 300)) if self.draw.random() < 0.08 else self.end
        turns = self.day + timedelta(self.draw.randrange(30, 400))
        while (day := self.day + timedelta(self.draw.randrange(1, 12))) < min(ends, self.end):
            yield from self._passes(day, rules)
            if day > turns > self.day and len(self.policy.plans) > 1:
                self.plan = self.draw.choice([plan for plan in self.policy.plans if plan != self.plan])
                yield self._told("plan", day, plan=self.plan)
            self.day = day
        if ends < self.end:
            yield from self._stops(ends, interval)

    def _begins(self, rules: Rules, interval: str) -> Iterator[Cells]:
        self.plan = self.draw.choice(list(self.policy.plans))
        people = 1 + min(int(self.draw.expovariate(0.2)), 40)
        begins = {"plan": self.plan, "interval": interval}
        if rules.seats.count != "active":
            self.seats = max(people + self.draw.randrange(4), rules.seats.minimum)
            begins["quantity"] = str(self.seats)
        yield self._told("trial" if rules.trial.days else "start", self.day, **begins)
        if rules.trial.without_payment_method == "suspended":
            yield from self._pays(rules.trial.days)
        for _ in range(people):
            yield from self._joins(self.day)

    def _pays(self, days: int) -> Iterator[Cells]:
        """A card is given during the trial, seldom some weeks afterwards, and now and then never."""
        chance = self.draw.random()
        if chance < 0.95:
            told = self.draw.randrange(days) if chance < 0.85 else days + self.draw.randrange(30)
            yield self._told("payment_method", self.day + timedelta(told), payment_method="card")

    def _stops(self, day: date, interval: str) -> Iterator[Cells]:
        """The agreement is over, or for some months only where it is paid by the month."""
        back = day + timedelta(self.draw.randrange(60, 120))
        if interval == "month" and self.draw.random() < 0.4:
            yield self._told("pause", day, reason="away for a season")
            if back < self.end:
                yield self._told("start", back)
        else:
            yield self._told("cancel", day, reason="moved on")

    def _passes(self, day: date, rules: Rules) -> Iterator[Cells]:
        """What may happen on a day: somebody leaves, somebody comes, seats are bought before there are too few."""
        chance = self.draw.random()
        if chance < 0.25 and len(self.people) > 1:
            user = self.people.pop(self.draw.randrange(len(self.people)))
            late = {"recorded_at": str(day + timedelta(self.draw.randrange(2, 9)))} if chance < 0.03 else {}
            yield self._told("deactivate", day, user=user, **late)
        elif chance < 0.65:
            if self.seats and len(self.people) >= self.seats:
                self.seats += self.draw.choice([1, 2, 5])
                yield self._told("seats", day, quantity=str(self.seats))
            yield from self._joins(day)
        elif chance < 0.68 and self.seats > max(len(self.people), rules.seats.minimum):
            self.seats = max(len(self.people), rules.seats.minimum)
            yield self._told("seats", day, quantity=str(self.seats))

    def _joins(self, day: date) -> Iterator[Cells]:
        user = f"{_PEOPLE[self.joined % len(_PEOPLE)]}{self.joined // len(_PEOPLE) or ''}"
        self.joined += 1
        self.people.append(user)
        roles = list(self.policy.roles)
        role = {"role": self.draw.choice(roles[:1] * 6 + roles)} if roles else {}
        if self.draw.random() < 0.3:
            yield self._told("invite", day - timedelta(self.draw.randrange(1, 6)), user=user, **role)
            yield self._told("accept", day, user=user)
        else:
            yield self._told("activate", day, user=user, **role)

    def _told(self, event: str, day: date, **cells: str) -> Cells:
        return {"at": str(day), "account": self.name, "event": event, **cells}
