"""What stands at the basin and across the tub."""

from __future__ import annotations

from functools import partial

from .kit import Sheet, colour, dark, drawing, light

PORCELAIN = "#f4f6f5"


@drawing("dispenser")
def dispenser(s: Sheet) -> None:
    main, metal = s.main, s.tone("trim", "Brass")
    s.shadow(400, 130)
    s.rect(390, 190, 20, 120, s.round_(metal))
    s.path(
        "M256 178Q256 162 276 162H420Q440 162 440 186V204H392V192H286Q282 204 268 204Q254 196 256 178Z",
        s.flat(metal),
    )
    s.rect(366, 270, 68, 40, s.round_(metal), 8)
    s.turned([(304, 44), (330, 62), (370, 118), (440, 134), (560, 134), (630, 122)], s.round_(main))
    s.rect(278, 596, 244, 40, s.round_(dark(colour("Clay"), 0.05)), 14)


@drawing("soap_dish")
def soap_dish(s: Sheet) -> None:
    main, soap = s.main, "#c9c98f"
    s.shadow(400, 260, 640)
    s.path(
        "M140 520Q150 636 280 640H540Q660 636 680 530L720 520Q690 500 660 500H180Q150 500 140 520Z",
        s.ball(main),
    )
    s.oval(404, 510, 268, 52, s.flat(dark(main, 0.14)))
    s.oval(404, 504, 268, 50, s.flat(light(main, 0.15)))
    s.oval(404, 512, 226, 36, dark(main, 0.22))
    s.strokes(
        [[(230 + number * 58, 490), (222 + number * 60, 532)] for number in range(7)], light(main, 0.4), 14
    )
    s.rect(270, 430, 270, 84, s.flat(dark(soap, 0.14)), 36)
    s.rect(270, 408, 270, 80, s.flat(soap), 36)
    s.rect(320, 428, 170, 40, "none", 18, stroke=dark(soap, 0.2), stroke_width=5)
    s.disc(556, 420, 26, "#ffffff", opacity=0.5)
    s.disc(590, 380, 14, "#ffffff", opacity=0.5)


@drawing("brush")
def brush(s: Sheet) -> None:
    s.bare()
    s.turn(38, 400, 400, lambda: _brush(s, "#2a2018", 12, 0.16))
    s.turn(38, 400, 400, lambda: _brush(s, s.main, 0, 1))


def _brush(s: Sheet, base: str, off: float, solid: float) -> None:
    handle = f"M{384 + off} 760Q{370 + off} 560 {392 + off} 380H{424 + off}Q{440 + off} 560 {424 + off} 760Z"
    if solid < 1:
        s.path(handle, base, opacity=solid)
        s.oval(408 + off, 210, 84, 190, base, opacity=solid)
        return
    s.path(handle, s.round_(base))
    s.curve("M404 752Q380 800 404 820Q428 800 404 752", colour("Linen"), 6)
    s.rect(316, 60, 60, 300, s.flat("#e3d2a4"), 30)
    bristles = [[(340, y), (270, y - 2)] for y in range(84, 344, 9)]
    s.strokes(bristles, "#d9c48e", 7)
    s.strokes([[(340, y + 4), (274, y + 4)] for y in range(84, 344, 18)], dark("#d9c48e", 0.2), 3)
    s.oval(404, 212, 70, 180, s.round_(base))
    s.grain(350, 100, 108, 210, base)


@drawing("brush_cup")
def brush_cup(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 140)
    for x, top, lean, tone in ((366, 130, -14, "Coral"), (436, 150, 12, "Sea")):
        s.turn(lean, x, 420, partial(_toothbrush, s, x, top, colour(tone)))
    s.oval(400, 372, 122, 24, dark(main, 0.45))
    s.path("M278 372A122 24 0 0 0 522 372L540 600Q540 638 500 638H300Q260 638 260 600Z", s.round_(main))
    s.curve("M280 374A122 24 0 0 0 520 374", light(main, 0.4), 7)
    s.path(
        "M262 588Q400 620 538 588L540 600Q540 638 500 638H300Q260 638 260 600Z",
        s.round_(dark(colour("Clay"), 0.05)),
    )


def _toothbrush(s: Sheet, x: float, top: float, tone: str) -> None:
    s.rect(x - 10, top, 20, 330, s.round_(tone), 10)
    s.rect(x - 38, top + 6, 34, 84, s.flat("#fbfbf6"), 5)
    s.strokes([[(x - 36, y), (x - 12, y)] for y in range(int(top) + 18, int(top) + 88, 12)], "#c9d6d8", 3)
    s.rect(x - 12, top, 24, 100, s.round_(tone), 12)


@drawing("tub_bridge")
def tub_bridge(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 300, 720)
    s.path("M120 470H680Q690 690 560 716H240Q110 690 120 470Z", s.round_(PORCELAIN, 0.9))
    s.oval(400, 470, 290, 52, s.flat(PORCELAIN))
    s.oval(400, 476, 258, 38, s.flat("#9cc3c9"))
    s.rect(110, 462, 22, 22, s.round_(PORCELAIN), 11)
    s.poly([(60, 450), (740, 450), (700, 400), (100, 400)], s.flat(light(main, 0.12)))
    s.rect(60, 448, 680, 26, s.flat(dark(main, 0.12)), 6)
    s.strokes(
        [[(x, 402), (x + (x - 400) * 0.06, 446)] for x in (300, 320, 340, 360, 380)], dark(main, 0.45), 5
    )
    s.poly([(420, 424), (560, 424), (590, 282), (452, 282)], s.flat(colour("Rust")))
    s.poly([(434, 416), (552, 416), (578, 294), (462, 294)], s.flat("#faf6ec"))
    s.strokes([[(470, y), (556, y)] for y in (318, 340, 362, 384)], "#8c8478", 3)
    s.rect(160, 350, 56, 76, s.round_(colour("Oat")), 6)
    s.disc(188, 316, 90, s.glow("#ffdf9e"))
    s.path("M188 300q20 30 0 46q-20-16 0-46Z", "#ffc65c")
    s.path("M614 300H676Q680 366 645 372T614 300Z", "#ffffff", opacity=0.55)
    s.path("M618 334H674Q668 370 645 370T618 334Z", colour("Plum"))
    s.strokes([[(645, 372), (645, 424)], [(624, 428), (666, 428)]], "#ffffff", 6, opacity=0.75)
