"""What was submitted, and what became of it: so that nothing is paid for twice and nothing is lost.

`Journal` is the interface; `open_journal` gives one in memory, in an SQLite file, or in PostgreSQL.
"""

from reelvet.journal.base import Journal
from reelvet.journal.memory import MemoryJournal
from reelvet.journal.opening import default_url, open_journal, state_directory
from reelvet.journal.record import Event, News, Place, PlannedTask, Record, Selection, State, WorkerId

__all__ = [
    "Event",
    "Journal",
    "MemoryJournal",
    "News",
    "Place",
    "PlannedTask",
    "Record",
    "Selection",
    "State",
    "WorkerId",
    "default_url",
    "open_journal",
    "state_directory",
]
