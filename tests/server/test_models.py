"""The list of models, and fetching one from a hub on this machine."""

from __future__ import annotations

import asyncio
import hashlib
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from charye.errors import (
    AuthenticationFailed,
    ConfigurationError,
    HostUnreachable,
    MissingExtra,
    ModelMissing,
    ModelUnavailable,
    RemoteProtocolError,
)
from charye.server import ears, models, voice
from tests.server.loopback import serving

if TYPE_CHECKING:
    from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TINY = replace(
    models.MODELS[0],
    name="tiny",
    repository="somebody/tiny",
    revision=COMMIT,
    files=("config.json", "onnx/model.onnx"),
    entry="onnx/model.onnx",
)
CONTENT = {"config.json": b'{"a": 1}\n', "onnx/model.onnx": bytes(range(256)) * 4_000}


class Hub:
    """As much of the hub as a download needs."""

    def __init__(self) -> None:
        self.content = dict(CONTENT)
        self.etags = {
            "config.json": hashlib.sha1(b"blob 9\0" + CONTENT["config.json"]).hexdigest(),
            "onnx/model.onnx": hashlib.sha256(CONTENT["onnx/model.onnx"]).hexdigest(),
        }
        self.fetched: list[tuple[str, str | None]] = []
        self.break_at: int | None = None
        self.status = 200
        self.headers: dict[str, str] = {}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        assert "Authorization" not in request.headers
        prefix = f"/somebody/tiny/resolve/{COMMIT}/"
        file = request.path.removeprefix(prefix)
        if self.status != 200 or file not in self.content:
            return web.Response(status=404 if self.status == 200 else self.status, headers=self.headers)
        body = self.content[file]
        headers = {
            "ETag": f'"{self.etags[file]}"',
            "X-Repo-Commit": COMMIT,
            "Accept-Ranges": "bytes",
            "Content-Length": str(len(body)),
        }
        if request.method == "HEAD":
            return web.Response(headers=headers)
        wanted = request.headers.get("Range")
        self.fetched.append((file, wanted))
        begin = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        headers["Content-Length"] = str(len(body) - begin)
        if begin:
            headers["Content-Range"] = f"bytes {begin}-{len(body) - 1}/{len(body)}"
        response = web.StreamResponse(status=206 if begin else 200, headers=headers)
        await response.prepare(request)
        if self.break_at is not None and self.break_at < len(body):
            await response.write(body[begin : self.break_at])
            self.break_at = None
            assert request.transport
            request.transport.close()
            return response
        await response.write(body[begin:])
        return response


@pytest.fixture(autouse=True)
def listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "MODELS", (*models.MODELS, TINY))


def get(hub: Hub, root: Path, told: list[tuple[str, int, int | None]] | None = None) -> Path:
    async def scenario() -> Path:
        async with serving(hub.answer) as url:
            return await asyncio.to_thread(
                models.get,
                "tiny",
                root=root,
                endpoint=url,
                progress=None if told is None else lambda *what: told.append(what),
            )

    return asyncio.run(scenario())


def test_the_list_is_complete_and_names_what_exists() -> None:
    names = [model.name for model in models.MODELS]
    assert len(names) == len(set(names))
    for model in models.MODELS:
        assert hasattr(ears if model.task != "voice" else voice, model.use)
        assert model.licence
        assert model.about
        assert model.size_mb > 0
        assert model.entry in {"", *model.files}
        assert model.source == f"https://huggingface.co/{model.repository}"
        assert models.find(model.name) is model


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ConfigurationError) as caught:
        models.path("no such model")
    assert caught.value.option == "model"


def test_what_was_not_fetched_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing) as caught:
        models.path("tiny", root=tmp_path)
    assert caught.value.missing == ()
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "config.json").write_text("x", encoding="utf-8")
    with pytest.raises(ModelMissing) as caught:
        models.path("tiny", root=tmp_path)
    assert caught.value.missing == ("onnx/model.onnx",)


