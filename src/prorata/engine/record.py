"""A document as plain data: money as decimal strings, days as ISO dates, for JSON, CSV and scenarios."""

from __future__ import annotations

from typing import Any

from prorata.engine.calendar import iso_of
from prorata.engine.document import Document, Line
from prorata.engine.explain import describe
from prorata.engine.money import format_amount


def document_record(document: Document) -> dict[str, Any]:
    """The document with the keys that docs/reference/json.md describes. A credit note's amounts are positive."""
    sign = -1 if document.kind == "credit_note" else 1

    def amount(minor: int) -> str:
        return format_amount(minor, document.currency)

    return {
        "account": document.account,
        "kind": document.kind,
        "date": document.date.isoformat(),
        "currency": document.currency,
        "lines": [line_record(line, document, sign) for line in document.lines],
        "subtotal": amount(sign * document.subtotal_minor),
        "tax": amount(sign * document.tax_minor),
        "total": amount(sign * document.total_minor),
        "credit_used": amount(document.credit_used_minor),
        "credit_left": amount(document.credit_left_minor),
        "due": amount(document.due_minor),
        "refund": amount(document.refund_minor),
    }


def line_record(line: Line, document: Document, sign: int) -> dict[str, Any]:
    """One line; `sign` is −1 on a credit note, where what is given back counts as positive."""
    ticks, (numerator, denominator) = line.period.policy.ticks, line.share
    return {
        "item": line.item,
        "kind": line.kind,
        "quantity": sign * line.quantity,
        "unit_price": format_amount(line.price.minor, document.currency),
        "start": iso_of(line.start_day, ticks),
        "end": iso_of(line.end_day, ticks),
        "days": line.days if ticks == 1 or line.exact_days == line.days else float(round(line.exact_days, 6)),
        "share": f"{numerator}/{denominator}",
        "amount": format_amount(sign * line.amount_minor, document.currency),
        "text": describe(line, document),
    }
