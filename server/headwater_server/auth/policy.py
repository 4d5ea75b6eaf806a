"""What may be done, which roles may do it, and within which scope. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import parse_qsl, urlencode

from headwater_server.errors import Invalid


class Permission(StrEnum):
    """A verb. Each route and each root field of GraphQL declares the one it needs."""

    EMIT = "events:emit"
    READ = "lineage:read"
    READ_SENSITIVE = "facet:read_sensitive"
    """SQL and source code, as producers sent them."""
    CURATE = "entity:curate"
    """Tags, descriptions, owners, notes, edges by hand, archiving."""
    WRITE_RUNS = "run:write"
    REGISTER = "model:register"
    REQUEST_TRANSITION = "transition:request"
    APPROVE_TRANSITION = "transition:approve"
    DEPLOY = "model:deploy"
    EXPORT = "export:create"
    AUDIT = "audit:read"
    ERASE = "erasure:execute"
    ADMIN = "admin"


_P = Permission
ROLES: dict[str, frozenset[Permission]] = {
    "reader": frozenset({_P.READ}),
    "emitter": frozenset({_P.EMIT}),
    "experimenter": frozenset({_P.READ, _P.WRITE_RUNS, _P.CURATE}),
    "registrar": frozenset({_P.READ, _P.CURATE, _P.REGISTER, _P.REQUEST_TRANSITION}),
    "approver": frozenset({_P.READ, _P.APPROVE_TRANSITION}),
    "deployer": frozenset({_P.READ, _P.DEPLOY}),
    "auditor": frozenset({_P.READ, _P.READ_SENSITIVE, _P.EXPORT, _P.AUDIT}),
    "privacy": frozenset({_P.READ, _P.AUDIT, _P.ERASE}),
    # whoever runs the server does not approve by running it: four eyes are four eyes
    "admin": frozenset(_P) - {_P.APPROVE_TRANSITION},
}
"""What each role may do; a principal may have several."""
_SCOPED = ("namespace", "model", "stage")


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a role holds: exact names, or beginnings that end in `*`. Empty: everywhere.

    A scope that names namespaces covers no models unless it names some too, and the other way round.
    Stages narrow what is named: none given is all of them.
    """

    namespaces: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()

    @property
    def everywhere(self) -> bool:
        return not self.namespaces and not self.models

    def has_namespace(self, name: str) -> bool:
        return self.everywhere or fits(name, self.namespaces)

    def has_model(self, name: str) -> bool:
        return self.everywhere or fits(name, self.models)

    def has_stage(self, name: str) -> bool:
        return not self.stages or fits(name.casefold(), (s.casefold() for s in self.stages))


@dataclass(frozen=True, slots=True)
class Grant:
    """A role within a scope: `reader`, `emitter?namespace=spark-*&namespace=s3://lake`."""

    role: str
    scope: Scope = Scope()

    @classmethod
    def read(cls, text: str) -> "Grant":
        """From its text.

        Raises:
            Invalid: no such role, or a scope that cannot be read.

        """
        role, asked, query = text.strip().partition("?")
        if role not in ROLES:
            raise Invalid(f"There is no role {role!r}. Roles are {', '.join(ROLES)}.", field="role")
        pairs = parse_qsl(query, keep_blank_values=True)
        if asked and (not pairs or any(name not in _SCOPED or not value for name, value in pairs)):
            raise Invalid(
                f"{text!r} is no role with a scope. Write it like emitter?namespace=spark-*&namespace=s3://lake; "
                f"a scope names {', '.join(_SCOPED)}, and a `*` at the end stands for any ending.",
                field="role",
            )
        of = {name: tuple(v for n, v in pairs if n == name) for name in _SCOPED}
        return cls(role, Scope(of["namespace"], of["model"], of["stage"]))

    def __contains__(self, permission: Permission) -> bool:
        return permission in ROLES[self.role]


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever asks: a name to be written down, and what they may do."""

    name: str
    grants: tuple[Grant, ...] = ()
    spoken: str = field(init=False, repr=False, compare=False)
    """The name under which their events are written down: with the namespaces that are their own, when not all are.

    So a record says by itself what its speaker may say, whatever becomes of the token: `service:spark?namespace=spark*`.
    """
    _may: frozenset[Permission] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_may", frozenset(p for grant in self.grants for p in ROLES[grant.role]))
        object.__setattr__(self, "spoken", _spoken(self.name, self.scopes(Permission.EMIT)))

    def may(self, permission: Permission) -> bool:
        """Anywhere at all."""
        return permission in self._may

    def scopes(self, permission: Permission) -> tuple[Scope, ...]:
        """Where they may; empty: nowhere."""
        return tuple(grant.scope for grant in self.grants if permission in grant)

    def everywhere(self, permission: Permission) -> bool:
        return any(scope.everywhere and not scope.stages for scope in self.scopes(permission))

    def may_in(self, permission: Permission, *, namespace: str) -> bool:
        return any(scope.has_namespace(namespace) for scope in self.scopes(permission))

    def may_on(self, permission: Permission, *, model: str, stage: str | None = None) -> bool:
        return any(
            scope.has_model(model) and (stage is None or scope.has_stage(stage))
            for scope in self.scopes(permission)
        )


def _spoken(name: str, scopes: Sequence[Scope]) -> str:
    if not scopes or any(scope.everywhere for scope in scopes):
        return name
    names = dict.fromkeys(name for scope in scopes for name in scope.namespaces)
    return f"{name}?{urlencode([('namespace', name) for name in names], safe='*:/')}"


def own_namespaces(spoken: str) -> tuple[str, ...]:
    """Patterns of what is the speaker's own; empty: everything is."""
    _, scoped, query = spoken.partition("?")
    return tuple(value for _, value in parse_qsl(query, keep_blank_values=True)) if scoped else ()


def everybody(name: str) -> Principal:
    """Whoever asks where nobody logs in: all roles, everywhere."""
    return Principal(name, tuple(Grant(role) for role in ROLES))


def fits(name: str, patterns: Iterable[str]) -> bool:
    """Exactly, or as its beginning where a pattern ends in `*`."""
    return any(name.startswith(p[:-1]) if p.endswith("*") else name == p for p in patterns)
