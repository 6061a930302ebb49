"""The policies of a comparison: each with a name of its own, and the accounts read and billed under each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from prorata.console.output import what_does_not_meet, what_is_ignored
from prorata.engine.bill import bill
from prorata.engine.calendar import Interval
from prorata.engine.compare import AccountMonth, compare_account
from prorata.engine.history import Subscription
from prorata.engine.intake import INTERVAL_WORDS, Intake, IntakeError, Row, near, read_histories
from prorata.engine.policy.model import Policy
from prorata.engine.refusal import CannotBill
from prorata.policies import load_policy, policy_names


@dataclass(frozen=True, slots=True)
class Candidate:
    """A policy as it is called in the comparison, and how rows are read for it."""

    label: str
    intake: Intake


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line says for all policies; `roles` are pairs of a role in the file and one of a policy."""

    plan: str | None = None
    interval: Interval | None = None
    payment_method: str | None = None
    start: date | None = None
    roles: tuple[tuple[str, str], ...] = ()
    seats_follow: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """The accounts that can be billed under every policy, and their months.

    `problems` says why others cannot be, `notes` what no bill holds.
    """

    accounts: tuple[str, ...]
    rows: tuple[AccountMonth, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]


def read_candidates(words: Sequence[str], wish: Wish) -> tuple[Candidate, ...]:
    """The policies of the command line, such as `konfidens`, `mainter@PRO` or a path; PolicyError or IntakeError."""
    if len(words) < 2:
        raise IntakeError([f"a comparison needs two policies or more, and {words[0]} is one"])
    labels = _labels(words)
    found = tuple(_candidate(word, label, wish) for word, label in zip(words, labels, strict=True))
    currencies = {candidate.intake.policy.currency for candidate in found}
    if len(currencies) > 1:
        named = ", ".join(f"{candidate.label} ({candidate.intake.policy.currency})" for candidate in found)
        raise IntakeError([f"policies in different currencies cannot be compared: {named}"])
    _check_roles(wish, [candidate.intake.policy for candidate in found])
    _check_method(wish, [candidate.intake.policy for candidate in found])
    return found


def read_accounts(
    rows: Sequence[Row], candidates: Iterable[Candidate]
) -> tuple[dict[str, tuple[Subscription, ...]], list[str]]:
    """The accounts that can be read under every policy, and a sentence for each problem with the others.

    Raises IntakeError where a policy can read none of them.
    """
    problems: list[str] = []
    read = []
    for candidate in candidates:
        accounts, wrong = _read(rows, candidate)
        read.append(accounts)
        problems += wrong
    names = [account for account in read[0] if all(account in accounts for accounts in read)]
    return {account: tuple(accounts[account] for accounts in read) for account in names}, problems


def bill_accounts(
    accounts: Mapping[str, Sequence[Subscription]],
    candidates: Sequence[Candidate],
    *,
    through: date,
    step: Callable[[], None],
) -> Outcome:
    """Bills each account under each policy up to and with a day; `step` is called for each of these bills."""
    rows: list[AccountMonth] = []
    notes: list[str] = []
    refused: dict[tuple[str, str], list[str]] = {}
    compared = []
    for account, subscriptions in accounts.items():
        billings = []
        for candidate, subscription in zip(candidates, subscriptions, strict=True):
            try:
                billings.append(bill(subscription, through=through))
            except CannotBill as error:
                refused.setdefault((candidate.label, str(error)), []).append(account)
            step()
        if len(billings) < len(candidates):
            continue
        compared.append(account)
        rows += compare_account(account, billings)
        for candidate, subscription, billing in zip(candidates, subscriptions, billings, strict=True):
            ignored = what_is_ignored(subscription, billing)
            notes += [f"{candidate.label}: {ignored}"] if ignored else []
    for at, candidate in enumerate(candidates):
        said = what_does_not_meet([accounts[account][at] for account in compared])
        notes += [f"{candidate.label}: {sentence}" for sentence in said]
    problems = [f"{label}: account {', '.join(names)}: {why}" for (label, why), names in refused.items()]
    return Outcome(tuple(compared), tuple(rows), tuple(problems), tuple(notes))


def _labels(words: Sequence[str]) -> list[str]:
    """A short name for each policy, or what was given where the short one is another's too."""
    short = [_short(word) for word in words]
    labels = [name if short.count(name) == 1 else word for name, word in zip(short, words, strict=True)]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        raise IntakeError([f"{label} is there twice; name each policy, or each plan and interval of it, once"
                           for label in twice])  # fmt: skip
    return labels


def _short(word: str) -> str:
    name, settings = _parted(word)
    return "@".join([name if name in policy_names() else Path(name).stem, *settings])


def _parted(word: str) -> tuple[str, list[str]]:
    """A policy and what is said of it alone; a file's own name may have an @."""
    if Path(word).is_file():
        return word, []
    name, *settings = word.split("@")
    return name, settings


