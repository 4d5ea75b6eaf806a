"""What a run ran: commit and uncommitted changes, packages, the machine, and what was printed."""

import logging
import os
import platform
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

logger = logging.getLogger("headwater")

MAX_DIFF = 5 * 2**20
"""Bytes of uncommitted changes that are kept."""
MAX_OUTPUT = 50 * 2**20
"""Characters of what is printed that are kept."""


def code() -> dict[str, str]:
    """MLflow's tags of the source; without git only the script's name."""
    source = sys.argv[0] if sys.argv and sys.argv[0] else "<interactive>"
    tags = {"mlflow.source.name": source, "mlflow.source.type": "LOCAL"}
    commit = _git("rev-parse", "HEAD")
    if commit:
        tags["mlflow.source.git.commit"] = commit
        tags["mlflow.source.git.branch"] = _git("rev-parse", "--abbrev-ref", "HEAD") or ""
        tags["mlflow.source.git.repoURL"] = _without_secret(
            _git("config", "--get", "remote.origin.url") or ""
        )
        tags["mlflow.source.git.dirty"] = str(
            bool(_git("status", "--porcelain", "--untracked-files=no"))
        ).lower()
    return {name: value for name, value in tags.items() if value}


def uncommitted() -> bytes:
    """`git diff HEAD`; empty when there is nothing, or no git."""
    try:
        done = subprocess.run(["git", "diff", "HEAD"], capture_output=True, timeout=10, check=True)  # noqa: S607
    except (OSError, subprocess.SubprocessError):
        return b""
    return done.stdout[:MAX_DIFF]


def environment() -> str:
    """The installed packages with their versions, as `pip freeze` has them, and the interpreter."""
    from importlib.metadata import distributions

    found = {d.metadata["Name"]: d.version for d in distributions() if d.metadata["Name"]}
    lines = [f"{name}=={found[name]}" for name in sorted(found, key=str.lower)]
    return "\n".join([f"# Python {platform.python_version()} on {platform.platform()}", *lines, ""])


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, timeout=5, check=True)  # noqa: S607
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def _without_secret(url: str) -> str:
    """A remote may carry a token: `https://user:token@host/…`."""
    scheme, separator, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}" if separator else url


class Output:
    """Copies what is printed into a file, until `stop`. What was printed before is printed as before."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._left = MAX_OUTPUT
        self._file: IO[str] = path.open("w", encoding="utf-8")
        self._kept = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = (_Tee(one, self._keep) for one in self._kept)

    def _keep(self, text: str) -> None:
        with suppress(OSError, ValueError):  # a full disk, a closed file: printing goes on
            if self._left > 0:
                self._file.write(text[: self._left])
                self._left -= len(text)

    def stop(self) -> Path:
        sys.stdout, sys.stderr = self._kept
        self._file.close()
        return self._path


class _Tee:
    """A stream whose texts are kept too."""

    def __init__(self, shown: Any, keep: Callable[[str], None]) -> None:
        self._shown, self._keep = shown, keep

    def write(self, text: str) -> int:
        self._keep(text)
        return int(self._shown.write(text) or 0)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._shown, name)


class Hardware:
    """CPU and memory of this process and of the machine, every `seconds`, until `stop`. GPU where pynvml is installed."""

    def __init__(self, log: Callable[[dict[str, float]], None], seconds: float) -> None:
        self._log, self._seconds = log, seconds
        self._stopped = threading.Event()
        self._before = os.times()
        self._thread = threading.Thread(target=self._run, name="headwater hardware", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(timeout=1.0)

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds):
            self._log(self._measured())
        self._log(self._measured())

    def _measured(self) -> dict[str, float]:
        now, before = os.times(), self._before
        self._before = now
        spent = now.user + now.system - before.user - before.system
        found = {"system/cpu_utilization_percentage": 100 * spent / max(1e-6, now.elapsed - before.elapsed)}
        try:
            import resource

            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            found["system/peak_memory_megabytes"] = peak / (2**20 if sys.platform == "darwin" else 1024)
        except ImportError:  # Windows
            pass
        return {**found, **_machine(), **_gpus()}


def _machine() -> dict[str, float]:
    try:
        import psutil
    except ImportError:
        return {}
    memory = psutil.virtual_memory()
    return {
        "system/system_memory_usage_percentage": memory.percent,
        "system/system_memory_usage_megabytes": memory.used / 2**20,
    }


def _gpus() -> dict[str, float]:
    try:
        import pynvml

        pynvml.nvmlInit()
        found = {}
        for number in range(pynvml.nvmlDeviceGetCount()):
            device = pynvml.nvmlDeviceGetHandleByIndex(number)
            found[f"system/gpu_{number}_utilization_percentage"] = float(
                pynvml.nvmlDeviceGetUtilizationRates(device).gpu
            )
            found[f"system/gpu_{number}_memory_usage_megabytes"] = (
                pynvml.nvmlDeviceGetMemoryInfo(device).used / 2**20
            )
    except Exception:  # no library, no driver, no device: nothing to measure
        logger.debug("no figures of GPUs", exc_info=True)
        return {}
    return found
