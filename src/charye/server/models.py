"""Models that listen to Korean or speak it: a short list, and how to have one in a local folder.

Nothing is fetched unless `get` is called, and once a model is complete nobody asks the hub any more. Ears and voices
take what `path` gives. Repositories, sizes and licences are as their publishers had them in 2025 and 2026.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from charye.errors import (
    AuthenticationFailed,
    CharyeError,
    ConfigurationError,
    HostUnreachable,
    MissingExtra,
    ModelMissing,
    ModelUnavailable,
    RemoteProtocolError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MODELS", "Model", "find", "folder_of", "get", "is_complete", "path"]

HUB = "https://huggingface.co"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model of the list.

    Args:
        name: what people type.
        task: what it is for.
        use: the class that takes its path.
        repository: on the hub.
        revision: a commit, so that it never changes; `main` where none is known to be right.
        files: what is needed of the repository, and nothing else is fetched.
        size_mb: of those files, about.
        licence: of the weights, in the publisher's words; read it before you publish what it makes.
        about: what it is good for.
        entry: what `use` takes: a file in the folder, or the folder itself if empty.
    """

    name: str
    task: Literal["vad", "recognizer", "voice"]
    use: str
    repository: str
    revision: str
    files: tuple[str, ...]
    size_mb: int
    licence: str
    about: str
    entry: str = ""

    @property
    def source(self) -> str:
        """Where people can read about it."""
        return f"{HUB}/{self.repository}"


_WHISPER = ("config.json", "model.bin", "tokenizer.json")

MODELS: tuple[Model, ...] = (
    Model(
        name="silero-vad",
        task="vad",
        use="SileroVad",
        repository="onnx-community/silero-vad",
        revision="e71cae966052b992a7eca6b17738916ce0eca4ec",
        files=("onnx/model.onnx",),
        size_mb=3,
        licence="MIT",
        about="Tells voices from noise, in any language.",
        entry="onnx/model.onnx",
    ),
    Model(
        name="zipformer-korean",
        task="recognizer",
        use="SherpaRecognizer",
        repository="k2-fsa/sherpa-onnx-zipformer-korean-2024-06-24",
        revision="0fb4b2b5c8d3e5766121481ba911961e3649c664",
        files=(
            "encoder-epoch-99-avg-1.int8.onnx",
            "decoder-epoch-99-avg-1.int8.onnx",
            "joiner-epoch-99-avg-1.int8.onnx",
            "tokens.txt",
        ),
        size_mb=77,
        licence="not stated by the publisher",
        about="Korean only, small and quick; no punctuation.",
    ),
    Model(
        name="sense-voice",
        task="recognizer",
        use="SherpaRecognizer",
        repository="csukuangfj/sherpa-onnx-sense-voice-zh-en-ja-ko-yue-2024-07-17",
        revision="main",
        files=("model.int8.onnx", "tokens.txt"),
        size_mb=240,
        licence="FunASR model licence; see LICENSE there",
        about="Korean, English, Japanese, Chinese and Cantonese; quick, with punctuation.",
    ),
    Model(
        name="whisper-small",
        task="recognizer",
        use="FasterWhisper",
        repository="Systran/faster-whisper-small",
        revision="main",
        files=(*_WHISPER, "vocabulary.txt"),
        size_mb=490,
        licence="MIT",
        about="A hundred languages; usable Korean on an ordinary processor.",
    ),
    Model(
        name="whisper-turbo",
        task="recognizer",
        use="FasterWhisper",
        repository="mobiuslabsgmbh/faster-whisper-large-v3-turbo",
        revision="main",
        files=(*_WHISPER, "preprocessor_config.json", "vocabulary.json"),
        size_mb=1_630,
        licence="MIT",
        about="A hundred languages; the best Korean of this list, wants a graphics card.",
    ),
    Model(
        name="supertonic-3",
        task="voice",
        use="SherpaVoice",
        repository="csukuangfj2/sherpa-onnx-supertonic-3-tts-int8-2026-05-11",
        revision="cca5a0e6c96e1d2c720986bf7e75fcc81dee3ae4",
        files=(
            "LICENSE",
            "duration_predictor.int8.onnx",
            "text_encoder.int8.onnx",
            "tts.json",
            "unicode_indexer.bin",
            "vector_estimator.int8.onnx",
            "vocoder.int8.onnx",
            "voice.bin",
        ),
        size_mb=145,
        licence="OpenRAIL-M; see LICENSE there",
        about="Speaks Korean, English and more, with several voices.",
    ),
)


def find(name: str) -> Model:
    """The model of this name.

    Raises:
        ConfigurationError: there is none; the list is `MODELS`.
    """
    for model in MODELS:
        if model.name == name:
            return model
    raise ConfigurationError("there is no model of this name in the list", option="model")


def folder_of(model: Model, *, root: str | Path | None = None) -> Path:
    """Where this model is, or would be.

    Args:
        root: the folder of all models. None takes ``$CHARYE_MODELS``, or else ``charye/models`` in the user's cache.
    """
    return _root(root) / model.name


def is_complete(model: Model, *, root: str | Path | None = None) -> bool:
    """Whether all its files are there. Looks at the disk only."""
    return not _missing(model, folder_of(model, root=root))


def path(name: str, *, root: str | Path | None = None) -> Path:
    """What the model's class takes. Looks at the disk only.

    Raises:
        ConfigurationError: there is no model of this name.
        ModelMissing: it has not been fetched, or not wholly.
    """
    model = find(name)
    folder = folder_of(model, root=root)
    missing = _missing(model, folder)
    if missing:
        raise ModelMissing(folder=str(folder), missing=missing if folder.is_dir() else (), option="model")
    return folder / model.entry


