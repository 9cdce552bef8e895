"""`reelvet doctor`: everything that is wrong, each with the mend."""

from reelvet.cli.doctor.command import doctor

__all__ = ["doctor"]
