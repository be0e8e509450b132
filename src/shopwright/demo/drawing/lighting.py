"""Lamps and candles, most of them lit."""

from __future__ import annotations

from .kit import FLOOR, Point, Sheet, colour, dark, drawing, light, mix

WARM = "#ffdf9e"


def _shade(s: Sheet, y: float, h: float, widths: tuple[float, float], base: str, cx: float = 400) -> None:
    """A cloth or paper shade from `y` down, lit from inside."""
    top, bottom = widths
    s.oval(cx, y + h * 0.6, bottom * 1.9, h * 1.5, s.glow(WARM, 0.55))
    s.poly([(cx - top, y), (cx + top, y), (cx + bottom, y + h), (cx - bottom, y + h)], s.round_(base, 0.6))
    s.poly(
        [(cx - top, y), (cx + top, y), (cx + bottom, y + h), (cx - bottom, y + h)], s.glow("#fff1cf", 0.55)
    )
    s.oval(cx, y + h, bottom, bottom * 0.09, light(base, 0.75))
    s.oval(cx, y, top, top * 0.08, dark(base, 0.12))


def _globe(s: Sheet, at: Point, r: float, base: str = "White") -> None:
    """A ball of opal glass, `base` its colour's name, lit from inside."""
    cx, cy = at
    s.disc(cx, cy, r * 2, s.glow(WARM, 0.6))
    s.disc(cx, cy, r, s.ball(mix(colour(base), "#ffefc9", 0.4)))
    s.disc(cx - r * 0.3, cy - r * 0.35, r * 0.22, "#ffffff", opacity=0.7)


@drawing("table_lamp")
def table_lamp(s: Sheet) -> None:
    main, base = s.main, s.trait("base")
    s.shadow(400, 120)
    match base:
        case "ball":
            s.path(
                "M378 428q2 24 -28 38C258 510 268 600 336 640H464C532 600 542 510 450 466q-30 -14 -28 -38Z",
                s.ball(main),
            )
            s.rect(392, 380, 16, 60, s.round_(colour("Brass")))
        case "block":
            s.board(330, 500, 140, 140, main, 8)
            s.rect(391, 410, 18, 92, s.round_(colour("Brass")))
        case "ring":
            s.disc(400, 540, 92, "none", stroke=s.flat(main), stroke_width=34)
            s.rect(330, 622, 140, 20, s.flat(main), 8)
        case "column":
            s.rect(372, 380, 56, 250, s.round_(main), 10)
            s.oval(400, 630, 96, 18, s.round_(dark(main, 0.1)))
        case _:
            s.rect(392, 370, 16, 260, s.round_(main))
            s.oval(400, 630, 92, 17, s.round_(dark(main, 0.08)))
    shade, trim = s.trait("shade"), s.tone("trim", s.picture.colour)
    match shade:
        case "cone":
            _shade(s, 180, 220, (78, 172), trim)
        case "drum":
            _shade(s, 200, 210, (150, 164), trim)
            pleats = [[(400 + n * 18.6, 208), (400 + n * 20.2, 410)] for n in range(-7, 8)]
            s.strokes(pleats, dark(trim, 0.25), 3, opacity=0.3)
        case "globe":
            _globe(s, (400, 352), 104, s.trait("trim", "White"))
        case "dome":
            s.oval(400, 400, 320, 240, s.glow(WARM, 0.5))
            s.path("M240 390A160 160 0 0 1 560 390Z", s.ball(main))
            s.oval(400, 390, 160, 17, light(main, 0.75))
        case _:
            s.oval(400, 420, 330, 230, s.glow(WARM, 0.5))
            s.path("M210 372C214 230 306 180 400 180S586 230 590 372C540 402 260 402 210 372Z", s.ball(main))
            s.oval(400, 382, 168, 14, "#fff3d6")


