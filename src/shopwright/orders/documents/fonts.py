"""Which font prints a piece of text: Noto Sans for Latin, Greek, Cyrillic and Devanagari, and for Chinese,
Japanese and Korean the fonts that a PDF viewer brings (they are named in the file, not embedded).

`markup` makes text of people safe for a reportlab paragraph: nothing in it is read as markup.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from itertools import groupby
from typing import Final
from xml.sax.saxutils import escape

import fontpkg_noto_sans
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont

NAME: Final = "NotoSans"
FILE: Final = fontpkg_noto_sans.ROOT / "files" / "NotoSans[wdth,wght].ttf"

#: A viewer's font, and the charset that tells whether it has a character; the first that has all wins.
ASIAN: Final = (
    ("HeiseiKakuGo-W5", "cp932"),
    ("HYGothic-Medium", "cp949"),
    ("STSong-Light", "gbk"),
    ("MSung-Light", "big5hkscs"),
)


@cache
def register() -> frozenset[int]:
    """Make the fonts known to reportlab, once; returns the code points that Noto Sans has."""
    noto = TTFont(NAME, str(FILE))
    pdfmetrics.registerFont(noto)
    for name, _ in ASIAN:
        pdfmetrics.registerFont(UnicodeCIDFont(name))
    return frozenset(noto.face.charToGlyph)


def markup(text: str) -> str:
    """`text` for a paragraph: escaped, control characters gone, each run in a font that has it."""
    known = register()
    plain = "".join(
        " " if unicodedata.category(letter) in {"Cc", "Cs", "Co"} else letter
        for letter in unicodedata.normalize("NFC", text)
    )
    runs = [(has, "".join(letters)) for has, letters in groupby(plain, lambda letter: ord(letter) in known)]
    return "".join(escape(run) if has else _asian(run) for has, run in runs)


def _asian(run: str) -> str:
    name = next((name for name, charset in ASIAN if _has(charset, run)), None)
    return f'<font name="{name}">{escape(run)}</font>' if name else escape(run)


def _has(charset: str, run: str) -> bool:
    try:
        run.encode(charset)
    except UnicodeEncodeError:
        return False
    return True
