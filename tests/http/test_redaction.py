"""Law 10: a planted secret is in no error, repr, log or traceback, in none of the spellings it travels in."""

import asyncio
import base64
import io
import json
import logging
import traceback
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from reelvet.http import Effect, Redactor, Request, RetryPolicy, Session, Timeouts, logger, redact
from reelvet.schema.errors import ProviderError, RateLimited

CANARY = "sk/Canary+42=é&x"
SECRET = SecretStr(CANARY)

SPELLINGS = {
    "plain": CANARY,
    "quoted": quote(CANARY, safe=""),
    "quoted, slashes kept": quote(CANARY),
    "form": quote_plus(CANARY),
    "json": json.dumps(CANARY)[1:-1],
    "hex": CANARY.encode().hex(),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_secret_is_found_in_the_spellings_it_travels_in(spelling):
    assert redact(f"before {SPELLINGS[spelling]} after", [SECRET]) == "before *** after"


@pytest.mark.parametrize("user", ["", "u", "us", "use", "user", "someone"])
def test_a_secret_is_found_within_basic_credentials(user):
    """Where it starts within a group of base64 depends on the name before it."""
    encoded = base64.b64encode(f"{user}:{CANARY}".encode()).decode()
    redacted = redact(f"sent {encoded} here", [SECRET])
    core = base64.b64encode(CANARY.encode()).decode()
    assert "***" in redacted
    assert len(redacted) < len(encoded)
    assert core not in redacted


@given(
    before=st.text(),
    after=st.text(),
    secret=st.text(alphabet=st.characters(blacklist_categories=["Cs"]), min_size=4, max_size=40),
)
def test_no_text_around_it_saves_a_secret(before, after, secret):
    assert (
        secret not in redact(f"{before}{secret}{after}", [SecretStr(secret)], limit=None).replace("***", "")
        or secret in "***"
    )


def test_the_longer_of_two_secrets_leaves_no_tail():
    assert redact("abcdefgh", [SecretStr("abcd"), SecretStr("abcdefgh")]) == "***"


def test_short_and_empty_secrets_do_not_tear_words_apart():
    assert redact("a banana", [SecretStr(""), SecretStr("an")]) == "a banana"


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: APIKey canary",
        "authorization: TC3-HMAC-SHA256 Credential=canary/2026, Signature=canary",
        '{"api_key": "canary", "a": 1}',
        "{'X-Auth-Token': 'canary'}",
        "x-security-token=canary",
        "Set-Cookie: session=canary; path=/",
        "password: canary",
        "see https://user:canary@h/x?sig=canary#canary for more",
        '{"secret_key":"ca\\"nary canary"}',
    ],
)
def test_what_looks_like_credentials_is_masked_without_being_known(text):
    assert "canary" not in redact(text)


def test_ordinary_replies_stay_readable():
    text = '{"code": "InvalidParameter", "message": "The key field is missing: token count 5", "id": 7}'
    assert redact(text) == text


def test_text_is_cut_only_after_redaction():
    """Else half a secret would stand at the edge."""
    text = "x" * 95 + CANARY
    cut = redact(text, [SECRET], limit=98)
    assert cut.startswith("x" * 95 + "***")
    assert "sk/" not in cut
    assert redact("y" * 100, limit=10) == "y" * 10 + "... (90 more characters)"


# --- through a session ------------------------------------------------------------------------------------------


class Signer:
    def sign(self, sent, now):
        return sent.with_headers({"Authorization": f"Key {CANARY}", "X-Odd": CANARY})


def everything_said(error, stream):
    told = ["".join(traceback.format_exception(error)), stream.getvalue(), repr(error), str(error.__dict__)]
    while error is not None:
        told += [repr(error), str(error), repr(error.args)]
        error = error.__cause__ or error.__context__
    return "\n".join(told)


