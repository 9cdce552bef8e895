"""The version of reelvet, in one place."""

VERSION = "0.1.0"
