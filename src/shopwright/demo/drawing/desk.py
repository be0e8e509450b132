"""Paper, pens, clocks and what keeps a desk in order."""

from __future__ import annotations

from functools import partial
from math import cos, pi, sin

from .kit import FLOOR, Sheet, colour, dark, drawing, light

PAPER = "#faf6ec"
GRAPHITE = "#4a4a4e"


@drawing("notebook")
def notebook(s: Sheet) -> None:
    main, shape = s.main, s.trait("shape")
    if shape == "set":
        s.bare()
        for x, y, lean, tone in (
            (150, 210, -9, dark(main, 0.16)),
            (290, 220, 2, main),
            (420, 250, 11, light(main, 0.2)),
        ):
            s.turn(lean, x + 120, y + 190, partial(_slim, s, (x, y), tone))
        return
    s.shadow(410, 220, 690, 26)
    s.rect(226, 150, 370, 536, dark(main, 0.35), 14)
    s.rect(220, 146, 366, 532, PAPER, 8)
    s.strokes([[(590, y), (590, y + 500)] for y in (160,)], dark(PAPER, 0.3), 6)
    s.rect(204, 136, 374, 532, s.flat(main), 14)
    if shape == "spine":
        s.rect(204, 136, 78, 532, s.flat(dark(main, 0.35)), 12)
        s.rect(340, 250, 180, 96, light(main, 0.55), 4)
        s.strokes([[(364, 284), (496, 284)], [(364, 312), (460, 312)]], dark(main, 0.3), 4)
        return
    s.line([(236, 140), (236, 664)], dark(main, 0.25), 5, opacity=0.6)
    s.rect(510, 130, 22, 546, s.flat(dark(main, 0.4)), 3)
    s.path("M380 666h26v66l-13-16-13 16Z", light(main, 0.45))
    s.path("M420 666h26v44l-13-16-13 16Z", dark(main, 0.3))


def _slim(s: Sheet, at: tuple[float, float], tone: str) -> None:
    x, y = at
    s.rect(x + 8, y + 10, 240, 360, dark(tone, 0.5), 22, opacity=0.35)
    s.rect(x, y, 240, 360, s.flat(tone), 22)
    s.rect(x + 46, y + 56, 148, 74, PAPER, 6)
    s.strokes([[(x + 64, y + 82), (x + 176, y + 82)], [(x + 64, y + 106), (x + 140, y + 106)]], GRAPHITE, 4)
    s.strokes([[(x + 6, y + 100), (x + 6, y + 126)], [(x + 6, y + 240), (x + 6, y + 266)]], "#d6d6d6", 5)


@drawing("letters")
def letters(s: Sheet) -> None:
    main = s.main
    s.bare()
    s.turn(-5, 400, 340, lambda: s.rect(206, 120, 400, 430, dark(main, 0.3), 3, opacity=0.35))
    s.turn(-7, 400, 340, lambda: s.rect(200, 110, 400, 430, s.flat(light(main, 0.35)), 3))
    lines = [[(256, y), (540 - y % 3 * 40, y)] for y in range(180, 400, 34)]
    s.turn(-7, 400, 340, lambda: s.strokes(lines, colour("Ink"), 4, opacity=0.55))
    s.rect(188, 396, 460, 292, dark(main, 0.45), 6, opacity=0.4)
    s.rect(178, 386, 460, 290, s.flat(main), 6)
    s.path("M178 392L400 570Q408 576 416 570L638 392Z", s.flat(dark(main, 0.1)))
    s.path("M178 670L352 534M638 670L464 534", stroke=dark(main, 0.25), stroke_width=4)
    s.disc(408, 556, 36, s.ball(colour("Brick")))
    s.disc(408, 556, 23, "none", stroke=dark(colour("Brick"), 0.25), stroke_width=4)


