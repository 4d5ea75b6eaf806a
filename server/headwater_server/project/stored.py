"""A job's timeline as the store holds it, with what is already known of it, so that usual questions cost no look-up."""

from collections.abc import Collection

from headwater_server.graph.changes import Node
from headwater_server.graph.words import Kind
from headwater_server.project.current import MAX_FLIGHTS, JobView
from headwater_server.project.timeline import Place
from headwater_server.store.port import GraphStore

TOP = ("\U0010ffff", "")
"""Behind every place."""


class StoredTimeline:
    """Answers `timeline.Neighbours`. `known` is the job's view as of the store, or None: not read yet."""

    def __init__(self, store: GraphStore, job: str, known: JobView | None) -> None:
        self._store = store
        self.job = job
        self.known = known

    def before(self, at: tuple[str, str], *, turns: bool, but: Collection[str]) -> Place | None:
        if self.known is not None:
            newest = self.known.latest
            if newest is None:
                return None
            hint = self.known.opener if turns else newest
            if hint is not None and at > newest.at and hint.run not in but:
                return hint
        return self._seek(at, turns=turns, but=but, reverse=True)

    def after(self, at: tuple[str, str], *, turns: bool, but: Collection[str]) -> Place | None:
        if self.known is not None and (self.known.latest is None or at >= self.known.latest.at):
            return None
        return self._seek(at, turns=turns, but=but, reverse=False)

    def _seek(self, at: tuple[str, str], *, turns: bool, but: Collection[str], reverse: bool) -> Place | None:
        node = self._find(at, ["T"] if turns else ["C", "T"], but=but, reverse=reverse)
        return Place(node.sort, node.key, str(node.props["flow"])) if node else None

    def _find(
        self, at: tuple[str, str], marks: list[str], *, but: Collection[str], reverse: bool = True
    ) -> Node | None:
        """The nearest run that says something; the silent ones between are passed over."""
        limit = 1
        while True:
            page = self._store.page(
                Kind.RUN,
                marks=marks,
                group=self.job,
                after=None if reverse else at,
                before=at if reverse else None,
                reverse=reverse,
                limit=limit,
            )
            for node in page:
                if node.key not in but and "flow" in node.props:
                    return node
            if len(page) < limit:
                return None
            last = page[-1]
            at, limit = (last.sort, last.key), min(200, limit * 4)

    def flights(self, behind: tuple[str, str], *, but: Collection[str]) -> list[tuple[str, str]]:
        """The newest runs in flight behind a place, newest first."""
        page = self._store.page(
            Kind.RUN,
            marks=["R"],
            group=self.job,
            after=behind,
            reverse=True,
            limit=MAX_FLIGHTS + len(but),
        )
        return [(n.sort, n.key) for n in page if n.key not in but][:MAX_FLIGHTS]

    def failed(self, *, but: Collection[str]) -> tuple[str, str] | None:
        """The newest failed run that says something."""
        node = self._find(TOP, ["F"], but=but)
        return (node.sort, node.key) if node else None
