"""The pages of the presets, each with its rules, its file, a story in numbers and a picture, and their index.

`python -m tests.docs.presets` writes them into docs/presets; a test compares them with the presets and their stories.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from prorata.console.plot import save
from prorata.engine.arithmetic import product
from prorata.engine.bill import Billing, bill
from prorata.engine.calendar import speak_day, to_day
from prorata.engine.document import Document
from prorata.engine.explain import describe
from prorata.engine.history import Subscription
from prorata.engine.intake import read_history
from prorata.engine.money import speak_amount
from prorata.engine.scenario import read_scenario, subscriptions_of
from prorata.policies import load_policy, policy_text, preset_names
from tests.docs.preset_plot import draw_story

ROOT = Path(__file__).resolve().parents[2]
STORIES = ROOT / "scenarios" / "presets"
FOLDER = ROOT / "docs" / "presets"


@dataclass(frozen=True, slots=True)
class Preset:
    """A preset with its story: what its file says of it in words, and the rest of the file."""

    name: str
    title: str
    summary: str
    experience: str
    rules: str
    story: dict[str, Any]
    subscription: Subscription
    billing: Billing


def presets() -> tuple[Preset, ...]:
    """All that ship, in the order of their names."""
    return tuple(_preset(name) for name in preset_names())


def pages() -> dict[str, str]:
    """The files in Markdown, by name."""
    found = presets()
    return {"README.md": _index(found), **{f"{one.name}.md": "\n".join(_page(one)) for one in found}}


def picture(preset: Preset) -> bytes:
    """The story drawn, as SVG."""
    title = f"{preset.title}: {preset.story['title']}"
    with TemporaryDirectory() as folder:
        path = Path(folder) / "story.svg"
        documents = preset.billing.documents
        save(draw_story(preset.subscription, documents, preset.subscription.policy.currency), path, title)
        return path.read_bytes()


def _preset(name: str) -> Preset:
    words, _, rules = policy_text(name).partition("\n\n")
    summary, _, experience = words.replace("# ", "").replace("#", "").partition("\n\n")
    text = (STORIES / f"{name}.toml").read_text(encoding="utf-8")
    scenario = read_scenario(text, name=name, policy_document=lambda policy: tomllib.loads(policy_text(policy)))
    [subscription] = subscriptions_of(scenario)
    return Preset(
        name=name,
        title=load_policy(name).title,
        summary=" ".join(summary.split()),
        experience=experience,
        rules=rules,
        story=tomllib.loads(text),
        subscription=subscription,
        billing=bill(subscription, through=scenario.through),
    )


_PAGE = """\
# {title}

**{summary}**

{experience}

![Above the users and the seats billed, day by day; below the documents at their dates]({name}.svg)

## The story

{story}.

```csv
{history}
```

{documents}

The tests run it as a scenario:
[{name}.toml](../../scenarios/presets/{name}.toml).

## The file

`prorata bill --policy {name}` bills under it. To start your own from it:

```sh
prorata policy show {name} --source > mine.toml
```

```toml
{rules}```

[The other presets](README.md) · [the policy language](../reference/policy.md)
"""


def _page(preset: Preset) -> Iterator[str]:
    rows = [row.strip() for row in preset.story["history"].strip().splitlines()]
    yield _PAGE.format(
        title=preset.title,
        name=preset.name,
        summary=preset.summary,
        experience=preset.experience,
        story=preset.story["title"],
        history="\n".join(rows),
        documents="\n".join(_documents(preset.billing.documents)),
        rules=preset.rules,
    ).removesuffix("\n")
    yield ""


def _documents(documents: Sequence[Document]) -> Iterator[str]:
    yield "| Document | Lines | | Amount |"
    yield "| --- | --- | --- | ---: |"
    for document in documents:
        sign = -1 if document.kind == "credit_note" else 1
        currency = document.currency
        name = f" {'Credit note' if sign < 0 else 'Invoice'} of {speak_day(to_day(document.date))}"
        for line in document.lines:
            amount = speak_amount(sign * line.amount_minor, currency)
            yield f"|{name} | {describe(line, document)} | {product(line, currency, sign)} | {amount} |"
            name = ""
        if document.credit_used_minor:
            yield f"| | credit used | | {speak_amount(-document.credit_used_minor, currency)} |"
        last = "paid back" if document.refund_minor else "credit" if sign < 0 else "due"
        whole = -document.total_minor if sign < 0 else document.due_minor
        yield f"| | **{last}** | | **{currency} {speak_amount(whole, currency)}** |"
        if document.credit_left_minor:
            yield f"| | credit left | | {speak_amount(document.credit_left_minor, currency)} |"


_INDEX = """\
# Presets

