"""Where a fetched body goes: decoded, counted, digested, written; never more than the cap, however small it came."""

from __future__ import annotations

import asyncio
import hashlib
import zlib
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from reelvet.schema.errors import FetchError, FetchTooLarge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_STEP = 1024 * 1024
# Media hardly compresses: what grows more than this is made to fill a disk. Small bodies may grow as they like.
_BOMB_RATIO = 50
_BOMB_FROM = 16 * _STEP
# 15 bits of window, and 32 for "zlib or gzip, as its head says".
_GZIP_OR_ZLIB = 15 + 32


class Sink:
    """Takes the pieces of one body.

    Args:
        file: Where to write.
        max_bytes: Cap on the decoded bytes.
        url: Masked, for errors.
    """

    def __init__(self, file: BinaryIO, max_bytes: int, url: str) -> None:
        self.max_bytes = max_bytes
        self.size = 0
        self._received = 0
        self._file = file
        self._url = url
        self._digest = hashlib.sha256()
        self._inflater: zlib._Decompress | None = None

    @property
    def sha256(self) -> str:
        """The digest of what was written, hexadecimal."""
        return self._digest.hexdigest()

    def start(self, encoding: str) -> None:
        """Begin a body with that `Content-Encoding`. Identity was asked for; object stores send gzip nevertheless.

        Raises:
            FetchError: The encoding is unknown.
        """
        encoding = encoding.strip().lower()
        if encoding in {"gzip", "x-gzip", "deflate"}:
            self._inflater = zlib.decompressobj(_GZIP_OR_ZLIB)
        elif encoding not in {"", "identity"}:
            raise FetchError(
                f"{self._url} comes in the encoding {encoding[:40]!r}, which was not asked for",
                url=self._url,
                way_out="Serve media without Content-Encoding.",
            )

    async def write(self, chunk: bytes) -> None:
        """Decode and write one piece.

        Raises:
            FetchTooLarge: With it the body is larger than the cap, or grows as only a bomb does; it is not written.
            FetchError: It cannot be decoded or written.
        """
        self._received += len(chunk)
        for piece in self._decoded(chunk):
            self.size += len(piece)
            if self.size > _BOMB_FROM and self.size > _BOMB_RATIO * self._received:
                raise FetchTooLarge(
                    f"{self._url} is {self._received} bytes that unpack to {_BOMB_RATIO} times as many",
                    url=self._url,
                    way_out="Serve media without Content-Encoding.",
                )
            if self.size > self.max_bytes:
                raise FetchTooLarge(
                    f"{self._url} is larger than {self.max_bytes} bytes",
                    url=self._url,
                )
            self._digest.update(piece)
            await self._in_thread(partial(self._file.write, piece))

    async def finish(self) -> None:
        """End the body.

        Raises:
            FetchError: The encoded body is incomplete.
        """
        if self._inflater is not None and not self._inflater.eof:
            raise FetchError(
                f"{self._url} is incomplete: its compressed body ends before its time", url=self._url, retryable=True
            )
        await self._in_thread(self._file.flush)

    async def _in_thread(self, work: Callable[[], object]) -> None:
        # A disk may be slow; the event loop has others to serve. A thread cannot be cancelled, so it is waited for: whoever
        # cleans up after a cancelled fetch must not have it write behind its back.
        future = asyncio.get_running_loop().run_in_executor(None, work)
        try:
            await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait([future])
            raise
        except OSError as error:
            raise FetchError(
                f"{self._url} could not be written: {error.strerror or error}",
                url=self._url,
                way_out="Make room where it is written to, or write it elsewhere.",
            ) from error

    def _decoded(self, chunk: bytes) -> Iterator[bytes]:
        if self._inflater is None:
            yield chunk
            return
        while chunk and not self._inflater.eof:
            try:
                # Inflated step by step: a bomb is noticed after one step, and never stands in memory whole.
                piece = self._inflater.decompress(chunk, _STEP)
            except zlib.error:
                raise FetchError(
                    f"{self._url} cannot be decompressed",
                    url=self._url,
                    way_out="Serve media without Content-Encoding.",
                ) from None
            chunk = self._inflater.unconsumed_tail
            if piece:
                yield piece
