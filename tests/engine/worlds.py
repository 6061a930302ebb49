"""Generated policies and histories: every choice of the language, and lives that people and accounts really lead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Literal

from hypothesis import strategies as st

from prorata.engine.history import Subscription
from prorata.engine.intake import read_history
from prorata.engine.policy.model import WHOLE, ChangeRules, Policy, Rules
from prorata.engine.policy.reading import PolicyError, read_document

FIRST = date(2023, 12, 1)  # a leap year follows
EFFECTS = [*["day"] * 7, "month", "next_month", "quarter", "next_quarter", "period", "next_period"]
MEASURED = [{"measured": "month"}, {"measured": "quarter"}]
ONE_NUMBER = ["peak", "mean", "distinct", "snapshot"]
INTERVALS = ["month", "quarter", "half_year", "year"]
OF_DAYS = ["week", "two_weeks", "four_weeks", "30_days"]
USERS = ["anna", "ben", "chris", "dora", "erik"]


@st.composite
def rule_tables(draw: st.DrawFn, *, rounding: str = "running", of_days: bool = False) -> dict[str, Any]:
    charge = draw(st.sampled_from(["advance", "arrears"]))
    count = draw(st.sampled_from(["active", "active", "bought", "larger"]))
    measures = ["level", "level", "high_water", "peak", "mean", "snapshot"]
    measure = draw(st.sampled_from(measures + ([] if count == "bought" else ["distinct", "held"])))
    give = draw(st.sampled_from(["credit", "refund", "nothing", "nothing"]))
    settle_fall = draw(st.sampled_from(["next_invoice", "now"])) if give != "nothing" else "next_invoice"
    shares = ["days_of_period", "period"] if of_days else ["days_of_period", "days_of_month", "days_of_365", *WHOLE]
    if rounding == "day":
        shares = [by for by in shares if by not in WHOLE]
    effects = [*["day"] * 4, "period", "next_period"] if of_days else EFFECTS
    by = draw(st.sampled_from(shares))
    minimum = draw(st.sampled_from([0, 0, 1, 3]))
    keeps_ahead = charge == "advance" and give == "nothing"
    tables: dict[str, Any] = {
        "period": {"anchor": draw(st.sampled_from(["start"] if of_days else ["start", "calendar"])), "charge": charge}
        | draw(st.sampled_from([{}, {}, {}, *([{}] if keeps_ahead or of_days else MEASURED)])),
        "seats": {
            "count": count,
            "measure": measure,
            "change_day": draw(st.sampled_from(["billed", "not_billed"])),
            "minimum": minimum,
            "included": draw(st.sampled_from([0, 0, 0, 2] if minimum != 1 else [0])),  # not all of the minimum
            "maximum": draw(st.sampled_from([0, 0, 5])),
        },
        "share": {"by": by},
        "rise": {"takes_effect": draw(st.sampled_from(effects))},
        "fall": {"give": give} | ({"takes_effect": draw(st.sampled_from(effects))} if give != "nothing" else {}),
        "cancel": {"ends": draw(st.sampled_from(["period", "day"] if give != "nothing" else ["period"]))},
        "rounding": {
            "mode": draw(st.sampled_from(["half_up", "half_even", "half_down", "up", "down"])),
            "stage": rounding,
        },
        "tax": {"rate": draw(st.sampled_from(["0", "25", "21.5"]))},
    }
    if draw(st.integers(0, 3)) == 0:
        finer = [3, 6] if rounding in ("seat", "day") else []
        tables["rounding"]["digits"] = draw(st.sampled_from([0, 1, *finer]))
    if give != "refund":
        tables["credits"] = {"lapse": draw(st.sampled_from(["never", "agreement_end"]))}
        if draw(st.integers(0, 2)) == 0:
            tables["credits"]["lapse_months"] = draw(st.sampled_from([1, 6]))
    if tables["period"]["anchor"] == "calendar":
        tables["period"]["stub"] = draw(st.sampled_from(["own_invoice", "own_invoice", "next_invoice"]))
    if by in WHOLE:
        by_30 = ["by_30"] if by == "months" else []
        tables["share"]["started"] = draw(st.sampled_from(["full", "free", "by_days", *by_30]))
    if draw(st.booleans()):
        tables["seats"]["packages"] = draw(st.sampled_from([[1], [2], [3, 4, 7]]))
    if count != "bought":
        tables["seats"]["counts_from"] = draw(st.sampled_from(["acceptance", "acceptance", "invitation", "activity"]))
        tables["seats"]["suspended"] = draw(st.sampled_from(["billed", "free"]))
        if tables["seats"]["counts_from"] == "activity":
            tables["seats"]["idle_days"] = draw(st.sampled_from([1, 5, 28]))
    if measure == "snapshot":
        tables["seats"]["on_day"] = draw(st.sampled_from([0, 1, 4] if of_days else [0, 1, 4, 15]))
    if measure == "distinct":
        tables["seats"]["least_days"] = draw(st.sampled_from([0, 1, 1, 3]))
    if measure in ONE_NUMBER:
        tables["seats"]["of"] = draw(st.sampled_from(["this_period", "this_period", "period_before"]))
    if keeps_ahead and _may_turn_out_lower(tables):
        tables["seats"]["of"] = "period_before"
    if give != "nothing" and measure == "level" and draw(st.booleans()):
        tables["fall"]["takes_effect"] = draw(st.sampled_from(["never"] if of_days else ["next_term", "never"]))
    if tables["fall"].get("takes_effect") == "next_term" or (not of_days and draw(st.integers(0, 4)) == 0):
        tables["period"]["term_months"] = 12
        tables["cancel"]["ends"] = "term"
        tables["prices"] = {"in_force": draw(st.sampled_from(["term", "agreement", "period"]))}
    if tables["fall"].get("takes_effect", "day").startswith("next") and draw(st.booleans()):
        tables["fall"]["window_days"] = draw(st.sampled_from([1, 7, 30]))
    plain = tables["period"]["anchor"] == "start" and "measured" not in tables["period"] and give != "nothing"
    if draw(st.integers(0, 2)) == 0:
        plans = ["difference", "next_period", *(["restart"] * 2 if plain else [])]
        tables["change"] = {key: draw(st.sampled_from(plans)) for key in ("dearer_plan", "cheaper_plan")}
        if plain and not of_days:
            tables["change"]["interval"] = draw(st.sampled_from(["next_invoice", "restart"]))
        if plain and measure == "level" and tables["rise"]["takes_effect"] == "day" and draw(st.booleans()):
            tables["change"]["more_seats"] = "restart"
    if charge == "advance":
        settles = ["next_invoice", "month", "quarter", *([] if of_days else ["own_month", "own_quarter"]), "now"]
        tables["rise"]["settle"] = draw(st.sampled_from(settles))
        tables["fall"]["settle"] = settle_fall
    restarts = "restart" in tables.get("change", {}).values()
    if measure == "level" and not restarts:
        if draw(st.integers(0, 3)) == 0:
            tables["rise"]["waiting_days"] = draw(st.sampled_from([2, 5, 30]))
        waits = tables["fall"].get("takes_effect") != "never" and "window_days" not in tables["fall"]
        if waits and draw(st.integers(0, 3)) == 0:
            tables["fall"]["notice_days"] = draw(st.sampled_from([1, 10, 30]))
    if draw(st.integers(0, 3)) == 0:
        tables["cancel"]["notice_days"] = draw(st.sampled_from([1, 10, 30]))
    if tables["rise"].get("settle", "next_invoice") != "next_invoice" and draw(st.integers(0, 3)) == 0:
        tables["rise"] |= draw(st.sampled_from([{"least_seats": 2}, {"least_amount": "400.00"}]))
    return tables


def _may_turn_out_lower(tables: dict[str, Any]) -> bool:
    """Whether one number of the period is billed before it is known, and may be lower than it was on the first day."""
    seats = tables["seats"]
    known = {"mean": False, "snapshot": seats.get("on_day") == 1, "distinct": seats.get("least_days") == 1}
    ahead = tables["period"]["charge"] == "advance" and seats.get("of") == "this_period"
    return ahead and not known.get(seats["measure"], True)


@st.composite
def prices(
    draw: st.DrawFn, intervals: list[str], *, of_plan: bool = False, overage: bool = False
) -> list[dict[str, Any]]:
    def price() -> str:
        amount = draw(st.sampled_from(["365.00", "699.00", "8.00", "0.07", "0.00", "29.99"]))
        return f"{amount} per {draw(st.sampled_from(['month', 'year'] if len(intervals) > 1 else intervals))}"

    rows: list[dict[str, Any]] = [{"price": price()}]
    if draw(st.booleans()):
        rows.append({"price": price(), "from": FIRST + timedelta(days=draw(st.integers(0, 300)))})
    if len(intervals) > 1 and draw(st.booleans()):
        rows.append({"price": price(), "interval": draw(st.sampled_from(intervals))})
    if of_plan:
        for row in rows:
            if draw(st.integers(0, 3)) == 0:
                row["base"] = price()
        rows += [{"price": price(), "above": each} for each in draw(st.sampled_from([[], [], [], [2], [1, 4]]))]
        if "above" in rows[-1] and draw(st.booleans()):
            rows[-1]["base"] = price()
        if draw(st.integers(0, 3)) == 0:
            rows.append({"price": price(), "role": "viewer"})
            if draw(st.booleans()):
                rows.append({"price": price(), "role": "viewer", "above": 2})
        if overage and draw(st.booleans()):
            rows[0]["overage"] = price()
    return rows


@st.composite
def documents(draw: st.DrawFn, *, rounding: str = "running") -> dict[str, Any]:
    """What a policy file says."""
    of_days = draw(st.integers(0, 7)) == 0
    intervals = [draw(st.sampled_from(OF_DAYS))] if of_days else draw(st.permutations(INTERVALS))
    rules = draw(rule_tables(rounding=rounding, of_days=of_days))
    document: dict[str, Any] = {
        "currency": "SEK",
        "time_zone": "Europe/Stockholm",
        "intervals": intervals,
        "plans": {
            "basic": {"prices": draw(prices(intervals, of_plan=True))},
            "pro": {
                "prices": draw(
                    prices(intervals, of_plan=draw(st.booleans()), overage=rules["seats"]["count"] == "larger")
                )
            },
        },
        "add_ons": {
            "sms": {"prices": draw(prices(intervals)), "charge": "flat"},
            "video": {"prices": draw(prices(intervals)), "charge": "seat"},
            "setup": {
                "prices": [{"price": "49.00 once"}, {"price": "0.00 once", "from": FIRST + timedelta(days=200)}],
                "charge": "once",
            },
        },
        **rules,
    }
    if rules["seats"]["count"] != "bought" and draw(st.integers(0, 5)) == 0:
        rules["seats"]["free_days"] = draw(st.sampled_from([1, 7, 40]))
    for plan in document["plans"].values():
        if any("above" in row and row["above"] for row in plan["prices"]):
            plan["tiers"] = draw(st.sampled_from(["volume", "graduated"]))
    by_role = draw(st.integers(0, 3)) == 0
    priced = any("role" in row for plan in document["plans"].values() for row in plan["prices"])
    if by_role or priced or draw(st.booleans()):
        document["roles"] = {"paying": {}, "viewer": {}, "free": {"billed": False}}
    if draw(st.booleans()):
        when: dict[str, Any] = draw(rule_tables(rounding=rounding, of_days=of_days))
        when |= draw(
            st.sampled_from(
                [
                    *([] if of_days else [{"interval": document["intervals"][0]}]),
                    {"plan": "pro"},
                    {"payment_method": "invoice"},
                    {"until": FIRST + timedelta(days=120)},
                    {"from": FIRST + timedelta(days=200)},
                ]
            )
        )
        document["when"] = [when]
        if "payment_method" in when:
            document["payment_methods"] = draw(st.permutations(["card", "invoice"]))
        _whole(document, when)
    if draw(st.integers(0, 2)) == 0:
        rows = [row for plan in document["plans"].values() for row in plan["prices"]]
        more = ["overage", "overage"] if any("overage" in row for row in rows) else []
        item = draw(st.sampled_from(["sms", "video", "seats", *more]))
        own = draw(item_rules(document, of_days=of_days, rounding=rounding))
        if document["period"]["charge"] == "advance" and draw(st.booleans()):
            own["period"] = {"charge": "arrears"}
        if item == "overage" and own["fall"].get("give") == "nothing":
            del own["fall"]["give"]
        document["when"] = [*document.get("when", ()), {"item": item, **own}]
    if by_role:
        role = draw(role_rules(document, of_days=of_days, rounding=rounding))
        role["role"] = draw(st.sampled_from(["viewer", "paying"]))
        measured = {"measure": draw(st.sampled_from(MEASURES)), "least_days": draw(st.sampled_from([None, 1, 3, 40]))}
        measured = {key: value for key, value in measured.items() if value is not None}
        both = [{**role, "seats": {**role["seats"], **measured}}, role]
        wholes = [{**document, "when": [*document.get("when", ()), one]} for one in both]
        document = wholes[0] if _is_accepted(wholes[0]) else wholes[1]
    _settled_within(document)
    return document


def _settled_within(document: dict[str, Any]) -> None:
    """Where no invoice is longer than a month or a quarter, no rise is settled by those of the invoice."""
    for table in (document, *document.get("when", ())):
        intervals = [table["interval"]] if "interval" in table else document["intervals"]
        rise = table.get("rise", {})
        for settle, within in (("own_month", {"month"}), ("own_quarter", {"month", "quarter"})):
            if rise.get("settle") == settle and set(intervals) <= within:
                rise["settle"] = settle.removeprefix("own_")


MEASURES = ["level", "high_water", "held", "peak", "mean", "distinct", "snapshot"]


def _is_accepted(document: dict[str, Any]) -> bool:
    try:
        read_document(document, name="generated", source="generated")
    except PolicyError:
        return False
    return True


def policies(*, rounding: str = "running", precision: str = "day") -> st.SearchStrategy[Policy]:
    told = documents(rounding=rounding)
    if precision != "day":
        told = told.map(lambda one: _finely(one, precision))
    return told.map(lambda one: read_document(one, name="generated", source="generated"))


def _finely(document: dict[str, Any], precision: str) -> dict[str, Any]:
    """The same with time counted more exactly, without the rules that need whole days."""
    whens = document.get("when", [])
    tables = [document, *whens]
    keeps_ahead = any(table["fall"].get("give") == "nothing" for table in tables)
    for table in tables:
        seats, share, change = (table.get(name, {}) for name in ("seats", "share", "change"))
        seats.pop("change_day", None)
        if share.get("by") == "days_of_month":
            share["by"] = "days_of_period"
        if share.get("started") == "by_30":
            share["started"] = "by_days"
        for key in [key for key, word in change.items() if word == "restart"]:
            del change[key]
        if keeps_ahead and seats.get("measure") in ("distinct", "snapshot"):  # one day of it is not known at its start
            seats["of"] = "period_before"
    return {**document, "precision": precision}


@st.composite
def item_rules(draw: st.DrawFn, document: dict[str, Any], *, of_days: bool, rounding: str) -> dict[str, Any]:
    """The rules in which one item differs from the invoice it is on."""
    by_level = all(table["seats"]["measure"] == "level" for table in (document, *document.get("when", ())))
    shares = ["days_of_period", "period"] if of_days else ["days_of_period", "days_of_month", *WHOLE]
    by = draw(st.sampled_from([by for by in shares if rounding != "day" or by not in WHOLE]))
    effect = draw(st.sampled_from(["day", "period", "next_period", *(["never"] if by_level else [])]))
    give = draw(st.sampled_from(["credit", "credit", "nothing"]))
    both = (document, *document.get("when", ()))
    restarts = any("restart" in one.get("change", {}).values() for one in both)
    if restarts or any("measured" in one["period"] or _may_turn_out_lower(one) for one in both):
        give = "credit"
    rises = ["day"] if restarts else ["day", "period", "next_period"]
    tables: dict[str, Any] = {
        "share": {"by": by},
        "rounding": {"mode": draw(st.sampled_from(["half_up", "down"]))},
        "rise": {"takes_effect": draw(st.sampled_from(rises))},
        "fall": {"give": give} | ({"takes_effect": effect} if give == "credit" else {}),
    }
    if by in WHOLE:
        tables["share"]["started"] = draw(st.sampled_from(["full", "free", "by_days"]))
    noticed = any("notice_days" in one["fall"] for one in both)
    if give == "credit" and effect.startswith("n") and not noticed and draw(st.booleans()):
        tables["fall"]["window_days"] = draw(st.sampled_from([1, 7]))
    return tables


@st.composite
def role_rules(draw: st.DrawFn, document: dict[str, Any], *, of_days: bool, rounding: str) -> dict[str, Any]:
    """The rules in which the seats of a role differ from the others."""
    whens = document.get("when", [])
    of_all = {**document, "when": [when for when in whens if "item" not in when]}
    tables: dict[str, Any] = draw(item_rules(of_all, of_days=of_days, rounding=rounding))
    give = tables["fall"].pop("give")
    if any(table["fall"].get("give", give) == "nothing" for table in (document, *whens)):
        del tables["fall"]
    kinds: dict[str, Any] = {
        "minimum": st.just(3),
        "packages": st.sampled_from([[2], [1, 3]]),
        "included": st.sampled_from([1, 2]),
        "maximum": st.sampled_from([4, 6]),
        "suspended": st.sampled_from(["billed", "free"]),
        "counts_from": st.sampled_from(["acceptance", "invitation"]),
        "count": st.sampled_from(["active", "bought", "larger"]),
    }
    named = draw(st.lists(st.sampled_from(sorted(kinds)), min_size=1, max_size=3, unique=True))
    seats = tables["seats"] = {key: draw(kinds[key]) for key in named}
    by_people = any(table["seats"]["measure"] in ("distinct", "held") for table in (of_all, *of_all["when"]))
    by_people = by_people or any(table["seats"]["count"] != "bought" for table in (of_all, *of_all["when"]))
    if seats.get("count") == "bought" and (by_people or {"suspended", "counts_from"} & set(named)):
        seats["count"] = "larger"
    elif {"suspended", "counts_from"} & set(named):
        seats.setdefault("count", "active")
    return tables


def _whole(document: dict[str, Any], when: dict[str, Any]) -> None:
    """Where both tables are merged, what the generator left out of one must not contradict the other."""
    if all(table["fall"]["give"] == "nothing" for table in (document, when)):
        for table in (document, when):
            table["fall"].pop("takes_effect", None)
    for table, other in ((document, when), (when, document)):
        for key, default in (("counts_from", "acceptance"), ("suspended", "billed")):
            if key in other["seats"] or table["seats"]["count"] != "bought":
                table["seats"].setdefault(key, default)
    if any(table["fall"].get("takes_effect") in ("next_term", "never") for table in (document, when)):
        for table in (document, when):
            table["seats"]["measure"] = "level"
    if any(table["period"].get("term_months") for table in (document, when)):
        document["period"]["term_months"] = 12
        document["cancel"]["ends"] = "term"
        when["period"].pop("term_months", None)
    both = (document, when)
    if "change" in document or "change" in when:
        document.setdefault("change", {})
        changes = [table.setdefault("change", {}) for table in both]
        alike = [table["period"]["anchor"] == "start" and table["fall"]["give"] != "nothing" for table in both]
        if not all(alike) or any("measured" in table["period"] for table in both):
            for change in changes:
                for key in [key for key, word in change.items() if word == "restart"]:
                    del change[key]
        if any(table["seats"]["measure"] != "level" or table["rise"]["takes_effect"] != "day" for table in both):
            for change in changes:
                change.pop("more_seats", None)
    restarts = any("restart" in table.get("change", {}).values() for table in both)
    if restarts or any(table["seats"]["measure"] != "level" for table in both):
        for table in both:
            table["rise"].pop("waiting_days", None)
            table["fall"].pop("notice_days", None)
    if any("window_days" in table["fall"] for table in both):
        for table in both:
            table["fall"].pop("notice_days", None)
    when["share"].setdefault("started", "full")
    when["rise"].setdefault("settle", "next_invoice")
    when["fall"].setdefault("settle", "next_invoice")
    if "advance" in (document["period"]["charge"], when["period"]["charge"]) and "nothing" in (
        document["fall"]["give"],
        when["fall"]["give"],
    ):
        for table in (document, when):
            table["period"].pop("measured", None)
    if not {"from", "until", "plan", "payment_method"}.isdisjoint(when):
        when["period"].pop("measured", None)
    if "calendar" in (document["period"]["anchor"], when["period"]["anchor"]):
        for table in (document, when):
            table["period"].setdefault("stub", "own_invoice")
    if all(table["seats"]["measure"] == "level" for table in (document, when)):
        for table in (document, when):
            for key in ("on_day", "least_days", "of"):
                table["seats"].pop(key, None)
    # A key that no variant heeds is refused, rightly; drop those.
    if all(table["seats"]["count"] == "bought" for table in both):
        for table in both:
            for key in ("counts_from", "suspended", "idle_days"):
                table["seats"].pop(key, None)
    if "idle_days" in document["seats"] and "idle_days" in when["seats"]:
        when["seats"]["idle_days"] = document["seats"]["idle_days"]
    if all(table["share"]["by"] not in WHOLE for table in both):
        for table in both:
            table["share"].pop("started", None)
    if all(table["period"]["charge"] == "arrears" for table in both):
        for table in both:
            for key in ("settle", "least_seats", "least_amount"):
                table["rise"].pop(key, None)
            table["fall"].pop("settle", None)


@st.composite
def histories(
    draw: st.DrawFn, intervals: Sequence[str] = INTERVALS, *, late: bool = True, moments: bool = False
) -> list[dict[str, Any]]:
    """Rows of one account: a start or a trial, then people, seats, plans, add-ons, now and then told late."""
    rows: list[dict[str, Any]] = []
    opening = FIRST + timedelta(days=draw(st.integers(0, 90)))
    start: dict[str, Any] = {"at": opening, "event": "start", "quantity": draw(st.integers(0, 5))}
    if draw(st.integers(0, 4)) == 0:
        start |= {"event": "trial", "until": opening + timedelta(days=draw(st.integers(1, 20)))}
    start["plan"] = draw(st.sampled_from(["basic", "pro"]))
    if draw(st.booleans()):
        start["payment_method"] = draw(st.sampled_from(["card", "invoice"]))
    rows.append(start)
    begun = opening
    if start["event"] == "trial" and draw(st.booleans()):
        day = max(opening, start["until"] + timedelta(days=draw(st.sampled_from([-5, 0, 0, 3, 12]))))
        told = day + timedelta(days=draw(st.sampled_from([-3, 0, 1, 20])) if late else 0)
        known = f"{told}T{draw(st.integers(0, 23)):02}:30:00+01:00" if moments else told
        rows.append({"at": day, "event": "start", "recorded_at": known})
        begun = day
    priced = draw(st.booleans())
    members: set[str] = set()
    day = opening - timedelta(days=draw(st.integers(0, 3)))
    for _ in range(draw(st.integers(0, 14))):
        day += timedelta(days=draw(st.sampled_from([0, 0, 1, 1, 2, 5, 9, 17, 30, 31, 59])))
        row = _event(draw, intervals, members, priced, day, opening)
        if row is None:
            continue
        if late and draw(st.integers(0, 4)) == 0:
            row["recorded_at"] = day + timedelta(days=draw(st.sampled_from([-3, 1, 10, 45, 100])))
        if row["event"] == "interval":
            row.pop("recorded_at", None)
        if moments and row["event"] != "interval":
            known = row.get("recorded_at", day)
            row["recorded_at"] = f"{known}T{draw(st.integers(0, 23)):02}:30:00+01:00"
        rows.append(row)
    for _ in range(draw(st.sampled_from([0, 0, 0, 0, 0, 1, 1, 2]))):
        day = max(day + timedelta(days=draw(st.integers(0, 60))), begun)
        cancel: dict[str, Any] = {"at": day, "event": "cancel", "reason": "moved on"}
        if draw(st.booleans()):
            cancel["until"] = day + timedelta(days=draw(st.integers(0, 60)))
        rows.append(cancel)
    if late and draw(st.integers(0, 2)) == 0:
        _withdraw_some(draw, rows, moments=moments)
    return rows


def _withdraw_some(draw: st.DrawFn, rows: list[dict[str, Any]], *, moments: bool) -> None:
    """Takes some of what was told back, but nobody's coming who is told more of."""
    for place, row in enumerate(rows):
        more = {later["event"] for later in rows[place + 1 :] if later.get("user") == row.get("user", "")}
        comes = row["event"] in ("invite", "activate", "activity") and more
        if row["event"] in ("start", "trial") or comes or not draw(st.sampled_from([False, False, False, True])):
            continue
        told = date.fromisoformat(str(row.get("recorded_at", row["at"]))[:10])
        day = told + timedelta(days=draw(st.sampled_from([1, 1, 3, 20, 31, 75])))
        row["withdrawn_at"] = f"{day}T{draw(st.integers(0, 23)):02}:40:00+01:00" if moments else day