Policies that are named for what they do. Each is a short file to start your own from, with a page: what the customer
experiences, a story in numbers with a picture, and the file with comments on what can be changed.

```console
$ prorata policy show peak-in-arrears --source > mine.toml
$ prorata policy check mine.toml
mine.toml: fine. 1 plan, billed monthly.
```

## Which one

The last two columns are the same year under each of them: what the account pays, and on how many documents. There are
six users, and two more from 16 February to 8 June. Ben makes room for Ivar on 10 March. Chris does not use it between
6 July and 30 August. Dora is away from 10 September to 19 October. Where seats are ordered, the order is always the
number of users. A user is 10.00 euros a month or 120.00 a year everywhere, and the base price is 40.00 a month.

{groups}

What is not there is often a change away: who counts (`seats`), what a part of a period is worth (`share`), when more is
charged and less credited (`rise`, `fall`), when an invoice comes (`period`).
[The policy language](../reference/policy.md) has every key, [Published rules](../reference/conformance.md) have what
104 vendors do. [How to compare policies](../howto/compare-policies.md) shows what your own customers would have paid.
"""


def _index(found: Sequence[Preset]) -> str:
    groups: dict[str, list[str]] = {name: [] for name in _GROUPS}
    for preset in found:
        groups[_group(preset)].append(_row(preset))
    head = "| Preset | In short | The year | Documents |\n| --- | --- | ---: | ---: |"
    return _INDEX.format(groups="\n\n".join("\n".join([f"### {name}\n", head, *groups[name]]) for name in groups))


_GROUPS = (
    "Users, day by day",
    "Users, one number for the month",
    "Users, and what is paid stays paid",
    "Ordered seats",
)


def _group(preset: Preset) -> str:
    """The part of the index, by the rules of the preset."""
    policy = preset.subscription.policy
    rules = policy.rules(policy.default_interval, preset.subscription.events[0].day)
    if rules.seats.count != "active":
        return _GROUPS[3]
    if rules.seats.measure in ("peak", "mean", "distinct", "snapshot"):
        return _GROUPS[1]
    return _GROUPS[2] if rules.seats.measure == "high_water" or rules.fall.give == "nothing" else _GROUPS[0]


def _row(preset: Preset) -> str:
    billing = bill(_year(preset.name), through=date(2027, 1, 31))
    assert billing.ended is not None
    assert not billing.credit_left_minor, "the year is not told by what is paid alone"
    paid = sum(document.due_minor for document in billing.documents)
    amount = speak_amount(paid, preset.subscription.policy.currency)
    return f"| [{preset.name}]({preset.name}.md) | {preset.summary} | {amount} | {len(billing.documents)} |"


# Who is a user from which day on, and from which day on no longer, in the year of the index.
_YEAR = """\
2026-01-01: anna ben chris dora erik frida
2026-02-16: +gunnar +hanna
2026-03-10: -ben +ivar
2026-06-09: -gunnar -hanna
2026-09-10: -dora
2026-10-20: +dora
"""
_ABSENT = ("chris", date(2026, 7, 6), date(2026, 8, 31))


def _year(name: str) -> Subscription:
    """The year of the index, cancelled at its end so that nothing of the next one is billed."""
    rows: list[dict[str, object]] = []
    joined: dict[str, date] = {}
    for line in _YEAR.splitlines():
        day, _, users = line.partition(": ")
        at = date.fromisoformat(day)
        for user in users.split():
            if user.startswith("-"):
                rows += _activities(user[1:], joined.pop(user[1:]), at)
                rows.append({"at": at, "event": "deactivate", "user": user[1:]})
            else:
                joined[user.removeprefix("+")] = at
                rows.append({"at": at, "event": "activate", "user": user.removeprefix("+")})
        event = "seats" if rows[0]["at"] != at else "start"
        rows.append({"at": at, "event": event, "quantity": len(joined)})
    for user, since in joined.items():
        rows += _activities(user, since, date(2027, 1, 1))
    rows.append({"at": date(2026, 12, 1), "event": "cancel", "until": date(2027, 1, 1)})
    return read_history(rows, policy=load_policy(name))


def _activities(user: str, start: date, end: date) -> Iterator[dict[str, object]]:
    """An activity a week, but for the one who is absent."""
    absent, since, until = _ABSENT
    for days in range(0, (end - start).days, 7):
        at = start + timedelta(days=days)
        if user != absent or not since <= at < until:
            yield {"at": at, "event": "activity", "user": user}


def write() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    for preset in presets():
        (FOLDER / f"{preset.name}.svg").write_bytes(picture(preset))


if __name__ == "__main__":
    write()
