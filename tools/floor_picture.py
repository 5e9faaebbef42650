"""Draws the states of the floor, from the table in `charye.core.floor`: ``docs/images/floor-states.svg``.

By hand are only places: of the states (`PLACES`), and of the arrows that are drawn as lines (`ROUTES`). What is
drawn comes from the table, every row of it. An arrow without a route is listed in the card of its state, and so are
the inputs that leave the state as it is; rows that hold nearly everywhere are two notes. So a new row is never
missing, and it says by its place that somebody should look at the picture.

Every drawn input carries `data-input` inside a group with `data-from` and `data-to`; a test reads the rows back.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from charye.core.floor import CLAIMS, RUNS, TRANSITIONS, Input, State
from tools.enum_comments import told

WIDTH, HEIGHT = 1236, 926
CARD_WIDTH = 212
LINE = 14.0
FONT = "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', sans-serif"

S = State
COLUMN = (
    144.0,
    556.0,
    972.0,
)  # nothing of ours is unanswered; our create is; ... and nobody wants it any more
PLACES: dict[State, tuple[float, float]] = {
    S.OFFLINE: (COLUMN[0], 92),
    S.BLOCKED: (COLUMN[1], 92),
    S.OPEN: (COLUMN[0], 286),
    S.CLAIMED: (COLUMN[1], 286),
    S.WITHDRAWN: (COLUMN[2], 286),
    S.HELD: (COLUMN[0], 556),
    S.CONTESTED: (COLUMN[1], 556),
    S.WITHDRAWN_CONTESTED: (COLUMN[2], 556),
    S.YIELDING: (COLUMN[0], 822),
}
MIN_HEIGHT = {S.CLAIMED: 84.0, S.HELD: 84.0}
NOTES = (812.0, 98.0)

EVERYWHERE = 5
"""An input that leaves at least so many states as they are is told in a note, not in every card."""

KNOWN = {
    (False, False): "nobody is known to speak",
    (True, False): "create unanswered",
    (False, True): "a response runs",
    (True, True): "unanswered; another runs",
}
KINDS = {
    "what we do": "do",
    "what the server says": "hear",
    "what time says": "time",
    "what the line does": "line",
}


@dataclass(frozen=True, slots=True)
class Route:
    """Where a line goes.

    Args:
        start, end: the side of the card, and how far from its left or upper end.
        via: the corners between them. All lines are horizontal or vertical.
        label: where the first line of its label stands, by its `anchor`.
    """

    start: tuple[str, float]
    via: tuple[tuple[float, float], ...]
    end: tuple[str, float]
    label: tuple[float, float]
    anchor: str = "start"


def _straight(
    start: tuple[str, float], end: tuple[str, float], x: float, y: float, anchor: str = "start"
) -> Route:
    return Route(start, (), end, (x, y), anchor)


A, B, C = COLUMN
ROUTES: dict[tuple[State, State], Route] = {
    (S.OFFLINE, S.OPEN): _straight(("bottom", 60), ("top", 60), A + 68, 220),
    (S.OPEN, S.CLAIMED): _straight(("right", 16), ("left", 16), 364, 296),
    (S.CLAIMED, S.OPEN): _straight(("left", 34), ("right", 34), 364, 336),
    (S.CLAIMED, S.WITHDRAWN): _straight(("right", 34), ("left", 34), 776, 300),
    (S.CLAIMED, S.BLOCKED): _straight(("top", 100), ("bottom", 100), B + 108, 260),
    (S.CLAIMED, S.CONTESTED): _straight(("bottom", 150), ("top", 150), B + 157, 428),
    (S.CONTESTED, S.CLAIMED): _straight(("top", 128), ("bottom", 128), B + 121, 442, "end"),
    (S.CLAIMED, S.HELD): Route(("bottom", 10), ((B + 10, 528), (A + 186, 528)), ("top", 186), (364, 508)),
    (S.CLAIMED, S.WITHDRAWN_CONTESTED): Route(
        ("right", 70), ((882, 356), (882, 528), (C + 16, 528)), ("top", 16), (776, 350)
    ),
    (S.BLOCKED, S.OPEN): Route(("left", 96), ((A + 164, 188),), ("top", 164), (364, 154)),
    (S.WITHDRAWN, S.BLOCKED): Route(("top", 40), ((C + 40, 188),), ("right", 96), (778, 206)),
    (S.OPEN, S.HELD): _straight(("bottom", 138), ("top", 138), A + 145, 448),
    (S.HELD, S.OPEN): _straight(("top", 116), ("bottom", 116), A + 109, 448, "end"),
    (S.HELD, S.YIELDING): _straight(("bottom", 138), ("top", 138), A + 145, 772),
    (S.YIELDING, S.HELD): _straight(("top", 116), ("bottom", 116), A + 109, 772, "end"),
    (S.YIELDING, S.OPEN): Route(("left", 24), ((128, 846), (128, 310)), ("left", 24), (122, 572), "end"),
    (S.CONTESTED, S.HELD): _straight(("left", 34), ("right", 34), 364, 608),
    (S.CONTESTED, S.WITHDRAWN_CONTESTED): _straight(("right", 34), ("left", 34), 776, 608),
    (S.WITHDRAWN, S.WITHDRAWN_CONTESTED): _straight(("bottom", 78), ("top", 78), C + 85, 470),
    (S.WITHDRAWN_CONTESTED, S.WITHDRAWN): _straight(("top", 56), ("bottom", 56), C + 49, 484, "end"),
    (S.WITHDRAWN_CONTESTED, S.HELD): Route(
        ("bottom", 40), ((C + 40, 736), (A + 186, 736)), ("bottom", 186), (554, 754)
    ),
    (S.WITHDRAWN_CONTESTED, S.YIELDING): Route(("bottom", 90), ((C + 90, 846),), ("right", 24), (800, 840)),
    (S.WITHDRAWN, S.YIELDING): Route(("right", 34), ((1216, 320), (1216, 884)), ("right", 62), (800, 878)),
}


def render() -> str:
    """The picture, as SVG."""
    lines, labels = [], []
    for (before, after), inputs in _arrows().items():
        if (before, after) in ROUTES:
            lines.append(_line(before, after))
            labels.append(_label(before, after, inputs))
    cards = [_card(state) for state in State]
    return "\n".join([_head(), *lines, *cards, *labels, *_notes(), "</svg>", ""])


# what is drawn


def _common() -> set[Input]:
    """The inputs that leave nearly every state as it is."""
    stays = [what for (state, what), (after, _) in TRANSITIONS.items() if after is state]
    return {what for what in stays if stays.count(what) >= EVERYWHERE}


def _arrows() -> dict[tuple[State, State], list[Input]]:
    """Every arrow with its inputs in the order of the enum, but for those of the notes."""
    found: dict[tuple[State, State], list[Input]] = {}
    for what in Input:
        for state in State:
            after = TRANSITIONS[state, what][0] if (state, what) in TRANSITIONS else None
            noted = after is State.OFFLINE or (after is state and what in _common())
            if after is not None and not noted:
                found.setdefault((state, after), []).append(what)
    return found


def _listed(state: State) -> list[tuple[State, list[Input]]]:
    """What stands in the card of this state: where it stays, then the arrows that are no lines."""
    found = [
        (after, inputs)
        for (before, after), inputs in _arrows().items()
        if before is state and (before, after) not in ROUTES
    ]
    return sorted(found, key=lambda entry: entry[0] is not state)


def _sources(what: Input, after: State | None) -> list[State]:
    """From which states this input leads there; None: to where it was."""
    return [
        state for (state, given), row in TRANSITIONS.items() if given is what and row[0] is (after or state)
    ]


def _height(state: State) -> float:
    lines = sum(1 + len(inputs) for _, inputs in _listed(state))
    return max(46 + LINE * lines + (8 if lines else 0), MIN_HEIGHT.get(state, 0))


# how it is drawn


def _words(what: Input, x: float, y: float, anchor: str = "start") -> str:
    kind = KINDS[told(Input)[what].group]
    where = f'x="{x:g}" y="{y:g}"' + ("" if anchor == "start" else f' text-anchor="{anchor}"')
    return f'    <text class="{kind}" data-input="{what.name}" {where}>{escape(what.value)}</text>'


def _group(before: str, after: str, *inside: str, **attributes: str) -> str:
    more = "".join(f' {name.rstrip("_")}="{value}"' for name, value in attributes.items())
    return "\n".join([f'  <g data-from="{before}" data-to="{after}"{more}>', *inside, "  </g>"])


def _port(state: State, port: tuple[str, float]) -> tuple[float, float]:
    """A point on the edge of a card: the side, and the distance from its top or left end."""
    (x, y), (side, along) = PLACES[state], port
    match side:
        case "left":
            return x, y + along
        case "right":
            return x + CARD_WIDTH, y + along
        case "top":
            return x + along, y
        case _:
            return x + along, y + _height(state)


def _line(before: State, after: State) -> str:
    route = ROUTES[before, after]
    points = [_port(before, route.start), *route.via, _port(after, route.end)]
    path = "M{:g} {:g}".format(*points[0])
    for i, (x, y) in enumerate(points[1:-1], 1):
        corner_in, corner_out = _towards((x, y), points[i - 1]), _towards((x, y), points[i + 1])
        path += f" L{corner_in[0]:g} {corner_in[1]:g} Q{x:g} {y:g} {corner_out[0]:g} {corner_out[1]:g}"
    end = _towards(points[-1], points[-2], 1.5)
    return f'  <path class="arrow" d="{path} L{end[0]:g} {end[1]:g}" marker-end="url(#head)"/>'


def _towards(
    point: tuple[float, float], other: tuple[float, float], distance: float = 9
) -> tuple[float, float]:
    """A little way from one point to another; all lines are horizontal or vertical."""
    (x, y), (to_x, to_y) = point, other
    step_x = distance * ((to_x > x) - (to_x < x))
    return (x + step_x, y + (0 if step_x else distance * ((to_y > y) - (to_y < y))))


def _label(before: State, after: State, inputs: list[Input]) -> str:
    route = ROUTES[before, after]
    x, y = route.label
    lines = [_words(what, x, y + LINE * i, route.anchor) for i, what in enumerate(inputs)]
    return _group(before.value, after.value, *lines, class_="label")


def _card(state: State) -> str:
    x, y = PLACES[state]
    height = _height(state)
    parts = [f'  <rect class="card" x="{x:g}" y="{y:g}" width="{CARD_WIDTH}" height="{height:g}" rx="8"/>']
    if state in CLAIMS:
        parts.append(
            f'  <rect class="claim" x="{x + 7:g}" y="{y + 9:g}" width="4" height="{height - 18:g}" rx="2"/>'
        )
    if state in RUNS:
        right = x + CARD_WIDTH - 11
        parts.append(
            f'  <rect class="runs" x="{right:g}" y="{y + 9:g}" width="4" height="{height - 18:g}" rx="2"/>'
        )
    parts.append(
        f'  <text class="ink name" x="{x + 18:g}" y="{y + 22:g}">{escape(state.value.replace("_", " "))}</text>'
    )
    parts.append(
        f'  <text class="dim" x="{x + 18:g}" y="{y + 38:g}">{KNOWN[state in CLAIMS, state in RUNS]}</text>'
    )
    at = y + 56
    for after, inputs in _listed(state):
        title = "stays" if after is state else f"→ {after.value.replace('_', ' ')}"
        lines = [f'    <text class="ink" x="{x + 18:g}" y="{at:g}">{title}</text>']
        lines += [_words(what, x + 28, at + LINE * i) for i, what in enumerate(inputs, 1)]
        parts.append(_group(state.value, after.value, *lines))
        at += LINE * (len(inputs) + 1)
    return "\n".join(parts)


def _called(states: list[State]) -> str:
    """These states in words."""
    others = [state.value.replace("_", " ") for state in State if state not in states]
    if others == [State.OFFLINE.value]:
        return "everywhere"
    if len(others) <= 2:
        return "every state but " + " and ".join(others)
    return " and ".join(state.value.replace("_", " ") for state in states)


def _notes() -> list[str]:
    """The rows that lead to `offline`, and those that nearly everywhere change nothing."""
    notes: dict[tuple[str, str, str], list[Input]] = {}
    for what in Input:
        if sources := _sources(what, State.OFFLINE):
            words = f"→ offline, from {_called(sources)}"
            notes.setdefault((words, " ".join(state.value for state in sources), "offline"), []).append(what)
    for what in sorted(_common(), key=list(Input).index):
        sources = _sources(what, None)
        names = " ".join(state.value for state in sources)
        notes.setdefault((f"stays, in {_called(sources)}", names, "stays"), []).append(what)
    x, y = NOTES
    drawn = []
    for (words, before, after), inputs in sorted(
        notes.items(), key=lambda note: (note[0][2] != "offline", -len(note[0][1]))
    ):
        lines = [f'    <text class="ink" x="{x:g}" y="{y:g}">{escape(words)}</text>']
        for i, what in enumerate(inputs):
            lines.append(_words(what, x + 10 + 150 * i, y + LINE))
        drawn.append(_group(before, after, *lines))
        y += 2 * LINE + 4
    return drawn


def _head() -> str:
    rows = len(TRANSITIONS)
    legend = []
    x = 24.0
    for group, kind in KINDS.items():
        legend.append(f'  <text class="{kind} strong" x="{x:g}" y="56">{group}</text>')
        x += 24 + 6.4 * len(group)
    x = COLUMN[1] + 60
    for kind, words in (("claim", "our create is unanswered"), ("runs", "a response runs")):
        legend.append(f'  <rect class="{kind}" x="{x:g}" y="45" width="4" height="14" rx="2"/>')
        legend.append(f'  <text class="dim" x="{x + 11:g}" y="56">{words}</text>')
        x += 40 + 6.4 * len(words)
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="title desc" \
font-family="{FONT}" font-size="11.5">
  <!-- generated by tools/floor_picture.py from charye.core.floor; change it there, then: make docs -->
  <title id="title">The states of the floor</title>
  <desc id="desc">{len(State)} states and the {rows} rows of the table that lead from one to another. The same as \
text: docs/reference/floor.md.</desc>
  <style>
    .bg {{ fill: #fbfaf8 }} .card {{ fill: #fff; stroke: #b9b4aa }} .ink {{ fill: #23262b }} .dim {{ fill: #5f6670 }}
    .arrow {{ fill: none; stroke: #8b919b; stroke-width: 1.4 }} .head {{ fill: #6b727c }}
    .label text {{ paint-order: stroke; stroke: #fbfaf8; stroke-width: 3px; stroke-linejoin: round }}
    .do {{ fill: #1f6f69 }} .hear {{ fill: #34549a }} .time {{ fill: #96520c }} .line {{ fill: #8a2f78 }}
    .claim {{ fill: #c98a3f }} .runs {{ fill: #5b7fc7 }}
    .name {{ font-size: 14px; font-weight: 600 }} .strong {{ font-weight: 600 }}
    @media (prefers-color-scheme: dark) {{
      .bg {{ fill: #16181c }} .card {{ fill: #202329; stroke: #454b55 }}
      .ink {{ fill: #e8e6e1 }} .dim {{ fill: #9aa1ab }}
      .arrow {{ stroke: #6b727c }} .head {{ fill: #9aa1ab }} .label text {{ stroke: #16181c }}
      .do {{ fill: #5fb8af }} .hear {{ fill: #8fadea }} .time {{ fill: #dda05a }} .line {{ fill: #d48fc5 }}
    }}
  </style>
  <defs><marker id="head" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="7" markerHeight="7" \
orient="auto"><path class="head" d="M0 1.5 L9 5 L0 8.5 Z"/></marker></defs>
  <rect class="bg" width="{WIDTH}" height="{HEIGHT}" rx="10"/>
  <text class="ink" x="24" y="32" font-size="16" font-weight="600">The floor: who holds the one voice</text>
{chr(10).join(legend)}"""
