"""The one account of the emulator. Its credentials have the forms of real ones and open nothing else."""

from __future__ import annotations

AK = "REELVETSANDBOXKEY001"
SK = "sandboxSandboxSandboxSandboxSandbox00001"
TEMPORARY_AK = "REELVETSANDBOXTMP001"
TEMPORARY_SK = "sandboxSandboxSandboxSandboxSandbox00002"
SECURITY_TOKEN = "gQpjbi1ub3J0aC00c2FuZGJveHNlY3VyaXR5dG9rZW4="  # noqa: S105  (opens nothing)
"""That of the temporary pair, which does not expire."""

SECRETS = {AK: SK, TEMPORARY_AK: TEMPORARY_SK}
"""Access key -> secret key."""

DOMAIN, DOMAIN_ID = "reelvet-sandbox", "0f9c2b7d41e84a6f9d3c5b8a7e610d01"
USER, USER_ID = "moderator", "0f9c2b7d41e84a6f9d3c5b8a7e610d02"
PASSWORD = "sandbox-Passw0rd"  # noqa: S105  (opens nothing)
REGION = "cn-north-4"
PROJECT_ID = "0f9c2b7d41e84a6f9d3c5b8a7e610d03"
OTHER_PROJECT_ID = "0f9c2b7d41e84a6f9d3c5b8a7e610d04"
"""A second project in the same region, if there are to be two."""
