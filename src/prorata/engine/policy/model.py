"""What a policy can say: every key of the language, its values, its default and its meaning.

This module is the language's one source: the TOML reader, the checks, the JSON Schema and the reference page are made
from these fields. `key()` gives a field its meaning and an example; a Literal lists what is allowed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from itertools import chain, product
from typing import Literal, TypeAlias

from prorata.engine.calendar import TICKS, Anchor, Day, Interval, OfMonths, Precision, to_date
from prorata.engine.money import Minor, RoundingMode
from prorata.engine.policy.key import key
from prorata.engine.policy.tariff import AddOn, Plan, Price, PriceRow, Tariff, row_for, tariff

ONE_NUMBER = ("peak", "mean", "distinct", "snapshot")  # what is measured as one number for all of a period

# The items that are no add-ons: all seats of a kind, what stands beside them, and those beyond what was ordered.
SEATS, BASE, OVERAGE = "seats", "base", "overage"
_ORDERED = ">ordered"  # how the lines of the last begin to differ from those of the seats within the order

# How many of those counted are billed. With a role apart, what is written for all is about the other members.
SIZES = ("minimum", "packages", "included", "maximum")

WHOLE = ("months", "quarters", "period")  # shares in which what has begun may count whole

Effect = Literal["day", "month", "next_month", "quarter", "next_quarter", "period", "next_period"]
FallEffect = Literal[
    "day", "month", "next_month", "quarter", "next_quarter", "period", "next_period", "next_term", "never"
]  # fmt: skip

# Who of the people counts: from when on, whether those who are suspended do, and which roles do not.
Counting: TypeAlias = tuple[Literal["acceptance", "invitation", "activity"], bool, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Role:
    """A kind of member."""

    billed: bool = key("Whether members with this role hold a seat that is paid for.", "billed = false", True)


@dataclass(frozen=True, slots=True)
class PeriodRules:
    """Which stretch of time a bill is for, and at which end of it the bill comes."""

    anchor: Anchor = key(
        "`start`: periods are counted from the day the agreement starts (31 Jan → 28 Feb → 31 Mar). `calendar`: they "
        "begin with calendar months, quarters, half-years or years, after a shorter first one.",
        'anchor = "calendar"',
        "start",
    )
    charge: Literal["advance", "arrears"] = key(
        "`advance`: billed on the period's first day. `arrears`: billed on the day after its last.",
        'charge = "arrears"',
        "advance",
    )
    stub: Literal["own_invoice", "next_invoice"] = key(
        'With `anchor = "calendar"`: whether a shorter period, the first or one after a change of interval, has an '
        "invoice of its own or is on the one of the full period after it.",
        'stub = "next_invoice"',
        "own_invoice",
    )
    measured: OfMonths | None = key(
        "Where the invoice is for a longer time: the months, quarters or half-years of it that are measured, and "
        "rounded, each on its own.",
        'measured = "month"',
        None,
    )
    term_months: int = key(
        "For how many months the account binds itself at a time, where that is longer than an invoice; 0: it does "
        "not. Terms are counted from the agreement's start, or with calendar periods are the calendar's; a change "
        "that begins a new period (`change.*`) begins a new term as well.",
        "term_months = 12",
        0,
    )


@dataclass(frozen=True, slots=True)
class SeatRules:
    """What counts as a seat."""

    count: Literal["active", "bought", "larger"] = key(
        "`active`: the people who are members. `bought`: the number of seats ordered, used or not. `larger`: of both "
        "the larger number, so that an order is a floor; what is ordered counts day by day, whatever the measure, so "
        'that lowering an order gives credit unless `fall.give = "nothing"`.',
        'count = "bought"',
        "active",
    )
    counts_from: Literal["acceptance", "invitation", "activity"] = key(
        "`acceptance`, `invitation`: a person counts from the acceptance of the invitation, or already from the "
        "invitation. `activity`: only after an event `activity`, and until `idle_days` are over. Needs people to be "
        "counted.",
        'counts_from = "invitation"',
        "acceptance",
    )
    free_days: int = key(
        "For so many days from the day on which a person joins for the first time (is invited, accepts or is active, "
        "as `counts_from` says) they take no seat. Whether they stay is known, and the seat is charged, once these "
        "days are over. The same in every `[[when]]`.",
        "free_days = 14",
        0,
    )
    idle_days: int = key(
        'With `counts_from = "activity"`: for how many days an activity counts, its own the first. 1: only the days '
        "with an activity. 28: whoever was not active for 28 days is not billed until they come back.",
        "idle_days = 28",
        1,
    )
    free: tuple[str, ...] = key(
        "Roles that hold no seat here, besides those that never do (`roles.NAME.billed`): for rules that differ by "
        "plan, interval or date. Needs people to be counted.",
        'free = ["commenter"]',
        (),
    )
    suspended: Literal["billed", "free"] = key(
        "Whether a member who is suspended, and not removed, still counts. Needs people to be counted; with bought "
        "seats, who is suspended needs none.",
        'suspended = "free"',
        "billed",
    )
    measure: Literal["level", "high_water", "held", "peak", "mean", "distinct", "snapshot"] = key(
        "`level`: each day as it was. `high_water`: within a period never fewer than before, so a freed seat stays "
        "paid and can be given to someone else. `held`: whoever counted once is paid to the end of the period, and "
        "their seat is not given on. The others make one number of the period, for all of it: `peak` the highest of "
        "any day; `mean` the average of the days, rounded to a whole one; `distinct` everyone who counted on "
        "`least_days` of it; `snapshot` those who count on `on_day`. Billed in advance, such a number is what is "
        "known by then, and what it turns out to be is settled like any change.",
        'measure = "high_water"',
        "level",
    )
    on_day: int = key(
        'With `measure = "snapshot"`: the day of the period that is counted, 1 the first, 0 the last. It is counted '
        'from the period\'s own start, which with `period.anchor = "calendar"` is the first of a month; a shorter '
        "period counts its last day instead.",
        "on_day = 15",
        1,
    )
    least_days: int = key(
        'With `measure = "distinct"`: on how many days of the period a person must count to be billed for it; 0: on '
        "all of them.",
        "least_days = 5",
        1,
    )
    of: Literal["this_period", "period_before"] = key(
        "Whether the one number is measured in the period that is billed or in the one before, so that it is known "
        "in advance. An agreement's first period has none before: it counts those of its first day.",
        'of = "period_before"',
        "this_period",
    )
    change_day: Literal["billed", "not_billed"] = key(
        "Whether the day on which someone joins is billed. If it is, the day on which someone leaves is not; if it "
        "is not, the leaver's is. An agreement's first day always counts whole.",
        'change_day = "not_billed"',
        "billed",
    )
    minimum: int = key("Never fewer seats than this are counted.", "minimum = 10", 0)
    packages: tuple[int, ...] = key(
        "Seats are sold in these numbers; beyond the last one in steps as large as the last. `[5]`: in fives. "
        "`[5, 10, 15, 20, 30]`: in fives up to 20, then in tens.",
        "packages = [5, 10, 15, 20, 30]",
        (),
    )
    maximum: int = key("Never more seats than this are billed; 0: there is no limit.", "maximum = 100", 0)
    included: int = key("So many of the seats counted are not charged for.", "included = 5", 0)
    below_active: Literal["allowed", "refused"] = key(
        'Whether the seats bought may be lowered below the number of active members. Needs `count = "bought"`.',
        'below_active = "refused"',
        "allowed",
    )
    counting: Counting = field(init=False, repr=False, compare=False)  # who of the people counts
    sold_apart: bool = field(init=False, repr=False, compare=False)  # whether beyond a minimum other numbers are billed

    def __post_init__(self) -> None:
        object.__setattr__(self, "counting", (self.counts_from, self.suspended == "billed", self.free))
        object.__setattr__(self, "sold_apart", bool(self.packages or self.maximum or self.included))

    @property
    def delay_days(self) -> int:
        """How many days after it happens a change counts."""
        return 1 if self.change_day == "not_billed" else 0


@dataclass(frozen=True, slots=True)
class ShareRules:
    """What part of a price some days are worth."""

    by: Literal["days_of_period", "days_of_month", "days_of_365", "months", "quarters", "period"] = key(
        "`days_of_period`: days / the days of the billing period. `days_of_month`: days / the days of the calendar "
        "month they lie in. `days_of_365`: days / 365 of a yearly price, in leap years too. `months`, `quarters`, "
        "`period`: whole months or quarters of the period, or the whole of it; see `started`.",
        'by = "days_of_month"',
        "days_of_period",
    )
    started: Literal["full", "free", "by_days", "by_30"] = key(
        "With months, quarters or the period: what the rest of one is worth in which something changes. `full`: all "
        "of it, so that a change counts from its beginning. `free`: nothing, so that a change counts from the next "
        "one. `by_days`: its part of the days. `by_30`: days / 30, a whole month at most; with months only.",
        'started = "free"',
        "full",
    )


_EFFECT = (
    "`day`: on the day it happens. `month`, `quarter`, `period`: as if on the first day of the one it happens in. "
    "`next_month`, `next_quarter`, `next_period`: when that is over"
)


@dataclass(frozen=True, slots=True)
class RiseRules:
    """Something more than was billed: a seat, an add-on, a dearer plan."""

    takes_effect: Effect = key(
        f"From when on it is charged. {_EFFECT}. Months and quarters are those of the billing period.",
        'takes_effect = "month"',
        "day",
    )
    settle: Literal["next_invoice", "month", "quarter", "own_month", "own_quarter", "now"] = key(
        "`next_invoice`: with the next period's bill. `month`, `quarter`: on the first day of the next calendar "
        "month or quarter. `own_month`, `own_quarter`: when the next month or quarter begins that is counted from the "
        'period\'s own start. `now`: the day it becomes known. Needs `period.charge = "advance"`.',
        'settle = "quarter"',
        "next_invoice",
    )
    least_seats: int = key(
        "Before the next period's bill what has risen is settled only once so many seats more than were billed are "
        "open, else it waits for that bill; 0: one is enough. Where `least_amount` is set too, either is enough.",
        "least_seats = 5",
        0,
    )
    least_amount: Minor = key(
        "The same by the amount that is open, before tax; 0: any is enough.", 'least_amount = "100.00"', Minor(0)
    )
    waiting_days: int = key(
        "What has risen counts once it has lasted for so many days, and then from its own day on; what falls again "
        'before is not charged at all. With `settle = "now"` it is settled on that day. 0: it counts at once.',
        "waiting_days = 5",
        0,
    )


@dataclass(frozen=True, slots=True)
class FallRules:
    """Something less than was billed: a seat freed, an add-on ended, a cheaper plan."""

    takes_effect: FallEffect = key(
        f"From when on it is not charged any more. {_EFFECT}; until then what is freed stays paid and can be used. "
        "`next_term`: with the next term (`period.term_months`). `never`: not as long as the agreement runs.",
        'takes_effect = "next_month"',
        "day",
    )
    window_days: int = key(
        "Where falls take effect later: for so many days after it was bought, or after the time began for which falls "
        "wait (the month, the period, the term), something can be given back at once all the same. The last of these "
        "days included: what was bought on 20 April can be given back until the 27th with 7.",
        "window_days = 7",
        0,
    )
    notice_days: int = key(
        "How many days ahead something is given up: a fall counts so many days after it was told, and then takes "
        "effect as `takes_effect` says. 30 with `next_period`: at least 30 days before the period ends, or it falls a "
        "period later.",
        "notice_days = 30",
        0,
    )
    give: Literal["credit", "nothing", "refund"] = key(
        "`credit`: from when on a fall takes effect, the unused rest is credited. `nothing`: it stays paid and usable, "
        'and falls with the next period, as `takes_effect = "next_period"` also says, which leaves room for '
        "`window_days`. It does not go with one number of the period (`seats.measure`) that is billed in advance and "
        'may turn out lower: that takes arrears, or `seats.of = "period_before"`. `refund`: as `credit`, but what a '
        "document comes to below zero is paid back; no credit remains of it.",
        'give = "nothing"',
        "credit",
    )
    settle: Literal["next_invoice", "now"] = key(
        "`next_invoice`: credited on the next document that is due for another reason. `now`: a credit note the day "
        'it becomes known. Needs a `give` that is not `nothing`, and `period.charge = "advance"`.',
        'settle = "now"',
        "next_invoice",
    )

    @property
    def effect(self) -> FallEffect:
        """From when on a fall counts: where nothing is given for it, from the next period."""
        return "next_period" if self.give == "nothing" else self.takes_effect


_PLAN = (
    "`restart`: on its day a new period begins, whole and counted from there, and the unused rest of the running one "
    "is credited. `next_period`: it counts from the next period on"
)


@dataclass(frozen=True, slots=True)
class ChangeRules:
    """What another plan, interval or number of seats does to the running period."""

    dearer_plan: Literal["difference", "restart", "next_period"] = key(
        f"`difference`: the difference is charged, as `rise` says. {_PLAN}.", 'dearer_plan = "restart"', "difference"
    )
    cheaper_plan: Literal["difference", "restart", "next_period"] = key(
        f"`difference`: the difference is credited, as `fall` says. {_PLAN}.",
        'cheaper_plan = "next_period"',
        "difference",
    )
    interval: Literal["next_invoice", "restart"] = key(
        "`next_invoice`: another interval is that of the next invoice. `restart`: a new period of it begins on the "
        "day, and the unused rest of the running one is credited. In a `[[when]]` with an `interval`, that is the one "
        "that is left.",
        'interval = "restart"',
        "next_invoice",
    )
    more_seats: Literal["difference", "restart", "extend", "use_up"] = key(
        "`difference`: seats more are charged as `rise` says. `restart`: once more seats are billed than before (a "
        "larger package, where they are sold in packages), a new period of all of them begins on that day, and the "
        "unused rest of the running one is credited. `extend` and `use_up`: what is paid is a stock of time, and the "
        "period ends when all seats together have used it up. Seats more are charged at once for a whole interval, "
        "which is added to the stock (`extend`), or cost nothing and end it sooner (`use_up`). Seats fewer make it "
        'last longer, unless `fall.give = "nothing"`. The stock is counted in days, or with `share.by = "months"` in '
        "months.",
        'more_seats = "restart"',
        "difference",
    )

    @property
    def is_prepaid(self) -> bool:
        """Whether what is paid is a stock of time that another number of seats uses up sooner or later."""
        return self.more_seats in ("extend", "use_up")

    @property
    def restarting(self) -> tuple[str, ...]:
        """The keys that say `restart`."""
        told = {"dearer_plan": self.dearer_plan, "cheaper_plan": self.cheaper_plan, "interval": self.interval}
        return tuple(key for key, word in {**told, "more_seats": self.more_seats}.items() if word == "restart")


@dataclass(frozen=True, slots=True)
class CancelRules:
    """When a cancelled agreement ends."""

    ends: Literal["period", "day", "term"] = key(
        "`period`: with the billing period in which it is cancelled. `day`: with the day of the cancellation. `term`: "
        "with the term (`period.term_months`).",
        'ends = "day"',
        "period",
    )
    notice_days: int = key(
        "How many days ahead it is told: a cancellation counts so many days later, and the agreement ends as `ends` "
        "says. 30 with `period`: whoever cancels fewer than 30 days before the next period begins has that one, too.",
        "notice_days = 30",
        0,
    )

    def counts_from(self, day: Day, ticks: int) -> Day:
        """The first day on which a cancellation of a day counts.

        One that ends the agreement with its day counts from the end of that day; one that waits for the end of the
        period or term is in time on the day that lies its notice before that end.
        """
        notice = self.notice_days * ticks
        return day + (notice + (ticks == 1) if self.ends == "day" else max(notice, ticks == 1))


@dataclass(frozen=True, slots=True)
class CreditRules:
    """What becomes of credits that are not used."""

    lapse: Literal["never", "agreement_end"] = key(
        "`agreement_end`: what is left when the agreement has ended and its last bill is out is lost. Credits are "
        "used on the next invoices, the oldest first.",
        'lapse = "agreement_end"',
        "never",
    )
    lapse_months: int = key(
        "So many months after it was given, what is left of a credit is lost, on the day of the next period's bill; 0: "
        "it never is.",
        "lapse_months = 12",
        0,
    )


@dataclass(frozen=True, slots=True)
class TrialRules:
    """Free time."""

    days: int = key(
        "How long the event `trial` lasts where it names no `until`; 0: it has to. Paid periods begin after it.",
        "days = 14",
        0,
    )
    plan_days: int = key(
        "How long the event `trial_plan` lasts where it names no `until`; 0: it has to. A higher plan is used at the "
        "price of the present one.",
        "plan_days = 30",
        0,
    )
    without_payment_method: Literal["starts", "suspended"] = key(
        "What follows on a trial where no event has told of a payment method: paid periods begin all the same, or the "
        "account is suspended, and they begin on the day on which one is told. An event `start` begins them anyway.",
        'without_payment_method = "suspended"',
        "starts",
    )


@dataclass(frozen=True, slots=True)
class PriceRules:
    """How prices change."""

    in_force: Literal["period", "term", "agreement"] = key(
        "Which list price a period has: the one in force when it began, or when its term (`period.term_months`) or "
        "the agreement did.",
        'in_force = "agreement"',
        "period",
    )
    notice_months: int = key("How many months before it is in force a price must be announced.", "notice_months = 3", 0)


@dataclass(frozen=True, slots=True)
class RoundingRules:
    """How fractions of a cent are rounded."""

    mode: RoundingMode = key(
        "What happens to a half, or with `up` and `down` to any rest. Negative amounts mirror positive ones.",
        'mode = "half_even"',
        "half_up",
    )
    stage: Literal["running", "line", "seat", "day"] = key(
        "What is rounded. `running`: each line is the rounded total so far less what was billed so far, so that the "
        "parts of a period always add up to its exact amount rounded once. `line`: each line is rounded on its own. "
        "`seat`: the price of one seat for the days of the line, which is then multiplied by the seats. `day`: the "
        "price of one seat for one day, which is then multiplied by days and seats; a line over the whole period, or "
        'with `share.by = "days_of_month"` a whole calendar month of a line, is not cut into days and costs its part '
        "of the price. In arrears a new line begins wherever the number of seats changes. `day` needs a share of days: "
        "`days_of_period`, `days_of_month` or `days_of_365`.",
        'stage = "line"',
        "running",
    )
    digits: int | None = key(
        "To how many decimals what is rounded goes; left out, to those of the currency. With `running` and `line` it "
        "is the amounts: 0 bills whole kronor, and no more than the currency has are possible. With `seat` and `day` "
        "it is the price of a seat or of a day, up to 6, and the product is then rounded to the currency.",
        "digits = 0",
        None,
    )


@dataclass(frozen=True, slots=True)
class TaxRules:
    """Tax on documents; amounts in a policy are without it."""

    rate: Fraction = key("Percent, on the sum of all lines of one rate, rounded once.", 'rate = "25"', Fraction(0))


@dataclass(frozen=True, slots=True)
class Rules:
    """Every choice a policy makes, for one interval and one time."""

    period: PeriodRules = PeriodRules()
    seats: SeatRules = SeatRules()
    share: ShareRules = ShareRules()
    rise: RiseRules = RiseRules()
    fall: FallRules = FallRules()
    change: ChangeRules = ChangeRules()
    cancel: CancelRules = CancelRules()
    credits: CreditRules = CreditRules()
    trial: TrialRules = TrialRules()
    prices: PriceRules = PriceRules()
    rounding: RoundingRules = RoundingRules()
    tax: TaxRules = TaxRules()

    def without_sizes(self) -> Rules:
        """The same, if as many seats were billed as are counted."""
        return replace(self, seats=replace(self.seats, minimum=0, packages=(), included=0, maximum=0))


@dataclass(frozen=True, slots=True)
class When:
    """Where rules differ: by interval, plan, payment method, item, role or day. The last of several that match wins."""

    interval: Interval | None = key("Only for accounts billed in this interval.", 'interval = "year"', None)
    plan: str | None = key(
        "Only for periods whose invoice begins on this plan, chosen before that day. A plan chosen on the day itself "
        "or later has its own price at once, and its own rules from the next invoice on.",
        'plan = "standard"',
        None,
    )
    payment_method: str | None = key(
        "Only for periods whose invoice begins while the account pays by this one of `payment_methods`, as told before "
        "that day.",
        'payment_method = "invoice"',
        None,
    )
    item: str | None = key(
        "Only for this add-on, for `seats` and the base price beside them, or for `overage`, the seats beyond those "
        "ordered. By item may differ: `share`, `rounding`, `rise.takes_effect`, `fall.takes_effect`, `fall.give`, "
        '`fall.window_days` and `fall.notice_days`; and `period.charge = "arrears"` on an invoice in advance: the item '
        "is due once its period is over (`period.measured`), and settled as `rise.settle` says. The rest is of the "
        'whole invoice. How many seats an add-on with `charge = "seat"` is for goes by the rules of the seats; its own '
        "say when it counts that it was added or removed.",
        'item = "sms"',
        None,
    )
    role: str | None = key(
        "Only for the seats of members with this role, which are then counted apart, with lines of their own, as with "
        "a price of their own; without one they cost what the others do. By role may differ: how its seats are counted "
        "and sold (`seats`, but for `free`, `change_day` and `below_active`), `share`, `rounding`, "
        "`rise.takes_effect`, `fall.takes_effect`, `fall.window_days`, `fall.notice_days` and, as by item, "
        "`period.charge`; the rest is of the whole invoice. Where nothing is given back for a role's seats alone, that "
        'is `fall.takes_effect = "next_period"`. `minimum`, `packages`, `included` and `maximum` are those said here '
        "alone: what is written for all is for the other members. Tiers are counted by role.",
        'role = "viewer"',
        None,
    )
    from_: date | None = key("For periods that begin on this day or later.", "from = 2027-01-01", None, name="from")
    until: date | None = key("For periods that begin before this day.", "until = 2023-06-01", None)

    @property
    def is_by_interval(self) -> bool:
        """Whether it is for all periods of an interval."""
        others = (self.plan, self.payment_method, self.item, self.role, self.from_, self.until)
        return self.interval is not None and all(one is None for one in others)

    def covers(self, interval: Interval, plan: str, day: date, item: str, payment_method: str) -> bool:
        """Whether periods of this interval are meant that begin on `day`, on this plan, and what an item does then."""
        return (
            (self.interval is None or self.interval == interval)
            and (self.plan is None or self.plan == plan)
            and (self.payment_method is None or self.payment_method == payment_method)
            and self._is_about(item)
            and (self.from_ is None or day >= self.from_)
            and (self.until is None or day < self.until)
        )

    @property
    def of_item(self) -> str | None:
        """The item it is for alone, if it is: the seats, those of a role, or an add-on."""
        return seats_of(self.role) if self.role is not None else self.item

    def _is_about(self, item: str) -> bool:
        own = self.of_item
        return own is None or own == item or (own == SEATS and is_taken(item))


def matching(
    whens: tuple[When, ...], interval: Interval, plan: str, day: date, item: str, payment_method: str
) -> tuple[int, ...]:
    """Which of the `when` tables cover periods of this interval that begin on `day`, on this plan, by their place.

    `item` is the one whose rules are asked for; without it they are those of the whole invoice.
    """
    return tuple(at for at, when in enumerate(whens) if when.covers(interval, plan, day, item, payment_method))


def seats_of(role: str) -> str:
    """The item of the seats of a role that is counted apart; of all others, where that is ""."""
    return f"{SEATS}:{role}" if role else SEATS


def is_taken(item: str) -> bool:
    """Whether an item is of the seats or the base price, so that no add-on can be called so."""
    return item in (SEATS, BASE, OVERAGE) or item.startswith((f"{SEATS}:", f"{SEATS}>"))


def beyond(item: str) -> str:
    """The item of the seats beyond those that were ordered of one."""
    return f"{item}{_ORDERED}"


def is_beyond(item: str) -> bool:
    """Whether an item is of the seats beyond those that were ordered."""
    return item.endswith(_ORDERED)


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """A vendor's billing rules, plans and prices.

    `variants` pairs each combination of `when` tables with the rules that result. Rules follow the day on which a
    billing period begins: a period keeps to its end the rules it began with.
    """

    name: str
    title: str
    currency: str
    time_zone: str
    intervals: tuple[Interval, ...]
    plans: Mapping[str, Plan]
    add_ons: Mapping[str, AddOn]
    roles: Mapping[str, Role]
    whens: tuple[When, ...]
    variants: Mapping[tuple[int, ...], Rules]
    notes: tuple[str, ...] = ()
    precision: Precision = "day"
    payment_methods: tuple[str, ...] = ()
    ticks: int = field(init=False, default=1)  # into so many parts a day is divided
    is_taxed: bool = field(init=False, default=False)
    by_plan: bool = field(init=False, default=False)  # whether rules differ by plan
    by_payment_method: bool = field(init=False, default=False)  # or by how the account pays
    apart: tuple[str, ...] = field(init=False, default=())  # items billed in their own way: add-ons, seats, of a role
    roles_apart: tuple[str, ...] = field(init=False, default=())  # those with a price or rules of their own somewhere
    ordered_roles: tuple[str, ...] = field(init=False, default=())  # those of which orders are billed; "" all others
    restarts: bool = field(init=False, default=False)  # whether a change may begin a new period
    waiting_days: int = field(init=False, default=0)  # for how long at most what has risen has to last
    idle_days: int = field(init=False, default=0)  # for how long an activity counts, where activities do
    free_days: int = field(init=False, default=0)  # for how long people take no seat from the day they join
    joins_with: tuple[str, ...] = field(init=False, default=())  # the events with which somebody may join
    has_overage: bool = field(init=False, default=False)  # whether seats beyond those ordered have a price somewhere
    may_wait: bool = field(init=False, default=False)  # whether paid periods may wait for a payment method
    has_later: bool = field(init=False, default=False)  # whether some items are due later than the invoice they are on

    def __post_init__(self) -> None:
        object.__setattr__(self, "ticks", TICKS[self.precision])
        seats = [rules.seats for rules in self.variants.values()]
        by_use = [one.idle_days for one in seats if one.counts_from == "activity"]
        object.__setattr__(self, "idle_days", max(by_use, default=0))
        object.__setattr__(self, "free_days", max(one.free_days for one in seats))
        counts_from = {one.counts_from for one in seats if one.count != "bought"}
        told = [*(["invite"] if "invitation" in counts_from else []), "accept", "activate", "activity"]
        object.__setattr__(self, "joins_with", ("activity",) if counts_from == {"activity"} else tuple(told))
        object.__setattr__(self, "by_plan", any(when.plan is not None for when in self.whens))
        by_payment_method = any(when.payment_method is not None for when in self.whens)
        object.__setattr__(self, "by_payment_method", by_payment_method)
        changes = [rules.change for rules in self.variants.values()]
        object.__setattr__(self, "restarts", any(change.restarting or change.is_prepaid for change in changes))
        waiting = max(rules.rise.waiting_days for rules in self.variants.values())
        object.__setattr__(self, "waiting_days", waiting)
        apart = {when.of_item: None for when in self.whens if when.of_item is not None}
        apart |= {name: None for name, add_on in self.add_ons.items() if add_on.charge == "once"}
        named = {row.role for plan in self.plans.values() for row in plan.prices} | {when.role for when in self.whens}
        object.__setattr__(self, "roles_apart", tuple(role for role in self.roles if role in named))
        apart |= {seats_of(role): None for role in self.roles_apart}
        object.__setattr__(self, "apart", tuple(apart))
        object.__setattr__(self, "ordered_roles", tuple(filter(self._is_ordered, ("", *self.roles_apart))))
        overage = any(row.overage is not None for plan in self.plans.values() for row in plan.prices)
        object.__setattr__(self, "has_overage", overage)
        later = any(when.of_item is not None and self._is_later(at) for at, when in enumerate(self.whens))
        object.__setattr__(self, "has_later", later)
        waits = any(one.trial.without_payment_method == "suspended" for one in self.variants.values())
        object.__setattr__(self, "may_wait", waits)
        rates = [plan.tax_rate for plan in self.plans.values()]
        rates += [add_on.tax_rate for add_on in self.add_ons.values()]
        rates += [rules.tax.rate for rules in self.variants.values()]
        object.__setattr__(self, "is_taxed", any(rates))

    def rules(self, interval: Interval, day: Day, plan: str = "", item: str = "", payment_method: str = "") -> Rules:
        """The rules of periods of this interval that begin on `day`, on this plan or the first of all.

        `item` is an add-on, "seats", or the seats of a role as `seats_of` says; without it they are those of the
        whole invoice. Without `payment_method` they are those of the first of all.
        """
        plan, payment_method = plan or self.default_plan, payment_method or self.default_payment_method
        chosen = matching(self.whens, interval, plan, to_date(day), item, payment_method)
        rules = self.variants[chosen]
        if item.startswith(f"{SEATS}:") and all(self.whens[at].role is None for at in chosen):
            return rules.without_sizes()
        return rules

    def price(self, prices: tuple[PriceRow, ...], interval: Interval, day: Day, plan: str) -> Price | None:
        """The list price for periods of this interval that begin on `day`; None where there is none."""
        row = row_for((row for row in prices if row.seats == ("", 0)), interval, to_date(day))
        return None if row is None else Price(row.price.minor, row.price.months, plan)

    def tariffs(self, interval: Interval, day: Day) -> dict[str, Tariff]:
        """What each plan costs in periods of this interval that begin on `day`, if it has a price for them."""
        found = {name: tariff(name, plan, interval, to_date(day)) for name, plan in self.plans.items()}
        return {name: one for name, one in found.items() if one is not None}

    def _is_later(self, at: int) -> bool:
        """Whether one of the `when` bills its item in arrears."""
        return any(rules.period.charge == "arrears" for chosen, rules in self.variants.items() if at in chosen)

    def is_billed(self, role: str) -> bool:
        """Whether a member with this role needs a seat; roles the policy does not name all do."""
        return role not in self.roles or self.roles[role].billed

    def role_apart(self, role: str) -> str:
        """The role if its seats are counted apart, or "" for all others."""
        return role if role in self.roles_apart else ""

    def _is_ordered(self, role: str) -> bool:
        """Whether somewhere as many seats of a role are billed as are ordered."""
        days = {date.min, *self._dates_of_rules}
        found = (
            self.variants.get(matching(self.whens, interval, plan, day, seats_of(role), method))
            for interval, plan, day, method in product(self.intervals, self.plans, days, self.payment_methods or [""])
        )
        return any(rules is not None and rules.seats.count != "active" for rules in found)

    @property
    def _dates_of_rules(self) -> set[date]:
        return {day for when in self.whens for day in (when.from_, when.until) if day is not None}

    @property
    def dates(self) -> set[date]:
        """The days from which other rules or prices hold."""
        listed = chain(
            *(plan.prices for plan in self.plans.values()), *(add_on.prices for add_on in self.add_ons.values())
        )
        return self._dates_of_rules | {row.from_ for row in listed if row.from_ is not None}

    @property
    def default_interval(self) -> Interval:
        return self.intervals[0]

    @property
    def default_plan(self) -> str:
        return next(iter(self.plans))

    @property
    def default_payment_method(self) -> str:
        """The first of them; nothing where none is named."""
        return self.payment_methods[0] if self.payment_methods else ""


@dataclass(frozen=True, slots=True)
class PolicyKeys:
    """The keys of a policy file that are not rules."""

    currency: str = key("ISO 4217 code of all amounts.", 'currency = "SEK"')
    intervals: tuple[Interval, ...] = key(
        "How often an account can be billed; the first is the default. Either some of months, quarters, half-years and "
        "years, or one interval of days: `week`, `two_weeks`, `four_weeks`, `30_days`. Periods of days are counted "
        "from the agreement's start, and prices are for that interval: `3.00 per week`.",
        'intervals = ["month", "year"]',
    )
    plans: Mapping[str, Plan] = key(
        "The packages, by name; the first is the default.", '[plans.PRO]\nprice = "699.00 per month"'
    )
    title: str | None = key("A name for people.", 'title = "Example Ltd"', None)
    time_zone: str = key("Where a day begins and ends: an IANA time zone.", 'time_zone = "Europe/Oslo"', "UTC")
    add_ons: Mapping[str, AddOn] = key(
        "What can be bought beside seats, by name.", '[add_ons.sms]\nprice = "49.00 per month"', None
    )
    roles: Mapping[str, Role] = key(
        "The roles members can have; the first is the default. A policy that names none bills every role.",
        "[roles.paying]\n\n[roles.free]\nbilled = false",
        None,
    )
    payment_methods: tuple[str, ...] = key(
        "How accounts can pay, by names of one's own, where a `[[when]]` has other rules for one of them; the first is "
        "the default. The event `payment_method` tells of another one.",
        'payment_methods = ["card", "invoice"]',
        (),
    )
    precision: Precision = key(
        "How exactly time is counted: in days, or in hours, minutes or seconds, of which every day has as many. A "
        "change then counts from the moment it happened, and periods begin at the time of day at which the agreement "
        "did.",
        'precision = "second"',
        "day",
    )
    notes: tuple[str, ...] = key(
        "Where the vendor's page is silent: what was decided. Told by `prorata policy show`.",
        'notes = ["A year is 365 days."]',
        (),
    )
