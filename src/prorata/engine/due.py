"""What is due for a billing period by what is known: for each item, how many at which price on which days."""

from __future__ import annotations

from typing import TypeAlias

from prorata.engine.aggregate import ordered, seats, used
from prorata.engine.calendar import Day
from prorata.engine.change import counts_in_effect, plans_in_effect, prices_in_effect, tariffs_in_effect
from prorata.engine.known import Held, Known
from prorata.engine.period import Period
from prorata.engine.policy.model import BASE, SEATS, beyond, seats_of
from prorata.engine.policy.tariff import Price, Tariff
from prorata.engine.price import add_on_price, base_of, seat_prices, sold, tariffs, yearly
from prorata.engine.quantity import billed_quantity
from prorata.engine.steps import Span, Window, cut, joined, overlaid, pieces, summed

Holding: TypeAlias = tuple[int, Price]  # so many, at this price
Due: TypeAlias = dict[str, Window[Holding | None]]
_Size: TypeAlias = tuple[int, int, int]  # the seats, those of them within the order, and those beyond it


def due(known: Known, period: Period) -> Due:
    """Everything that should be billed for the period once it is, item by item."""
    of_seats = period.of(SEATS) if period.apart else period
    span = known.span(of_seats)
    items, counts = ({}, []) if span is None else _seats(known, of_seats, span)
    for item in known.add_ons:
        own = period.of(item)
        its = span if own is of_seats else known.span(own)
        if its is not None:
            items[item] = _add_on(known, own, its, item, counts if its is span else _within(counts, span, its))
    for item in known.once:
        items[item] = _once(known, period, item)
    if period.policy.has_later:
        for item in items:
            if _is_to_come(known, period.of(item)):
                items[item] = [(period.start, None)]
    return items


def _is_to_come(known: Known, own: Period) -> bool:
    """Whether an item is not due yet: one in arrears on an invoice in advance is once its own days are over."""
    span = known.span(own) if own.is_later else None
    return span is not None and span[1] + own.policy.ticks > known.today + 1


def _seats(known: Known, period: Period, span: Span) -> tuple[Due, Window[int]]:
    """The items of the seats and of the base price beside them, and how many seats are billed."""
    if period.stock is not None:
        return {SEATS: _paid(known, period, span, period.stock.bought)}, [(span[0], period.stock.seats)]
    if not period.is_flat:
        sizes = {role: _sizes(known, period, span, role) for role in period.countings}
        counts_by_role = {role: [(day, count) for day, (count, _, _) in its] for role, its in sizes.items()}
        return _by_tariff(known, period, span, sizes, counts_by_role), summed(counts_by_role.values(), span[1])
    past = known.with_past(period, span)
    counts = _in_effect(known, period, span, past, billed_quantity(period.rules.seats, seats(known, period, past)))
    prices = seat_prices(known, period, past)
    if not period.at_once:
        prices = plans_in_effect(period, prices, span, known.lasted_by(period, past))
    return {SEATS: _held(counts, prices, span, period)}, counts


def _paid(known: Known, period: Period, span: Span, bought: int) -> Window[Holding | None]:
    """The seats paid for on the first day of a stretch of prepaid time, however early another one follows it."""
    price = seat_prices(known, period, span)[0][1]
    return [(period.start, (bought, price) if bought and price.minor else None)]


def _within(counts: Window[int], span: Span | None, its: Span) -> Window[int]:
    """The seats billed over the days of an add-on whose agreement ends on another day than theirs; none after that."""
    if span is None:
        return [(its[0], 0)]
    return cut([*counts, (span[1], 0)], its[0], its[1])


def _add_on(known: Known, period: Period, span: Span, item: str, seats: Window[int]) -> Window[Holding | None]:
    """What is due of an add-on, beside so many seats that are billed."""
    past = known.with_past(period, span)
    window = known.add_ons[item].window(past)
    units: Window[int] = [(day, held.quantity) for day, held in window]
    costs = [(day, add_on_price(item, held, period) if held.quantity else _NOTHING) for day, held in window]
    if not period.at_once:
        today = known.lasted_by(period, past)
        units, costs = counts_in_effect(period, units, span, today), prices_in_effect(period, costs, span, today)
    add_on = period.policy.add_ons.get(item)
    if add_on is not None and add_on.charge == "seat":
        units = [(day, each * count) for day, _, each, count in pieces(units, seats, span[1])]
    return _held(joined(units), joined(costs), span, period)


def counts_of(known: Known, period: Period, span: Span) -> dict[str, Window[int]]:
    """The seats billed by role; under "" those of all roles that are not counted apart."""
    return {role: count_of(known, period, span, role) for role in period.countings}


def count_of(known: Known, period: Period, span: Span, role: str) -> Window[int]:
    """The seats billed of a role, or with "" of all that are not counted apart."""
    own = period.of(seats_of(role))
    if not _is_parted(own):
        return _counted(known, own, span, role)
    return joined([(day, count) for day, (count, _, _) in _sizes(known, period, span, role)])


def _is_parted(own: Period) -> bool:
    """Whether what is ordered and what is used are two counts: where seats beyond the order have a price."""
    return own.rules.seats.count == "larger" and own.policy.has_overage


def _counted(known: Known, own: Period, span: Span, role: str) -> Window[int]:
    """The seats billed of a role by the rules of its own period."""
    past = known.with_past(own, span)
    return _in_effect(known, own, span, past, billed_quantity(own.rules.seats, seats(known, own, past, role)))


