"""An emulator of Tencent Cloud's Video Moderation System (VM), written from its public documentation.

It was never held against the live service. Where the documentation says nothing, it chooses, and the choice is told at
the place where it is made and in docs/sandbox.md.
"""

from reelvet_tencent.sandbox.emulator import TencentSandbox

__all__ = ["TencentSandbox"]
