"""Answers to requests that happen once: kept for a week, by the key under which a program sent them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q

from prorata.vendors.models import Answer, Vendor

KEPT = timedelta(days=7)


def keep(*, vendor: Vendor, key: str, account: str, sha256: str, now: datetime) -> tuple[Answer, bool]:
    """The row of a key, and whether it is new. Who asks for the same at the same time waits for the first."""
    Answer.objects.filter(vendor=vendor, key=key, made_at__lt=now - KEPT).delete()
    try:
        with transaction.atomic():
            return Answer.objects.create(vendor=vendor, key=key, account=account, sha256=sha256, made_at=now), True
    except IntegrityError:
        return Answer.objects.get(vendor=vendor, key=key), False


def forget_old_answers(*, now: datetime) -> None:
    """Forgets what was answered more than a week ago."""
    Answer.objects.filter(made_at__lt=now - KEPT).delete()


def forget_answers_about(*, vendor_id: int, account: str) -> None:
    """Forgets what was answered about an account of a key, which may tell of people."""
    key = json.dumps(account, ensure_ascii=False)
    about = Q(account=account) | Q(body__contains=f'"key":{key}') | Q(body__contains=f'"account":{key}')
    Answer.objects.filter(about, vendor_id=vendor_id, status__gt=0).delete()  # but that of the request that asks for it
