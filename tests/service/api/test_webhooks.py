"""Webhooks: what happened is told, signed, until it is taken; told by the API, and to a real server."""

from __future__ import annotations

import json
import socket
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ssl import PROTOCOL_TLS_SERVER, SSLContext, create_default_context
from time import monotonic, sleep
from typing import Any

import pytest
import trustme
from pytest_django.fixtures import Settings
from standardwebhooks import Webhook, WebhookVerificationError

from prorata.webhooks import actions, sending
from prorata.webhooks.actions import KEPT, WAITS, deliver, forget_old
from prorata.webhooks.models import Delivery, Endpoint, Message
from prorata.webhooks.outbox import KINDS
from tests.service.api.cast import Caller, refused, told
from tests.service.receiver import Receiver, dripping, receiving

NOW = datetime.now(UTC)
LATER = NOW + timedelta(days=7)


@pytest.fixture(autouse=True)
def _near(settings: Settings) -> None:
    """Receivers of these tests are on this machine, and speak no TLS."""
    settings.WEBHOOKS_ANYWHERE = True


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


def _added(vera: Caller, receiver: Receiver, *kinds: str) -> dict[str, Any]:
    webhook: dict[str, Any] = vera.post("/webhooks", {"url": receiver.url, "kinds": list(kinds)})
    return webhook


def _deliveries(vera: Caller, webhook: dict[str, Any], state: str = "") -> list[dict[str, Any]]:
    query = f"?state={state}" if state else ""
    items: list[dict[str, Any]] = vera.get(f"/webhooks/{webhook['id']}/deliveries{query}")["items"]
    return items


def test_what_happens_is_told_and_signed(vera: Caller, receiver: Receiver) -> None:
    webhook = _added(vera, receiver)
    vera.post("/accounts", {"key": "syd", "events": [{"event": "activate", "user": "cilla"}]})
    vera.ask("PATCH", "/accounts/syd", {"name": "Syd AB"})
    [event] = vera.post(
        "/accounts/nord/events", {"events": [{"event": "credit", "amount": "10.00", "reason": "sorry"}]}
    )["events"]
    vera.post(f"/accounts/nord/events/{event['id']}/withdrawal")
    payment = vera.post("/accounts/nord/payments", {"date": "2026-02-10", "amount": "1398.00"})["id"]
    vera.post(f"/payments/{payment}/return", {"date": "2026-02-10"})
    vera.post("/accounts/nord/events", {"events": [{"event": "cancel"}]})
    vera.ask("PUT", "/policies/mainter", {"text": vera.get("/policies/mainter")["text"] + "\n"})
    vera.post("/clock", {"to": "2026-03-01T12:00:00Z"})
    assert vera.ask("DELETE", "/accounts/nord").status_code == 204
    while deliver(now=LATER):
        pass
    messages = receiver.messages(webhook["secret"])
    assert {message["type"] for message in messages} == set(KINDS) - {
        "account.resumed",
        "credit.lapsed",
        "webhook.test",
    }
    issued = [one["data"] for one in messages if one["type"] == "document.issued"]
    issued.sort(key=lambda one: one["document"])  # several are sent at a time
    assert issued[0] == {
        "document": "invoice-3", "account": "syd", "date": "2026-02-10", "currency": "SEK", "total": "202.89",
        "due": "202.89",
    }  # fmt: skip
    documents = [vera.get(f"/documents/{one['document']}") for one in issued]
    assert [(one["account"], one["total"], one["due"]) for one in documents] == [
        (one["account"], one["total"], one["due"]) for one in issued
    ]
    assert b"cilla" not in b"".join(body for _, body in receiver.told)
    assert _deliveries(vera, webhook, "waiting") == []
    assert all(one["state"] == "delivered" for one in _deliveries(vera, webhook))
    with pytest.raises(WebhookVerificationError):
        receiver.messages("whsec_" + "A" * 44)


def test_only_what_is_wanted_is_told_and_only_by_its_vendor(vera: Caller, receiver: Receiver) -> None:
    webhook = _added(vera, receiver, "account.opened")
    vera.post("/accounts", {"key": "syd", "events": [{"event": "activate", "user": "cilla"}]})
    deliver(now=LATER)
    [message] = receiver.messages(webhook["secret"])
    assert message["type"] == "account.opened"
    assert message["timestamp"] == "2026-02-10T12:00:00Z"
    assert message["data"] == {"account": "syd", "policy": "mainter"}