@drawing("pendant")
def pendant(s: Sheet) -> None:
    main, shape = s.main, s.trait("shape")
    cords = {"cluster": [270, 400, 530]}.get(shape, [400])
    for x in cords:
        s.line([(x, 0), (x, 300)], dark(main, 0.4), 4)
    match shape:
        case "bell":
            s.oval(400, 560, 330, 190, s.glow(WARM))
            s.turned([(250, 26), (300, 52), (400, 96), (500, 190), (530, 200)], s.round_(main))
            s.oval(400, 530, 200, 26, light(main, 0.6))
            s.oval(400, 532, 70, 12, "#fff6de")
        case "cone":
            s.oval(400, 520, 340, 200, s.glow(WARM))
            s.poly([(380, 260), (420, 260), (600, 480), (200, 480)], s.round_(main))
            s.oval(400, 480, 200, 24, light(main, 0.65))
            s.disc(400, 488, 30, "#fff6de")
        case "dome":
            s.oval(400, 540, 360, 220, s.glow(WARM))
            s.path("M190 490A210 210 0 0 1 610 490Z", s.ball(main))
            s.oval(400, 490, 210, 26, light(main, 0.7))
            s.rect(382, 258, 36, 34, s.round_(colour("Brass")), 5)
        case "globe":
            _globe(s, (400, 430), 150)
            s.rect(370, 262, 60, 34, s.round_(colour("Brass")), 6)
        case "cluster":
            for x, y in ((270, 330), (400, 430), (530, 360)):
                s.line([(x, 298), (x, y)], dark(main, 0.4), 4)
                s.disc(x, y + 60, 130, s.glow(WARM, 0.6))
                s.disc(x, y + 60, 62, s.ball(main), opacity=0.92)
                s.rect(x - 14, y - 14, 28, 26, s.round_(colour("Brass")), 4)
        case _:
            s.oval(400, 460, 300, 280, s.glow(WARM))
            s.turned([(264, 44), (300, 120), (360, 178), (430, 200), (500, 184), (556, 130), (584, 84)],
                     s.round_(main))  # fmt: skip
            s.oval(400, 584, 84, 14, "#fff3d6")
            halves = (116, 150, 176, 192, 197, 192, 180, 154, 122)
            rings = [f"M{400 - half} {300 + n * 32}q{half} 26 {half * 2} 0" for n, half in enumerate(halves)]
            s.curve("".join(rings), dark(main, 0.35), 5, opacity=0.5)
            ribs = (-3, -2, -1, 0, 1, 2, 3)
            s.curve("".join(f"M{400 + n * 12} 268Q{400 + n * 106} 430 {400 + n * 25} 582" for n in ribs),
                    light(main, 0.35), 4, opacity=0.4)  # fmt: skip


@drawing("floor_lamp")
def floor_lamp(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 130, 730)
    match s.trait("shape"):
        case "arc":
            s.curve("M300 716C290 300 360 120 500 120S640 190 640 250", s.flat(main), 14)
            s.oval(300, 720, 100, 20, s.round_(dark(main, 0.1)))
            s.oval(640, 380, 210, 160, s.glow(WARM))
            s.path("M548 336A92 92 0 0 1 732 336Z", s.ball(main))
            s.oval(640, 336, 92, 12, "#fff1cf")
        case "column":
            s.oval(400, 420, 260, 380, s.glow(WARM, 0.6))
            s.rect(320, 150, 160, 560, s.round_("#fff4df", 0.8), 12)
            for y in range(190, 700, 46):
                s.line([(322, y), (478, y)], dark(main, 0.2), 1.5, opacity=0.35)
            s.rect(312, 704, 176, 20, s.flat(colour("Oak")), 6)
        case "reading":
            s.line([(400, 716), (400, 220)], s.flat(main), 14)
            s.line([(400, 220), (520, 170)], s.flat(main), 12)
            s.oval(400, 720, 96, 18, s.round_(dark(main, 0.1)))
            s.oval(560, 330, 190, 160, s.glow(WARM))
            s.poly([(500, 150), (560, 130), (640, 250), (480, 290)], s.round_(main))
            s.turn(-14, 560, 270, lambda: s.oval(560, 270, 82, 16, "#fff1cf"))
        case _:
            for x in (270, 400, 530):
                s.tapered((400 + (x - 400) * 0.1, 380), (x, 730), (16, 12), s.flat(main))
            _shade(s, 150, 230, (110, 180), s.tone("trim", "Linen"))


