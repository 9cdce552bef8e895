"""An emulator of Gcore's Streaming AI API, written from its public documentation.

It was never held against the live service. Where the documentation says nothing, it chooses, and the choice is told at
the place where it is made and in docs/sandbox.md.
"""

from reelvet_gcore.sandbox.emulator import GcoreSandbox

__all__ = ["GcoreSandbox"]
