"""No test reaches the network, a vendor's credentials or anybody's own configuration."""

import os
import socket

import pytest

from reelvet.http import LOOPBACK, network_disabled

_OURS = ("REELVET_", "GCORE_", "HUAWEICLOUD_", "TENCENTCLOUD_")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def is_live(request):
    """Whether a test was made to talk to a vendor's service itself."""
    return request.node.get_closest_marker("live") is not None


@pytest.fixture(autouse=True)
def clean_environment(request, monkeypatch, tmp_path_factory):
    """Whatever the developer has configured, a test sees an empty home and no variable of reelvet or of a vendor.

    A test marked `live` sees them: it was asked for by name, and they are what it needs.
    """
    for name in [] if is_live(request) else list(os.environ):
        if name.upper().startswith(_OURS) or name.upper() in _PROXIES:
            monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("home")
    for name, place in {
        "HOME": home,
        "USERPROFILE": home,
        "APPDATA": home / "config",
        "LOCALAPPDATA": home / "data",
        "XDG_CONFIG_HOME": home / "config",
        "XDG_DATA_HOME": home / "data",
        "XDG_STATE_HOME": home / "state",
        "XDG_CACHE_HOME": home / "cache",
        "REELVET_STATE_DIR": home / "reelvet",
    }.items():
        monkeypatch.setenv(name, str(place))
    return home


@pytest.fixture(autouse=True)
def journal_in_memory(monkeypatch):
    """Submissions are kept in memory, unless a test names a journal: a file of each test's own would cost minutes."""
    monkeypatch.setattr("reelvet.journal.opening.default_url", lambda: "memory:")


@pytest.fixture(autouse=True)
def only_loopback(request):
    """Calls of reelvet may go to this machine alone. A folder that needs more hosts overrides it by this name."""
    if is_live(request):
        yield
        return
    with network_disabled(allow=LOOPBACK):
        yield


@pytest.fixture(autouse=True)
def no_foreign_socket(request, monkeypatch):
    """Nor may anybody else's connection leave this machine."""
    if is_live(request):
        return
    original = socket.socket.connect

    def connect(self, address):
        if self.family in {socket.AF_INET, socket.AF_INET6} and not _is_here(str(address[0])):
            raise OSError(f"a test tried to connect to {address[0]}")
        return original(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)


def _is_here(host):
    return host in LOOPBACK or host.startswith("127.")
