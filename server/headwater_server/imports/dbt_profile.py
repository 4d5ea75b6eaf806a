"""The namespace of a dbt project's tables: what dbt's own OpenLineage events call its warehouse.

manifest.json names the adapter alone; host, account or file stand in profiles.yml. The forms are those of
OpenLineage's dbt integration 1.54 (naming.md has the same for most).
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headwater_server.errors import Invalid
from headwater_server.imports.files import read_yaml

_FORMS: dict[str, str] = {
    "athena": "awsathena://athena.{region_name}.amazonaws.com",
    "bigquery": "bigquery",
    "clickhouse": "clickhouse://{host}:{port}",
    "databricks": "databricks://{host}",
    "dremio": "dremio://{software_host}:{port}",
    "duckdb": "duckdb://{path}",
    "fabric": "fabric-warehouse://{server}:{port}",
    "glue": "arn:aws:glue:{region}:{account_id}",
    "postgres": "postgres://{host}:{port}",
    "presto": "presto://{host}:{port}",
    "redshift": "redshift://{host}:{port}",
    "snowflake": "snowflake://{account}",
    "spark": "spark://{host}:{port}",
    "sqlserver": "mssql://{server}:{port}",
    "trino": "trino://{host}:{port}",
}
_PORTS = {
    "postgres": 5432,
    "redshift": 5439,
    "sqlserver": 1433,
    "clickhouse": 8123,
    "trino": 8080,
    "presto": 8080,
}
_SPARK_PORTS = {"http": 443, "odbc": 443, "thrift": 10001}
_ENV = re.compile(
    r"""\{\{\s*env_var\(\s*['"](?P<name>[^'"]+)['"]\s*(?:,\s*['"](?P<default>[^'"]*)['"]\s*)?\)(?:\s*\|\s*\w+)*\s*\}\}"""
)


def warehouse(adapter: str, profile: Mapping[str, Any]) -> str:
    """The namespace of a profile's tables.

    Raises:
        Invalid: an adapter without a form, or a profile without what it takes.

    """
    form = _FORMS.get(adapter)
    if form is None:
        raise Invalid(f"No form of a namespace is known for the adapter {adapter!r}. Give --namespace.")
    known = {"port": _PORTS.get(adapter, ""), **profile}
    if adapter == "duckdb":
        known.setdefault("path", ":memory:")
    if adapter == "snowflake" and known.get("account"):
        known["account"] = _account(str(known["account"]))
    if adapter == "spark":
        known["port"] = profile.get("port") or _SPARK_PORTS.get(str(profile.get("method")), "")
    if adapter == "glue":
        arn = str(profile.get("role_arn") or "").split(":")
        known.setdefault("account_id", arn[4] if len(arn) > 4 else "")
    missing = [part for part in re.findall(r"\{(\w+)\}", form) if known.get(part) in (None, "")]
    if "port" in missing and adapter in ("spark", "fabric"):
        missing.remove("port")
        form = form.removesuffix(":{port}")
    if missing:
        raise Invalid(f"The dbt profile ({adapter}) does not say {', '.join(missing)}. Give --namespace.")
    return form.format(**known)


def _account(name: str) -> str:
    """`org-account`, or `locator.region.cloud` with what Snowflake leaves out."""
    parts = name.split(".")
    if "-" in parts[0]:
        return parts[0]
    if len(parts) == 1:
        return f"{name}.us-west-1.aws"
    return f"{name}.aws" if len(parts) == 2 else name


def find_profile(
    project: Path, *, folder: Path | None, target: str | None, env: Mapping[str, str] = os.environ
) -> dict[str, Any]:
    """The output that dbt would use: of profiles.yml in `folder`, DBT_PROFILES_DIR, the project or ~/.dbt.

    Raises:
        NotFound: the project or its profiles are not there.
        Invalid: they do not name an output.

    """
    wanted = str(read_yaml(project / "dbt_project.yml").get("profile") or "")
    given = [folder, Path(env["DBT_PROFILES_DIR"]) if env.get("DBT_PROFILES_DIR") else None]
    places = [place for place in (*given, project, Path.home() / ".dbt") if place is not None]
    file = next((at / "profiles.yml" for at in places if (at / "profiles.yml").is_file()), None)
    if file is None:
        raise Invalid(
            f"There is no profiles.yml in {', '.join(map(str, places))}: where the tables are is not known. "
            "Give --profiles-dir, or --namespace like duckdb://shop.duckdb."
        )
    profile = read_yaml(file).get(wanted)
    outputs = profile.get("outputs") if isinstance(profile, dict) else None
    if not isinstance(profile, dict) or not isinstance(outputs, dict):
        raise Invalid(f"{file} has no profile {wanted!r} with outputs. Give --namespace.")
    name = target or _rendered(profile.get("target") or "default", env)
    output = outputs.get(name)
    if not isinstance(output, dict):
        raise Invalid(
            f"The profile {wanted!r} has no output {name!r}; it has {', '.join(map(str, outputs))}."
        )
    return {key: _rendered(value, env) for key, value in output.items()}


def _rendered(value: Any, env: Mapping[str, str]) -> Any:
    """`{{ env_var('NAME', 'default') }}` is all the Jinja that names of hosts have."""
    if not isinstance(value, str):
        return value
    return _ENV.sub(lambda m: env.get(m["name"], m["default"] or ""), value)
