from tests.cli.conftest import Run, Said, own_shop, run, told_shop
from tests.graphql.conftest import api

__all__ = ["Run", "Said", "api", "own_shop", "run", "told_shop"]
