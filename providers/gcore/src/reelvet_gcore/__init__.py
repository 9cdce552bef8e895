"""The Gcore provider of reelvet."""
