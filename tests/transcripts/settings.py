"""The `settings:` line: fields of `Settings`, and `patience.` and `tools.` fields, by name."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from charye.core.playout import Reporting
from charye.core.settings import Settings
from charye.core.waiting import WhenFull
from charye.protocol import dialects
from tests.transcripts.notation import NotReadable

__all__ = ["settings_of"]


def settings_of(fields: Mapping[str, object]) -> Settings:
    """Make settings.

    Raises:
        NotReadable: there is no such setting.
    """
    given: dict[str, Any] = {}
    parts: dict[str, dict[str, Any]] = {"patience": {}, "tools": {}}
    for path, value in fields.items():
        part, _, name = path.partition(".")
        if name and part in parts:
            parts[part][name] = value
        else:
            given[path] = value
    settings = Settings()
    try:
        if "dialect" in given:
            given["dialect"] = dialects.named(str(given["dialect"]))
        if "reporting" in given:
            given["reporting"] = Reporting[str(given["reporting"]).upper()]
        if "when_full" in given:
            given["when_full"] = WhenFull[str(given["when_full"]).upper()]
        patience = replace(settings.patience, **parts["patience"])
        tools = replace(settings.tools, **parts["tools"])
        return replace(settings, patience=patience, tools=tools, **given)
    except (KeyError, TypeError, ValueError) as error:
        raise NotReadable(f"no such setting: {error}") from error
