"""The reads of Marquez' API, so that its users and its clients can move."""

from headwater_server.api.marquez.routes import marquez_router

__all__ = ["marquez_router"]