def _sizes(known: Known, period: Period, span: Span, role: str) -> Window[_Size]:
    """How many seats of a role are billed, and where some may be beyond what is ordered, how many of them are.

    What is ordered, and what is used beyond it, each waits by rules of its own.
    """
    own = period.of(seats_of(role))
    if not _is_parted(own):
        return [(day, (count, count, 0)) for day, count in _counted(known, own, span, role)]
    past, rules = known.with_past(own, span), own.rules.seats
    over = period.of(beyond(seats_of(role)))
    its = known.with_past(over, span)
    within = _in_effect(known, own, span, past, billed_quantity(rules, ordered(known, role, past)))
    needed = _in_effect(known, over, span, its, billed_quantity(rules, used(known, own, its, role)))
    first, end = max(within[0][0], needed[0][0]), span[1]
    both = pieces(cut(within, first, end), cut(needed, first, end), end)
    return [(day, (max(order, need), order, max(need - order, 0))) for day, _, order, need in both]


def _in_effect(known: Known, period: Period, span: Span, past: Span, window: Window[int]) -> Window[int]:
    """The count of a span by when its changes take effect, of which what happened over the days of `past` decides."""
    return window if period.at_once else counts_in_effect(period, window, span, known.lasted_by(period, past))


def offers_in_effect(
    period: Period, offers: Window[Tariff], span: Span, today: Day, counts: dict[str, Window[int]]
) -> Window[Tariff]:
    """Which plan's tariff is billed when; of two the one is the dearer by which the most seats cost more."""
    most = {role: max(count for _, count in window) for role, window in counts.items()}
    return tariffs_in_effect(period, offers, span, today, lambda tariff: yearly(tariff, most, period))


def _by_tariff(
    known: Known, period: Period, span: Span, sizes: dict[str, Window[_Size]], counts: dict[str, Window[int]]
) -> Due:
    """The items of seats whose price depends on role or number, and the base price beside them."""
    past = known.with_past(period, span)
    offers = tariffs(known, period, past)
    if not period.at_once:
        today = known.lasted_by(period, past)
        offers = offers_in_effect(period, offers, span, today, counts)
    items: Due = {}
    for role, of_role in sizes.items():
        found = [
            (day, _holdings(tariff, role, size, period)) for day, _, size, tariff in pieces(of_role, offers, span[1])
        ]
        for item in {item: None for _, holdings in found for item in holdings}:
            items[item] = _placed(joined([(day, holdings.get(item)) for day, holdings in found]), span, period)
    bases = [
        (day, base_of(tariff, count if "" not in tariff.overage else within))
        for day, _, (count, within, _), tariff in pieces(sizes[""], offers, span[1])
    ]
    if any(base for _, base in bases):
        items[BASE] = _placed(
            joined([(day, (1, base) if base and base.minor else None) for day, base in bases]), span, period
        )
    return items


def _holdings(tariff: Tariff, role: str, size: _Size, period: Period) -> dict[str, Holding]:
    """The items of the seats of a role: those within the order, and those beyond it where they cost another price."""
    own = seats_of(role)
    over = tariff.overage.get(role if role in tariff.tiers else "")
    count, within, more = size
    found = {}
    for quantity, price in sold(tariff, role, count if over is None else within, period):
        if quantity and price.minor:
            found[f"{own}>{price.above}" if price.above else own] = (quantity, price)
    if over is not None and over.minor and more:
        found[beyond(own)] = (more, over)
    return found


def _once(known: Known, period: Period, item: str) -> Window[Holding | None]:
    """What is due of an add-on that is paid once: what was added, on its day; before the start, on the first day."""
    start, end, _, _ = known.span(period) or (period.start, period.start, 0, 0)
    past = end + (end < period.end and period.policy.ticks > 1)  # a fee of the moment in which the agreement ends
    sold: dict[Day, list[Holding]] = {}
    for event in known.once[item]:
        if event.day < period.begun:
            continue
        day, quantity = max(event.day, known.start_of(period)), 1 if event.quantity is None else event.quantity
        if start <= day < past and quantity:
            agreed = None if event.price_minor is None else Price(event.price_minor, 0)
            price = add_on_price(item, Held(quantity, agreed), period.of(item))
            sold.setdefault(min(day, end - 1), []).append((quantity, price))
    held: Window[Holding | None] = [(period.start, None)]
    for day in sorted(sold):
        quantity, price = _together(sold[day])
        held = overlaid(held, day, day + 1, period.end, (quantity, price) if price.minor else None)
    return held


def _together(sold: list[Holding]) -> Holding:
    """What was sold on one day as one quantity; where it was at several prices, as one at their sum."""
    (_, price), *_ = sold
    if all(other == price for _, other in sold):
        return sum(quantity for quantity, _ in sold), price
    return 1, Price(sum(quantity * each.minor for quantity, each in sold), 0)


def _held(quantities: Window[int], prices: Window[Price], span: Span, period: Period) -> Window[Holding | None]:
    """What is held on each day of the period, None where that is nothing or costs nothing."""
    held: Window[Holding | None]
    if len(prices) == 1:
        price = prices[0][1]
        if not price.minor:
            return [(period.start, None)]
        held = []
        for day, count in quantities:
            held.append((day, (count, price) if count else None))
    else:
        both = pieces(quantities, prices, span[1])
        held = joined([(day, (count, price) if count and price.minor else None) for day, _, count, price in both])
    return held if span[0] == period.start and span[1] == period.end else _placed(held, span, period)


def _placed(held: Window[Holding | None], span: Span, period: Period) -> Window[Holding | None]:
    """A window of the span's days as one of the period's, with nothing on the other days."""
    start, end, _, _ = span
    if end < period.end and held[-1][1] is not None:
        held.append((end, None))
    if start > period.start:
        held = joined([(period.start, None), *held])
    return held


_NOTHING = Price(0, 1)
