"""The console and the API's pages."""

from headwater_server.api.console.pages import console_page, console_router

__all__ = ["console_page", "console_router"]
