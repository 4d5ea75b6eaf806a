"""Who may do what, as tables."""

import pytest

from headwater_server.auth.policy import ROLES, Grant, Permission, Principal, Scope, everybody
from headwater_server.errors import Invalid

P = Permission
TABLE = {
    "reader": {P.READ},
    "emitter": {P.EMIT},
    "experimenter": {P.READ, P.WRITE_RUNS, P.CURATE},
    "registrar": {P.READ, P.CURATE, P.REGISTER, P.REQUEST_TRANSITION},
    "approver": {P.READ, P.APPROVE_TRANSITION},
    "deployer": {P.READ, P.DEPLOY},
    "auditor": {P.READ, P.READ_SENSITIVE, P.EXPORT, P.AUDIT},
    "privacy": {P.READ, P.AUDIT, P.ERASE},
    "admin": set(P) - {P.APPROVE_TRANSITION},
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("permission", Permission)
def test_a_role_may_what_the_table_says_and_nothing_else(role: str, permission: Permission) -> None:
    assert Principal("it", (Grant(role),)).may(permission) is (permission in TABLE[role])


def test_every_role_is_in_the_table() -> None:
    assert set(ROLES) == set(TABLE)


def test_who_administers_does_not_approve_by_it() -> None:
    assert not Principal("root", (Grant("admin"),)).may(P.APPROVE_TRANSITION)


def test_without_grants_nothing_may_be_done() -> None:
    nobody = Principal("nobody")
    assert not any(nobody.may(p) or nobody.everywhere(p) for p in P)
    assert not nobody.may_in(P.READ, namespace="spark")
    assert not nobody.may_on(P.READ, model="churn")


def test_where_nobody_logs_in_everybody_may_everything() -> None:
    assert all(everybody("anonymous").everywhere(p) for p in P)


@pytest.mark.parametrize(
    ("text", "namespace", "fits"),
    [
        ("reader", "spark", True),
        ("reader?namespace=spark", "spark", True),
        ("reader?namespace=spark", "spark-2", False),
        ("reader?namespace=spark", "SPARK", False),
        ("reader?namespace=spark*", "spark-2", True),
        ("reader?namespace=spark*", "my-spark", False),
        ("reader?namespace=*", "spark", True),
        ("reader?namespace=dbt&namespace=kafka://a:1,b:2", "kafka://a:1,b:2", True),
        ("reader?namespace=a%26b", "a&b", True),
        ("reader?model=churn", "spark", False),
        ("emitter", "spark", False),
    ],
)
def test_a_scope_covers_exact_names_and_beginnings(text: str, namespace: str, fits: bool) -> None:
    assert Principal("it", (Grant.read(text),)).may_in(P.READ, namespace=namespace) is fits


@pytest.mark.parametrize(
    ("text", "model", "stage", "fits"),
    [
        ("registrar", "churn", "Production", True),
        ("registrar?model=churn", "churn", "Production", True),
        ("registrar?model=churn", "churn2", "Production", False),
        ("registrar?model=churn*&stage=Staging", "churn2", "staging", True),
        ("registrar?model=churn*&stage=Staging", "churn2", "Production", False),
        ("registrar?stage=Staging", "any", "Staging", True),
        ("registrar?stage=Staging", "any", "Production", False),
        ("registrar?namespace=spark", "churn", "Staging", False),
        ("reader", "churn", "Staging", False),
    ],
)
def test_a_scope_covers_models_and_stages(text: str, model: str, stage: str, fits: bool) -> None:
    principal = Principal("it", (Grant.read(text),))
    assert principal.may_on(P.REQUEST_TRANSITION, model=model, stage=stage) is fits


def test_a_role_holds_within_its_own_scope_alone() -> None:
    both = Principal("it", (Grant.read("reader"), Grant.read("emitter?namespace=spark")))
    assert both.everywhere(P.READ)
    assert both.may(P.EMIT)
    assert not both.everywhere(P.EMIT)
    assert both.may_in(P.EMIT, namespace="spark")
    assert not both.may_in(P.EMIT, namespace="dbt")


def test_a_role_limited_to_stages_is_not_everywhere() -> None:
    assert not Principal("it", (Grant.read("registrar?stage=Staging"),)).everywhere(P.REQUEST_TRANSITION)


@pytest.mark.parametrize(
    "text", ["", "owner", "reader?", "reader?namespace=", "reader?table=x", "reader?namespace", "Reader"]
)
def test_what_is_no_role_with_a_scope_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        Grant.read(text)


def test_an_empty_scope_is_everywhere() -> None:
    assert Scope().everywhere
    assert Scope(stages=("Staging",)).everywhere
    assert not Scope(models=("churn",)).everywhere