@drawing("planner")
def planner(s: Sheet) -> None:
    main = s.main
    s.bare()
    s.rect(148, 88, 520, 640, "#2a2018", 4, opacity=0.16)
    s.rect(140, 80, 520, 640, PAPER, 4)
    s.rect(140, 80, 520, 76, s.flat(main), 4)
    s.strokes([[(176, 118), (330, 118)]], light(main, 0.75), 12)
    for number in range(12):
        x, y = 170 + number % 3 * 158, 182 + number // 3 * 132
        s.rect(x, y, 144, 20, main, 3)
        grid = "".join(f"M{x} {y + 26 + row * 18}h144" for row in range(6))
        grid += "".join(f"M{x + column * 24} {y + 26}v90" for column in range(7))
        s.path(grid, stroke=dark(main, 0.05), stroke_width=2, opacity=0.7)
    for x in (160, 640):
        s.disc(x, 98, 9, s.ball(colour("Brass")))


@drawing("pen")
def pen(s: Sheet) -> None:
    main = s.main
    s.bare()
    s.turn(42, 400, 400, lambda: s.rect(392, 90, 44, 610, "#2a2018", 20, opacity=0.16))
    s.turn(42, 400, 400, lambda: _fountain(s, main) if s.trait("shape") == "fountain" else _ball(s, main))


def _fountain(s: Sheet, main: str) -> None:
    steel = colour("Steel")
    s.rect(370, 60, 60, 420, s.round_(main, 0.35), 24)
    s.rect(368, 300, 64, 18, s.round_(colour("Brass")), 4)
    s.rect(406, 96, 14, 190, s.round_(colour("Brass")), 7)
    s.poly([(376, 470), (424, 470), (418, 600), (382, 600)], s.round_(dark(main, 0.3)))
    s.rect(374, 466, 52, 14, s.round_(colour("Brass")), 3)
    s.path("M380 598H420Q436 650 400 740Q364 650 380 598Z", s.round_(steel, 0.7))
    s.line([(400, 730), (400, 660)], dark(steel, 0.6), 3)
    s.disc(400, 652, 7, dark(steel, 0.6))


def _ball(s: Sheet, main: str) -> None:
    for x, wide, tone in ((370, 18, light(main, 0.3)), (388, 24, main), (412, 18, dark(main, 0.3))):
        s.rect(x, 120, wide, 500, s.flat(tone))
    s.poly([(370, 618), (430, 618), (410, 720), (390, 720)], s.round_(main, 0.5))
    s.poly([(392, 718), (408, 718), (402, 748), (398, 748)], colour("Steel"))
    s.rect(372, 106, 56, 18, s.round_(dark(main, 0.2)), 4)
    s.rect(388, 60, 24, 50, s.round_(light(main, 0.15)), 8)
    s.rect(428, 130, 14, 190, s.flat(dark(main, 0.1)), 6)


@drawing("pencils")
def pencils(s: Sheet) -> None:
    wood = s.main
    s.bare()
    s.rect(128, 300, 560, 390, "#2a2018", 20, opacity=0.18)
    s.rect(120, 290, 560, 390, s.flat(colour("Steel")), 20)
    s.rect(142, 312, 516, 346, dark(colour("Steel"), 0.55), 10)
    for number in range(12):
        x = 146 + number * 42.8
        grey = dark("#c9c9cc", number / 14)
        s.rect(x, 330, 38, 290, s.round_(wood), 3)
        s.rect(x, 606, 38, 40, grey, 5)
        s.poly([(x, 332), (x + 38, 332), (x + 19, 222)], light(wood, 0.45))
    leads = [165 + number * 42.8 for number in range(12)]
    s.shapes([[(x - 7, 262), (x + 7, 262), (x, 222)] for x in leads], GRAPHITE)


