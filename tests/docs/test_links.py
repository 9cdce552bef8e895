"""What the pages point at is there, and what they must not hold is not."""

import re

import pytest

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_PLACE = re.compile(r"`((?:src|tests|providers|benchmarks|docs)/[\w./-]+)(?:::(\w+))?`")
_ABSOLUTE = re.compile(r"(?<![\w.~:/])/(?:home|root|work|usr|tmp|Users)/")
_HOLLOW = re.compile(
    r"\b(seamless\w*|blazing\w*|effortless\w*|cutting[- ]edge|world[- ]class|leverag\w+|robust|simply|TODO|TBD|coming soon)\b",
    re.IGNORECASE,
)


def prose(text):
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(page):
    """The anchors that a forge makes of the headings."""
    headings = re.findall(r"^#+ (.*)$", prose(page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_links_lead_somewhere(page):
    for link in _LINK.findall(prose(page.read_text(encoding="utf-8"))):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.is_file(), f"{page.name}: {link}"
        assert not anchor or anchor in anchors(target), f"{page.name}: {link}"


def test_places_in_the_repository_exist(page, root):
    for place, name in _PLACE.findall(page.read_text(encoding="utf-8")):
        assert (root / place).exists(), f"{page.name}: {place}"
        if name:
            text = (root / place).read_text(encoding="utf-8")
            assert re.search(rf"^(async )?def {name}\(", text, re.MULTILINE), f"{page.name}: {place}::{name}"


def test_no_page_names_a_place_of_one_machine_or_praises(page):
    text = page.read_text(encoding="utf-8")
    assert not _ABSOLUTE.findall(text)
    assert not _HOLLOW.findall(prose(text))


def test_every_page_can_be_reached(pages, root):
    """From the README, by links."""
    seen, todo = set(), [root / "README.md"]
    while todo:
        page = todo.pop().resolve()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        links = (link.partition("#")[0] for link in _LINK.findall(page.read_text(encoding="utf-8")))
        todo += [page.parent / link for link in links if link and "://" not in link]
    assert {page.resolve() for page in pages} <= seen


@pytest.mark.parametrize("number", range(1, 17))
def test_every_law_has_its_place_and_its_test(root, number):
    text = (root / "docs" / "architecture.md").read_text(encoding="utf-8")
    law = re.search(rf"^\*\*{number}\. .*?(?=\n\n)", text, re.MULTILINE | re.DOTALL)
    assert law
    assert "*Kept by*" in law[0]
    assert re.search(r"\*Proved by\*[^*]*`[\w./]*tests/", law[0])


def test_the_commands_are_those_of_ci(root):
    """What contributors are told to run is what the project runs."""
    told = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    script = (root / ".ci" / "run").read_text(encoding="utf-8")
    for command in re.findall(r"^lint (.+)$", script, re.MULTILINE):
        assert f"uv run --group lint {command}\n" in told
    assert "\nuv run pytest\n" in told
    assert script.rstrip().endswith("uv run pytest")
