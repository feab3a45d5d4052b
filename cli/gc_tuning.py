"""The collector of circular garbage, told what a server is like: what it makes while it starts stays.

Imported before anything heavy is, so it imports nothing itself.
"""

import gc
from typing import Final

_MADE_BEFORE_COLLECTING: Final = 20_000
"""How many objects more were made than went away."""


def pause() -> None:
    """While a server starts, nothing is looked for among what it makes: it would be a tenth of the time."""
    gc.disable()


def resume() -> None:
    """What was made so far is never looked at: next to nothing of it is garbage, and one look takes as long as many
    answers. From here on there are few looks, for an answer leaves no circles behind."""
    gc.freeze()
    gc.enable()
    gc.set_threshold(_MADE_BEFORE_COLLECTING, 10, 10)
