"""The rules a vendor bills by, version by version."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Router, Schema
from pydantic import ConfigDict, Field

from prorata.api.once import in_steps
from prorata.api.pages import Cursor, Limit, Page, page
from prorata.api.problems import Gone
from prorata.api.tokens import Bearer, actor_of, vendor_of
from prorata.api.values import Amount, In
from prorata.engine.money import format_amount
from prorata.engine.policy.plain import tell
from prorata.engine.policy.tariff import AddOn, Plan
from prorata.invoicing.effects import Amounts, Effect, concerned, effects
from prorata.subscriptions.actions.record import change_policy
from prorata.vendors.actions import fitting
from prorata.vendors.models import PolicyVersion
from prorata.vendors.queries import last_version, now_of, policy_of

router = Router(tags=["Policies"])

PolicyName = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,50}$", description="The policy's name.")]


class PolicySummary(Schema):
    name: str
    version: int
    recorded_at: datetime = Field(description="Since when it holds.")
    actor: str
    sha256: str = Field(description="The digest of its text.")


class SentenceOut(Schema):
    text: str
    example: str = Field(description="The same in money, where there is an example.")


class PartOut(Schema):
    title: str
    sentences: list[SentenceOut]


class PriceOut(Schema):
    """A price of one unit, for so many months (0: once); of several for the same seats the last that matches holds."""

    amount: Amount
    months: int
    interval: str = Field(description="Only where accounts are billed in this interval; empty: in any.")
    role: str = Field(description="Only for the seats of this role; empty: of all others.")
    above: int = Field(description="Only beyond so many seats.")
    since: date | None = Field(description="For periods that begin on this day or later.")


class SoldOut(Schema):
    """A plan, or an add-on."""

    name: str
    title: str
    prices: list[PriceOut]


class PolicyOut(PolicySummary):
    currency: str
    time_zone: str
    intervals: list[str]
    plans: list[SoldOut]
    add_ons: list[SoldOut]
    roles: list[str]
    payment_methods: list[str]
    text: str = Field(description="The policy file.")
    plain: list[PartOut] = Field(description="The same in plain sentences.")


class ChangeOut(Schema):
    before: Amount
    after: Amount


class EffectOut(Schema):
    """What other rules make of an account's documents, with tax."""

    account: str
    currency: str
    now: ChangeOut = Field(description="What is due by today.")
    next: ChangeOut = Field(description="The next document, with what is corrected of days billed before.")
    next_date: date | None
    per_period: ChangeOut = Field(description="A whole period, the first to begin by the other rules, at `start`.")
    start: date | None
    problem: str = Field(description="Why the account could not be billed by them, if so.")


class PolicyIn(In):
    model_config = ConfigDict(str_strip_whitespace=False)

    text: str = Field(description="The policy file, in TOML.", max_length=1_000_000)


@router.get("/policies", response=Page[PolicySummary], auth=Bearer("read"))
def list_policies(request: HttpRequest, cursor: Cursor = "", limit: Limit = 50) -> Page[PolicySummary]:
    """Every version of every policy, the newest first."""
    return page(PolicyVersion.objects.filter(vendor=vendor_of(request)), cursor, limit, _summaries, newest_first=True)


@router.get("/policies/{name}", response=PolicyOut, auth=Bearer("read"))
def show_policy(request: HttpRequest, name: PolicyName) -> PolicyOut:
    """The version of a policy that holds now."""
    version = last_version(vendor_of(request), name)
    if version is None:
        raise Gone(f"there is no policy {name!r}")
    return _policy_out(version)


@router.put("/policies/{name}", response=PolicyOut, auth=Bearer("settings"))
def set_policy(request: HttpRequest, name: PolicyName, body: PolicyIn) -> PolicyOut:
    """Bill by these rules from now on. The same text again changes nothing; under a new name it is one policy more."""
    vendor = vendor_of(request)
    return _policy_out(
        change_policy(vendor=vendor, name=name, text=body.text, now=now_of(vendor), actor=actor_of(request))
    )


@router.post("/policies/{name}/effects", response=Page[EffectOut], auth=Bearer("settings"))
@in_steps
def show_effects(
    request: HttpRequest, name: PolicyName, body: PolicyIn, cursor: Cursor = "", limit: Limit = 50
) -> Page[EffectOut]:
    """Whom these rules would concern, and by how much: for notices of a price, and before anything is corrected.

    A page looks at so many accounts, and tells of those for which there is a difference.
    """
    vendor = vendor_of(request)
    now = now_of(vendor)
    policy = fitting(vendor=vendor, name=name, text=body.text, now=now)
    return page(
        concerned(vendor, name), cursor, limit, lambda rows: [_effect_out(one) for one in effects(rows, policy, now)]
    )


def _effect_out(one: Effect) -> EffectOut:
    def change(amounts: Amounts) -> ChangeOut:
        before, after = (format_amount(minor, one.currency) for minor in amounts)
        return ChangeOut(before=before, after=after)

    return EffectOut(
        account=one.account,
        currency=one.currency,
        now=change(one.now),
        next=change(one.next),
        next_date=one.next_date,
        per_period=change(one.per_period),
        start=one.start,
        problem=one.problem,
    )


def _summaries(versions: Sequence[PolicyVersion]) -> list[PolicySummary]:
    return [PolicySummary(**_told(version)) for version in versions]


def _policy_out(version: PolicyVersion) -> PolicyOut:
    plain = [
        PartOut(title=part.title, sentences=[SentenceOut(text=one.text, example=one.example) for one in part.sentences])
        for part in tell(policy_of(version))
    ]
    policy = policy_of(version)
    return PolicyOut(
        **_told(version),
        currency=policy.currency,
        time_zone=policy.time_zone,
        intervals=list(policy.intervals),
        plans=[_sold_out(name, plan, policy.currency) for name, plan in policy.plans.items()],
        add_ons=[_sold_out(name, add_on, policy.currency) for name, add_on in policy.add_ons.items()],
        roles=list(policy.roles),
        payment_methods=list(policy.payment_methods),
        text=version.text,
        plain=plain,
    )


def _sold_out(name: str, sold: Plan | AddOn, currency: str) -> SoldOut:
    prices = [
        PriceOut(
            amount=format_amount(row.price.minor, currency),
            months=row.price.months,
            interval=row.interval or "",
            role=row.role or "",
            above=row.above,
            since=row.from_,
        )
        for row in sold.prices
    ]
    return SoldOut(name=name, title=sold.title or name, prices=prices)


def _told(version: PolicyVersion) -> dict[str, Any]:
    return {
        "name": version.name,
        "version": version.number,
        "recorded_at": version.recorded_at,
        "actor": version.actor,
        "sha256": version.sha256,
    }
