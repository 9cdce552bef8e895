"""Takes callbacks, in no web framework's terms: verified, kept, and answered before anything else is done about them."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from reelvet.callbacks.following import Follower
from reelvet.http import logger, telemetry
from reelvet.journal import News
from reelvet.schema.errors import (
    CallbackForged,
    CallbackRejected,
    CallbackUnsupported,
    JournalError,
    ReelvetError,
    UnknownInstance,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr

    from reelvet.moderator import AsyncModerator
    from reelvet.moderator.instance import Instance
    from reelvet.plugins import Callback

MOST_BYTES = 4 * 1024 * 1024
"""Bytes of a callback at most."""
PATIENCE = 2.0
"""Seconds that the journal may take. A vendor that allows three is told in time to send the callback again."""
_LONGEST_ID = 1024
_log = logger("callbacks")


@dataclass(frozen=True, slots=True)
class Answer:
    """How a callback is answered."""

    status: int
    """The HTTP status."""
    outcome: str
    """What became of it, in a word or two; also the body of the answer."""

    @property
    def body(self) -> bytes:
        """What to send with the status."""
        return self.outcome.encode()


class _Refused(Exception):
    """It is answered so, and that is all."""

    def __init__(self, status: int, outcome: str, why: str | None = None) -> None:
        self.answer = Answer(status, outcome)
        self.why = why


class Receiver:
    """Receives the callbacks of a moderator's instances.

    ```python
    async with Receiver(moderator) as receiver:
        answer = await receiver.receive("tencent", body, headers, query)
    ```

    An answer of 200 says that the callback is in the journal, no more: what is to be done about it is done in the
    background, by this process or, after a crash, by the next one. No answer waits for a vendor.

    Args:
        moderator: Its journal keeps them, and who waits in it is woken. It is the caller's to close.
        most: Bytes of a callback at most.
        patience: Seconds that the journal may take.
    """

    def __init__(self, moderator: AsyncModerator, *, most: int = MOST_BYTES, patience: float = PATIENCE) -> None:
        self._moderator = moderator
        self.most = most
        self._patience = patience
        self._follower = Follower(moderator, self._count)
        self.counts: Counter[str] = Counter()
        """How many callbacks were answered in which way, and what became of those that were kept, by the outcome's name."""

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def start(self) -> None:
        """Begins to follow up what was kept and not followed up. The first callback does so too."""
        self._follower.start()

    async def aclose(self) -> None:
        """Leaves off following up. What is not done stays in the journal."""
        await self._follower.aclose()

    def instances(self) -> list[str]:
        """The configured instances whose vendor sends callbacks; one that cannot be loaded is told, and left out."""
        found = []
        for name in dict.fromkeys([*self._moderator.config.providers, self._moderator.use]):
            try:
                if "callback" in self._moderator.instance_of(name).capabilities.operations:
                    found.append(name)
            except ReelvetError as error:
                _log.warning("instance %s takes no callbacks: %s", name, error.message)
        return found

    def secrets(self, instance: str) -> list[SecretStr]:
        """What an instance's callbacks may be signed with: the seeds of its settings, and `[secrets.callbacks]`.

        Raises:
            ConfigurationError: A reference to one leads nowhere.
        """
        settings: Any = self._moderator.instance_of(instance).provider.settings
        own = [getattr(settings, "seed", None), *(getattr(settings, "seeds", None) or {}).values()]
        secrets = [*own, *self._moderator.config.callback_secrets]
        # Anybody could sign with an empty one.
        return [secret for secret in secrets if secret is not None and secret.get_secret_value().strip()]

    async def receive(self, instance: str, body: bytes, headers: Mapping[str, str], query: Mapping[str, str]) -> Answer:
        """Takes a callback.

        Args:
            instance: The configured instance that it is for: a part of the URL that the vendor was given.
            body: Byte for byte as it came in.
            headers: As they came in.
            query: Of the URL; a job's key that stood in the path, as `key`.

        Returns:
            200: it is kept, or was before. 400: malformed. 401: not signed as it should be. 404: there is no such
            instance. 413: too large. 501: the vendor sends no callbacks. 503: it cannot be kept now.
        """
        self.start()
        known: Instance | None = None
        try:
            known = self._known(instance)
            news = await self._read(known, body, headers, query)
            answer = await self._kept(news)
        except _Refused as refused:
            answer = refused.answer
            says = f"{answer.outcome}: {refused.why}" if refused.why else answer.outcome
            _log.warning("a callback for %s was refused: %s", instance if known else "an unknown instance", says)
        self._count(known.name if known else None, answer.outcome)
        return answer

    def refuse(self, status: int, outcome: str) -> Answer:
        """The answer to what could not even be read; counted as any other."""
        self._count(None, outcome)
        return Answer(status, outcome)

    # --- inside ---

    def _known(self, name: str) -> Instance:
        # A provider that is installed and not configured has no account that could be called back for.
        if name not in self._moderator.config.providers and name != self._moderator.use:
            raise _Refused(404, "no such instance")
        try:
            instance = self._moderator.instance_of(name)
        except UnknownInstance:
            raise _Refused(404, "no such instance") from None
        except ReelvetError as error:
            raise _Refused(503, "instance not usable", f"{name}: {error.message}") from None
        if "callback" not in instance.capabilities.operations:
            raise _Refused(501, "no callbacks")
        return instance

    async def _read(
        self, instance: Instance, body: bytes, headers: Mapping[str, str], query: Mapping[str, str]
    ) -> News:
        if len(body) > self.most:
            raise _Refused(413, "too large")
        try:
            secrets = self.secrets(instance.name)
            callback = instance.provider.parse_callback(body, headers, query, secrets)
        except CallbackForged as error:
            raise _Refused(401, "forged", error.message) from None
        except CallbackRejected as error:
            raise _Refused(400, "malformed", error.message) from None
        except CallbackUnsupported:
            raise _Refused(501, "no callbacks") from None
        except ReelvetError as error:
            raise _Refused(503, "instance not usable", error.message) from None
        except Exception as error:  # noqa: BLE001  (its message may quote the body)
            raise _Refused(500, "not understood", f"the provider failed with {type(error).__name__}") from None
        if not _is_text(callback.ref.id) or not callback.ref.id:
            raise _Refused(400, "malformed", "its task's id is no id")
        if not secrets and not await self._is_expected(instance, callback):
            # Anybody may have sent it. Of a task that is known it is a hint to look; of any other it says nothing.
            raise _Refused(401, "not signed", "no secret is configured, and the task is not known")
        return _news(callback, instance, signed=bool(secrets))

    async def _is_expected(self, instance: Instance, callback: Callback) -> bool:
        if self._moderator.hearing.awaits(instance.name, callback.ref.id):
            return True
        return await self._in_time(self._moderator.journal.of_task(instance.name, callback.ref.id)) is not None

    async def _kept(self, news: News) -> Answer:
        if not await self._in_time(self._moderator.journal.hear(news)):
            return Answer(200, "duplicate")
        self._follower.poke()
        return Answer(200, "received")

    async def _in_time(self, asking: Any) -> Any:
        try:
            async with asyncio.timeout(self._patience):
                return await asking
        except (JournalError, TimeoutError) as error:
            why = (
                error.message
                if isinstance(error, JournalError)
                else f"the journal takes longer than {self._patience:g} s"
            )
            raise _Refused(503, "not kept", why) from None

    def _count(self, instance: str | None, outcome: str) -> None:
        self.counts[outcome] += 1
        told = {"reelvet.instance": instance, "reelvet.outcome": outcome}
        telemetry.count("reelvet.callbacks", told, description="callbacks, by what became of them")


def _news(callback: Callback, instance: Instance, *, signed: bool) -> News:
    event = callback.event_id or f"{callback.ref.id}:{callback.raw.native_status if callback.raw else ''}"
    return News(
        event_id=hashlib.sha256(f"{instance.name}\0{event}".encode("utf-8", "surrogatepass")).hexdigest(),
        instance=instance.name,
        task=callback.ref.id,
        category=callback.ref.category if _is_text(callback.ref.category) else None,
        # Without a signature the key is worth nothing: anybody may know it.
        key=callback.key if signed and _is_text(callback.key) else None,
        raw=_lasting(callback),
        complete=callback.complete,
    )


def _lasting(callback: Callback) -> bytes | None:
    """What the callback tells, if that is all there is, can be trusted, and holds no URL with a signature in it."""
    if callback.raw is None or not (callback.trusted and callback.complete):
        return None
    masked = callback.raw.model_dump_json()
    return masked.encode() if masked == callback.raw.model_dump_json(context={"signed_urls": True}) else None


def _is_text(value: str | None) -> bool:
    """Whether a database can keep it."""
    if value is None or len(value) > _LONGEST_ID or "\0" in value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
