"""Draws the demo shop's products as plain SVG, one function a kind of thing, by what its traits say.

`kit` is the drawing table; the other modules hold the drawings, by department. The same bytes every time.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from .kit import DRAWINGS, Picture, Sheet

__all__ = ["DRAWINGS", "Picture", "draw"]

for _department in iter_modules(__path__):
    import_module(f"{__name__}.{_department.name}")


def draw(picture: Picture) -> str:
    """The picture as SVG; raises KeyError for something nobody has drawn."""
    sheet = Sheet(picture)
    DRAWINGS[picture.draw](sheet)
    return sheet.svg()
