"""Under /api/ every error is a problem, also those that Django answers before or after an operation."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from prorata.api.problems import MEDIA_TYPE, problem

_SENTENCES = {
    400: "the request cannot be read; see that its address, host and size are as they should be",
    404: "there is nothing at this address; /api/v1/docs tells which there are",
    405: "this address does not know that method",
    500: "something went wrong here; the server's log says what",
}


def api_problems(answer: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """The middleware that sees to it."""

    def answered(request: HttpRequest) -> HttpResponse:
        if not request.path.startswith("/api/"):
            return answer(request)
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            return problem(400, ["the address holds a sign that is none"])
        response = answer(request)
        if response.status_code < 400 or response.get("Content-Type") == MEDIA_TYPE:
            return response
        status = response.status_code
        told = problem(status, [_SENTENCES.get(status, HTTPStatus(status).phrase)])
        for name in ("Allow", "Retry-After", "WWW-Authenticate"):
            if name in response:
                told[name] = response[name]
        return told

    return answered
