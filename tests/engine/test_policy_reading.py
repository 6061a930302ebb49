"""Reading a policy: what is wrong with it is said by line and key, and nothing else is ever raised."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from fractions import Fraction
from typing import Any, get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prorata.engine.calendar import Interval
from prorata.engine.money import parse_amount
from prorata.engine.policy.language import RULE_TABLES, json_schema, keys_of, tables
from prorata.engine.policy.model import Policy, SeatRules
from prorata.engine.policy.reading import PolicyError, read_document, read_policy
from prorata.engine.policy.tariff import AddOn, Plan, Price
from prorata.policies import load_policy, policy_names, policy_text
from tests.engine.stories import BASE, policy_of, refusals

INTERVALS: tuple[Interval, ...] = ("month", "year")
PRICE_FORM = '"699.00 per month" (per month, quarter, half_year, year)'
TOP_KEYS = (
    "currency, intervals, plans, title, time_zone, add_ons, roles, payment_methods, precision, notes, "
    + ", ".join(RULE_TABLES)
    + ", when"
)
SEAT_KEYS = ", ".join(one.name for one in keys_of(SeatRules))


@pytest.mark.parametrize("name", ["konfidens", "mainter", "sloneek"])
def test_each_policy_that_ships_is_read(name: str) -> None:
    assert name in policy_names()
    policy = load_policy(name)
    assert policy.name == name
    assert policy.variants
    assert all(plan.prices for plan in policy.plans.values())


def test_a_policy_of_three_keys_has_the_defaults_of_the_language() -> None:
    policy = policy_of(BASE)
    rules = policy.rules("month", date(2026, 1, 1).toordinal())
    assert (policy.title, policy.time_zone, policy.default_plan, policy.default_interval) == (
        "test", "UTC", "basic", "month",
    )  # fmt: skip
    assert (rules.period.anchor, rules.period.charge, rules.seats.count, rules.share.by) == (
        "start", "advance", "active", "days_of_period",
    )  # fmt: skip
    assert policy.plans["basic"].prices[0].price == Price(1000, 1)
    assert not policy.is_taxed


def test_of_differences_that_both_match_the_last_one_wins_key_by_key() -> None:
    policy = policy_of(
        BASE + '[seats]\nminimum = 1\n[[when]]\ninterval = "year"\nseats.minimum = 2\nseats.change_day = "not_billed"\n'
        "[[when]]\nfrom = 2026-06-01\nuntil = 2026-07-01\nseats.minimum = 3\n"
    )
    june, july = date(2026, 6, 1).toordinal(), date(2026, 7, 1).toordinal()
    told = [policy.rules(interval, day).seats for interval in INTERVALS for day in (june - 1, june, july)]
    assert [(seats.minimum, seats.change_day) for seats in told] == [
        (1, "billed"), (3, "billed"), (1, "billed"), (2, "not_billed"), (3, "not_billed"), (2, "not_billed"),
    ]  # fmt: skip


def test_a_percentage_and_a_tax_rate_of_a_plan_are_exact() -> None:
    policy = policy_of(BASE + 'tax_rate = "7.7"\n[tax]\nrate = "25"\n')
    assert policy.plans["basic"].tax_rate == Fraction(77, 10)
    assert policy.is_taxed


# What is wrong, and the one sentence about it. BASE has four lines, so what follows it begins on line 5.
BROKEN: dict[str, tuple[str, str]] = {
    "an unknown key": (
        "tite = 'x'\n" + BASE,
        f"test.toml, line 1: tite is not a key; did you mean title? allowed here: {TOP_KEYS}",
    ),
    "an unknown key of a table": (
        BASE + "[seats]\nminimun = 3\n",
        f"test.toml, line 6: seats.minimun is not a key; did you mean minimum? allowed here: {SEAT_KEYS}",
    ),
    "an unknown key like no other": (
        BASE + "[seats]\nxyz = 3\n",
        f"test.toml, line 6: seats.xyz is not a key; allowed here: {SEAT_KEYS}",
    ),
    "an unknown key of a plan": (
        BASE + "titel = 'Basic'\n",
        "test.toml, line 5: plans.basic.titel is not a key; did you mean title? "
        "allowed here: prices, tiers, title, tax_rate, price, base",
    ),
    "a key of the seats in a plan": (
        BASE + "minimum = 3\n",
        "test.toml, line 5: plans.basic.minimum is not a key; it is a key of [seats] (for one plan alone: in a "
        '[[when]] with plan = "basic"); allowed here: prices, tiers, title, tax_rate, price, base',
    ),
    "a key of a price in a plan": (
        BASE + 'overage = "5.00 per month"\n',
        "test.toml, line 5: plans.basic.overage is not a key; it is said of a price, in one of [[plans.basic.prices]]; "
        "allowed here: prices, tiers, title, tax_rate, price, base",
    ),
    "plans in another table": (
        BASE + "[seats]\nplans = 3\n",
        f"test.toml, line 6: seats.plans is not a key; it is a table of its own, such as [plans.NAME]; "
        f"allowed here: {SEAT_KEYS}",
    ),
    "a condition in the plural": (
        BASE + '[[when]]\nroles = "viewer"\nrise.settle = "now"\n',
        "test.toml, line 6: when.1.roles is not a key; did you mean role? "
        "allowed here: interval, plan, payment_method, item, role, from, until, " + ", ".join(RULE_TABLES),
    ),
    "a table in the singular": (
        BASE + "[credit]\nlapse_months = 3\n",
        f"test.toml, line 5: credit is not a key; did you mean credits? allowed here: {TOP_KEYS}",
    ),
    "a key of two other tables": (
        BASE + "[seats]\nsettle = 'now'\n",
        f"test.toml, line 6: seats.settle is not a key; it is a key of [rise] or [fall]; allowed here: {SEAT_KEYS}",
    ),
    "an unknown key of a difference": (
        BASE + '[[when]]\ninterval = "year"\nform = 2026-01-01\n',
        "test.toml, line 7: when.1.form is not a key; did you mean from? "
        "allowed here: interval, plan, payment_method, item, role, from, until, "
        + ", ".join(RULE_TABLES),
    ),
    "an unknown value": (
        BASE + '\n[seats]\n# as ordered\ncount = "bouhgt"\n',
        'test.toml, line 8: seats.count cannot be "bouhgt"; did you mean bought? allowed: active, bought, larger',
    ),
    "an unknown value of the second difference": (
        BASE + '[[when]]\ninterval = "year"\n[[when]]\ninterval = "month"\nfall.give = "money"\n',
        'test.toml, line 9: when.2.fall.give cannot be "money"; allowed: credit, nothing, refund',
    ),
    "a text for a number": (
        BASE + '[seats]\nminimum = "3"\n',
        'test.toml, line 6: seats.minimum is a whole number, 0 or more, not "3"',
    ),
    "true for a number": (
        BASE + "[seats]\nminimum = true\n",
        "test.toml, line 6: seats.minimum is a whole number, 0 or more, not true",
    ),
    "a number below zero": (
        BASE + "[seats]\nminimum = -1\n",
        "test.toml, line 6: seats.minimum is a whole number, 0 or more, not -1",
    ),
    "a trial of 27,000 years": (
        BASE + "[trial]\ndays = 10000000\n",
        "test.toml, line 6: trial.days is at most 10,000, not 10,000,000",
    ),
    "a number for a table": (
        BASE.replace("[plans", "seats = 3\n[plans"),
        "test.toml, line 3: seats is a table of keys, not 3",
    ),
    "a number for a text": ("title = 5\n" + BASE, "test.toml, line 1: title is a text in quotes, not 5"),
    "a text for true or false": (
        BASE + '[roles.free]\nbilled = "no"\n',
        'test.toml, line 6: roles.free.billed is true or false, not "no"',
    ),
    "a day in quotes": (
        BASE + '[[when]]\nfrom = "2027-01-01"\nseats.minimum = 3\n',
        'test.toml, line 6: when.1.from is a day, written without quotes like 2027-01-01, not "2027-01-01"',
    ),
    "a moment for a day": (
        BASE + "[[when]]\nfrom = 2027-01-01T00:00:00Z\nseats.minimum = 3\n",
        "test.toml, line 6: when.1.from is a day, written without quotes like 2027-01-01, "
        "not 2027-01-01 00:00:00+00:00",
    ),
    "a day of the first year of all": (
        BASE + "[[when]]\nfrom = 0001-01-01\nseats.minimum = 3\n",
        "test.toml, line 6: when.1.from is a day of the years 1970 to 2999, not 0001-01-01",
    ),
    "a price without its interval": (
        BASE.replace("10.00 per month", "10.00"),
        f'test.toml, line 4: plans.basic.price is written like {PRICE_FORM}, not "10.00"',
    ),
    "a price for an interval nobody knows": (
        BASE.replace("per month", "per week"),
        f'test.toml, line 4: plans.basic.price is written like {PRICE_FORM}, not "10.00 per week"',
    ),
    "a price that is a number": (
        BASE.replace('"10.00 per month"', "10.00"),
        f"test.toml, line 4: plans.basic.price is written like {PRICE_FORM}, not 10.0",
    ),
    "a price with a comma": (
        BASE.replace("10.00", "10,00"),
        "test.toml, line 4: plans.basic.price: '10,00' is not an amount; "
        "write digits with a point before the decimals, such as 699.00",
    ),
    "too many decimals": (
        BASE.replace("10.00", "10.001"),
        "test.toml, line 4: plans.basic.price: '10.001' has 3 decimals; EUR has 2",
    ),
    "too many decimals of one of two prices": (
        BASE + '[[plans.pro.prices]]\nprice = "1.00 per month"\n\n[[plans.pro.prices]]\nprice = "1.001 per month"\n',
        "test.toml, line 9: plans.pro.prices.2.price: '1.001' has 3 decimals; EUR has 2",
    ),
    "any decimals where the currency has none": (
        BASE.replace("EUR", "JPY"),
        "test.toml, line 4: plans.basic.price: '10.00' has 2 decimals; JPY has 0",
    ),
    "a plan with both price and prices": (
        BASE + "prices = []\n",
        "test.toml, line 4: plans.basic has both price and prices; keep one of them",
    ),
    "a plan without a price": (
        BASE + '[plans.pro]\ntitle = "Pro"\n',
        'test.toml, line 5: plans.pro.price is missing; for example: price = "8.00 per month", or "0.00 per month" '
        "where seats cost nothing",
    ),
    "no plan at all": (
        'currency = "EUR"\nintervals = ["month"]\nplans = {}\n',
        "test.toml, line 3: plans is a table with a table for each name, not an empty table",
    ),
    "a plan whose name has a point": (
        BASE + '[plans."v1.0"]\nprice = "1.001 per month"\n',
        "test.toml, line 6: plans.v1.0.price: '1.001' has 3 decimals; EUR has 2",
    ),
    "no interval": (
        BASE.replace('["month", "year"]', "[]"),
        "test.toml, line 2: intervals is a list with at least one entry, not []",
    ),
    "an interval twice": (
        BASE.replace("year", "month"),
        "test.toml, line 2: intervals names an interval twice",
    ),
    "an interval nobody knows": (
        BASE.replace('"year"', '"decade"'),
        'test.toml, line 2: intervals.2 cannot be "decade"; '
        "allowed: month, quarter, half_year, year, week, two_weeks, four_weeks, 30_days",
    ),
    "a currency that is none": (
        BASE.replace("EUR", "euro"),
        'test.toml, line 1: currency is a code of three capitals like EUR, not "euro"',
    ),
    "a zone that is none": (
        'time_zone = "Europe/Olso"\n' + BASE,
        'test.toml, line 1: time_zone is a name like Europe/Oslo, not "Europe/Olso"',
    ),
    "a folder of zones": (
        'time_zone = "Europe"\n' + BASE,
        'test.toml, line 1: time_zone is a name like Europe/Oslo, not "Europe"',
    ),
    "a path for a zone": (
        'time_zone = "../../etc/passwd"\n' + BASE,
        'test.toml, line 1: time_zone is a name like Europe/Oslo, not "../../etc/passwd"',
    ),
    "a percentage as a number": (
        BASE + "[tax]\nrate = 25\n",
        'test.toml, line 6: tax.rate is a percentage in quotes like "25", not 25',
    ),
    "a percentage above a hundred": (
        BASE + '[tax]\nrate = "100.01"\n',
        'test.toml, line 6: tax.rate is a percentage in quotes like "25", not "100.01"',
    ),
    "everybody free": (
        BASE + "[roles.free]\nbilled = false\n",
        "test.toml, line 5: roles leaves nobody to be billed; let a role have billed = true, or set a minimum",
    ),
    "a difference without a condition": (
        BASE + "[[when]]\nseats.minimum = 2\n",
        "test.toml, line 5: when says no condition, so it is not a difference; write interval, plan, payment_method, "
        "item, role, from or until, or these rules above instead",
    ),
    "a difference that is a table": (
        BASE + '[when]\ninterval = "year"\n',
        "test.toml, line 5: when is written as [[when]], a table for each difference",
    ),
    "a difference for an interval that is not offered": (
        BASE + '[[when]]\ninterval = "quarter"\nseats.minimum = 2\n',
        "test.toml, line 6: when.interval: quarter is not one of intervals",
    ),
    "a difference that ends before it begins": (
        BASE + "[[when]]\nfrom = 2026-06-01\nuntil = 2026-06-01\nseats.minimum = 2\n",
        "test.toml, line 7: when: until 2026-06-01 is not after from 2026-06-01",
    ),
    "a price for an interval that is not offered": (
        BASE + '[[plans.pro.prices]]\nprice = "1.00 per month"\ninterval = "quarter"\n',
        "test.toml, line 5: plans.pro.prices: quarter is not one of intervals",
    ),
    "distinct bought seats": (
        BASE + '[period]\ncharge = "arrears"\n[seats]\nmeasure = "distinct"\ncount = "bought"\n',
        'test.toml, line 8: seats.measure = "distinct" counts people; it needs seats.count = "active" or "larger"',
    ),
    "packages that do not grow": (
        BASE + "[seats]\npackages = [5, 5]\n",
        "test.toml, line 6: seats.packages are numbers above 0, each larger than the one before",
    ),
    "a maximum below the minimum": (
        BASE + "[seats]\nminimum = 5\nmaximum = 4\n",
        "test.toml, line 7: seats.maximum = 4 is below seats.minimum = 5",
    ),
    "a maximum below what the minimum comes to in packages": (
        BASE + "[seats]\nminimum = 6\npackages = [5]\nincluded = 2\nmaximum = 7\n",
        "test.toml, line 9: seats.maximum = 7 is below seats.minimum = 6, which comes to 8 with seats.packages and "
        "seats.included",
    ),
    "a maximum below the package of the minimum": (
        BASE + "[seats]\nminimum = 16\npackages = [5, 10]\nmaximum = 19\n",
        "test.toml, line 8: seats.maximum = 19 is below seats.minimum = 16, which comes to 20 with seats.packages and "
        "seats.included",
    ),
    "a minimum of seats that are all included": (
        BASE + "[seats]\nminimum = 3\nincluded = 3\n",
        "test.toml, line 6: seats.minimum = 3 would have no effect, since seats.included = 3 are taken off it; set it "
        "above them, or leave it out",
    ),
    "a package above the maximum": (
        BASE + "[seats]\npackages = [10]\nmaximum = 8\n",
        "test.toml, line 6: seats.packages: 10 would never be billed; seats.maximum = 8 is reached before. Leave it "
        "out, or raise the maximum",
    ),
    "a package after the maximum": (
        BASE + "[seats]\npackages = [5, 10, 20]\nincluded = 2\nmaximum = 8\n",
        "test.toml, line 6: seats.packages: 20 would never be billed; seats.maximum = 8 is reached before. Leave it "
        "out, or raise the maximum",
    ),
    "a day that no period has": (
        BASE + '[seats]\nmeasure = "snapshot"\non_day = 400\n',
        "test.toml, line 7: seats.on_day = 400 is after every period, of 366 days at most; 0 is the last day",
    ),
    "a day that no measured month has": (
        BASE + '[period]\nmeasured = "month"\n[[when]]\ninterval = "year"\nseats.measure = "snapshot"\n'
        "seats.on_day = 32\n",
        "test.toml, line 10: seats.on_day = 32 is after every period, of 31 days at most; 0 is the last day",
    ),
    "more days to be there than a period has": (
        BASE + '[seats]\nmeasure = "distinct"\nleast_days = 367\n',
        "test.toml, line 7: seats.least_days = 367 is more than a period's 366 days; 0 is all of them",
    ),
    "free roles that are none": (
        BASE + "[seats]\nfree = []\n",
        "test.toml, line 6: seats.free names no role; name one, or leave it out",
    ),
    "free roles taken back where none were": (
        BASE + '[roles.a]\n[[when]]\ninterval = "year"\nseats.free = []\n',
        "test.toml, line 8: seats.free names no role; name one, or leave it out",
    ),
    "an effect put off where one number holds for the period": (
        BASE + '[seats]\nmeasure = "peak"\n[rise]\ntakes_effect = "next_month"\n',
        'test.toml, line 8: rise.takes_effect has nothing to move: with seats.measure = "peak" one number holds for '
        "the whole period, and there is no second plan and no add-on; leave it out",
    ),
    "an activity that never counts": (
        BASE + '[seats]\ncounts_from = "activity"\nidle_days = 0\n',
        "test.toml, line 7: seats.idle_days is 1 or more; 1 counts the days with an activity",
    ),
    "people who are idle sooner in one interval": (
        BASE + '[seats]\ncounts_from = "activity"\n[[when]]\ninterval = "year"\nseats.idle_days = 28\n',
        "test.toml, line 9: seats.idle_days is the same in every when; people are idle once",
    ),
    "a count of the period before where days differ": (
        BASE + '[seats]\nof = "period_before"\n',
        "test.toml, line 6: seats.of would have no effect; it needs a measure that is one number: peak, mean, "
        "distinct, snapshot",
    ),
    "a day to be counted where none is": (
        BASE + "[seats]\non_day = 15\n",
        'test.toml, line 6: seats.on_day would have no effect; it needs seats.measure = "snapshot"',
    ),
    "days to be there where nobody is counted so": (
        BASE + "[seats]\nleast_days = 5\n",
        'test.toml, line 6: seats.least_days would have no effect; it needs seats.measure = "distinct"',
    ),
    "a fall that gives nothing, now": (
        BASE + '[fall]\ngive = "nothing"\nsettle = "now"\n',
        'test.toml, line 7: fall.settle = "now" has nothing to settle with fall.give = "nothing"; '
        "leave one of them out",
    ),
    "an estimate from which nothing is given back": (
        BASE + '[seats]\nmeasure = "mean"\n[fall]\ngive = "nothing"\n',
        'test.toml, line 6: seats.measure = "mean" billed in advance is an estimate, and where it turns out lower that '
        'is a credit; with fall.give = "nothing" bill in arrears, or write seats.of = "period_before"',
    ),
    "a new price without a notice": (
        BASE + '[prices]\nnotice_months = 3\n[[plans.pro.prices]]\nprice = "1.00 per month"\nfrom = 2027-01-01\n',
        "test.toml, line 7: a price from 2027-01-01 needs announced: prices.notice_months = 3 asks for a notice",
    ),
    "a new price announced a day too late": (
        BASE + '[prices]\nnotice_months = 3\n[[plans.pro.prices]]\nprice = "1.00 per month"\n'
        "from = 2027-01-01\nannounced = 2026-10-02\n",
        "test.toml, line 7: a price from 2027-01-01 must be announced by 2026-10-01, 3 months ahead "
        "(prices.notice_months); it was announced on 2026-10-02",
    ),
    "below_active where no seats are bought": (
        BASE + '[seats]\nbelow_active = "refused"\n',
        'test.toml, line 6: seats.below_active would have no effect; it needs seats.count = "bought"',
    ),
    "counts_from where seats are bought": (
        BASE + '[seats]\ncount = "bought"\ncounts_from = "invitation"\n',
        'test.toml, line 7: seats.counts_from would have no effect; it needs seats.count = "active" '
        'or "larger"',
    ),
    "started months where days are counted": (
        BASE + '[share]\nstarted = "free"\n',
        'test.toml, line 6: share.started would have no effect; it needs share.by = "months", "quarters" '
        'or "period"',
    ),
    "when a rise is charged in arrears": (
        BASE + '[period]\ncharge = "arrears"\n[rise]\nsettle = "now"\n',
        'test.toml, line 8: rise.settle would have no effect; it needs period.charge = "advance": '
        "in arrears a rise is on its period's bill anyway",
    ),
    "a plan without a name": (
        BASE + '[plans.""]\nprice = "3.00 per month"\n',
        'test.toml, line 5: plans.\'\': a name has signs on one line, and no space around them',
    ),
    "a role with a space before it": (
        BASE + '[roles." paying"]\n',
        "test.toml, line 5: roles.' paying': a name has signs on one line, and no space around them",
    ),
    "a price that a later row hides": (
        'currency = "EUR"\nintervals = ["month"]\n[plans.a]\nprices = [\n  { price = "1.00 per month" },\n'
        '  { price = "2.00 per month", from = 2027-01-01 },\n  { price = "3.00 per month", from = 2026-05-01 },\n]\n',
        "test.toml, line 4: plans.a.prices: row 2 would never apply; the last row that matches does, so write the "
        "general before the special and the earlier before the later",
    ),
    "plans that differ in capitals": (
        BASE + '[plans.Basic]\nprice = "3.00 per month"\n',
        "test.toml, line 5: plans.Basic and plans.basic differ in capitals only; rename one",
    ),
    "when a fall is credited in arrears": (
        BASE + '[period]\ncharge = "arrears"\n[fall]\nsettle = "now"\n',
        'test.toml, line 8: fall.settle would have no effect; it needs period.charge = "advance": '
        "in arrears a fall is on its period's bill anyway",
    ),
}  # fmt: skip


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_policy_is_refused_with_one_sentence_that_names_the_line(broken: str) -> None:
    text, sentence = BROKEN[broken]
    assert refusals(text) == (sentence,)


@pytest.mark.parametrize(
    "text",
    [
        "[seats]\nminimum = 10\nincluded = 5\nmaximum = 6\n",  # five are billed, or six
        "[seats]\nincluded = 5\nmaximum = 4\n",
        "[seats]\nminimum = 16\npackages = [5, 10]\nmaximum = 20\n",  # sixteen come to twenty
        "[seats]\npackages = [5, 10]\nmaximum = 8\n",  # the second package up to the maximum
        "[seats]\nminimum = 3\npackages = [5]\nincluded = 3\n",  # two are billed at least
        '[seats]\nminimum = 3\n[[when]]\ninterval = "year"\nseats.included = 3\n',
        '[seats]\nmeasure = "snapshot"\non_day = 366\n',
        '[seats]\nfree = ["b"]\n[roles.a]\n[roles.b]\n[[when]]\ninterval = "year"\nseats.free = []\n',
        '[seats]\nmeasure = "peak"\n[rise]\ntakes_effect = "next_month"\n[plans.b]\nprice = "20.00 per month"\n',
        '[seats]\nmeasure = "peak"\ncount = "larger"\n[rise]\ntakes_effect = "next_month"\n',
        '[seats]\nmeasure = "held"\n[rise]\ntakes_effect = "next_month"\n',
    ],
)
def test_what_still_has_an_effect_is_accepted(text: str) -> None:
    assert policy_of(BASE + text).variants


def test_a_price_announced_on_the_last_day_is_in_time() -> None:
    policy = policy_of(
        BASE + '[prices]\nnotice_months = 3\n[[plans.pro.prices]]\nprice = "1.00 per month"\n'
        "from = 2027-01-01\nannounced = 2026-10-01\n"
    )
    assert policy.plans["pro"].prices[0].announced == date(2026, 10, 1)


def test_a_price_from_a_day_on_without_an_earlier_one_holds_from_that_day() -> None:
    policy = policy_of(BASE + '[[plans.pro.prices]]\nprice = "1.00 per month"\nfrom = 2027-01-01\n')
    rows, january = policy.plans["pro"].prices, date(2027, 1, 1).toordinal()
    assert policy.price(rows, "month", january - 1, "pro") is None
    assert policy.price(rows, "month", january, "pro") == Price(100, 1, "pro")


def test_an_empty_list_of_notes_says_nothing_and_is_fine_as_the_schema_says() -> None:
    assert json_schema()["properties"]["notes"]["default"] == []
    assert policy_of("notes = []\n" + BASE).notes == ()


def test_an_empty_file_is_told_what_every_policy_needs() -> None:
    assert refusals("") == (
        'test.toml: currency is missing; for example: currency = "SEK"',
        'test.toml: intervals is missing; for example: intervals = ["month", "year"]',
        'test.toml: plans is missing; for example: [plans.PRO] ⏎ price = "699.00 per month"',
    )


def test_what_is_not_toml_is_told_the_place() -> None:
    assert refusals(BASE + "[seats\n") == (
        "test.toml: this is not TOML: Expected ']' at the end of a table declaration (at line 5, column 7)",
    )
    assert refusals(BASE + 'currency = "SEK"\n[plans.basic]\n') == (
        'test.toml: this is not TOML: Cannot declare (\'plans\', \'basic\') twice (at line 6, column 13)',
    )  # fmt: skip


def test_every_mistake_is_told_at_once_and_each_once() -> None:
    text = 'currency = 3\nintervals = [1]\nplans = 3\nseats = 3\n'  # fmt: skip
    assert refusals(text) == (
        "test.toml, line 1: currency is a text in quotes, not 3",
        "test.toml, line 2: intervals.1 cannot be 1; "
        "allowed: month, quarter, half_year, year, week, two_weeks, four_weeks, 30_days",
        "test.toml, line 3: plans is a table with a table for each name, not 3",
        "test.toml, line 4: seats is a table of keys, not 3",
    )


def test_the_line_is_the_key_s_own_not_one_that_looks_like_it_in_a_text() -> None:
    text = BASE.replace("[plans", 'notes = ["""\n[seats]\nminimum = -5\n"""]\n[plans') + "[seats]\nminimum = -1\n"
    assert refusals(text) == ("test.toml, line 10: seats.minimum is a whole number, 0 or more, not -1",)


@pytest.mark.parametrize(
    "text",
    [
        BASE + "[prices]\nnotice_months = 100000\n"
        '[[plans.pro.prices]]\nprice = "1.00 per month"\nfrom = 2027-01-01\nannounced = 2026-10-01\n',
        BASE + '[tax]\nrate = "0.' + "1" * 5000 + '"\n',
        BASE + "[seats]\nminimum = " + "9" * 5000 + "\n",
        "x = " + "[" * 3000,
        "x = " + '{a = ' * 3000,
        'time_zone = "a\\u0000b"\n' + BASE,
        'time_zone = "' + "x" * 500 + '"\n' + BASE,
    ],
    ids=["notice of 8,000 years", "endless percentage", "endless number", "deep list", "deep table", "zone with zero",
         "long zone"],
)  # fmt: skip
def test_what_is_beyond_reason_is_refused_and_not_raised(text: str) -> None:
    assert refusals(text)


def test_a_file_that_is_not_there_is_not_a_policy() -> None:
    with pytest.raises(PolicyError) as caught:
        load_policy("maintr")
    assert str(caught.value) == (
        "maintr is neither a policy that ships (prorata policy list names them) nor a file; did you mean mainter?"
    )


# JSON Schema and language


def test_the_schema_has_exactly_the_keys_of_the_language() -> None:
    schema = json_schema()
    rules = {name: schema["properties"][name] for name in RULE_TABLES}
    plan = schema["properties"]["plans"]["additionalProperties"]
    add_on = schema["properties"]["add_ons"]["additionalProperties"]
    shown = {
        "": schema,
        "plans.NAME": plan,
        "add_ons.NAME": add_on,
        "….prices": plan["properties"]["prices"]["items"],
        "roles.NAME": schema["properties"]["roles"]["additionalProperties"],
        **rules,
        "when": schema["properties"]["when"]["items"],
    }
    for path, table in tables():
        expected = {key.name for key in keys_of(table)}
        expected |= {"price"} if table in (Plan, AddOn) else set()
        expected |= {"base"} if table is Plan else set()
        expected |= {*RULE_TABLES, "when"} if path == "" else set()
        expected |= set(RULE_TABLES) if path == "when" else set()
        assert set(shown.pop(path)["properties"]) == expected, path
    assert not shown


def test_a_price_is_paid_once_in_the_schema_only_where_it_may_be_an_add_on_s() -> None:
    schema = json_schema()["properties"]
    plan, add_on = (schema[name]["additionalProperties"]["properties"] for name in ("plans", "add_ons"))
    row = add_on["prices"]["items"]["properties"]
    assert "once" in add_on["price"]["pattern"]
    assert "once" in row["price"]["pattern"]
    for price in (plan["price"], plan["base"], row["base"], row["overage"]):
        assert price["pattern"].startswith(r"^[0-9]+(\.[0-9]+)? (per (month|")


def test_the_schema_allows_nothing_else_and_asks_for_what_is_required() -> None:
    def objects(schema: Any) -> Iterator[dict[str, Any]]:
        if isinstance(schema, dict):
            if "properties" in schema and schema.get("type") == "object":
                yield schema
            for part in schema.values():
                yield from objects(part)

    schema = json_schema()
    assert all(one["additionalProperties"] is False for one in objects(schema))
    assert schema["required"] == ["currency", "intervals", "plans"]


def test_every_key_has_a_meaning_and_an_example_that_is_read() -> None:
    for path, table in tables():
        for key in keys_of(table):
            assert key.meaning, (path, key.name)
            assert key.example, (path, key.name)
            if get_origin(key.type) is not None and get_args(key.type) and key.choices:
                assert any(f'"{choice}"' in key.example for choice in key.choices), (path, key.name)


# Nothing but PolicyError

WORDS = ["month", "year", "week", "active", "bought", "distinct", "arrears", "advance", "months", "now", "nothing",
         "", "10.00 per month", "1.001 per month", "per", "25", "EUR", "euro", "Europe/Oslo", "Europe", "\0",
         "[x]"]  # fmt: skip
KEY_NAMES = [*RULE_TABLES, "when", *{key.name for _, table in tables() for key in keys_of(table)}, "price", "x", "a.b"]
SCALARS = st.one_of(
    st.sampled_from(WORDS),
    st.integers(-5, 5),
    st.just(10**12),
    st.booleans(),
    st.floats(allow_nan=True),
    st.dates(),
    st.datetimes(),
    st.text(max_size=5),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEY_NAMES), inner, max_size=4)
    ),
    max_leaves=12,
)
GOOD: dict[str, Any] = {
    "currency": "EUR",
    "intervals": ["month", "year"],
    "plans": {"basic": {"price": "10.00 per month"}},
}


def mistakes(read: Callable[[], Policy]) -> tuple[str, ...]:
    """The sentences about a policy, none where it is one; any other exception fails the test."""
    try:
        policy = read()
    except PolicyError as error:
        return error.sentences or ("refused without a word",)
    assert policy.variants
    return ()


@given(st.dictionaries(st.sampled_from(KEY_NAMES), VALUES, max_size=6), st.booleans())
def test_any_plain_data_is_a_policy_or_a_policy_error(document: dict[str, Any], whole: bool) -> None:
    sentences = mistakes(lambda: read_document(GOOD | document if whole else document, name="x", source="x.toml"))
    assert all(sentence.startswith("x.toml: ") for sentence in sentences)


@given(st.sampled_from(sorted(RULE_TABLES)), st.data())
def test_any_value_of_any_rule_is_read_or_refused(table: str, data: st.DataObject) -> None:
    keys = [key.name for path, one in tables() if path == table for key in keys_of(one)]
    rules = data.draw(st.dictionaries(st.sampled_from(keys), SCALARS, min_size=1))
    when = {"interval": "year", table: data.draw(st.dictionaries(st.sampled_from(keys), SCALARS))}
    for document in (GOOD | {table: rules}, GOOD | {"when": [when]}, GOOD | {table: rules, "when": [when]}):
        sentences = mistakes(lambda document=document: read_document(document, name="x", source="x.toml"))  # type: ignore[misc]
        assert len(set(sentences)) == len(sentences)


@given(st.text(max_size=200))
def test_any_text_is_a_policy_or_a_policy_error(text: str) -> None:
    with pytest.raises(PolicyError):
        read_policy(text, name="x", source="x.toml")


@given(st.data())
def test_a_policy_with_a_piece_cut_out_or_put_in_is_read_or_refused(data: st.DataObject) -> None:
    text = policy_text(data.draw(st.sampled_from(["konfidens", "mainter", "sloneek"])))
    start = data.draw(st.integers(0, len(text)))
    end = min(len(text), start + data.draw(st.integers(0, 40)))
    piece = data.draw(st.one_of(st.just(""), st.text(max_size=10), st.sampled_from(WORDS)))
    sentences = mistakes(lambda: read_policy(text[:start] + piece + text[end:], name="x", source="x.toml"))
    assert all(sentence.startswith("x.toml") for sentence in sentences)


@given(st.integers(0, 10**9), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_a_price_is_read_as_the_amount_it_is_written_as(minor: int, currency: str) -> None:
    digits = {"EUR": 2, "JPY": 0, "KWD": 3}[currency]
    text = f"{minor // 10**digits}" + (f".{minor % 10**digits:0{digits}}" if digits else "")
    assert parse_amount(text, currency) == minor
    document = GOOD | {"currency": currency, "plans": {"basic": {"price": f"{text} per year"}}}
    assert read_document(document, name="x", source="x").plans["basic"].prices[0].price == Price(minor, 12)


@pytest.mark.parametrize(("rules", "meant"), [
    ('[fall]\ngive = "credit_note"\n', "credit"),
    ('[fall]\ngive = "money_back"\n', "refund"),
    ('[rise]\nsettle = "immediate"\n', "now"),
    ('[seats]\ncount = "provisioned"\n', "bought"),
    ('[share]\nby = "day"\n', "days_of_period"),
    ('[fall]\ntakes_effect = "renewal"\n', "next_period"),
    ('[seats]\nmeasure = "average"\n', "mean"),
])  # fmt: skip
def test_a_word_that_others_use_is_understood_in_the_hint(rules: str, meant: str) -> None:
    (sentence,) = refusals(BASE + rules)
    assert f"did you mean {meant}? allowed: " in sentence
