"""What both papers look like: an A4 sheet with the seller, paragraphs, tables whose head is repeated on
every page, and `Page 1 of 3`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from typing import Any, Final

import msgspec
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, LongTable, Paragraph, SimpleDocTemplate, Spacer, Table

from shopwright.contracts.money import Money
from shopwright.contracts.orders import Address

from . import fonts

MARGIN: Final = 18 * mm
WIDTH: Final = A4[0] - 2 * MARGIN
PADDING: Final = 6  # points that reportlab puts around what stands in a frame
EDGES: Final = (("LEFTPADDING", (0, 0), (0, -1), 0), ("RIGHTPADDING", (-1, 0), (-1, -1), 0))
INK, GREY, RULE = HexColor("#1a1a1a"), HexColor("#666666"), HexColor("#cccccc")

TEXT = ParagraphStyle("text", fontName=fonts.NAME, fontSize=9, leading=12.5, textColor=INK)
SMALL = ParagraphStyle("small", TEXT, fontSize=7.5, leading=10, textColor=GREY)
RIGHT = ParagraphStyle("right", TEXT, alignment=TA_RIGHT)
LABEL_RIGHT = ParagraphStyle("label-right", SMALL, alignment=TA_RIGHT)
TITLE = ParagraphStyle("title", TEXT, fontSize=20, leading=24, alignment=TA_RIGHT)
TOTAL = ParagraphStyle("total", RIGHT, fontSize=12, leading=16)
HEADING = ParagraphStyle("heading", TEXT, fontSize=11, leading=15, spaceBefore=10, spaceAfter=3)


class Seller(msgspec.Struct, frozen=True):
    """Who sells, as the law wants it on paper; `address` has its lines."""

    name: str
    address: tuple[str, ...] = ()
    tax_id: str = ""
    email: str = ""

    @classmethod
    def of(cls, name: str, address: str, tax_id: str, email: str) -> Seller:
        """`address` in one line, its parts parted by commas."""
        return cls(name, tuple(filter(None, (line.strip() for line in address.split(",")))), tax_id, email)


def text(*lines: str, style: ParagraphStyle = TEXT) -> Paragraph:
    """Text of people, one line below the other."""
    return Paragraph("<br/>".join(fonts.markup(line) for line in lines), style)


def amount(value: Money) -> str:
    """`1,999.00 EUR`: a number that reads the same in every country, and the code."""
    number, _, currency = str(value).partition(" ")
    whole, point, rest = number.partition(".")
    return f"{int(whole):,}{point}{rest} {currency}" if whole not in {"-0", ""} else f"{number} {currency}"


def day(when: datetime) -> str:
    return when.date().isoformat()


def address_lines(address: Address) -> list[str]:
    town = " ".join(filter(None, (address.postal_code, address.city)))
    return [
        line
        for line in (
            address.name, address.line1, address.line2 or "", town, address.region or "", address.country,
        )
        if line
    ]  # fmt: skip


def head(
    title: str, seller: Seller, facts: Sequence[tuple[str, str]], buyer: Sequence[str]
) -> list[Flowable]:
    """Seller and buyer on the left, the title and what identifies the paper on the right."""
    who = [
        text(seller.name, *seller.address, *filter(None, (seller.tax_id, seller.email)), style=SMALL),
        Spacer(0, 12 * mm),
        text(*buyer),
    ]
    rows = [[text(name, style=LABEL_RIGHT), text(value, style=RIGHT)] for name, value in facts]
    what = [
        text(title, style=TITLE),
        Spacer(0, 4 * mm),
        Table(rows, colWidths=[30 * mm, 50 * mm], hAlign="RIGHT", style=[*EDGES]),
    ]
    table = Table([[who, what]], colWidths=[WIDTH - 82 * mm, 82 * mm])
    table.setStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), *EDGES])
    return [table, Spacer(0, 8 * mm)]


def rows(names: Sequence[str], body: Sequence[Sequence[Any]], widths: Sequence[float]) -> LongTable:
    """A table whose head stands on every page; the first column is left, the others right, in points."""
    heads = [text(name, style=SMALL if not index else LABEL_RIGHT) for index, name in enumerate(names)]
    table = LongTable([heads, *body], colWidths=widths, repeatRows=1)
    table.setStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, RULE),
            *EDGES,
        ]
    )
    return table


def render(title: str, author: str, story: Sequence[Flowable]) -> bytes:
    fonts.register()
    target = BytesIO()
    document = SimpleDocTemplate(
        target, pagesize=A4, leftMargin=MARGIN - PADDING, rightMargin=MARGIN - PADDING, topMargin=MARGIN,
        bottomMargin=MARGIN, title=title, author=author, creator="Shopwright",
    )  # fmt: skip
    document.build(list(story), canvasmaker=_numbered(title))
    return target.getvalue()


def _numbered(title: str) -> type[Canvas]:
    """A canvas that writes page numbers when it knows how many pages there are."""

    class Numbered(Canvas):  # type: ignore[misc]  # reportlab has no types
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            self._states: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802 - reportlab's name
            self._states.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, state in enumerate(self._states, 1):
                self.__dict__.update(state)
                self.setFont(fonts.NAME, 7.5)
                self.setFillColor(GREY)
                self.drawString(MARGIN, 10 * mm, title)
                self.drawRightString(A4[0] - MARGIN, 10 * mm, f"Page {number} of {len(self._states)}")
                super().showPage()
            super().save()

    return Numbered
