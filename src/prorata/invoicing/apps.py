"""The Django app."""

from django.apps import AppConfig


class InvoicingConfig(AppConfig):
    name = "prorata.invoicing"
