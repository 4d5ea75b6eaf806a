"""The console at /graphql and the API's pages at /docs: our own files, nothing from elsewhere, no inline code."""

from functools import cache
from importlib import resources

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from headwater_server.api.needs import public

_TYPES = {"html": "text/html", "js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_ASSETS = ("console.css", "console.js", "complete.js", "schema.js", "docs.js", "token.js", "mark.svg")


def console_page() -> Response:
    return _page("console.html")


def console_router() -> APIRouter:
    """The files of the pages, and the page of the REST routes."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    @public
    def start() -> Response:
        """Where the links lead that MLflow's client prints, too."""
        return RedirectResponse("/graphql")

    @router.get("/docs")
    @public
    def docs() -> Response:
        return _page("docs.html")

    @router.get("/console/{name}")
    @public
    def asset(name: str) -> Response:
        if name not in _ASSETS:
            return Response("There is no such file.", 404, media_type="text/plain")
        return _page(name, cached=True)

    return router


def _page(name: str, *, cached: bool = False) -> Response:
    headers = {**_HEADERS, "Cache-Control": "max-age=300" if cached else "no-cache"}
    return Response(_content(name), headers=headers, media_type=_TYPES[name.rpartition(".")[2]])


@cache
def _content(name: str) -> bytes:
    return (resources.files(__package__) / "assets" / name).read_bytes()
