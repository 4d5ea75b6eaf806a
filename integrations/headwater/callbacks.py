"""What training libraries call while they train: scikit-learn, Keras, PyTorch Lightning. None of them is imported.

headwater.callbacks.fit(model, X, y, run=run, test=(X_test, y_test))
model.fit(X, y, callbacks=[headwater.callbacks.keras(run)])
Trainer(logger=headwater.callbacks.lightning(run))
"""

# ruff: noqa: N803 - X, as scikit-learn calls it
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from headwater.recording import Run, active
from headwater.recording import run as begin

MAX_CANDIDATES = 200
"""Candidates of a search that become runs of their own; the others stand in its table."""


# -- scikit-learn ---------------------------------------------------------------------------------


def fit(
    estimator: Any, X: Any, y: Any = None, *, run: Run | None = None, test: tuple[Any, Any] | None = None, **given: Any
) -> Any:  # fmt: skip
    """`estimator.fit(X, y)` within a run: its parameters, scores, curves, and of a search its candidates.

    `run`, else the one that is active, else one that begins and ends here. Answers the estimator.
    """
    current = run or active()
    if current is not None:
        return _fit(current, estimator, X, y, test, given)
    with begin(type(estimator).__name__) as current:
        return _fit(current, estimator, X, y, test, given)


def _fit(
    run: Run, estimator: Any, X: Any, y: Any, test: tuple[Any, Any] | None, given: dict[str, Any]
) -> Any:
    run.tags({"estimator": f"{type(estimator).__module__}.{type(estimator).__qualname__}"})
    run.params({k: v for k, v in estimator.get_params(deep=True).items() if not hasattr(v, "get_params")})
    fitted = estimator.fit(X, y, **given)
    scores = {"training_score": fitted.score(X, y)} if hasattr(fitted, "score") and y is not None else {}
    if test is not None:
        scores["test_score"] = fitted.score(*test)
    for curve in ("loss_curve_", "train_score_", "validation_scores_"):
        for step, value in enumerate(_listed(getattr(fitted, curve, None))):
            run.log({curve.strip("_"): value}, step=step)
    if hasattr(fitted, "best_params_"):
        run.params({f"best_{k}": v for k, v in fitted.best_params_.items()})
        scores["best_cv_score"] = fitted.best_score_
        _candidates(run, fitted.cv_results_)
    if names := _listed(getattr(fitted, "feature_names_in_", None)):
        run.text("\n".join(map(str, names)), "headwater/features.txt")
    if scores:
        run.log(scores)
    return fitted


def _candidates(run: Run, results: Mapping[str, Any]) -> None:
    """The best of them as children, with what they were given and how they did."""
    ranks = _listed(results.get("rank_test_score"))
    order = sorted(range(len(results["params"])), key=lambda at: (ranks[at] if ranks else at, at))
    for at in order[:MAX_CANDIDATES]:
        child = begin(
            f"{run.name} candidate {at}", experiment=run.experiment, parent=run, environment=False, diff=False
        )
        with child:
            child.params(results["params"][at])
            child.log(
                {k: v[at] for k, v in results.items() if k.startswith(("mean_", "std_", "rank_", "split"))}
            )


def _listed(values: Any) -> list[Any]:
    if values is None:
        return []
    return list(values.tolist() if hasattr(values, "tolist") else values)


# -- Keras ----------------------------------------------------------------------------------------


class KerasCallback:
    """One point of every metric an epoch; what the model and its optimizer are."""

    def __init__(self, run: Run | None = None) -> None:
        super().__init__()
        self._run = run
        self._mine = False

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        del logs
        run = self._run = self._run or active()
        if run is None:
            run = self._run = begin()
            self._mine = True
        given = dict(getattr(self, "params", None) or {})
        run.params({k: v for k, v in given.items() if k in ("epochs", "steps", "batch_size")})
        model: Any = getattr(self, "model", None)
        optimizer: Any = getattr(model, "optimizer", None)
        if hasattr(optimizer, "get_config"):
            run.params({"optimizer": optimizer.get_config()})
        if hasattr(model, "count_params"):
            run.params(model_params=model.count_params())

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        if self._run is not None and logs:
            self._run.log(logs, step=epoch)

    def on_test_end(self, logs: Mapping[str, Any] | None = None) -> None:
        if self._run is not None and logs:
            self._run.log({f"test_{name}": value for name, value in logs.items()})

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        del logs
        if self._mine and self._run is not None:
            self._run.end()


def keras(run: Run | None = None) -> Any:
    """For `model.fit(callbacks=[…])`. `run`, else the one that is active, else one that lasts as long as `fit`."""
    return _as(KerasCallback, ("keras.callbacks", "tensorflow.keras.callbacks"), "Callback")(run)


# -- PyTorch Lightning ----------------------------------------------------------------------------


class LightningLogger:
    """For `Trainer(logger=…)`: hyperparameters and metrics. Of several processes the first alone speaks."""

    def __init__(self, run: Run | None = None, *, checkpoints: bool = False) -> None:
        super().__init__()
        self._given = run
        self._checkpoints = checkpoints
        self._begun: Run | None = None

    @property
    def experiment(self) -> Run | None:
        """The run: `trainer.logger.experiment.input(…)`."""
        if self._given is None and _is_first():
            self._begun = self._given = active() or begin()
        return self._given if _is_first() else None

    @property
    def name(self) -> str:
        return self._given.experiment if self._given is not None else "Default"

    @property
    def version(self) -> str:
        return self._given.id if self._given is not None else ""

    @property
    def root_dir(self) -> None:
        return None

    log_dir = save_dir = root_dir
    group_separator = "/"

    def log_hyperparams(self, params: Any, *_: Any, **__: Any) -> None:
        if (run := self.experiment) is not None:
            run.params(dict(params) if isinstance(params, Mapping) else vars(params))

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        if (run := self.experiment) is not None:
            run.log(metrics, step=step)

    def log_graph(self, *_: Any, **__: Any) -> None:
        """A run has no place for it."""

    def save(self) -> None:
        """All is on its way already."""

    def after_save_checkpoint(self, checkpoint_callback: Any) -> None:
        path = str(getattr(checkpoint_callback, "best_model_path", "") or "")
        if self._checkpoints and path and os.path.exists(path) and (run := self.experiment) is not None:  # noqa: PTH110
            run.artifact(path, "checkpoints")

    def finalize(self, status: str) -> None:
        if self._begun is not None:
            self._begun.end({"success": "FINISHED", "finished": "FINISHED"}.get(status, "FAILED"))


def lightning(run: Run | None = None, *, checkpoints: bool = False) -> Any:
    """`run`, else the one that is active, else one that ends with the training. `checkpoints`: keep the best ones."""
    homes = ("lightning.pytorch.loggers", "pytorch_lightning.loggers", "lightning.fabric.loggers")
    return _as(LightningLogger, homes, "Logger")(run, checkpoints=checkpoints)


def _is_first() -> bool:
    return all(
        os.environ.get(name, "0") == "0" for name in ("RANK", "LOCAL_RANK", "SLURM_PROCID", "NODE_RANK")
    )


def _as(mine: type, homes: Sequence[str], name: str) -> type:
    """A kind of the library's own class, where the library is loaded: some ask for it."""
    base = next((found for home in homes if (found := getattr(sys.modules.get(home), name, None))), None)
    return mine if base is None else type(mine.__name__, (mine, base), {})
