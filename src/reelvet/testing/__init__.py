"""For tests: the pytest fixture `reelvet_sandbox`, found by pytest itself once reelvet is installed."""
