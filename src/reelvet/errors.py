"""Every error of reelvet, where a user looks for it: `from reelvet.errors import KeyConflict`."""

from reelvet.schema.errors import *  # noqa: F403 - the list is kept in one place
from reelvet.schema.errors import __all__  # noqa: F401
