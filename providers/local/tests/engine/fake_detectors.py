"""Detectors that need no model, so that positives can be tested without such media. Loaded by the worker by dotted path."""

import os
import signal
import time


class Bright:
    """Mean brightness of the frame, and of its top left quarter."""

    name = "bright"
    version = "1"
    width = 32
    height = 24
    pixel_format = "rgb24"
    labels = ("bright", "corner", "red")

    def score(self, frame):
        assert frame.shape == (24, 32, 3)
        height, width = self.height // 2, self.width // 2
        return {
            "bright": frame.mean() / 255,
            "corner": frame[: height - 2, : width - 2].mean() / 255,
            "red": max(0.0, (frame[:, :, 0].mean() - frame[:, :, 2].mean()) / 255),
        }


class Slow(Bright):
    """Takes its time."""

    def score(self, frame):
        time.sleep(0.05)
        return super().score(frame)


class Crashing(Bright):
    """Brings the process down at the first bright frame."""

    def score(self, frame):
        scores = super().score(frame)
        if scores["bright"] > 0.8:
            os.kill(os.getpid(), signal.SIGKILL)
        return scores


class Raising(Bright):
    """Cannot cope with bright frames."""

    def score(self, frame):
        scores = super().score(frame)
        if scores["bright"] > 0.8:
            raise ArithmeticError("too bright")
        return scores


class Hanging(Bright):
    """Never answers."""

    def score(self, frame):
        time.sleep(3600)
        return {}


class Environment(Bright):
    """Reports the names of the environment variables that it sees as labels."""

    def score(self, frame):
        return dict.fromkeys(os.environ, 1.0)


class Unloadable:
    def __init__(self):
        raise RuntimeError("no weights here")


class Incomplete:
    name = "incomplete"
