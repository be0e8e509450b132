"""SVG drawings from strangers: rebuilt from an allow-list of elements and attributes, or refused.

What is kept draws and nothing else: no scripts, no events, no foreign content, no styles that load, no
reference but to the drawing's own ids. The parser takes no document type, hence no entities.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple
from xml.etree import ElementTree as ET
from xml.parsers import expat

from .domain import PictureRefused

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
BYTES_MAX = 1_048_576
ELEMENTS_MAX = 20_000
DEPTH_MAX = 64
SIDE = 1_200  # pixels of a drawing that names no size

_ELEMENTS = """
svg g defs symbol use path rect circle ellipse line polyline polygon text tspan title desc
linearGradient radialGradient stop clipPath mask pattern marker filter feGaussianBlur feOffset feMerge
feMergeNode feColorMatrix feBlend feFlood feComposite feDropShadow feTurbulence feDisplacementMap
feComponentTransfer feFuncR feFuncG feFuncB feFuncA feMorphology
"""
_ATTRIBUTES = """
id class version viewBox preserveAspectRatio width height x y x1 y1 x2 y2 cx cy r rx ry fx fy fr d points
transform gradientTransform gradientUnits patternTransform patternUnits patternContentUnits spreadMethod
offset stop-color stop-opacity fill fill-opacity fill-rule stroke stroke-width stroke-opacity
stroke-linecap stroke-linejoin stroke-miterlimit stroke-dasharray stroke-dashoffset opacity color
clip-path clip-rule clipPathUnits mask mask-type maskUnits maskContentUnits marker-start marker-mid
marker-end markerWidth markerHeight markerUnits orient refX refY filter filterUnits primitiveUnits in in2
result stdDeviation dx dy mode type values operator k1 k2 k3 k4 radius flood-color flood-opacity
baseFrequency numOctaves seed scale stitchTiles xChannelSelector yChannelSelector tableValues slope
intercept amplitude exponent font-family font-size font-weight font-style text-anchor dominant-baseline
letter-spacing word-spacing rotate textLength lengthAdjust visibility display overflow paint-order
vector-effect shape-rendering text-rendering color-interpolation-filters mix-blend-mode pathLength role
aria-label aria-hidden aria-labelledby
"""
ELEMENTS, ATTRIBUTES = frozenset(_ELEMENTS.split()), frozenset(_ATTRIBUTES.split())
_OWN = re.compile(r"#[\w.:-]+")
_URL = re.compile(r"url\s*\(", re.IGNORECASE)
_OWN_URL = re.compile(r"""url\(\s*(['"]?)#[\w.:-]+\1\s*\)""", re.IGNORECASE)
_LENGTH = re.compile(r"\s*(\d+(?:\.\d+)?)(?:px)?\s*")


class Drawing(NamedTuple):
    """Safe SVG and its size in pixels."""

    content: bytes
    width: int
    height: int


def clean_svg(content: bytes) -> Drawing:
    """`content` rebuilt from what draws; raises PictureRefused when it is no drawing or does more."""
    if len(content) > BYTES_MAX:
        raise PictureRefused(detail=f"a drawing is at most {BYTES_MAX} bytes")
    root = _parse(content)
    if root is None or root.tag != f"{{{SVG}}}svg":
        raise PictureRefused(detail="the first element is not <svg> of the SVG namespace")
    ET.register_namespace("", SVG)
    ET.register_namespace("xlink", XLINK)
    width, height = _size(root)
    return Drawing(ET.tostring(root, encoding="utf-8"), width, height)


class _Builder:
    """Builds the tree from what the parser meets, refusing as soon as something is wrong."""

    def __init__(self) -> None:
        self._tree = ET.TreeBuilder()
        self._depth = self._count = 0
        self._skipping = 0  # the depth of an editor's own element, which is left out with all it holds

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._count += 1
        if self._depth > DEPTH_MAX or self._count > ELEMENTS_MAX:
            raise PictureRefused(detail="the drawing has too many elements")
        space, _, local = name.rpartition("}")
        if self._skipping or space != SVG or local == "metadata":
            self._skipping = self._skipping or self._depth
            return
        if local not in ELEMENTS:
            raise PictureRefused(detail=f"<{local}> has no place in a drawing")
        self._tree.start(f"{{{SVG}}}{local}", dict(_attributes(attributes)))

    def end(self, name: str) -> None:
        if not self._skipping:
            self._tree.end(f"{{{SVG}}}{name.rpartition('}')[2]}")
        elif self._skipping == self._depth:
            self._skipping = 0
        self._depth -= 1

    def data(self, text: str) -> None:
        if not self._skipping:
            self._tree.data(text)

    def refuse(self, *_: object) -> int:
        raise PictureRefused(detail="a drawing has no document type and no entities")

    def close(self) -> ET.Element:
        return self._tree.close()


def _parse(content: bytes) -> ET.Element:
    builder = _Builder()
    parser = expat.ParserCreate(namespace_separator="}")
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = builder.refuse
    parser.EntityDeclHandler = builder.refuse
    parser.ExternalEntityRefHandler = builder.refuse
    try:
        parser.Parse(content, True)
        return builder.close()
    except (expat.ExpatError, AssertionError, ValueError, LookupError) as error:
        raise PictureRefused(detail=f"the drawing is not well-formed XML: {error}") from error


def _attributes(attributes: dict[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in attributes.items():
        space, _, local = name.rpartition("}")
        if local == "href" and space in {"", XLINK}:
            if not _OWN.fullmatch(value.strip()):
                raise PictureRefused(detail="a drawing refers to nothing outside itself")
            yield ("href" if not space else f"{{{XLINK}}}href"), value.strip()
        elif local == "style" and not space:
            yield from _styles(value)
        elif not space and local in ATTRIBUTES:
            _refuse_outside(value)
            yield local, value
        elif local.lower().startswith("on"):
            raise PictureRefused(detail=f"{local} has no place in a drawing")


def _styles(value: str) -> Iterator[tuple[str, str]]:
    """Declarations become attributes, which can do less."""
    for declaration in value.split(";"):
        name, _, given = declaration.partition(":")
        if name.strip() in ATTRIBUTES and given.strip():
            _refuse_outside(given)
            yield name.strip(), given.strip()


def _refuse_outside(value: str) -> None:
    flat = re.sub(r"[\x00-\x20]+", "", value).lower()
    outside = len(_URL.findall(value)) != len(_OWN_URL.findall(value))
    if outside or "\\" in value or "/*" in value or "javascript:" in flat or "@import" in flat:
        raise PictureRefused(detail="a drawing refers to nothing outside itself")


def _size(root: ET.Element) -> tuple[int, int]:
    """Pixels, from width and height or from the proportions of the view box."""
    numbers = [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", root.get("viewBox", ""))[:4]]
    width, height = _LENGTH.fullmatch(root.get("width", "")), _LENGTH.fullmatch(root.get("height", ""))
    if width and height:
        sides = float(width[1]), float(height[1])
    elif len(numbers) == 4 and min(numbers[2:]) > 0:
        longest = max(numbers[2:])
        sides = SIDE * numbers[2] / longest, SIDE * numbers[3] / longest
    else:
        sides = SIDE, SIDE
    return tuple(min(max(1, round(side)), 100_000) for side in sides)  # type: ignore[return-value]
