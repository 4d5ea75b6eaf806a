"""How seldom Python looks for cycles among objects."""

import gc


def collect_seldom() -> None:
    """What is here now stays. Events become trees without cycles, kept by the thousand: Python's defaults look
    through them all the time for nothing (a tenth to a quarter of the CPU of an event, a third of a rebuild's).
    """
    gc.freeze()
    gc.set_threshold(200_000, 20, 50)
    gc.enable()
