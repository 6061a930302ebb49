"""The reference of the API, written from its description: a page for people, and the description itself."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import django

_INTRODUCTION = """\
# The API

Everything a vendor can do, for its programs, over HTTP. `prorata serve` answers it; its own page at `/api/v1/docs`
shows every request and answer and lets you try them. This page is written from the same description,
[openapi.json](openapi.json), by OpenAPI 3.1. [Let programs in](../howto/let-programs-in.md) shows it at work.

## What holds for every request

- **Who asks.** `Authorization: Bearer TOKEN`, with a token that `prorata token add` has made. It says which vendor
  asks, so that a program sees and changes what its vendor has and nothing else: what another vendor has is not there
  (404).
- **What it may do.** Each operation asks for one scope of the token:

{scopes}

- **Amounts** are decimal strings in the currency of the account's policy, such as `"1097.50"`. **Days** are ISO
  dates, and stretches of days are half open: they end before their `end`. **Moments** name their zone.
- **All or nothing.** A request that writes does all it says, or is refused and does nothing. Bill runs and the
  test clock commit as they go.
- **Once.** With an `Idempotency-Key` of your choice a request happens once: sent again within a week it gets the same
  answer, with `Idempotent-Replayed: true`. What was refused is not kept, and can be tried again under its key. Bill
  runs, verifications and the clock need no key: asked for again they do what is left.
- **For whom.** `Prorata-Actor` says for whom the program acts, such as an administrator's address; it is kept as the
  actor of what is recorded, beside the token's name. What is not ASCII is percent-encoded.
- **Pages.** Lists come `limit` at a time (50, at most 200). `next` is the `cursor` of the page after, and null on the
  last.
- **What is refused** is answered with problem details (RFC 9457, `application/problem+json`). `errors` are sentences
  that name the place, the value and what is allowed:

{problems}

## What webhooks tell

`POST /webhooks` adds an address that is told what happens. [Be told what happens](../howto/be-told.md) says how
messages are signed and when they are sent again.

| Kind | When |
| --- | --- |
{kinds}

## Operations
"""


def pages() -> dict[str, str]:
    """What the reference holds, by the names of its files."""
    from prorata.api.main import api  # noqa: PLC0415  # Django has to be set up before

    description = json.loads(json.dumps(api.get_openapi_schema(path_prefix="/api/v1/")))
    return {"api.md": _page(description), "openapi.json": json.dumps(description, indent=1, ensure_ascii=False) + "\n"}


def _page(description: Mapping[str, Any]) -> str:
    from prorata.vendors.tokens import SCOPES  # noqa: PLC0415
    from prorata.webhooks.outbox import KINDS  # noqa: PLC0415

    scopes = "\n".join(f"  - `{name}`: {meaning}" for name, meaning in SCOPES.items())
    some = next(iter(next(iter(description["paths"].values())).values()))["responses"]
    problems = "\n".join(
        f"  - {status}: {told['description'][:1].lower()}{told['description'][1:]}"
        for status, told in sorted(some.items())
        if status >= "400"
    )
    kinds = "\n".join(f"| `{kind}` | {when} |" for kind, when in KINDS.items())
    introduction = _INTRODUCTION.format(scopes=scopes, problems=problems, kinds=kinds)
    return "\n".join([introduction, *_operations(description)])


def _operations(description: Mapping[str, Any]) -> Iterator[str]:
    tags: dict[str, list[str]] = {}
    for path, operations in description["paths"].items():
        for method, told in operations.items():
            summary = " ".join(told["description"].split())
            [[scope]] = (scopes for one in told["security"] for scopes in one.values())
            row = f"| `{method.upper()} {path.removeprefix('/api/v1')}` | `{scope}` | {summary} |"
            tags.setdefault(told["tags"][0], []).append(row)
    for tag, rows in tags.items():
        yield f"### {tag}\n\n| | Scope | |\n| --- | --- | --- |"
        yield "\n".join(rows) + "\n"


def run(folder: Path) -> None:
    """Writes the reference into a folder."""
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "prorata.site.settings")
    django.setup()
    run(Path(sys.argv[1]))
