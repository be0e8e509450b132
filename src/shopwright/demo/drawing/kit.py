"""The drawing table: a sheet of 800 by 800 with a wall, a floor and one light from the upper left.

A `Sheet` collects shapes and the gradients they use and writes them as plain SVG: geometry, gradients and
clip paths, no text, style, filter or script. Coordinates grow to the right and down; things stand on
`FLOOR`. Fills are made by `round_` (a turned body), `flat` (a face) and `plain` (one colour).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Any

import msgspec

from ..colours import COLOURS, METALS, WOODS, brightness, colour, dark, light, mix

SIZE = 800
FLOOR = 640
Point = tuple[float, float]

#: category → (wall, floor)
ROOMS = {
    "Lighting": ("#ece6dc", "#ddd3c4"),
    "Seating": ("#e7ebe6", "#d5dad1"),
    "Tables": ("#efe7dd", "#dfd3c3"),
    "Storage": ("#e6e9ec", "#d3d8dc"),
    "Textiles": ("#f0e8e4", "#e2d5ce"),
    "Kitchen": ("#edeae0", "#ddd8c8"),
    "Tableware": ("#e9ecea", "#d8dedb"),
    "Garden": ("#e6ede2", "#cfdac6"),
    "Desk": ("#e8e8ee", "#d6d6df"),
    "Kids": ("#f3ece0", "#e6dac5"),
    "Bath": ("#e3ecee", "#cfdcdf"),
}
PLAIN_ROOM = ("#ebe8e2", "#dad5cb")


class Picture(msgspec.Struct, frozen=True):
    """What is to be drawn: `draw` names the function, `traits` tell it which of its kind."""

    file: str
    alt: str
    category: str
    draw: str
    colour: str
    traits: dict[str, str]
    seed: int


TIMBER = {colour(name) for name in WOODS}

Draw = Callable[["Sheet"], None]
DRAWINGS: dict[str, Draw] = {}


def drawing(name: str) -> Callable[[Draw], Draw]:
    """Register a function that draws what `look.draw` calls `name`."""

    def register(draw: Draw) -> Draw:
        if name in DRAWINGS:
            raise TypeError(f"two drawings are called {name}")
        DRAWINGS[name] = draw
        return draw

    return register


class Sheet:
    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.main = colour(picture.colour)
        self.chance = Random(picture.seed)  # noqa: S311 - the same picture every time
        self.horizon = 590  # where the wall meets the floor
        self._defs: list[str] = []
        self._known: dict[str, str] = {}
        self._body: list[str] = []

    def trait(self, name: str, default: str = "") -> str:
        return self.picture.traits.get(name, default)

    def tone(self, name: str, default: str) -> str:
        """The colour that the trait `name` names, or `default`, itself a colour's name."""
        return colour(self.trait(name, default))

    @property
    def is_wood(self) -> bool:
        return self.picture.colour in WOODS

    @property
    def is_metal(self) -> bool:
        return self.picture.colour in METALS

    def bare(self) -> None:
        """No floor: something on a wall, or on a table and seen from above."""
        self.horizon = SIZE

    # Fills

    def round_(self, base: str, shine: float = 0.45) -> str:
        """A turned body: light on its left, shade on its right."""
        return self._gradient(
            'x1="0" y1="0" x2="1" y2="0"',
            [(0, dark(base, 0.12)), (0.28, light(base, shine)), (0.6, base), (1, dark(base, 0.3))],
        )

    def flat(self, base: str) -> str:
        """A face in the light: a little brighter at the upper left."""
        return self._gradient(
            'x1="0" y1="0" x2="1" y2="1"', [(0, light(base, 0.28)), (0.5, base), (1, dark(base, 0.12))]
        )

    def glow(self, base: str, strength: float = 0.8) -> str:
        """Light that fades out into nothing."""
        return self._gradient("", [(0, base, strength), (1, base, 0.0)], kind="radial")

    def ball(self, base: str) -> str:
        return self._gradient(
            'cx=".36" cy=".32" r=".75"',
            [(0, light(base, 0.6)), (0.45, base), (1, dark(base, 0.35))],
            kind="radial",
        )

    def soft(self, base: str) -> str:
        """Something stuffed: rounder than `flat`, duller than `ball`."""
        return self._gradient(
            'cx=".38" cy=".32" r=".8"',
            [(0, light(base, 0.3)), (0.5, base), (1, dark(base, 0.32))],
            kind="radial",
        )

    def _gradient(self, where: str, stops: Sequence[tuple[Any, ...]], kind: str = "linear") -> str:
        inner = "".join(
            f'<stop offset="{_n(stop[0])}" stop-color="{stop[1]}"'
            + (f' stop-opacity="{_n(stop[2])}"' if len(stop) > 2 else "")
            + "/>"
            for stop in stops
        )
        key = f"{kind}{where}{inner}"
        if key not in self._known:
            self._known[key] = f"g{len(self._known)}"
            self._defs.append(
                f'<{kind}Gradient id="{self._known[key]}" {where}>{inner}</{kind}Gradient>'.replace(" >", ">")
            )
        return f"url(#{self._known[key]})"

    # Shapes

    def rect(self, x: float, y: float, w: float, h: float, fill: str, r: float = 0, **more: Any) -> None:
        corner = f' rx="{_n(r)}"' if r else ""
        self._body.append(
            f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(w)}" height="{_n(h)}"{corner} fill="{fill}"'
            f"{_more(more)}/>"
        )

    def oval(self, cx: float, cy: float, rx: float, ry: float, fill: str, **more: Any) -> None:
        self._body.append(
            f'<ellipse cx="{_n(cx)}" cy="{_n(cy)}" rx="{_n(rx)}" ry="{_n(ry)}" fill="{fill}"{_more(more)}/>'
        )

    def disc(self, cx: float, cy: float, r: float, fill: str, **more: Any) -> None:
        self._body.append(f'<circle cx="{_n(cx)}" cy="{_n(cy)}" r="{_n(r)}" fill="{fill}"{_more(more)}/>')

    def poly(self, points: Iterable[Point], fill: str, **more: Any) -> None:
        listed = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
        self._body.append(f'<polygon points="{listed}" fill="{fill}"{_more(more)}/>')

    def path(self, d: str, fill: str = "none", **more: Any) -> None:
        self._body.append(f'<path d="{d}" fill="{fill}"{_more(more)}/>')

    def line(self, points: Iterable[Point], stroke: str, width: float, **more: Any) -> None:
        """A rod or a thread through `points`, its ends round."""
        (first_x, first_y), *rest = points
        if stroke.startswith("url"):  # a gradient fills nothing that has no width or no height
            first_x, first_y = first_x + 0.1, first_y + 0.1
        listed = " ".join(f"{_n(x)},{_n(y)}" for x, y in [(first_x, first_y), *rest])
        self._body.append(
            f'<polyline points="{listed}" fill="none" stroke="{stroke}" stroke-width="{_n(width)}"'
            f' stroke-linecap="round" stroke-linejoin="round"{_more(more)}/>'
        )

    def curve(self, d: str, stroke: str, width: float, **more: Any) -> None:
        self._body.append(
            f'<path d="{d}" fill="none" stroke="{stroke}" stroke-width="{_n(width)}"'
            f' stroke-linecap="round" stroke-linejoin="round"{_more(more)}/>'
        )

    def strokes(self, lines: Iterable[Sequence[Point]], stroke: str, width: float, **more: Any) -> None:
        """Many rods or threads of one kind, as one element."""
        d = "".join("M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in points) for points in lines)
        self.curve(d, stroke, width, **more)

    def dots(self, centres: Iterable[Point], r: float, fill: str, **more: Any) -> None:
        """Many discs of one size and colour, as one element."""
        self.curve("".join(f"M{x:.0f} {y:.0f}h0" for x, y in centres), fill, r * 2, **more)

    def shapes(self, outlines: Iterable[Sequence[Point]], fill: str, **more: Any) -> None:
        """Many polygons of one colour, as one element."""
        d = "".join("M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in points) + "Z" for points in outlines)
        self.path(d, fill, **more)

    def turned(self, profile: Sequence[Point], fill: str, cx: float = 400, **more: Any) -> None:
        """A body of revolution: `profile` lists (y, half width) from top to bottom, smoothly joined."""
        right = [(cx + half, y) for y, half in profile]
        left = [(cx - half, y) for y, half in reversed(profile)]
        d = f"M{_n(right[0][0])} {_n(right[0][1])}" + _through(right) + f"L{_n(left[0][0])} {_n(left[0][1])}"
        self.path(d + _through(left) + "Z", fill, **more)

    def tapered(self, top: Point, bottom: Point, widths: Point, fill: str) -> None:
        """A leg: from `top` to `bottom`, its width there and there."""
        (x1, y1), (x2, y2), (w1, w2) = top, bottom, widths
        self.poly([(x1 - w1 / 2, y1), (x1 + w1 / 2, y1), (x2 + w2 / 2, y2), (x2 - w2 / 2, y2)], fill)

    def within(self, clip: str, draw: Callable[[], None]) -> None:
        """What `draw` draws, cut to the shapes in `clip` (SVG elements)."""
        name = f"c{len(self._defs)}"
        self._defs.append(f'<clipPath id="{name}">{clip}</clipPath>')
        self._body.append(f'<g clip-path="url(#{name})">')
        draw()
        self._body.append("</g>")

    def turn(self, degrees: float, x: float, y: float, draw: Callable[[], None]) -> None:
        """What `draw` draws, turned about a point."""
        self._body.append(f'<g transform="rotate({_n(degrees)} {_n(x)} {_n(y)})">')
        draw()
        self._body.append("</g>")

    def shadow(self, cx: float, rx: float, y: float = FLOOR, ry: float = 0) -> None:
        """Where something touches the floor."""
        dim = self._gradient("", [(0, "#2a2018", 0.34), (0.7, "#2a2018", 0.12), (1, "#2a2018", 0)], "radial")
        self.oval(cx + rx * 0.06, y, rx * 1.12, ry or max(10, rx * 0.13), dim)

    def grain(self, x: float, y: float, w: float, h: float, base: str) -> None:
        """Fibres along a board of wood."""
        d = ""
        for number in range(3):
            at = y + h * (0.25 + 0.25 * number) + self.chance.uniform(-0.06, 0.06) * h
            bend = self.chance.uniform(-0.12, 0.12) * h
            d += f"M{x + 6:.0f} {at:.0f}q{w / 2 - 6:.0f} {bend:.0f} {w - 12:.0f} 0"
        self.curve(d, dark(base, 0.22), max(1.2, h * 0.02), opacity=0.4)

    def board(self, x: float, y: float, w: float, h: float, base: str, r: float = 4) -> None:
        """A plank or panel, with grain where it is of wood."""
        self.rect(x, y, w, h, self.flat(base), r)
        if base in TIMBER and h >= 14:
            self.grain(x, y, w, h, base)

    def svg(self) -> str:
        wall, floor = ROOMS.get(self.picture.category.split(" ")[0], PLAIN_ROOM)
        lit = 0.7
        if abs(brightness(self.main) - brightness(wall)) < 0.08:
            wall, floor, lit = dark(wall, 0.2), dark(floor, 0.24), 0.4
        room = (
            '<radialGradient id="w" cx=".35" cy=".25" r=".9"><stop offset="0" stop-color="'
            f'{light(wall, lit)}"/><stop offset="1" stop-color="{wall}"/></radialGradient>'
            '<linearGradient id="f" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="'
            f'{floor}"/><stop offset="1" stop-color="{mix(floor, wall, 0.7)}"/></linearGradient>'
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{SIZE}" height="{SIZE}"'
            f' viewBox="0 0 {SIZE} {SIZE}">'
            f"<defs>{room}{''.join(self._defs)}</defs>"
            f'<rect width="{SIZE}" height="{SIZE}" fill="url(#w)"/>'
            f'<rect y="{self.horizon}" width="{SIZE}" height="{SIZE - self.horizon}" fill="url(#f)"/>'
            f"{''.join(self._body)}</svg>\n"
        )


def _through(points: Sequence[Point]) -> str:
    """A smooth line through `points` (Catmull-Rom as cubic Bézier curves)."""
    parts = []
    for number in range(len(points) - 1):
        before, here = points[max(0, number - 1)], points[number]
        there, after = points[number + 1], points[min(len(points) - 1, number + 2)]
        first = (here[0] + (there[0] - before[0]) / 6, here[1] + (there[1] - before[1]) / 6)
        second = (there[0] - (after[0] - here[0]) / 6, there[1] - (after[1] - here[1]) / 6)
        parts.append("C" + " ".join(_n(value) for point in (first, second, there) for value in point))
    return "".join(parts)


def _more(more: dict[str, Any]) -> str:
    return "".join(
        f' {name.replace("_", "-")}="{_n(value) if isinstance(value, int | float) else value}"'
        for name, value in more.items()
    )


def _n(value: float) -> str:
    """A number in as few characters as a tenth of a pixel needs."""
    text = f"{value:.2f}" if abs(value) < 2 else f"{value:.1f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


__all__ = [
    "COLOURS", "DRAWINGS", "FLOOR", "Picture", "Sheet", "brightness", "colour", "dark", "drawing", "light",
    "mix",
]  # fmt: skip
