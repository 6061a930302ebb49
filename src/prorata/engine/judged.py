"""As what a line is judged: whose seats it is of, and by which rules and borders its changes count."""

from __future__ import annotations

from collections.abc import Iterable

from prorata.engine.calendar import Day
from prorata.engine.document import Line
from prorata.engine.period import Waits, of_seats
from prorata.engine.policy.model import BASE, SEATS


def roles_of(line: Line) -> tuple[str, ...]:
    """The roles of whose seats the line bills how many there are; none where it is about something else."""
    if line.item.startswith(SEATS):
        return (line.period.role_of(line.item),)
    add_on = line.period.policy.add_ons.get(line.item)
    return tuple(line.period.countings) if add_on is not None and add_on.charge == "seat" else ()


def as_count(line: Line) -> Line:
    """A line about the price of seats as one about how many there are, where their number moved it to another tier."""
    tariff = line.period.tariffs.get(line.price.plan)
    if line.kind != "price" or line.before is None or line.after is None or tariff is None:
        return line
    tiers = tariff.tiers.get(line.period.role_of(line.item)) or tariff.tiers.get("", ())
    prices = [tier.base if line.item == BASE else tier.price for tier in tiers]
    (_, before), (_, after) = line.before, line.after
    if before not in prices or after not in prices:  # an agreed price
        return line
    rises, count = prices.index(after) > prices.index(before), abs(line.quantity)
    item = SEATS if line.item == BASE else line.item
    return line._replace(item=item, kind="rise" if rises else "fall", quantity=count if rises else -count)


def drawn_from(line: Line) -> Day | None:
    """The end of the month, quarter or period whose changes were drawn together on the line's first day, if so."""
    waits = line.period.rise_waits if line.quantity > 0 else line.period.fall_waits
    if line.kind == "period" or waits is None or not waits[1]:
        return None
    return next((border for border in waits[0] if border > line.start_day), None)


def stretch(waits: Iterable[Waits | None], start: Day) -> tuple[Day, Day]:
    """From after which day on, and before which, changes may count on a period's day that is drawn to them."""
    after, before = start - 1, start + 1
    for borders, is_early in (one for one in waits if one is not None):
        if is_early:
            before = max(before, next((border for border in borders if border > start), before))
        elif start in borders[1:]:
            after = min(after, borders[borders.index(start) - 1])
    return after, before


def by_seats(line: Line) -> Line:
    """The line by the rules of the seats, where it is of an add-on that is charged for each of them."""
    add_on = line.period.policy.add_ons.get(line.item) if line.period.policy.apart else None
    return line if add_on is None or add_on.charge != "seat" else line._replace(period=of_seats(line.period))