@pytest.fixture
def stream():
    """All that any logger says, at the level at which it says most, formatted as an application would."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(before)


def echo(got, writer):
    """The vendor repeats all it was sent, as a careless one does."""
    body = got.head + got.body
    writer.write(b"HTTP/1.1 503 Sorry\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body)


async def silent(got, writer):
    await asyncio.sleep(5)


@pytest.mark.parametrize(
    "how", ["vendor repeats it", "cut", "cut midway", "timeout", "refused", "no answer to connect", "unknown name"]
)
async def test_the_canary_is_nowhere_however_the_call_fails(server, wires, stream, *, closed_port, deaf_port, how):
    server.replies = [
        {"vendor repeats it": echo, "cut": wires[1], "cut midway": wires[2], "timeout": silent}.get(how, wires[0]())
    ]
    base = {
        "refused": f"http://127.0.0.1:{closed_port}",
        "no answer to connect": f"http://127.0.0.1:{deaf_port}",
        "unknown name": "http://public.test",
    }.get(how, server.url)
    sent = Request.build(
        "POST", base + "/path", query={"sign": CANARY}, effect=Effect.READ, operation="Op", json_body={"key": CANARY}
    )
    session = Session(
        provider="acme",
        signer=Signer(),
        secrets=[SECRET],
        retry=RetryPolicy(attempts=2, base=0, cap=0),
        timeouts=Timeouts(connect=0.3, read=0.3, total=1),
    )
    async with session:
        with pytest.raises(ProviderError) as caught:
            await session.send(sent)
    said = everything_said(caught.value, stream)
    for spelling in SPELLINGS.values():
        assert spelling not in said
    assert "sign=" not in said.replace("sign=***", "")
    assert "again in" in stream.getvalue(), "the retry was logged, so the log was looked at"


async def test_a_call_that_succeeds_says_nothing_secret_at_any_level(server, stream):
    """Each request is written to the log at INFO with its URL."""
    async with Session(provider="acme", signer=Signer(), secrets=[SECRET]) as session:
        reply = await session.send(
            Request.build("GET", server.url, query={"sign": CANARY}, effect=Effect.READ, operation="Op")
        )
    assert "sign" not in stream.getvalue()
    assert "HTTP/1.1 200" in stream.getvalue(), "the call was logged, so the log was looked at"
    assert "sign" not in repr(reply) + repr(session) + repr(reply.redact) + reply.url


async def test_what_a_classifier_says_is_redacted_too(server):
    async with Session(
        provider="acme", secrets=[SECRET], classifier=lambda sent, reply: RateLimited(f"no: {CANARY}", retryable=False)
    ) as session:
        with pytest.raises(RateLimited) as caught:
            await session.send(Request.build("GET", server.url, effect=Effect.READ, operation="Op"))
    assert CANARY not in str(caught.value) + repr(caught.value)
    assert "***" in str(caught.value)


async def test_a_secret_that_is_known_later_is_hidden_from_then_on(server):
    says = f"no: {CANARY} {SECRET.get_secret_value()}"
    async with Session(
        provider="acme",
        secrets=[SecretStr("another")],
        classifier=lambda sent, reply: RateLimited(says, retryable=False),
    ) as session:
        session.hide(SECRET)
        session.hide(SecretStr(CANARY))
        session.hide(SECRET)
        with pytest.raises(RateLimited) as caught:
            await session.send(Request.build("GET", server.url, effect=Effect.READ, operation="Op"))
    assert CANARY not in str(caught.value) + repr(caught.value)


def test_of_secrets_without_end_the_oldest_are_let_go_and_those_given_at_first_are_kept():
    redactor = Redactor([SecretStr("given-at-first")])
    for number in range(1000):
        redactor.hide(SecretStr("renewed-again"))
        redactor.hide(SecretStr(f"key-{number:04}"))
    assert redactor("given-at-first renewed-again key-0999 key-0001") == "*** *** *** key-0001"


def test_the_logger_redacts_message_arguments_traceback_and_stack(stream):
    redactor = Redactor([SECRET])
    from reelvet.http.redact import remember

    remember(redactor)
    log = logger("test.somewhere")
    try:
        int(f"it was {CANARY}")
    except ValueError:
        log.exception("failed with %s at %s", CANARY, "https://h/x?sig=abc", stack_info=True)
    said = stream.getvalue()
    assert CANARY not in said
    assert "sig=abc" not in said
    assert "failed with *** at https://h/x?***" in said
    assert "ValueError: invalid literal" in said
    assert "it was ***" in said
    assert "Stack (most recent call last)" in said


def test_a_key_that_is_fetched_later_is_hidden_from_then_on():
    session = Session(provider="acme", secrets=[SecretStr("first-key")])
    session.hide(SecretStr("renewed-key"), SecretStr("token-of-it"))
    session.hide(SecretStr("renewed-key"))
    redactor = session._redactor
    assert redactor("first-key renewed-key token-of-it") == "*** *** ***"
    assert "renewed-key" not in repr(session)
