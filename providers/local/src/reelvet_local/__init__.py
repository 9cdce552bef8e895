"""The local provider of reelvet."""