@drawing("pen_pot")
def pen_pot(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 150)
    for x, top, lean, tone in (
        (340, 190, -9, "Mustard"),
        (390, 140, -2, "Oak"),
        (440, 200, 6, "Ink"),
        (484, 230, 13, "Brick"),
    ):
        fill = s.round_(colour(tone))
        s.turn(lean, x, 420, partial(s.rect, x - 14, top, 28, 260, fill, 6))
    s.poly([(376, 142), (404, 142), (394, 96)], light(colour("Oak"), 0.4))
    s.disc(420, 210, 34, "none", stroke=colour("Smoke"), stroke_width=13)
    s.oval(400, 382, 140, 26, dark(main, 0.5))
    s.path("M260 382A140 26 0 0 0 540 382L548 600Q546 640 500 640H300Q254 640 252 600Z", s.round_(main))
    s.curve("M260 384A140 26 0 0 0 540 384", light(main, 0.4), 8)


@drawing("letter_tray")
def letter_tray(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 270, 670)
    for x in (160, 622):
        s.rect(x, 270, 18, 396, s.round_(dark(main, 0.15)), 4)
    for number, sheets in ((0, 3), (1, 5), (2, 2)):
        y = 340 + number * 140
        s.poly([(214, y - 60), (586, y - 60), (640, y), (160, y)], s.flat(dark(main, 0.25)))
        for part in range(sheets):
            up = y - 14 - part * 7
            s.poly([(236, up - 46), (566, up - 46), (604, up), (196, up)], light(PAPER, 0.2 * (part % 2)),
                   stroke="#cfc6b2", stroke_width=1.5)  # fmt: skip
        s.path(f"M150 {y - 20}H340Q350 {y + 10} 400 {y + 10}T460 {y - 20}H650V{y + 30}H150Z", s.flat(main))
        s.rect(150, y + 28, 500, 12, dark(main, 0.3), 4)


@drawing("desk_tidy")
def desk_tidy(s: Sheet) -> None:
    main, deep = s.main, dark(s.main, 0.45)
    s.shadow(400, 300, 640)
    s.poly([(180, 400), (620, 400), (710, 580), (90, 580)], s.flat(light(main, 0.1)))
    s.rect(90, 578, 620, 56, s.flat(dark(main, 0.14)), 6)
    s.grain(90, 578, 620, 56, main)
    s.poly([(140, 540), (660, 540), (650, 520), (150, 520)], deep)
    s.line([(170, 526), (520, 526)], colour("Mustard"), 18)
    s.poly([(520, 517), (520, 535), (560, 526)], light(colour("Oak"), 0.3))
    s.oval(540, 456, 64, 24, deep)
    s.oval(540, 462, 56, 18, colour("Natural"))
    s.strokes(
        [[(510, 458), (540, 452)], [(534, 466), (566, 460)], [(550, 452), (572, 468)]], colour("Brass"), 5
    )
    s.poly([(216, 470), (446, 470), (440, 448), (226, 448)], deep)
    s.poly([(262, 466), (404, 466), (404, 210), (262, 210)], "#26272c")
    s.poly([(272, 456), (394, 456), (394, 222), (272, 222)], s.flat("#6f8aa3"))


@drawing("scissors")
def scissors(s: Sheet) -> None:
    main, steel = s.main, colour("Steel")
    s.bare()
    for lean, way in ((12, -1), (-12, 1)):
        s.turn(lean, 400, 440, partial(_blade, s, way, main, steel))
    s.disc(400, 440, 20, s.ball(colour("Brass")))
    s.line([(390, 440), (410, 440)], dark(colour("Brass"), 0.5), 4)


def _blade(s: Sheet, way: int, main: str, steel: str) -> None:
    s.path(f"M400 90Q{400 + way * 34} 300 {400 + way * 26} 470H{400 - way * 14}Z", s.round_(steel, 0.7))
    s.curve(f"M{400 + way * 4} 460C400 520 {400 + way * 10} 540 {400 + way * 20} 560", s.flat(main), 36)
    ring = partial(s.oval, 400 + way * 46, 640, 52, 84, "none", stroke=s.flat(main), stroke_width=32)
    s.turn(way * -6, 400 + way * 40, 640, ring)