def test_nothing_is_written_where_nobody_wants_to_be_told_or_nothing_happened(vera: Caller, receiver: Receiver) -> None:
    vera.post("/accounts", {"key": "syd"})
    assert not Message.objects.exists()
    _added(vera, receiver)
    refused(vera.ask("POST", "/accounts", {"key": "syd"}), 409)
    refused(vera.ask("POST", "/accounts/nord/members/eva/deactivate"), 409)
    assert not Message.objects.exists()


def test_a_message_that_is_not_taken_is_sent_again_later_and_later(vera: Caller, receiver: Receiver) -> None:
    receiver.answers = [500, 302, 404]
    webhook = _added(vera, receiver)
    vera.post(f"/webhooks/{webhook['id']}/test")
    for attempt in range(3):
        before = datetime.now(UTC)
        assert deliver(now=LATER) == 1
        [waiting] = _deliveries(vera, webhook, "waiting")
        again = datetime.fromisoformat(waiting["next_at"]) - before
        assert WAITS[attempt] <= again <= WAITS[attempt] * 1.1 + timedelta(seconds=30)
        assert deliver(now=before) == 0
    assert deliver(now=LATER) == 1
    [delivery] = _deliveries(vera, webhook, "delivered")
    assert [(one["status"], one["said"]) for one in delivery["log"]] == [
        (500, "told"), (302, "told"), (404, "told"), (200, "told"),
    ]  # fmt: skip
    assert len(set(receiver.ids)) == 1  # by which the receiver knows that it is the same
    assert len(receiver.messages(webhook["secret"])) == 4


def test_what_is_never_taken_is_given_up_and_the_address_left_alone(vera: Caller, receiver: Receiver) -> None:
    receiver.answers = [500] * 20
    webhook = _added(vera, receiver)
    vera.post(f"/webhooks/{webhook['id']}/test")
    while deliver(now=LATER):
        pass
    [delivery] = _deliveries(vera, webhook, "given_up")
    assert delivery["attempts"] == len(WAITS) + 1 == 10
    shown = vera.get(f"/webhooks/{webhook['id']}")
    assert shown["disabled_because"] == "it took nothing for as long as 10 attempts last"
    vera.post("/accounts", {"key": "syd"})
    assert deliver(now=LATER) == 0
    receiver.answers = []
    assert told(vera.ask("PATCH", f"/webhooks/{webhook['id']}", {"enabled": True}))["disabled_at"] is None
    vera.post("/accounts", {"key": "ost"})
    vera.post(f"/webhooks/{webhook['id']}/deliveries/{delivery['id']}/replay")
    while deliver(now=LATER):
        pass
    assert sorted(one["type"] for one in receiver.messages(webhook["secret"])[-3:]) == [
        "account.opened", "account.opened", "webhook.test",
    ]  # fmt: skip
    assert _deliveries(vera, webhook, "given_up") == []


def test_an_address_that_takes_others_is_not_disabled_for_one(vera: Caller, receiver: Receiver) -> None:
    receiver.answers = [500] * 9
    webhook = _added(vera, receiver)
    vera.post(f"/webhooks/{webhook['id']}/test")
    for _ in range(9):
        deliver(now=LATER)
    first = _deliveries(vera, webhook)[0]["id"]
    vera.post(f"/webhooks/{webhook['id']}/test")
    Delivery.objects.filter(pk=first).update(next_at=LATER + timedelta(days=1))
    deliver(now=LATER)
    receiver.answers = [500]
    deliver(now=LATER + timedelta(days=2))
    assert [one["state"] for one in _deliveries(vera, webhook)] == ["delivered", "given_up"]
    assert vera.get(f"/webhooks/{webhook['id']}")["disabled_at"] is None


def test_an_address_that_is_gone_is_told_nothing_more(vera: Caller, receiver: Receiver) -> None:
    receiver.answers = [410]
    webhook = _added(vera, receiver)
    for _ in range(2):
        vera.post(f"/webhooks/{webhook['id']}/test")
        deliver(now=LATER)
    assert len(receiver.told) == 1
    assert vera.get(f"/webhooks/{webhook['id']}")["disabled_because"] == "it answered 410 Gone"


def test_what_a_dead_worker_took_is_sent_by_another(vera: Caller, receiver: Receiver) -> None:
    webhook = _added(vera, receiver)
    vera.post(f"/webhooks/{webhook['id']}/test")
    now = datetime.now(UTC)
    assert len(actions._take(now, 100)) == 1  # by a worker that dies before it sends
    assert deliver(now=now + timedelta(minutes=1)) == 0
    assert deliver(now=now + timedelta(minutes=4)) == 1
    assert len(receiver.told) == 1


