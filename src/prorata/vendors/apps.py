"""The Django app."""

from django.apps import AppConfig


class VendorsConfig(AppConfig):
    name = "prorata.vendors"
