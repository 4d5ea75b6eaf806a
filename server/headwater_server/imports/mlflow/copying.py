"""The whole import in its order: experiments with their runs and logged models, then the registry that names them."""

from collections.abc import Collection

from headwater_server.errors import NotFound
from headwater_server.imports.mlflow.experiments import Experiments
from headwater_server.imports.mlflow.files import Files
from headwater_server.imports.mlflow.here import Here
from headwater_server.imports.mlflow.models import Models
from headwater_server.imports.mlflow.port import Refused, Source, Target
from headwater_server.imports.mlflow.registry import Registry
from headwater_server.imports.mlflow.report import Report
from headwater_server.imports.mlflow.runs import Runs


def copy(
    source: Source, target: Target, report: Report, *, only: Collection[str] = (), artifacts: bool = True
) -> None:
    """Everything, or the experiments of these names or ids with what their runs registered. It may be broken off and
    begun again at any time: what is there is not copied twice, and what has grown is added. Memory holds a page of
    runs, never the server.

    Raises:
        NotFound: no experiment is called so.
        Refused: the source does not list its experiments.
        Unreachable: one of the two does not answer.

    """
    here = Here(target)
    experiments = Experiments(source, here, report)
    files = Files(source, here, report) if artifacts else None
    models = Models(
        *(source, here, report),
        experiments=experiments,
        files=files,
        run=lambda run: runs.ensure(run),  # noqa: PLW0108 - models name runs, and runs models
    )
    runs = Runs(source, here, report, experiments=experiments, files=files, model=models.ensure)
    found: dict[str, str] = {}
    for one in experiments.listed(only):
        number = str(one["experiment_id"])
        found[number] = str(one["name"])
        report.begin(f"experiment {one['name']}")
        if experiments.home(number) is not None:
            runs.copy_all(number)
            models.copy_all(number)
            runs.delete_deleted(number)
            try:
                experiments.finish(one)
            except Refused as error:
                report.refuse(f"experiment {one['name']}", error)
    if missing := set(only) - found.keys() - set(found.values()):
        names = ", ".join(sorted(missing))
        raise NotFound(f"{source.where} has no experiment {names}.", ref=names, didYouMean=[])
    wanted = frozenset(found) if only else frozenset[str]()
    Registry(source, here, report, experiments=wanted, run=runs.ensure, model=models.ensure).copy_all()