def test_where_models_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CHARYE_MODELS", raising=False)
    assert models.folder_of(TINY) == tmp_path / "cache" / "charye" / "models" / "tiny"
    monkeypatch.setenv("CHARYE_MODELS", str(tmp_path / "mine"))
    assert models.folder_of(TINY) == tmp_path / "mine" / "tiny"


def test_a_model_is_fetched_once_with_progress(tmp_path: Path) -> None:
    hub = Hub()
    told: list[tuple[str, int, int | None]] = []
    assert not models.is_complete(TINY, root=tmp_path)
    assert get(hub, tmp_path, told) == tmp_path / "tiny" / "onnx" / "model.onnx"
    for file, body in CONTENT.items():
        assert (tmp_path / "tiny" / file).read_bytes() == body
        assert told[[t[0] for t in told].index(file)][2] == len(body)
        assert max(so_far for name, so_far, _ in told if name == file) == len(body)
    assert models.is_complete(TINY, root=tmp_path)
    assert models.path("tiny", root=tmp_path) == tmp_path / "tiny" / "onnx" / "model.onnx"
    assert sorted(file for file, _ in hub.fetched) == sorted(CONTENT)
    get(hub, tmp_path)
    assert len(hub.fetched) == 2  # asked nobody


def test_complete_files_are_kept_when_another_fails(tmp_path: Path) -> None:
    hub = Hub()
    del hub.content["onnx/model.onnx"]
    with pytest.raises(ModelUnavailable):
        get(hub, tmp_path)
    hub.content = dict(CONTENT)
    get(hub, tmp_path)
    assert [file for file, _ in hub.fetched] == ["config.json", "onnx/model.onnx"]


def test_a_line_that_breaks_is_taken_up_where_it_broke(tmp_path: Path) -> None:
    # The hub's client waits a second before it tries again, and takes up at whole blocks of 10 MB.
    hub = Hub()
    large = bytes(range(256)) * 48_000
    hub.content["onnx/model.onnx"] = large
    hub.etags["onnx/model.onnx"] = hashlib.sha256(large).hexdigest()
    hub.break_at = 11_000_000
    get(hub, tmp_path)
    assert (tmp_path / "tiny" / "onnx" / "model.onnx").read_bytes() == large
    ranges = [wanted for file, wanted in hub.fetched if file == "onnx/model.onnx"]
    assert ranges[0] is None
    assert ranges[1] is not None
    assert 0 < int(ranges[1].removeprefix("bytes=").rstrip("-")) <= 11_000_000


@pytest.mark.parametrize("file", CONTENT)
def test_a_file_with_another_checksum_is_removed(tmp_path: Path, file: str) -> None:
    hub = Hub()
    hub.content[file] = hub.content[file][:-1] + b"!"
    with pytest.raises(RemoteProtocolError, match="checksum"):
        get(hub, tmp_path)
    assert not (tmp_path / "tiny" / file).exists()
    hub.content = dict(CONTENT)
    get(hub, tmp_path)
    assert models.is_complete(TINY, root=tmp_path)


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (404, {"X-Error-Code": "RepoNotFound"}, ModelUnavailable),
        (404, {}, ModelUnavailable),  # a mirror
        (404, {"X-Error-Code": "RevisionNotFound"}, ModelUnavailable),
        (403, {"X-Error-Code": "GatedRepo"}, AuthenticationFailed),
        (400, {}, HostUnreachable),
    ],
)
def test_refusals_are_said_in_our_words(
    tmp_path: Path, status: int, headers: dict[str, str], expected: type[Exception]
) -> None:
    hub = Hub()
    hub.status, hub.headers = status, headers
    with pytest.raises(expected):
        get(hub, tmp_path)


def test_no_hub_there_is_an_error(tmp_path: Path) -> None:
    async def gone() -> str:
        async with serving(Hub().answer) as url:
            return url

    url = asyncio.run(gone())
    with pytest.raises(HostUnreachable) as caught:
        models.get("tiny", root=tmp_path, endpoint=url)
    assert caught.value.host == "127.0.0.1"


def test_without_the_extra_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtra) as caught:
        models.get("tiny", root=tmp_path)
    assert caught.value.extra == "models"
