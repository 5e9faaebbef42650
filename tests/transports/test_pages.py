"""The pages about connecting say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from charye.transports import settings
from charye.transports.endpoints import Azure

HOWTO = Path(__file__).resolve().parents[2] / "docs" / "howto"
CONNECT = (HOWTO / "connect.md").read_text(encoding="utf-8")
AZURE = (HOWTO / "azure.md").read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def test_the_table_has_every_option_and_its_variable() -> None:
    table = CONNECT[CONNECT.index("| option |") : CONNECT.index("The provider is")]
    rows = [row.removeprefix("|").removesuffix("|").split("|") for row in table.splitlines()[2:] if row]
    told: dict[str, dict[str, str]] = {"openai": {}, "azure": {}, "compatible": {}}
    for names, *variables in rows:
        for provider, cell in zip(told, variables, strict=True):
            for variable in re.findall(r"`([A-Z_]+)`", cell):
                (name,) = (
                    one
                    for one in re.findall(r"`(\w+)`", names)
                    if one in settings._PROVIDERS[provider].options
                )
                told[provider][name] = variable
    assert told == {
        name: {option: variable for option, variable in known.options.items() if variable}
        for name, known in settings._PROVIDERS.items()
    }


def test_the_file_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = blocks(CONNECT, "toml")
    (tmp_path / "charye.toml").write_text(block)
    monkeypatch.chdir(tmp_path)
    for name in ("CHARYE_PROVIDER", "CHARYE_CONFIG", "AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_DEPLOYMENT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "k")
    made = Azure(endpoint="https://example.openai.azure.com", deployment="gpt-realtime", api_key="k")
    assert settings.endpoint() == made


@pytest.mark.parametrize("page", [CONNECT, AZURE])
def test_the_python_blocks_make_an_endpoint(page: str) -> None:
    names: dict[str, object] = {}
    for block in blocks(page, "python"):
        exec(compile(block, "page", "exec"), names)
    assert "endpoint" in names