def _event(
    draw: st.DrawFn, intervals: Sequence[str], members: set[str], priced: bool, day: date, opening: date
) -> dict[str, Any] | None:
    kinds = [
        "activate",
        "activate",
        "invite",
        "deactivate",
        "deactivate",
        "suspend",
        "resume",
        "activity",
        "activity",
        "role",
        "seats",
        "seats",
        "plan",
        "payment_method",
        "credit",
    ]
    if day >= opening:
        kinds += ["add_on", "remove_add_on", "interval"] + ([] if priced else ["trial_plan"])
    kind = draw(st.sampled_from(kinds))
    row: dict[str, Any] = {"at": day, "event": kind}
    if kind in ("activate", "invite", "activity", "deactivate", "suspend", "resume", "role"):
        row["user"] = draw(st.sampled_from(USERS))
        if kind in ("deactivate", "suspend", "resume", "role") and row["user"] not in members:
            return None
        members.add(row["user"])
        if kind == "role" or (kind == "activate" and draw(st.booleans())):
            row["role"] = draw(st.sampled_from(["paying", "viewer", "free"]))
    elif kind == "seats":
        row["quantity"] = draw(st.integers(0, 6))
        if draw(st.integers(0, 4)) == 0:
            row["role"] = "viewer"
    elif kind in ("plan", "trial_plan"):
        row["plan"] = draw(st.sampled_from(["basic", "pro"]))
        if kind == "trial_plan":
            row["until"] = day + timedelta(days=draw(st.integers(1, 40)))
    elif kind in ("add_on", "remove_add_on"):
        row["item"] = draw(st.sampled_from(["sms", "video", "own", "setup"]))
        if kind == "add_on":
            row["quantity"] = draw(st.integers(0, 3))
            if row["item"] == "own" or (row["item"] == "setup" and draw(st.booleans())):
                row["price"] = "12.34"
    elif kind == "credit":
        row["amount"] = draw(st.sampled_from(["0.01", "12.34", "500.00"]))
    elif kind == "payment_method":
        row["payment_method"] = draw(st.sampled_from(["card", "invoice"]))
    elif kind == "interval":
        row["interval"] = draw(st.sampled_from(intervals))
    if priced and kind in ("seats", "plan", "interval") and draw(st.booleans()):
        row["price"] = draw(st.sampled_from(["0.00", "5.01", "499.99"]))
    return row


