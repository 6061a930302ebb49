"""The people of an account: who is invited, comes, goes, and with which role; and the vendor's own list of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Path, Router, Schema, Status
from pydantic import Field

from prorata.accounts.models import Member
from prorata.api.event_values import EventOut, events_out
from prorata.api.loading import AccountKey, agreement_called, rules_of
from prorata.api.pages import Cursor, Limit, Page, page
from prorata.api.problems import Gone
from prorata.api.tokens import Bearer, actor_of, vendor_of
from prorata.api.values import Email, In, Name, User
from prorata.engine.history import EventKind
from prorata.subscriptions.actions.people import move
from prorata.subscriptions.actions.reconcile import Difference, reconcile
from prorata.subscriptions.models import Subscription
from prorata.subscriptions.people import State, Verb
from prorata.subscriptions.queries import people_now
from prorata.vendors.queries import now_of

router = Router(tags=["People"])

_User = Annotated[User, Path(min_length=1, description="What your own system calls the person.")]


class MemberOut(Schema):
    user: str
    name: str
    email: str
    state: State
    role: str


class MoveIn(In):
    """What goes with a move; a name and an e-mail address are kept with the person."""

    role: Name = ""
    reason: Annotated[str, Field(max_length=2000)] = ""
    name: Name = ""
    email: Email = ""


class UserIn(In):
    account: str = Field(min_length=1, max_length=200)
    user: User = Field(min_length=1)
    role: Name = Field("", description="Left out, roles are not compared.")


class ListIn(In):
    """Your own list of users."""

    users: list[UserIn] = Field(max_length=100_000)
    everyone: bool = Field(False, description="Whether accounts that are not named have no users.")
    apply: bool = Field(False, description="Whether to record the events that mend it, as of now.")


class DifferenceOut(Schema):
    """Somebody who is not billed as the list says, and the event that mends it."""

    account: str
    user: str
    difference: Literal["missing", "surplus", "role"] = Field(
        description="On the list and no member, a member and not on the list, or of another role."
    )
    event: EventKind
    role: str


class DifferencesOut(Schema):
    differences: list[DifferenceOut]
    applied: bool


@router.get("/accounts/{account}/members", response=Page[MemberOut], auth=Bearer("read"))
def list_members(request: HttpRequest, account: AccountKey, cursor: Cursor = "", limit: Limit = 50) -> Page[MemberOut]:
    """Everybody who was ever told of, and how they stand now."""
    subscription = agreement_called(request, account)
    rows = Member.objects.filter(account=subscription.account)
    return page(rows, cursor, limit, partial(_members_out, subscription, now_of(vendor_of(request))))


@router.get("/accounts/{account}/members/{user}", response=MemberOut, auth=Bearer("read"))
def show_member(request: HttpRequest, account: AccountKey, user: _User) -> MemberOut:
    """One person, and how they stand now."""
    subscription = agreement_called(request, account)
    member = Member.objects.filter(account=subscription.account, key=user).first()
    if member is None:
        raise Gone(f"account {account!r} has no member {user!r}")
    return _members_out(subscription, now_of(vendor_of(request)), [member])[0]


@router.post("/accounts/{account}/members/{user}/{verb}", response={201: EventOut}, auth=Bearer("people"))
def move_a_member(
    request: HttpRequest, account: AccountKey, user: _User, verb: Verb, body: MoveIn | None = None
) -> Status[EventOut]:
    """Invite, let in, remove, suspend somebody or give them a role, from now on. What leads nowhere is refused."""
    subscription, vendor, told = agreement_called(request, account), vendor_of(request), body or MoveIn()
    now = now_of(vendor)
    event = move(subscription=subscription, verb=verb, user=user, now=now, actor=actor_of(request), **told.model_dump())
    return Status(201, events_out([event], rules_of(subscription))[0])


@router.post("/reconciliations", response=DifferencesOut, auth=Bearer("people"))
def reconcile_users(request: HttpRequest, body: ListIn) -> DifferencesOut:
    """Compare your own list of users with the members that are billed, and mend the difference if asked to."""
    listed: dict[str, dict[str, str]] = {}
    for one in body.users:
        listed.setdefault(one.account, {})[one.user] = one.role
    vendor = vendor_of(request)
    found = reconcile(
        vendor=vendor,
        listed=listed,
        everyone=body.everyone,
        now=now_of(vendor),
        actor=actor_of(request),
        mend=body.apply,
    )
    return DifferencesOut(differences=[_difference_out(one) for one in found], applied=body.apply)


def _members_out(subscription: Subscription, now: datetime, members: Sequence[Member]) -> list[MemberOut]:
    stands = people_now(subscription, now)
    found = []
    for member in members:
        state, role = stands.get(member.key, ("absent", ""))
        found.append(MemberOut(user=member.key, name=member.name, email=member.email, state=state, role=role))
    return found


def _difference_out(one: Difference) -> DifferenceOut:
    return DifferenceOut(
        account=one.account, user=one.user, difference=one.kind, event=one.fact.kind, role=one.fact.role
    )