def get(
    name: str,
    *,
    root: str | Path | None = None,
    endpoint: str = HUB,
    progress: Callable[[str, int, int | None], None] | None = None,
) -> Path:
    """Fetch what is missing of a model, and give its path. Blocks, for minutes perhaps: not for the event loop.

    A connection that breaks is taken up again near where it broke, five times. If that is not enough, or the program
    is ended, files that are complete are kept and the one that was not begins anew next time (the hub's client 2.4
    keeps no part of a file). Each file is compared with the checksum that the hub gives before it counts. No token is
    sent.

    Args:
        endpoint: of the hub, or of a mirror.
        progress: told the name of the file, its bytes so far, and its bytes in all (None if unknown). Called in any
            thread.

    Raises:
        ConfigurationError: there is no model of this name.
        MissingExtra: the extra `models` is not installed.
        ModelUnavailable, AuthenticationFailed, HostUnreachable: the hub does not have it, does not give it, or is not
            there.
        RemoteProtocolError: what came is not what the hub says it is; it was removed.
    """
    model = find(name)
    folder = folder_of(model, root=root)
    missing = _missing(model, folder)
    if missing:
        hub = _hub()
        for file in missing:
            try:
                _fetch(hub, model, file, folder, endpoint, progress)
            except Exception as error:
                ours = _translated(hub, error, model, endpoint)
                if ours is None:
                    raise
                raise ours from error
    return folder / model.entry


def _root(root: str | Path | None) -> Path:
    if root is not None:
        return Path(root).expanduser()
    if chosen := os.environ.get("CHARYE_MODELS"):
        return Path(chosen).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "charye" / "models"


def _missing(model: Model, folder: Path) -> tuple[str, ...]:
    return tuple(
        file for file in model.files if not (folder / file).is_file() or not (folder / file).stat().st_size
    )


def _hub() -> Any:
    try:
        import huggingface_hub
    except ImportError as error:
        raise MissingExtra(feature="fetching a model", extra="models") from error
    return huggingface_hub


def _fetch(
    hub: Any,
    model: Model,
    file: str,
    folder: Path,
    endpoint: str,
    progress: Callable[[str, int, int | None], None] | None,
) -> None:
    # First into a folder of its own: only what was checked has its name, so a name means a whole file.
    waiting = folder / ".unchecked"
    where: dict[str, Any] = {"revision": model.revision, "token": False, "endpoint": endpoint}
    address = hub.hf_hub_url(model.repository, file, revision=model.revision, endpoint=endpoint)
    known = hub.get_hf_file_metadata(address, token=False, endpoint=endpoint)
    got = Path(
        hub.hf_hub_download(
            model.repository, file, local_dir=waiting, tqdm_class=_bar(hub, file, progress), **where
        )
    )
    if not _matches(got, known.etag):
        got.unlink()
        raise RemoteProtocolError("the file that came does not have the hub's checksum")
    target = folder / file
    target.parent.mkdir(parents=True, exist_ok=True)
    got.replace(target)


def _matches(file: Path, etag: str | None) -> bool:
    """Large files have their SHA-256 for an etag, small ones git's SHA-1 of a blob."""
    if etag is not None and len(etag) == 64:
        digest = hashlib.sha256()
    elif etag is not None and len(etag) == 40:
        digest = hashlib.sha1(f"blob {file.stat().st_size}\0".encode(), usedforsecurity=False)
    else:
        return True  # a mirror's own etag: the length was checked while it came
    with file.open("rb") as content:
        while block := content.read(1 << 20):
            digest.update(block)
    return digest.hexdigest() == etag


def _bar(hub: Any, file: str, progress: Callable[[str, int, int | None], None] | None) -> Any:
    """A progress bar that draws nothing and tells."""
    base: Any = hub.utils.tqdm

    class Teller(base):  # type: ignore[misc]
        def __init__(self, *args: Any, **options: Any) -> None:
            self.bytes_so_far = int(options.get("initial") or 0)
            self.bytes_in_all = options.get("total")
            super().__init__(*args, **{**options, "disable": True})

        def update(self, n: float | None = 1) -> bool | None:
            self.bytes_so_far += int(n or 0)
            if progress is not None:
                progress(file, self.bytes_so_far, self.bytes_in_all)
            return None

    return Teller


def _translated(hub: Any, error: Exception, model: Model, endpoint: str) -> CharyeError | None:
    """The hub's errors in our words; None for what is none of those."""
    host = urlsplit(endpoint).hostname
    errors = hub.errors
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, CharyeError):
        return None
    if isinstance(error, errors.GatedRepoError) or status in {401, 403}:
        return AuthenticationFailed(host=host, status=status)
    if status == 404:  # repository, revision or file; a mirror does not say which
        return ModelUnavailable(model=model.name, host=host, status=status)
    if isinstance(error, errors.HfHubHTTPError | errors.LocalEntryNotFoundError | errors.FileMetadataError):
        return HostUnreachable(host=host, status=status)
    if type(error).__module__.partition(".")[0] in {"httpx", "httpcore", "httpx2", "requests"}:
        return HostUnreachable(host=host)
    if isinstance(error, OSError) and "onsistency check" in str(error):
        return RemoteProtocolError("the file that came does not have the hub's length")
    return None