@st.composite
def subscriptions(
    draw: st.DrawFn, *, late: bool = True, rounding: str = "running", moments: bool = False
) -> Subscription:
    policy = draw(policies(rounding=rounding))
    rows = draw(histories(policy.intervals, late=late, moments=moments))
    follow = False
    if draw(st.integers(0, 4)) == 0:
        if draw(st.booleans()):
            rows = [row for row in rows if row["event"] != "seats"]
        rows[0].pop("quantity")
        follow = True
    return read_history(rows, policy=policy, seats_follow=follow, interval=draw(st.sampled_from(policy.intervals)))


@st.composite
def restarting(draw: st.DrawFn, *, moments: bool = False) -> Subscription:
    """Accounts whose changes begin new periods more often than not."""
    subscription = draw(subscriptions(moments=moments))
    words: list[Literal["restart", "difference", "next_period"]] = ["restart", "restart", "difference", "next_period"]
    intervals: list[Literal["restart", "next_invoice"]] = ["restart", "next_invoice"]
    seats: list[Literal["restart", "difference"]] = ["restart", "difference"]
    dearer, cheaper = draw(st.sampled_from(words)), draw(st.sampled_from(words))
    change = ChangeRules(dearer, cheaper, draw(st.sampled_from(intervals)))
    more_seats = draw(st.sampled_from(seats))

    def plain(rules: Rules) -> Rules:
        period = replace(rules.period, anchor="start", measured=None, stub="own_invoice")
        by_day = rules.seats.measure == "level" and rules.rise.takes_effect == "day"
        restarts = replace(change, more_seats=more_seats) if by_day else change
        give = "credit" if rules.fall.give == "nothing" else rules.fall.give
        rise, fall = rules.rise, replace(rules.fall, give=give)
        if set(restarts.restarting) - {"interval"}:  # a policy that lets changes wait as well is refused
            rise, fall = replace(rise, waiting_days=0), replace(fall, notice_days=0)
        return replace(rules, period=period, rise=rise, fall=fall, change=restarts)

    policy = subscription.policy
    variants = {chosen: plain(rules) for chosen, rules in policy.variants.items()}
    return replace(subscription, policy=replace(policy, variants=variants))