def test_a_new_secret_and_the_one_before_are_both_good_for_a_day(vera: Caller, receiver: Receiver) -> None:
    old = _added(vera, receiver)["secret"]
    webhook = vera.post(f"/webhooks/{vera.get('/webhooks')['items'][0]['id']}/secret")
    vera.post(f"/webhooks/{webhook['id']}/test")
    deliver(now=LATER)
    [(headers, body)] = receiver.told
    assert old != webhook["secret"]
    for secret in (old, webhook["secret"]):
        Webhook(secret).verify(body, headers)
    assert "secret" not in vera.get(f"/webhooks/{webhook['id']}")


def test_an_address_within_our_walls_is_not_called(vera: Caller, receiver: Receiver, settings: Settings) -> None:
    near = _added(vera, receiver)
    settings.WEBHOOKS_ANYWHERE = False
    for url in ("http://crm.example/hooks", "ftp://crm.example", "https://"):
        answer = vera.ask("POST", "/webhooks", {"url": url})
        assert answer.status_code in (409, 422), url
    [sentence] = refused(vera.ask("POST", "/webhooks", {"url": "http://crm.example/hooks"}), 409)
    assert sentence.endswith("is not an address that can be told; write one that begins with https://")
    inside = vera.post("/webhooks", {"url": "https://localhost:1/hooks"})
    for webhook in (near, inside):
        vera.post(f"/webhooks/{webhook['id']}/test")
    deliver(now=LATER)
    assert receiver.told == []
    for webhook in (near, inside):
        [delivery] = _deliveries(vera, webhook)
        assert delivery["log"][0]["status"] is None
        assert delivery["log"][0]["said"].endswith("which is not an address of the public internet")


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1", "::1", "::",
     "fe80::1", "fd00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::1",
     "2002:7f00:1::", "ff02::1", "fec0::1", "::10.0.0.1", "2001:0:1::1", "192.0.0.8"],
)  # fmt: skip
def test_no_private_address_is_public(address: str) -> None:
    assert not sending.is_public(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:93.184.215.14"])
def test_a_public_address_is_public(address: str) -> None:
    assert sending.is_public(address)


def test_an_address_that_is_deleted_while_it_is_told_is_let_go(vera: Caller, receiver: Receiver) -> None:
    webhook = _added(vera, receiver)
    vera.post(f"/webhooks/{webhook['id']}/test")
    [taken] = actions._take(LATER, 100)
    vera.ask("DELETE", f"/webhooks/{webhook['id']}")
    actions._write_down(taken, actions._send(taken))
    assert len(receiver.told) == 1


def test_a_receiver_that_hangs_is_left(vera: Caller, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "SECONDS", 0.2)
    receiver.waits = 1.0
    webhook = _added(vera, receiver)
    vera.post(f"/webhooks/{webhook['id']}/test")
    deliver(now=LATER)
    [delivery] = _deliveries(vera, webhook, "waiting")
    assert delivery["log"][0]["said"] == "timed out"
    assert 200 <= delivery["log"][0]["milliseconds"] < 900


def test_what_was_written_a_month_ago_is_forgotten(vera: Caller, receiver: Receiver) -> None:
    webhook = _added(vera, receiver)
    vera.post(f"/webhooks/{webhook['id']}/test")
    forget_old(now=datetime.now(UTC) + KEPT - timedelta(minutes=1))  # by real time, whatever the test clock says
    assert Message.objects.count() == 1
    forget_old(now=datetime.now(UTC) + KEPT + timedelta(minutes=1))
    assert not Message.objects.exists()
    assert _deliveries(vera, webhook) == []


def test_changes_of_an_address_do_not_undo_one_another(vera: Caller, receiver: Receiver) -> None:
    webhook = _added(vera, receiver)
    read_before = Endpoint.objects.get(pk=webhook["id"])
    secret = vera.post(f"/webhooks/{webhook['id']}/secret")["secret"]
    actions.change_endpoint(endpoint=read_before, url=None, kinds=["webhook.test"], enabled=None, now=NOW)
    assert Endpoint.objects.get(pk=webhook["id"]).secret == secret


def test_an_address_that_was_moved_is_not_disabled_for_the_old_one(vera: Caller, receiver: Receiver) -> None:
    receiver.answers = [410]
    webhook = _added(vera, receiver)
    vera.post(f"/webhooks/{webhook['id']}/test")
    [taken] = actions._take(LATER, 100)
    answer = actions._send(taken)
    vera.ask("PATCH", f"/webhooks/{webhook['id']}", {"url": "https://crm.example/new"})
    actions._write_down(taken, answer)
    assert vera.get(f"/webhooks/{webhook['id']}")["disabled_at"] is None


def test_each_address_has_its_share_of_what_is_sent(vera: Caller, receiver: Receiver) -> None:
    busy, other = _added(vera, receiver, "webhook.test"), _added(vera, receiver, "webhook.test")
    for _ in range(40):
        vera.post(f"/webhooks/{busy['id']}/test")
    vera.post(f"/webhooks/{other['id']}/test")
    taken = actions._take(LATER, 10)
    assert Counter(one.endpoint_id for one in taken) == {busy["id"]: 5, other["id"]: 1}
    assert taken[1].endpoint_id == other["id"]  # and its turn comes before the busy one's second


@pytest.mark.parametrize(
    "url",
    ["https://[/", "https://", "https://crm.example:99999/", "https://anna:secret@crm.example/", "https://crm.example/å",
     "ftp://crm.example"],
)  # fmt: skip
def test_what_can_never_be_told_is_refused(vera: Caller, url: str) -> None:
    answer = vera.ask("POST", "/webhooks", {"url": url})
    assert answer.status_code in (409, 422), answer.content


def test_a_receiver_whose_name_takes_long_to_find_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "SECONDS", 0.3)
    find = socket.getaddrinfo

    def slowly(*asked: Any, **more: Any) -> Any:
        sleep(0.8)
        return find(*asked, **more)

    monkeypatch.setattr(socket, "getaddrinfo", slowly)
    with dripping() as url:
        answer = sending.post(url, "{}", {}, anywhere=True)
    assert (answer.status, answer.said) == (None, "timed out")
    assert answer.milliseconds < 3000