def _candidate(word: str, label: str, wish: Wish) -> Candidate:
    name, settings = _parted(word)
    policy = load_policy(name)
    intake = Intake(
        policy=policy,
        start=wish.start,
        roles={old: new for old, new in wish.roles if not policy.roles or new in policy.roles},
        seats_follow=wish.seats_follow,
    )
    for setting in settings:
        intake = _with_setting(intake, word, setting)
    if intake.plan is None and wish.plan is not None:
        intake = replace(intake, plan=_common_plan(policy, label, wish.plan))
    if intake.interval is None and wish.interval is not None:
        intake = replace(intake, interval=_common_interval(policy, label, wish.interval))
    if intake.payment_method is None and _method(policy, wish.payment_method or "") is not None:
        intake = replace(intake, payment_method=wish.payment_method)
    return Candidate(label, intake)


def _with_setting(intake: Intake, word: str, setting: str) -> Intake:
    """The same with the plan, interval or payment method that stands behind the policy's name."""
    policy = intake.policy
    plan, interval = _plan(policy, setting), INTERVAL_WORDS.get(setting.lower())
    if plan is not None and intake.plan is None:
        return replace(intake, plan=plan)
    if plan is None and interval in policy.intervals and intake.interval is None:
        return replace(intake, interval=interval)
    method = _method(policy, setting)
    if method is not None and plan is None and interval not in policy.intervals:
        if intake.payment_method is not None:
            raise IntakeError([f"{word}: {setting!r} is a second payment method; name one"])
        return replace(intake, payment_method=method)
    if plan is not None or interval in policy.intervals:
        raise IntakeError([f"{word}: {setting!r} is a second {'plan' if plan else 'interval'}; name one"])
    plans, intervals, methods = tuple(policy.plans), policy.intervals, policy.payment_methods
    what = "neither a plan nor an interval" + (" nor a payment method" if methods else "")
    ways = f"; its payment methods: {', '.join(methods)}" if methods else ""
    raise IntakeError([f"{word}: {setting!r} is {what} of policy {policy.name}; "
                       f"{near(setting, (*plans, *intervals, *methods))}its plans: {', '.join(plans)}; "
                       f"its intervals: {', '.join(intervals)}{ways}"])  # fmt: skip


def _common_plan(policy: Policy, label: str, name: str) -> str:
    plan = _plan(policy, name)
    if plan is None:
        plans = tuple(policy.plans)
        raise IntakeError([f"--plan: {name!r} is not a plan of {label}, which has: {', '.join(plans)}; for one policy "
                           f"alone write the plan behind it: {label}@{plans[0]}"])  # fmt: skip
    return plan


def _common_interval(policy: Policy, label: str, interval: Interval) -> Interval:
    if interval not in policy.intervals:
        raise IntakeError([f"--interval: {interval!r} is not an interval of {label}, which has: "
                           f"{', '.join(policy.intervals)}; for one policy alone write the interval behind it: "
                           f"{label}@{policy.intervals[0]}"])  # fmt: skip
    return interval


def _plan(policy: Policy, text: str) -> str | None:
    """The plan of this name, in capitals or not."""
    return next((plan for plan in (text, *policy.plans) if plan in policy.plans and plan.lower() == text.lower()), None)


def _method(policy: Policy, text: str) -> str | None:
    """The payment method of this name, in capitals or not."""
    return next((method for method in policy.payment_methods if method.lower() == text.lower()), None)


def _check_method(wish: Wish, policies: Sequence[Policy]) -> None:
    """A payment method that only some of the policies know is for those; one that none knows is a mistake."""
    name = wish.payment_method
    if name is None or any(_method(policy, name) is not None for policy in policies):
        return
    known = tuple(dict.fromkeys(method for policy in policies for method in policy.payment_methods))
    allowed = f"{near(name, known)}allowed: {', '.join(known)}" if known else "they name none"
    raise IntakeError([f"--payment-method: {name!r} is not a payment method of any of the policies; {allowed}"])


def _check_roles(wish: Wish, policies: Sequence[Policy]) -> None:
    """A role that only one of the policies knows is read for that one; a role that none knows is a mistake."""
    known = sorted({role for policy in policies for role in policy.roles})
    if known and all(policy.roles for policy in policies):
        wrong = [new for _, new in wish.roles if new not in known]
        if wrong:
            raise IntakeError([f"--map-role: {role!r} is not a role of any of the policies; "
                               f"{near(role, tuple(known))}allowed: {', '.join(known)}" for role in wrong])  # fmt: skip


def _read(rows: Sequence[Row], candidate: Candidate) -> tuple[dict[str, Subscription], list[str]]:
    try:
        return {one.account: one for one in read_histories(rows, candidate.intake)}, []
    except IntakeError as error:
        whole = error
    by_account: dict[str, list[Row]] = {}
    for row in rows:
        by_account.setdefault(row.cells.get("account", ""), []).append(row)
    read: dict[str, Subscription] = {}
    problems: list[str] = []
    for account, own in by_account.items():
        try:
            [read[account]] = read_histories(own, candidate.intake)
        except IntakeError as error:
            problems += error.sentences
    if not read or "" in by_account:  # a row without an account may belong to any of them
        raise IntakeError([f"{candidate.label}: {sentence}" for sentence in whole.sentences])
    return read, [f"{candidate.label}: {sentence}" for sentence in problems]
