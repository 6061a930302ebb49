"""A policy told in plain sentences, each with an example in money that the engine computed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from prorata.engine.bill import bill
from prorata.engine.calendar import MONTHS, Interval, add_months, speak_day, to_day
from prorata.engine.document import Document, Line
from prorata.engine.explain import share_words, speak_share
from prorata.engine.intake import read_history
from prorata.engine.money import rounded, speak_amount, speak_percent
from prorata.engine.policy.model import ONE_NUMBER, FallEffect, Policy, Rules
from prorata.engine.policy.tariff import Price, PriceRow


@dataclass(frozen=True, slots=True)
class Sentence:
    """What a policy says about one thing, and what that is in money."""

    text: str
    example: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """The sentences about one way of being billed."""

    title: str
    sentences: tuple[Sentence, ...]


_EVERY = {"month": "every month", "quarter": "every quarter", "half_year": "every half-year", "year": "every year"}
_WORD = {"month": "month", "quarter": "quarter", "half_year": "half-year", "year": "year"}
_BEGIN = {
    "month": "with the calendar month",
    "quarter": "on 1 January, 1 April, 1 July and 1 October",
    "half_year": "on 1 January and 1 July",
    "year": "on 1 January",
}


_HOLDS = {
    "acceptance": "Every active user holds a seat, from the acceptance of the invitation on",
    "invitation": "Every active user holds a seat, from the invitation on",
    "activity": "Every user holds a seat for {days} from each activity",
}
_MEASURED = {
    "level": "",
    "high_water": " Within a period a freed seat stays paid and can be given to someone else.",
    "held": " Whoever counted once is paid for to the end of the period.",
    "peak": " The highest number of any day counts for the whole {period}.",
    "mean": " The average number of the days, rounded to a whole one, counts for the whole {period}.",
    "distinct": " Everyone who was there on {days} of the {period} counts for all of it.",
    "snapshot": " Whoever is there on {day} of the {period} counts for all of it.",
}
_DAY = {0: "the last day", 1: "the first day"}


def _days(count: int) -> str:
    return f"{count} day{'' if count == 1 else 's'}"


def tell(policy: Policy, interval: Interval | None = None) -> tuple[Part, ...]:
    """The whole policy as a customer would want to read it, or what holds for one interval."""
    parts = [Part(policy.title, tuple(_prices(policy)))]
    for one in policy.intervals if interval is None else (interval,):
        earlier = tuple(_earlier(policy, one))
        since = f", since {speak_day(to_day(_versions(policy, one)[-1]))}" if earlier else ""
        parts += [Part(f"Billed {_EVERY[one]}{since}", tuple(_Teller(policy, one).sentences())), *earlier]
    if policy.notes:
        parts.append(Part("Decided where the vendor's page is silent", tuple(Sentence(note) for note in policy.notes)))
    return tuple(parts)


def _prices(policy: Policy) -> Iterator[Sentence]:
    for name, plan in policy.plans.items():
        for row in plan.prices:
            base = f"{_price(row.base, policy)}, and " if row.base else ""
            yield Sentence(f"{plan.title or name} costs {base}{_price(row.price, policy)} per seat{_where(row)}.")
    for name, add_on in policy.add_ons.items():
        per = " for each seat" if add_on.charge == "seat" else ""
        for row in add_on.prices:
            yield Sentence(f"{add_on.title or name} costs {_price(row.price, policy)}{per}{_where(row)}.")


def _where(row: PriceRow) -> str:
    only = f" when billed {_EVERY[row.interval]}" if row.interval else ""
    return only + (f" from {speak_day(to_day(row.from_))}" if row.from_ else "")


def _price(price: Price, policy: Policy) -> str:
    per = next(_WORD[name] for name, months in MONTHS.items() if months == price.months)
    return f"{policy.currency} {speak_amount(price.minor, policy.currency)} a {per}"


def _earlier(policy: Policy, interval: Interval) -> Iterator[Part]:
    """What held before, where the policy has versions by date."""
    for day in _versions(policy, interval):
        rules = policy.rules(interval, to_day(day) - 1)
        told = tuple(_Teller(policy, interval, rules=rules, year=day.year - 1).sentences())
        yield Part(f"Billed {_EVERY[interval]}: periods that began before {speak_day(to_day(day))}", told)


def _versions(policy: Policy, interval: Interval) -> list[date]:
    """The days from which other rules hold."""
    whens = [when for when in policy.whens if when.interval in (None, interval)]
    return sorted({day for when in whens for day in (when.from_, when.until) if day is not None})


class _Teller:
    """Tells the rules of one interval, with stories of a year that all its versions have reached."""

    def __init__(
        self, policy: Policy, interval: Interval, *, rules: Rules | None = None, year: int | None = None
    ) -> None:
        dates = [when.from_ for when in policy.whens] + [when.until for when in policy.whens]
        dates += [row.from_ for plan in policy.plans.values() for row in plan.prices]
        self.year = year or max([2025, *(day.year for day in dates if day is not None)]) + 1
        self.policy = policy
        self.interval = interval
        self.start = date(self.year, 1, 1)
        self.rules = rules or policy.rules(interval, to_day(self.start))
        self.change = date(self.year, 4, 10) if interval == "month" else date(self.year, 2, 10)
        self.seats = max(3, self.rules.seats.minimum + 2, self.rules.seats.included + 2)
        packages = self.rules.seats.packages
        self.seats = next((size for size in packages if size >= self.seats), self.seats)  # one more is a package more
        measured = self.rules.period.measured or interval
        self.unit_of_time: Interval = min(measured, interval, key=MONTHS.__getitem__)
        self.joins = "activity" if self.rules.seats.counts_from == "activity" else "activate"
        self.bought = self.rules.seats.count == "bought"
        self.unit = "seat" if self.bought else "user"
        self.plan = next((name for name in policy.plans if self.price_of(name)), None)
        self.role = next((name for name, role in policy.roles.items() if role.billed), None)

    def sentences(self) -> Iterator[Sentence]:
        yield self.period()
        yield self.who()
        yield from self.change_day()
        yield from self.minimum()
        yield self.rise()
        yield self.fall()
        yield from self.plan_change()
        yield from self.trial()
        yield self.cancel()
        yield from self.rest()

    def period(self) -> Sentence:
        word = _WORD[self.interval]
        charge = self.rules.period.charge
        if self.rules.period.anchor == "calendar":
            begin = f"A {word} begins {_BEGIN[self.interval]}; the first one is shorter where the start lies within it."
            if self.rules.period.stub == "next_invoice":
                begin = f"{begin[:-1]}, and is billed with the next."
        else:
            begin = f"A {word} is counted from the day the agreement starts."
        measured = self.rules.period.measured
        if measured and MONTHS[measured] < MONTHS[self.interval]:
            begin += f" Each {_WORD[measured]} of it is counted on its own."
        when = "its first day, in advance" if charge == "advance" else "the day after its last, for the time past"
        return Sentence(f"{begin} It is billed on {when}.", self.shown(self.story(())[:1]))

    def who(self) -> Sentence:
        seats = self.rules.seats
        if self.bought:
            text = "The seats you have bought are billed, used or not."
            if seats.below_active == "refused":
                text += " They cannot be made fewer than your active users."
            example = self.shown(self.story(())[:1])
            return Sentence(text, self.said(f"{self.seats} bought, 3 used", example))
        free = [name for name, role in self.policy.roles.items() if not role.billed or name in seats.free]
        text = _HOLDS[seats.counts_from].format(days=_days(seats.idle_days))
        text += f"; users with the role {' or '.join(free)} cost nothing." if free else ", whatever the role."
        if seats.suspended == "free":
            text += " Suspended users cost nothing."
        text += _MEASURED[seats.measure].format(
            days={0: "every day", 1: "any day"}.get(seats.least_days, f"at least {_days(seats.least_days)}"),
            day=_DAY.get(seats.on_day, f"day {seats.on_day}"),
            period=_WORD[self.unit_of_time],
        )
        if seats.measure in ONE_NUMBER and seats.of == "period_before":
            text += f" What is counted in a {_WORD[self.unit_of_time]} is billed for the next one."
        if seats.count == "larger":
            text += " Where you have ordered more seats than that, those are billed."
        if seats.counts_from == "activity":
            example = self.shown(self.story(())[:1])
            return Sentence(text, self.said(f"{self.seats} users active on {speak_day(to_day(self.start))}", example))
        invited = self.change - timedelta(days=4)
        rows: list[dict[str, object]] = [
            {"at": invited, "event": "invite", "user": "dora", "role": self.role},
            {"at": self.change, "event": "accept", "user": "dora"},
        ]
        documents = self.story(rows)
        if self.rules.period.charge == "arrears":
            example = self.shown(self.covering(documents))
        else:
            example = self.line(documents, "rise")
        dates = f"Invited on {speak_day(to_day(invited))}, accepted on {speak_day(to_day(self.change))}"
        return Sentence(text, self.said(dates, example))

    def change_day(self) -> Iterator[Sentence]:
        if self.rules.seats.measure in ONE_NUMBER:
            return
        billed = self.rules.seats.change_day == "billed"
        text = f"The day of a change is billed as it {'ends' if billed else 'began'}: a {self.unit} more counts from "
        text += "that day on" if billed else "the next day on"
        if self.rules.fall.give == "credit":
            text += f", a {self.unit} fewer until {'the day before' if billed else 'that day'}"
        text += "."
        if self.rules.rise.takes_effect != "day":
            return  # what is said of rises and falls says it
        documents = self.story([self.added()])
        lines = [line for document in documents for line in document.lines]
        first = next((line for line in lines if line.start >= self.change and line.kind in ("period", "rise")), None)
        if first is None:
            yield Sentence(text)
            return
        since = speak_day(to_day(first.start))
        yield Sentence(
            text, f"One {self.unit} more on {speak_day(to_day(self.change))} is billed from {since}: {self.sum(first)}"
        )

    def minimum(self) -> Iterator[Sentence]:
        least = self.rules.seats.minimum
        if least:
            fewer = max(1, least - 6)
            example = self.shown(self.story((), seats=fewer)[:1])
            yield Sentence(f"Never fewer than {least} seats are billed.", f"With {fewer}: {example}" if example else "")
        seats = self.rules.seats
        if seats.packages:
            last = seats.packages[-1]
            step = last - (0, *seats.packages)[-2]
            sizes = ", ".join(str(size) for size in seats.packages)
            example = self.shown(self.story(())[:1])
            yield Sentence(f"Seats are sold in packages of {sizes}, and beyond {last} in steps of {step}.",
                           self.said(f"With {self.seats}", example))  # fmt: skip
        if seats.maximum:
            example = self.shown(self.story((), seats=seats.maximum + 2)[:1])
            yield Sentence(f"Never more than {seats.maximum} seats are billed.",
                           self.said(f"With {seats.maximum + 2}", example))  # fmt: skip
        if seats.included:
            example = self.shown(self.story((), seats=seats.included + 2)[:1])
            yield Sentence(f"{seats.included} seats are included and not charged for.",
                           self.said(f"With {seats.included + 2}", example))  # fmt: skip

    def rise(self) -> Sentence:
        documents = self.story([self.added()])
        who = f"One {self.unit} more on {speak_day(to_day(self.change))}"
        if self.rules.seats.measure in ONE_NUMBER and self.rules.period.charge == "advance":
            text = f"A {self.unit} added in between is charged only as far as the number billed turns out higher."
            return Sentence(text, self.said(who, self.line(documents, "rise")))
        if self.rules.period.charge == "arrears":
            effect = self.effect(self.rules.rise.takes_effect)
            text = f"A {self.unit} who joins is billed {effect}{self.by_share()}, with the period's bill."
            return Sentence(text, self.said(who, self.shown(self.covering(documents))))
        effect = self.effect(self.rules.rise.takes_effect)
        settle = {
            "next_invoice": f"with the bill of the next {_WORD[self.interval]}",
            "month": "on the first day of the next month",
            "quarter": "at the next calendar quarter",
            "now": "at once",
        }[self.rules.rise.settle]
        text = f"A {self.unit} added in between is charged {effect}{self.by_share()}, {settle}."
        return Sentence(text, self.said(who, self.line(documents, "rise")))

    def fall(self) -> Sentence:
        documents = self.story([self.removed()])
        who = f"One {self.unit} fewer on {speak_day(to_day(self.change))}"
        if self.rules.fall.give == "nothing":
            text = f"A {self.unit} fewer counts from the next {_WORD[self.interval]}; until then it stays paid for."
            return Sentence(text, self.said(who, self.shown(self.following(documents))))
        if self.rules.seats.measure in ONE_NUMBER:
            text = f"A {self.unit} fewer matters only as far as the number billed turns out lower."
            kind = "fall" if self.rules.period.charge == "advance" else ""
            return Sentence(text, self.said(who, self.line(documents, kind)))
        if self.rules.period.charge == "arrears":
            until = self.effect(self.rules.fall.takes_effect).replace("from", "until", 1)
            text = f"A {self.unit} who leaves is billed {until}{self.by_share()}."
            return Sentence(text, self.said(who, self.shown(self.covering(documents))))
        settle = {"next_invoice": "with the next invoice", "now": "at once"}[self.rules.fall.settle]
        gone = "given back" if self.bought else "who leaves"
        rest = self.effect(self.rules.fall.takes_effect)
        text = f"For a {self.unit} {gone}, the unused rest {rest.replace(', ', ' ')}is credited {settle}."
        if self.rules.fall.settle == "next_invoice":
            text += " Where that exceeds the invoice, nothing is charged and the rest stays for the next ones."
        return Sentence(text, self.said(who, self.line(documents, "fall")))

    def plan_change(self) -> Iterator[Sentence]:
        plans = sorted((name for name in self.policy.plans if self.price_of(name)), key=self.price_of)
        if len(plans) < 2 or self.price_of(plans[0]) == self.price_of(plans[-1]):
            return
        low, high = plans[0], plans[-1]
        documents = self.story([{"at": self.change, "event": "plan", "plan": high}], plan=low)
        who = f"{self.seats} {self.unit}s from {low} to {high} on {speak_day(to_day(self.change))}"
        if self.rules.period.charge == "arrears":
            text = "A change of plan counts from the day it is made."
            yield Sentence(text, self.said(who, self.shown(self.covering(documents))))
            return
        gives = "gives the same as credit" if self.rules.fall.give == "credit" else "counts from the next period"
        text = f"A dearer plan is charged with the difference, {self.by_share()}; a cheaper one {gives}."
        yield Sentence(text, self.said(who, self.line(documents, "plan")))

    def trial(self) -> Iterator[Sentence]:
        trial = self.rules.trial
        begun = speak_day(to_day(self.start))
        if trial.days:
            example = self.shown(self.story((), opening="trial")[:1])
            text = f"A trial is free for {trial.days} days; paid periods begin on the day after it."
            yield Sentence(text, self.said(f"A trial from {begun}", example))
        plans = sorted((name for name in self.policy.plans if self.price_of(name)), key=self.price_of)
        if trial.plan_days and len(plans) > 1:
            row: dict[str, object] = {"at": self.change, "event": "trial_plan", "plan": plans[-1]}
            example = self.shown(self.following(self.story([row], plan=plans[0])))
            text = f"A higher plan can be tried for {trial.plan_days} days at the price of the present one."
            yield Sentence(text, self.said(f"{plans[-1]} tried from {speak_day(to_day(self.change))}", example))

    def cancel(self) -> Sentence:
        ends = "with the period in which it is made" if self.rules.cancel.ends == "period" else "with its day"
        text = f"A cancellation takes effect {ends}."
        if self.rules.credits.lapse == "agreement_end":
            text += " Credits that are left then are lost."
        documents = self.story([{"at": self.change, "event": "cancel"}])
        who = f"Cancelled on {speak_day(to_day(self.change))}"
        return Sentence(text, self.said(f"{who}, the last bill", self.shown(documents[-1:])))

    def rest(self) -> Iterator[Sentence]:
        months = self.rules.prices.notice_months
        if months:
            first = add_months(to_day(self.start), months)
            yield Sentence(
                f"A new price is announced {months} months ahead and holds for periods that begin afterwards.",
                f"Announced on {speak_day(to_day(self.start))}: in force from {speak_day(first)} at the earliest",
            )
        if self.rules.tax.rate:
            tax = rounded(10000 * self.rules.tax.rate.numerator, 100 * self.rules.tax.rate.denominator)
            amount, whole = (speak_amount(minor, self.policy.currency) for minor in (10000, 10000 + tax))
            yield Sentence(f"Tax of {speak_percent(self.rules.tax.rate)} is added.", f"{amount} makes {whole}")
        if self.rules.rounding.stage == "running" and self.plan is not None:
            price = self.policy.price(self.policy.plans[self.plan].prices, self.interval, to_day(self.start), self.plan)
            assert price is not None
            part = rounded(price.minor, 3, self.rules.rounding.mode)
            thirds = [speak_amount(minor, self.policy.currency) for minor in (part, price.minor - part, price.minor)]
            yield Sentence(
                "What is billed for a period adds up to its exact amount, rounded once.",
                f"A third of {thirds[2]} billed first, the rest later: {thirds[0]} + {thirds[1]} = {thirds[2]}",
            )

    def by_share(self) -> str:
        if self.rules.seats.measure in ONE_NUMBER:
            return f"for the whole {_WORD[self.unit_of_time]}"
        return {
            "days_of_period": "for the days left of the period",
            "days_of_month": "for the days left, each by the length of its month",
            "days_of_365": "by days, each 1/365 of the yearly price",
            "months": "for the months left",
            "quarters": "for the quarters left",
            "period": "for the whole period",
        }[self.rules.share.by]

    def effect(self, takes_effect: FallEffect) -> str:
        """From when on a change counts, where that is not its day."""
        word = takes_effect.removeprefix("next_")
        if takes_effect == "day":
            return ""
        if word == takes_effect:
            return f"from the first day of the {word} on, "
        return f"from the next {word} on, "

    def price_of(self, plan: str) -> int:
        """The plan's price of a year, for putting plans in order; 0 where it has none."""
        price = self.policy.price(self.policy.plans[plan].prices, self.interval, to_day(self.start), plan)
        return price.minor * 12 // price.months if price else 0

    def added(self) -> dict[str, object]:
        if self.bought:
            return {"at": self.change, "event": "seats", "quantity": self.seats + 1}
        return {"at": self.change, "event": self.joins, "user": "dora", "role": self.role}

    def removed(self) -> dict[str, object]:
        if self.bought:
            return {"at": self.change, "event": "seats", "quantity": self.seats - 1}
        return {"at": self.change, "event": "deactivate", "user": "member 1"}

    def story(
        self,
        changes: Iterable[dict[str, object]],
        *,
        seats: int | None = None,
        plan: str | None = None,
        opening: str = "start",
    ) -> tuple[Document, ...]:
        """The documents of two years of an account with some seats, and what happens to it."""
        if self.plan is None:
            return ()
        count = seats or self.seats
        rows: list[dict[str, object]] = [{"at": self.start, "event": opening}]
        if self.bought:
            rows[0]["quantity"] = count
        else:
            members = (f"member {number}" for number in range(1, count + 1))
            rows += [{"at": self.start, "event": self.joins, "user": user, "role": self.role} for user in members]
        changes = list(changes)
        if self.joins == "activity":
            rows += self.visits([str(row["user"]) for row in rows[1:]], changes)
        history = read_history(
            [*rows, *changes], policy=self.policy, plan=plan or self.plan, interval=self.interval, seats_follow=True
        )
        return bill(history, through=date(self.year + 2, 1, 1)).documents

    def visits(self, users: Iterable[str], changes: Iterable[dict[str, object]]) -> Iterator[dict[str, object]]:
        """What keeps people from being idle: often enough where an activity lasts, once a month where it does not."""
        waits = self.rules.seats.idle_days
        gone = {str(row["user"]) for row in changes if row["event"] == "deactivate"}
        for day in range(waits if waits >= 7 else 30, 730, waits if waits >= 7 else 30):
            at = self.start + timedelta(days=day)
            for user in users:
                if user not in gone or at < self.change:
                    yield {"at": at, "event": "activity", "user": user, "role": self.role}

    def covering(self, documents: Iterable[Document]) -> list[Document]:
        """The first document with a line for the day of change."""
        return [one for one in documents if any(line.start <= self.change < line.end for line in one.lines)][:1]

    def following(self, documents: Iterable[Document]) -> list[Document]:
        """The first document after the change."""
        return [document for document in documents if document.date > self.change][:1]

    def line(self, documents: Iterable[Document], kind: str) -> str:
        """The first line of a kind with its document's date, if there is one."""
        found = ((document, line) for document in documents for line in document.lines if line.kind == kind)
        for document, line in found:
            return f"{self.sum(line)}, on {speak_day(to_day(document.date))}"
        return ""

    def sum(self, line: Line) -> str:
        quantity = f"{'−' if line.quantity < 0 else ''}{abs(line.quantity)}"
        price, amount = (speak_amount(minor, self.policy.currency) for minor in (line.price.minor, line.amount_minor))
        return f"{quantity} × {price} × {speak_share(line)}{share_words(line)} = {amount}"

    def shown(self, documents: Iterable[Document]) -> str:
        """The sums of a document with its date."""
        for document in documents:
            sums = "; ".join(self.sum(line) for line in document.lines)
            total = f", together {speak_amount(document.subtotal_minor, self.policy.currency)}"
            return f"{sums}{total if len(document.lines) > 1 else ''}, on {speak_day(to_day(document.date))}"
        return ""

    def said(self, who: str, example: str) -> str:
        return f"{who}: {example}" if example else ""
