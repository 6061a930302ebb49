"""The Django app."""

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "prorata.webhooks"
