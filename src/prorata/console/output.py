"""Documents on paper-wide text, as JSON lines, and as CSV."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from prorata.engine.arithmetic import product
from prorata.engine.bill import Billing
from prorata.engine.calendar import speak_day, to_day
from prorata.engine.credits import Lapse
from prorata.engine.document import Document
from prorata.engine.explain import Explainer, describe
from prorata.engine.history import END_EVENTS, FOLLOWING, PERSON_EVENTS, Subscription, buys, in_force, is_billed_order
from prorata.engine.money import speak_amount, speak_percent
from prorata.engine.record import document_record
from prorata.engine.words import listed, some_of

_PAPER = 100  # columns where nobody's terminal says how wide it is


@contextmanager
def paper() -> Iterator[Console]:
    """Standard output: as wide as the terminal and coloured, or plain, wide enough and without trailing spaces."""
    console = Console(highlight=False, emoji=False)
    if console.is_terminal:
        yield console
        return
    written = StringIO()
    yield Console(highlight=False, emoji=False, width=_PAPER, file=written)
    sys.stdout.writelines(f"{line.rstrip()}\n" for line in written.getvalue().splitlines())


def say_lapses(billed: Sequence[Billed]) -> None:
    """The credits that were lost, on standard error: the formats for programs hold documents only."""
    for _, billing in billed:
        for lapse in billing.lapses:
            print(_lapse_text(lapse, billing), file=sys.stderr)


_ENDINGS = ("deactivate", "remove_add_on", *END_EVENTS)


def say_what_is_ignored(billed: Sequence[Billed]) -> None:
    """On standard error, what is in no document: what happened after an agreement's end, and seats nobody bills."""
    for subscription, billing in billed:
        said = what_is_ignored(subscription, billing)
        if said is not None:
            print(said, file=sys.stderr)
    if waiting := [one.account for one, billing in billed if billing.stopped and billing.stopped.how == "suspended"]:
        why = "nobody told of a payment method by the end of the trial (trial.without_payment_method)"
        print(f"{some_of(waiting)}: suspended, for {why}", file=sys.stderr)
    for said in what_does_not_meet([subscription for subscription, _ in billed]):
        print(said, file=sys.stderr)


def what_does_not_meet(subscriptions: Sequence[Subscription]) -> list[str]:
    """Sentences that say of accounts under one policy what they tell that it does not bill, and what it misses."""
    said = (_orders_not_counted(subscriptions), _activity_not_told(subscriptions))
    return [one for one in said if one is not None]


def _activity_not_told(subscriptions: Sequence[Subscription]) -> str | None:
    """The sentence that says which accounts have members and no activity, which the policy bills; None if none do."""
    names = []
    for one in subscriptions:
        kinds = {event.kind for event in one.events} if one.policy.idle_days else set()
        if kinds & PERSON_EVENTS and "activity" not in kinds:
            names.append(one.account)
    if not names:
        return None
    why = f"policy {subscriptions[0].policy.name} bills who is active by it (seats.counts_from)"
    return f"{some_of(names)}: no event tells of anybody's activity, and {why}"


def _orders_not_counted(subscriptions: Sequence[Subscription]) -> str | None:
    """The sentence that says who ordered seats under a policy that counts active members only; None if nobody did."""
    names: list[str] = []
    roles: dict[str, None] = {}
    for one in subscriptions:
        orders = [event for event in one.events if buys(event) and not is_billed_order(event, one.policy)]
        roles |= {one.policy.role_apart(event.role): None for event in orders}
        names += [one.account] if orders else []
    if not names:
        return None
    policy = subscriptions[0].policy
    of_role = f"{listed([role for role in roles if role])} " if policy.ordered_roles and "" not in roles else ""
    who = f"the {'' if of_role else 'other '}active {of_role}members" if policy.ordered_roles else "active members"
    why = f"policy {policy.name} bills {who} and not orders (seats.count)"
    return f"{some_of(names)}: {of_role}seats were ordered, but {why}"


