"""The console at /graphql."""

from starlette.responses import Response


def console_page() -> Response:
    return Response("", media_type="text/html")