def _certified(name: str, authority: trustme.CA) -> SSLContext:
    """A server's side of TLS, with a certificate for a name or address."""
    context = SSLContext(PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def test_over_tls_only_who_is_certified_for_the_address_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    known, unknown = trustme.CA(), trustme.CA()
    trusting = create_default_context()
    known.configure_trust(trusting)
    monkeypatch.setattr(sending, "_context", lambda: trusting)
    said = []
    for name, authority in (("127.0.0.1", known), ("127.0.0.1", unknown), ("crm.example", known)):
        with receiving(tls=_certified(name, authority)) as receiver:
            answer = sending.post(receiver.url, "{}", {}, anywhere=True)
            said.append((answer.status, len(receiver.told), answer.said.partition(" (_ssl")[0]))
    assert said == [
        (200, 1, "told"),
        (None, 0, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate"),
        (
            None,
            0,
            "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: IP address mismatch, certificate is not valid "
            "for '127.0.0.1'.",
        ),
    ]


def test_a_receiver_that_drips_is_cut_off(vera: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "SECONDS", 0.5)
    with dripping() as url:
        webhook = vera.post("/webhooks", {"url": url})
        vera.post(f"/webhooks/{webhook['id']}/test")
        began = monotonic()
        deliver(now=LATER)
    assert monotonic() - began < 5


def test_a_webhook_is_deleted_with_all_that_it_was_told(vera: Caller, receiver: Receiver) -> None:
    webhook = _added(vera, receiver)
    vera.post(f"/webhooks/{webhook['id']}/test")
    assert vera.ask("DELETE", f"/webhooks/{webhook['id']}").status_code == 204
    assert deliver(now=LATER) == 0
    assert refused(vera.ask("GET", f"/webhooks/{webhook['id']}"), 404) == [f"there is no webhook {webhook['id']}"]


def test_kinds_that_there_are_not_are_refused(vera: Caller) -> None:
    [sentence] = refused(vera.ask("POST", "/webhooks", {"url": "https://crm.example", "kinds": ["invoice.paid"]}), 422)
    assert sentence.startswith("body kinds[0]: input should be 'account.opened', ")


def test_every_kind_is_in_the_reference(vera: Caller) -> None:
    described = json.loads(vera.ask("GET", "/openapi.json").content)
    listed = described["components"]["schemas"]["EndpointIn"]["properties"]["kinds"]["items"]["enum"]
    assert listed == list(KINDS)
