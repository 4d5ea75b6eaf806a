"""Names for runs that were given none: easy to say, hard to confuse."""

import secrets

_HOW = """
    able amber ample ancient azure bold brave breezy bright brisk calm candid clear clever cosmic crisp daring deep
    eager early fair fancy firm fleet fond frosty gentle glad golden grand happy hardy honest humble icy jolly keen
    kind lively lucid mellow merry mild misty modest neat nimble noble patient placid polite proud quick quiet rapid
    ready rosy rustic serene sharp silent silver sleek smart snowy solid sturdy sunny swift tidy tranquil upbeat vivid
    warm wise witty zesty
"""
_WHAT = """
    alder aspen badger beech birch bison brook cedar cliff comet condor coral crane creek delta dune eagle elm falcon
    fern finch fjord forest fox gale glacier grove gull harbor hawk heron hill ibis inlet island juniper kestrel lagoon
    lake lark ledge lynx maple marsh meadow mesa moor moose oak ocean orca otter owl peak pebble pine pond prairie
    puffin quail quartz raven reef ridge river robin seal shore sparrow spring spruce stoat stone stream summit swan
    tern tide trout valley willow wolf wren
"""


def run_name() -> str:
    return f"{secrets.choice(_HOW.split())}-{secrets.choice(_WHAT.split())}-{secrets.randbelow(1000)}"
