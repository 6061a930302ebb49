"""The addresses."""

from django.urls import path

from prorata.api.main import api

urlpatterns = [path("api/v1/", api.urls)]
