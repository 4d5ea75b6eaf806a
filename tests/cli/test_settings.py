"""Settings come from the environment, are overridden by what is given, and say clearly what is wrong."""

from pathlib import Path

import pytest

from headwater_server.errors import Invalid
from headwater_server.settings import Settings, documented


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = Settings.from_env({})
    assert settings == Settings()
    assert (settings.data, settings.host, settings.port) == (Path(".headwater"), "127.0.0.1", 4747)


def test_every_setting_has_its_variable() -> None:
    given = {
        "HEADWATER_DATA": "/var/lib/headwater",
        "HEADWATER_HOST": "0.0.0.0",
        "HEADWATER_PORT": "5000",
        "HEADWATER_DEMO": "yes",
        "NEO4J_URI": "neo4j+s://graph.example:7687",
        "NEO4J_USERNAME": "headwater",
        "NEO4J_PASSWORD": " keep the spaces ",
        "NEO4J_DATABASE": "lineage",
        "HEADWATER_ARTIFACTS": "s3://shop/artifacts/",
        "HEADWATER_CHECKPOINTS": "/mnt/worm/checkpoints",
        "HEADWATER_MAX_ARTIFACT": "2GiB",
        "HEADWATER_MAX_BODY": "1 MiB",
        "HEADWATER_MAX_BATCH": "32MB",
        "HEADWATER_BODY_TIMEOUT": "7.5",
        "HEADWATER_MAX_QUERIES": "20",
        "HEADWATER_MAX_STREAMS": "5",
        "HEADWATER_SQL_LITERALS": "strip",
        "HEADWATER_ENV_KEPT": "REGION, DEPLOY_*",
        "HEADWATER_MIN_FREE_DISK": "10",
        "HEADWATER_DEADLINE": "2.5",
        "HEADWATER_MAX_DEPTH": "50",
        "HEADWATER_MAX_NODES": "1_000",
        "HEADWATER_AUTH": "Token",
        "HEADWATER_ALLOWED_HOSTS": "hw.example, *.lake.example",
        "HEADWATER_CORS_ORIGINS": "https://portal.example",
        "HEADWATER_WEBHOOK_HOSTS": "Hooks.Internal, 127.0.0.1:9000,[::1]",
        "HEADWATER_OIDC_ISSUER": "https://login.example",
        "HEADWATER_OIDC_AUDIENCE": "lineage",
        "HEADWATER_OIDC_KEYS": "/etc/jwks.json",
        "HEADWATER_OIDC_ALGORITHMS": "PS256,ES384",
        "HEADWATER_OIDC_LEEWAY": "5",
        "HEADWATER_OIDC_NAME_CLAIM": "email",
        "HEADWATER_OIDC_ROLES_CLAIM": "groups",
        "HEADWATER_OIDC_ROLES": '{"eng": ["reader"]}',
    }
    settings = Settings.from_env(given)
    assert set(given) == {variable for _, variable, _, _ in documented()}
    assert settings == Settings(
        data=Path("/var/lib/headwater"),
        host="0.0.0.0",
        port=5000,
        demo=True,
        neo4j_uri="neo4j+s://graph.example:7687",
        neo4j_username="headwater",
        neo4j_password=" keep the spaces ",
        neo4j_database="lineage",
        artifacts="s3://shop/artifacts",
        checkpoints=Path("/mnt/worm/checkpoints"),
        max_artifact=2**31,
        max_body=2**20,
        max_batch=32_000_000,
        body_timeout=7.5,
        max_queries=20,
        max_streams=5,
        sql_literals="strip",
        env_kept=("REGION", "DEPLOY_*"),
        min_free_disk=10,
        deadline=2.5,
        max_depth=50,
        max_nodes=1000,
        auth="token",
        allowed_hosts=("hw.example", "*.lake.example"),
        cors_origins=("https://portal.example",),
        webhook_hosts=("hooks.internal", "127.0.0.1:9000", "[::1]"),
        oidc_issuer="https://login.example",
        oidc_audience="lineage",
        oidc_keys="/etc/jwks.json",
        oidc_algorithms=("PS256", "ES384"),
        oidc_leeway=5,
        oidc_name_claim="email",
        oidc_roles_claim="groups",
        oidc_roles='{"eng": ["reader"]}',
    )


def test_what_is_given_wins_over_the_environment() -> None:
    assert Settings.from_env({"HEADWATER_PORT": "5000"}, port=6000, host=None).port == 6000


def test_text_that_is_given_is_read_like_the_environment() -> None:
    assert Settings.from_env({}, data="~/lineage").data == Path("~/lineage").expanduser()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("HEADWATER_PORT", "http"),
        ("HEADWATER_PORT", "65536"),
        ("HEADWATER_PORT", "-1"),
        ("HEADWATER_DATA", " "),
        ("HEADWATER_DEMO", "perhaps"),
        ("HEADWATER_MAX_BODY", "5 apples"),
        ("HEADWATER_MAX_BODY", "0"),
        ("HEADWATER_DEADLINE", "0"),
        ("HEADWATER_DEADLINE", "nan"),
        ("HEADWATER_MAX_DEPTH", "0"),
        ("NEO4J_URI", "localhost:7687"),
        ("HEADWATER_ARTIFACTS", "/tmp/files"),
        ("HEADWATER_WEBHOOK_HOSTS", "https://hooks.internal/"),
        ("HEADWATER_WEBHOOK_HOSTS", "10.0.0.0/8"),
        ("HEADWATER_WEBHOOK_HOSTS", "hooks.internal:99999"),
        ("HEADWATER_WEBHOOK_HOSTS", "[1:2:3]"),
    ],
)
def test_a_bad_value_is_told_with_its_name_and_what_was_expected(variable: str, value: str) -> None:
    with pytest.raises(Invalid) as caught:
        Settings.from_env({variable: value})
    assert variable in str(caught.value)
    assert repr(value) in str(caught.value)
    assert "must be" in str(caught.value)


def test_a_password_is_never_shown() -> None:
    assert "hunter2" not in repr(Settings(neo4j_password="hunter2"))