@drawing("clock")
def clock(s: Sheet) -> None:
    main, alarm = s.main, s.trait("shape") == "alarm"
    cy, r = (460, 190) if alarm else (400, 260)
    if alarm:
        s.shadow(400, 180, 680)
        s.line([(400, 300), (400, 220)], s.flat(colour("Brass")), 16)
        for way in (-1, 1):
            s.line([(400 + way * 120, 590), (400 + way * 158, 676)], s.flat(dark(main, 0.25)), 26)
            dome = f"M{330 + way * 104} 280A70 66 0 0 1 {470 + way * 104} 280Z"
            s.turn(way * 32, 400 + way * 104, 270, partial(s.path, dome, s.ball(colour("Brass"))))
        s.curve("M310 230Q400 120 490 230", s.flat(colour("Brass")), 14)
    else:
        s.bare()
        s.disc(414, 420, r, "#2a2018", opacity=0.16)
    s.disc(400, cy, r, s.ball(main))
    s.disc(400, cy, r * 0.86, s.flat("#fbf8f0" if alarm else light(main, 0.16)))
    ink = "#33302e" if alarm or s.picture.colour in {"Chalk", "Sage", "Mustard"} else PAPER
    for width, every in ((3, 1), (9, 5)):
        marks = [(number * pi / 30, 0.8) for number in range(0, 60, every)]
        s.strokes([[(400 + sin(a) * r * part, cy - cos(a) * r * part) for part in (0.7, t)]
                   for a, t in marks], ink, width, opacity=0.8)  # fmt: skip
    for turn, length, width in ((-0.98, 0.4, 16), (1.05, 0.6, 11)):
        s.line([(400, cy), (400 + sin(turn) * r * length, cy - cos(turn) * r * length)], ink, width)
    s.line([(400, cy + r * 0.14), (400, cy - r * 0.66)], colour("Rust"), 4)
    s.disc(400, cy, 13, colour("Rust"))


@drawing("pinboard")
def pinboard(s: Sheet) -> None:
    main, cork = s.main, colour("Natural")
    s.bare()
    s.rect(108, 188, 600, 440, "#2a2018", 6, opacity=0.18)
    s.rect(100, 180, 600, 440, s.flat(main), 6)
    s.rect(126, 206, 548, 388, s.flat(cork), 3)
    for tone in (dark(cork, 0.25), light(cork, 0.35)):
        s.dots(
            [(s.chance.uniform(136, 664), s.chance.uniform(216, 584)) for _ in range(70)],
            2.5,
            tone,
            opacity=0.6,
        )
    for x, y, w, h, lean, tone in (
        (180, 250, 130, 160, -5, "White"), (350, 240, 150, 110, 4, "Butter"), (210, 450, 110, 90, 6, "Sage"),
        (380, 400, 170, 130, -3, "Sky"), (560, 260, 80, 190, 3, "Blush"),
    ):  # fmt: skip
        s.turn(lean, x, y, partial(s.rect, x, y, w, h, s.flat(colour(tone)), 2))
        s.disc(x + w / 2, y + 16, 9, s.ball(colour("Brass")))


@drawing("bookends")
def bookends(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 310)
    at = 226.0
    for tone, wide, tall in (
        ("Oat", 40, 300), ("Plum", 52, 340), ("Sea", 34, 280), ("Chalk", 46, 320), ("Rust", 58, 350),
        ("Ink", 36, 300), ("Sand", 48, 330), ("Sage", 32, 270),
    ):  # fmt: skip
        s.rect(at, FLOOR - tall, wide, tall, s.round_(colour(tone)), 3)
        s.strokes(
            [[(at + 8, y), (at + wide - 8, y)] for y in (FLOOR - tall + 40, FLOOR - 40)], colour("Brass"), 4
        )
        at += wide + 1
    for outer, inner in ((90, 224), (714, 580)):
        x, w = min(outer, inner), abs(outer - inner)
        s.path(f"M{x} {FLOOR}V460A{w / 2} {w / 2} 0 0 1 {x + w} 460V{FLOOR}H{x + w - 42}V460"
               f"A{w / 2 - 42} {w / 2 - 42} 0 0 0 {x + 42} 460V{FLOOR}Z", s.flat(main))  # fmt: skip