@drawing("wall_lamp")
def wall_lamp(s: Sheet) -> None:
    main = s.main
    s.bare()
    if s.trait("shape") == "half":
        s.oval(400, 250, 250, 250, s.glow(WARM, 0.95))
        s.oval(408, 500, 150, 110, s.glow("#2a2018", 0.3))
        s.path("M230 400A170 170 0 0 0 570 400Z", s.soft(main))
        s.oval(400, 400, 170, 20, "#fff3d6")
    else:
        s.oval(425, 560, 260, 230, s.glow(WARM))
        s.oval(312, 320, 70, 60, s.glow("#2a2018", 0.3))
        s.disc(300, 300, 52, s.ball(dark(main, 0.08)))
        s.line([(300, 300), (420, 300)], s.flat(colour("Brass")), 14)
        s.poly([(400, 290), (450, 290), (540, 470), (310, 470)], s.round_(main))
        s.oval(425, 470, 115, 16, "#fff3d6")


@drawing("desk_lamp")
def desk_lamp(s: Sheet) -> None:
    main = s.main
    s.shadow(340, 130)
    s.oval(330, 630, 110, 20, s.round_(main))
    s.line([(330, 620), (250, 420), (460, 250)], s.flat(main), 16)
    s.disc(250, 420, 18, s.ball(colour("Brass")))
    s.disc(460, 250, 16, s.ball(colour("Brass")))
    s.oval(560, 440, 210, 180, s.glow(WARM))
    s.poly([(430, 230), (500, 200), (640, 330), (500, 400)], s.round_(main))
    s.turn(-28, 570, 365, lambda: s.oval(570, 365, 82, 18, "#fff1cf"))


@drawing("lantern")
def lantern(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 140)
    s.disc(400, 470, 260, s.glow(WARM))
    s.curve("M300 250A100 110 0 0 1 500 250", s.flat(main), 12)
    s.poly([(300, 300), (500, 300), (460, 240), (340, 240)], s.flat(main))
    s.rect(300, 300, 200, 310, "#fff4da", 4, opacity=0.45)
    s.rect(376, 470, 48, 130, s.round_("#f6ecd8"), 8)
    _flame(s, 400, 440)
    for x in (292, 492):
        s.rect(x, 300, 16, 310, s.flat(main))
    s.rect(276, 604, 248, 30, s.flat(main), 6)
    s.rect(284, 290, 232, 18, s.flat(main), 4)


@drawing("candle")
def candle(s: Sheet) -> None:
    main = s.main
    match s.trait("shape"):
        case "jar":
            s.shadow(400, 130)
            s.disc(400, 380, 230, s.glow(WARM, 0.6))
            s.turned([(400, 112), (520, 116), (630, 112)], s.round_(main))
            s.oval(400, 400, 112, 22, "#fbf3e2")
            s.oval(400, 404, 96, 16, s.flat("#f4e7cc"))
            s.line([(400, 402), (400, 366)], "#4a3c30", 5)
            _flame(s, 400, 350)
            s.rect(330, 480, 140, 90, "#fffdf6", 4, opacity=0.85)
            s.line([(352, 512), (448, 512)], dark(main, 0.4), 4)
            s.line([(368, 536), (432, 536)], dark(main, 0.2), 3)
        case "tapers":
            s.shadow(400, 180)
            for x, top in ((300, 260), (400, 200), (500, 290)):
                s.disc(x, top - 20, 110, s.glow(WARM, 0.6))
                s.tapered((x, top), (x, 600), (20, 34), s.round_(main))
                s.rect(x - 34, 584, 68, 46, s.round_(colour("Brass")), 8)
                s.line([(x, top), (x, top - 14)], "#4a3c30", 4)
                _flame(s, x, top - 26)
        case _:
            s.shadow(400, 190)
            for x, top, half in ((300, 380, 66), (440, 280, 76), (540, 450, 56)):
                s.disc(x, top - 40, 130, s.glow(WARM, 0.6))
                s.rect(x - half, top, half * 2, FLOOR - top - 4, s.round_(main), 10)
                s.oval(x, top + 4, half, half * 0.2, light(main, 0.4))
                s.line([(x, top + 4), (x, top - 18)], "#4a3c30", 5)
                _flame(s, x, top - 34)


def _flame(s: Sheet, x: float, y: float) -> None:
    s.path(f"M{x} {y - 34}c22 30 16 52 0 54c-16 -2 -22 -24 0 -54Z", "#ffc65c")
    s.oval(x, y + 6, 7, 12, "#fff6d8")
