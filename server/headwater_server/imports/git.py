"""What git says of a folder: its root, the commit, where it came from. Nothing, where there is no repository."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Repository:
    root: Path
    commit: str = ""
    remote: str = ""
    """Without user and password."""

    @property
    def name(self) -> str:
        return self.remote.rstrip("/").removesuffix(".git").rpartition("/")[2] or self.root.name

    def changed_at(self, file: Path) -> str:
        """When the file was last committed, ISO 8601; empty when it was not."""
        return _git(["log", "-1", "--format=%cI", "--", str(file)], self.root)


def repository(folder: Path) -> Repository | None:
    root = _git(["rev-parse", "--show-toplevel"], folder)
    if not root:
        return None
    remote = _git(["config", "--get", "remote.origin.url"], folder)
    return Repository(Path(root), _git(["rev-parse", "HEAD"], folder), without_secrets(remote))


def without_secrets(url: str) -> str:
    """`git@host:path` as a URL, and no secrets."""
    ssh = re.fullmatch(r"(?:\w+@)?([\w.-]+):(?!//)(.+)", url)
    if ssh:
        return f"ssh://{ssh[1]}/{ssh[2]}"
    return re.sub(r"^(\w+://)[^/@]*@", r"\1", url)


def _git(arguments: list[str], folder: Path) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments],  # noqa: S607 - git is found where the person's shell finds it
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