def what_is_ignored(subscription: Subscription, billing: Billing) -> str | None:
    """The sentence that says how many events there are after the agreement's end; None where there are none."""
    if billing.ended is None:
        return None
    end = to_day(billing.ended)
    ticks = subscription.policy.ticks
    kept = (event for event in in_force(subscription.events) if event.kind not in (*_ENDINGS, *FOLLOWING))
    after = [event for event in kept if event.day // ticks >= end]
    if not after:
        return None
    count = "1 event after it is" if len(after) == 1 else f"{len(after)} events after it are"
    return f"{subscription.account}: the agreement ended with {speak_day(end - 1)}; {count} not billed"


Billed = tuple[Subscription, Billing]

_CSV_DOCUMENT = ("account", "kind", "date", "currency")
_CSV_LINE = ("item", "kind", "quantity", "unit_price", "start", "end", "days", "share", "amount", "text")
_CSV_TOTALS = ("subtotal", "tax", "total", "credit_used", "credit_left", "due", "refund")


def write_json(out: TextIO, billed: Sequence[Billed], *, explained: bool) -> None:
    """One document a line; with `explained`, every line says why in a key of its own."""
    for subscription, billing in billed:
        explainer = Explainer(subscription) if explained else None
        for document in billing.documents:
            record = document_record(document)
            if explainer is not None:
                for line, said in zip(document.lines, record["lines"], strict=True):
                    said["explanation"] = str(explainer.explain(line, document)).split("\n")
            out.write(json.dumps(record, ensure_ascii=False) + "\n")


def write_csv(out: TextIO, billed: Sequence[Billed], *, explained: bool) -> None:
    """One line of a document a row, the document's own columns repeated."""
    writer = csv.writer(out, lineterminator="\n")
    line_columns = [f"line_{name}" if name == "kind" else name for name in _CSV_LINE]
    writer.writerow([*_CSV_DOCUMENT, *line_columns, *_CSV_TOTALS, *(["explanation"] if explained else [])])
    for subscription, billing in billed:
        explainer = Explainer(subscription) if explained else None
        for document in billing.documents:
            record = document_record(document)
            for line, said in zip(document.lines, record["lines"], strict=True):
                row = [record[name] for name in _CSV_DOCUMENT] + [said[name] for name in _CSV_LINE]
                row += [record[name] for name in _CSV_TOTALS]
                if explainer is not None:
                    row.append(str(explainer.explain(line, document)).replace("\n", "; "))
                writer.writerow(row)


def write_tables(console: Console, billed: Sequence[Billed], *, explained: bool) -> None:
    """Every document as a small table, and what became of credits."""
    for subscription, billing in billed:
        if not billing.documents:
            console.print(Text(f"{subscription.account}: nothing to bill", style="dim"))
        explainer = Explainer(subscription) if explained else None
        for document in billing.documents:
            console.print(document_table(document, explainer))
        for lapse in billing.lapses:
            console.print(Text(f"{_lapse_text(lapse, billing)}\n", style="yellow"))


def _lapse_text(lapse: Lapse, billing: Billing) -> str:
    currency = billing.documents[0].currency  # a credit comes of a document, so there is one
    amount = f"{currency} {speak_amount(lapse.amount_minor, currency)}"
    said = "were withdrawn" if lapse.reason == "withdrawn" else "lapsed"
    return f"{lapse.account}: credits of {amount} {said} on {speak_day(to_day(lapse.date))}"


def document_table(document: Document, explainer: Explainer | None) -> RenderableType:
    """One document, its lines as a customer reads them, each with its reasons if there is somebody to tell them."""
    sign = -1 if document.kind == "credit_note" else 1
    currency = document.currency
    table = Table.grid(expand=True, padding=(0, 2, 0, 0))
    table.add_column(ratio=1)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(justify="right", no_wrap=True, min_width=10)
    for line in document.lines:
        what: RenderableType = Text(describe(line, document))
        if explainer is not None:
            reasons = str(explainer.explain(line, document)).split("\n")
            because = reasons[0].partition(": ")[2]
            shown = [because, *reasons[1:]] if because else reasons[1:]
            what = Group(what, Padding(Text("\n".join(shown), style="dim"), (0, 0, 0, 2)))
        table.add_row(what, product(line, currency, sign), speak_amount(sign * line.amount_minor, currency))
    totals = list(_totals(document, sign))
    for at, (name, minor) in enumerate(totals):
        style = "bold" if name in ("due", "credit", "paid back") else "dim"
        code = f" {currency}" if at == len(totals) - 1 or style == "bold" else ""
        table.add_row("", Text(f"{name}{code}", style=style), Text(speak_amount(minor, currency), style=style))
    title = "Credit note" if sign < 0 else "Invoice"
    heading = Text(f"{title} · {document.account} · {speak_day(to_day(document.date))}", style="bold")
    return Group(heading, Padding(table, (0, 0, 1, 2)))


def write_explained(console: Console, subscription: Subscription, document: Document, line: int | None) -> None:
    """A document, and why each of its lines is what it is, or one of them, counted from 1."""
    explainer = Explainer(subscription)
    console.print(document_table(document, None))
    for number, one in enumerate(document.lines, 1):
        if line in (None, number):
            said = Table.grid(padding=(0, 2, 1, 0))
            said.add_row(Text(str(number), style="bold"), Text(str(explainer.explain(one, document))))
            console.print(said)


def _totals(document: Document, sign: int) -> Iterator[tuple[str, int]]:
    if document.tax_minor:
        yield "subtotal", sign * document.subtotal_minor
        for tax in document.taxes:
            yield f"tax {speak_percent(tax.rate)}", sign * tax.tax_minor
    if sign < 0:
        yield "paid back" if document.refund_minor else "credit", -document.total_minor
    else:
        if document.credit_used_minor:
            yield "total", document.total_minor
            yield "credit used", -document.credit_used_minor
        yield "due", document.due_minor
    if document.credit_left_minor:
        yield "credit left", document.credit_left_minor
