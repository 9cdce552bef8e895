"""The command line with a vendor called Acme, installed as any plugin is: a package and its metadata on the path."""

import importlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from reelvet.cli.run import run

PACKAGES = Path(__file__).parent / "plugins"
GLOBALS = {"--profile", "staging", "--config", "missing.toml"}


@dataclass
class Called:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


def write_distribution(where, name, entry_point, files=None):
    """A distribution on disk: its metadata, and modules if it brings any."""
    info = where / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[reelvet]\n{entry_point}\n")
    for file, text in (files or {}).items():
        (where / file).write_text(text)


@pytest.fixture(autouse=True)
def journal_in_memory():
    """Not here: what one command submits, the next one finds again, in the journal of the state directory."""


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A directory that installed packages are found in, with Acme in it."""
    where = tmp_path / "site"
    write_distribution(where, "reelvet-acme", "acme = reelvet_acme.plugin")
    monkeypatch.syspath_prepend(str(PACKAGES))
    monkeypatch.syspath_prepend(str(where))
    return where


@pytest.fixture
def distribution(site, monkeypatch):
    """Installs one more distribution."""

    def install(name, entry_point, files=None):
        write_distribution(site, name, entry_point, files)
        for file in files or {}:  # as in a process that has not met it yet, now and for the next test
            monkeypatch.setitem(sys.modules, Path(file).stem, None)
            monkeypatch.delitem(sys.modules, Path(file).stem)
        importlib.invalidate_caches()

    return install


@pytest.fixture
def here(tmp_path, monkeypatch, site):
    """An empty working directory."""
    where = tmp_path / "work"
    where.mkdir()
    monkeypatch.chdir(where)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("ACME_API_KEY", "sesame-1234")
    return where


@pytest.fixture
def reelvet(here, capsys):
    """Runs the command line in this process."""

    def call(*arguments):
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        told = capsys.readouterr()
        assert "Traceback" not in told.err
        return Called(int(code), told.out, told.err)

    return call


@pytest.fixture
def acme(reelvet, here):
    """The same, with Acme as the configured instance."""
    (here / "reelvet.toml").write_text('use = "acme"\n[providers.acme]\nregion = "moon"\n[polling]\nfirst = 0.01\n')
    return reelvet


@pytest.fixture
def start(here, site):
    """Starts the command line as a process of its own."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(PACKAGES)]), "REELVET_NETWORK": "loopback"}
    started = []

    def call(*arguments, code="from reelvet.cli import main; main()", **more):
        command = [sys.executable, "-c", code, *map(str, arguments)]
        process = subprocess.Popen(
            command, cwd=here, env={**environ, **more}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
        )  # fmt: skip
        started.append(process)
        return process

    yield call
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def state(clean_environment):
    """The state directory."""
    return Path(os.environ["REELVET_STATE_DIR"])


@pytest.fixture
def doctor(reelvet, here, state):
    """Runs the doctor on a configuration and gives what one check tells."""

    def call(check, config=None, *arguments):
        if config is not None:
            (here / "reelvet.toml").write_text(config)
        called = reelvet(
            *[a for a in arguments if a in GLOBALS], "doctor", "--json", *[a for a in arguments if a not in GLOBALS]
        )
        found = [item for item in called.json["checks"] if item["check"] == check and item["level"] != "ok"]
        assert all(item["mend"] for item in called.json["checks"] if item["level"] == "wrong")
        return called.code, found

    return call
