"""Silero's network: it knows voices from noises. MIT licence, 2 MB; the model file is the user's.

Three layouts of the file are about, told apart by the names of their inputs:

    input, state, sr      version 5 and 6, as published
    input, h, c           version 6 as it comes with faster-whisper
    input, h, c, sr       version 4: no context before a frame
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from charye.audio.framing import Framer
from charye.audio.pcm import WIRE_RATE_HZ
from charye.audio.resample import Resampler
from charye.errors import ConfigurationError, MissingExtra, ModelMissing

__all__ = ["SileroVad"]

_RATE_HZ = 16_000
_FRAME_SAMPLES = 512
_CONTEXT_SAMPLES = 64
_FRAME_MS = _FRAME_SAMPLES * 1000 / _RATE_HZ


class SileroVad:
    """Rate frames of 32 ms with a network. About 6 ms of CPU for a second of audio.

    Args:
        model: the file, such as ``silero_vad.onnx``, or a folder with one such file.

    Raises:
        ModelMissing: there is no such file.
        MissingExtra: the extra `vad` is not installed.
        ConfigurationError: the file is no silero model.
    """

    def __init__(self, model: str | Path) -> None:
        file = _model_file(Path(model).expanduser())
        self._numpy, self._session = _open(file)
        self._states, self._has_rate, self._has_context = _layout(self._session)
        self._framer = Framer(frame_ms=_FRAME_MS, sample_rate_hz=_RATE_HZ)
        self.reset()

    @property
    def frame_ms(self) -> float:
        """Length of a frame."""
        return _FRAME_MS

    def rate(self, pcm: bytes) -> list[float]:
        """See `Detector.rate`."""
        return [self._rate_frame(frame) for frame in self._framer.feed(self._resampler.feed(pcm))]

    def reset(self) -> None:
        """See `Detector.reset`."""
        numpy = self._numpy
        self._resampler = Resampler(from_hz=WIRE_RATE_HZ, to_hz=_RATE_HZ)
        self._framer.flush()
        self._memory = {name: numpy.zeros(shape, numpy.float32) for name, shape in self._states.items()}
        self._context = numpy.zeros((1, _CONTEXT_SAMPLES if self._has_context else 0), numpy.float32)

    def _rate_frame(self, frame: bytes) -> float:
        numpy = self._numpy
        samples = numpy.frombuffer(frame, "<i2").astype(numpy.float32)[None] / 32_768
        given: dict[str, Any] = {"input": numpy.concatenate([self._context, samples], axis=1), **self._memory}
        if self._has_rate:
            given["sr"] = numpy.array(_RATE_HZ, numpy.int64)
        rating, *memory = self._session.run(None, given)
        self._memory = dict(zip(self._memory, memory, strict=True))
        if self._has_context:
            self._context = samples[:, -_CONTEXT_SAMPLES:]
        return float(rating.reshape(-1)[-1])


def _model_file(path: Path) -> Path:
    if path.is_dir():
        found = sorted(file for file in path.glob("silero*.onnx") if file.stat().st_size)
        if not found:
            raise ModelMissing(folder=str(path), missing=("silero*.onnx",), option="vad")
        return found[0]
    if not path.is_file():
        missing = (path.name,) if path.parent.is_dir() else ()
        raise ModelMissing(folder=str(path.parent), missing=missing, option="vad")
    return path


def _open(file: Path) -> tuple[Any, Any]:
    try:
        import numpy
        import onnxruntime
    except ImportError as error:
        raise MissingExtra(feature="the silero voice detector", extra="vad") from error
    options = onnxruntime.SessionOptions()
    # A frame is a fifth of a millisecond of work: waking other threads would cost more.
    options.inter_op_num_threads = options.intra_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return numpy, onnxruntime.InferenceSession(
            str(file), sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # its errors have no common base
        raise ConfigurationError("the file is no model that onnxruntime can open", option="vad") from error


def _layout(session: Any) -> tuple[dict[str, list[int]], bool, bool]:
    """Shapes of what it remembers, whether it asks for the rate, whether it wants the end of the frame before."""
    shapes = {
        given.name: [size if isinstance(size, int) else 1 for size in given.shape]
        for given in session.get_inputs()
    }
    names = shapes.keys() - {"input", "sr"}
    outputs = len(session.get_outputs())
    if "input" not in shapes or names not in ({"state"}, {"h", "c"}) or outputs != len(names) + 1:
        raise ConfigurationError("the file is no silero model", option="vad")
    has_rate = "sr" in shapes
    return (
        {name: shapes[name] for name in sorted(names, reverse=True)},
        has_rate,
        not ("h" in names and has_rate),
    )
