"""Pots with something growing in them, watering, tools, and houses for birds and bees."""

from __future__ import annotations

from functools import partial
from itertools import product
from math import cos, radians, sin

from .kit import FLOOR, Sheet, colour, dark, drawing, light

GROUND = 700
LEAF = "#5f8a4e"
SOIL = "#5a4636"


def _leaf(at: tuple[float, float], degrees: float, size: tuple[float, float]) -> str:
    """The outline of a leaf from `at` towards `degrees` (0 is up), so long and so wide."""
    (x, y), (length, width) = at, size
    ahead, aside = sin(radians(degrees)), -cos(radians(degrees))
    (near_x, near_y), (far_x, far_y) = (
        (ahead * length * 0.35 - aside * side, aside * length * 0.35 + ahead * side)
        for side in (width, -width)
    )
    tip_x, tip_y = ahead * length, aside * length
    return (
        f"M{x:.0f} {y:.0f}q{near_x:.0f} {near_y:.0f} {tip_x:.0f} {tip_y:.0f}"
        f"q{far_x - tip_x:.0f} {far_y - tip_y:.0f} {-tip_x:.0f} {-tip_y:.0f}"
    )


def _herb(s: Sheet, x: float, y: float, height: float, base: str) -> None:
    """A bushy herb whose stems come out of the soil at `x`, `y`."""
    stems = [
        (lean, sin(radians(lean)) * height, -cos(radians(lean)) * height) for lean in (-36, -18, 0, 18, 36)
    ]
    s.strokes([[(x, y), (x + over, y + up)] for _, over, up in stems], dark(base, 0.25), 5)
    for step, tone in ((0.45, dark(base, 0.1)), (0.72, base), (1, light(base, 0.2))):
        size = (height * 0.28, height * 0.24)
        s.path("".join(_leaf((x + over * step, y + up * step), lean + side, size)
                       for lean, over, up in stems
                       for side in (-66, 66, 0)[: 3 if step == 1 else 2]), tone)  # fmt: skip


def _fern(s: Sheet, y: float) -> None:
    for tone, leans in (
        (dark(LEAF, 0.15), (-80, -44, -14, 20, 52)),
        (light(LEAF, 0.1), (-62, -28, 0, 34, 70)),
    ):
        stems, leaves = "", ""
        for lean in leans:
            way = 1 if lean > 0 else -1
            over, up = lean * 2.7, abs(lean) * 1.5 - 250
            stems += f"M400 {y:.0f}q{lean:.0f} {up - 60:.0f} {over:.0f} {up:.0f}"
            for step in (0.4, 0.6, 0.8, 1):
                bend = 2 * step * (1 - step)
                at = (400 + bend * lean + step**2 * over, y + bend * (up - 60) + step**2 * up)
                leaves += "".join(
                    _leaf(at, lean + 20 * way + turn, (54 - step * 22, 14)) for turn in (-58, 58)
                )
        s.curve(stems, tone, 5)
        s.path(leaves, tone)


def _trailing(s: Sheet, y: float) -> None:
    falls = ((-130, 190), (-84, 290), (-30, 220), (36, 260), (90, 320), (134, 170))
    s.curve("".join(f"M{400 + x * 0.5:.0f} {y:.0f}C{400 + x} {y - 70:.0f} {400 + x * 1.35:.0f} {y:.0f} "
                    f"{400 + x * 1.3:.0f} {y + drop:.0f}" for x, drop in falls), LEAF, 4)  # fmt: skip
    for tone, part in ((LEAF, falls[::2]), (light(LEAF, 0.2), falls[1::2])):
        s.path("".join(_leaf((400 + x * 1.31, y + drop * step / 4), turn, (36, 22))
                       for x, drop in part for step in range(5) for turn in (-115, 115)), tone)  # fmt: skip


def _plant(s: Sheet, kind: str, y: float) -> None:
    """What grows out of the soil at `y`."""
    match kind:
        case "fern":
            _fern(s, y)
        case "rubber":
            s.line([(400, y), (396, y - 270)], "#6d5a42", 9)
            for number, turn in enumerate((-74, 70, -60, 58, -46, 44, -26, 18)):
                tone = ("#376044", "#4f7d57")[number % 2]
                s.path(_leaf((398, y - 40 - number * 30), turn, (160 - number * 6, 62)), s.flat(tone))
        case "herb":
            _herb(s, 400, y, 180, LEAF)
        case "herbs":
            for x, tone in ((250, LEAF), (400, "#86a07c"), (550, "#4d7a3f")):
                _herb(s, x, y, 130, tone)
        case _:
            _trailing(s, y)


@drawing("planter")
def planter(s: Sheet) -> None:
    main, plant = s.main, s.trait("plant")
    match s.trait("shape"):
        case "round":
            s.shadow(400, 150, GROUND)
            _plant(s, plant, 420)
            s.turned([(420, 120), (480, 166), (560, 176), (640, 140), (696, 84)], s.round_(main))
            for y, half in ((470, 158), (510, 174), (552, 174)):
                s.curve(f"M{400 - half} {y}Q400 {y + 22} {400 + half} {y}", light(main, 0.3), 4, opacity=0.4)
            s.curve("M280 420Q400 448 520 420", light(main, 0.35), 9)
        case "stand":
            s.shadow(400, 150, GROUND)
            _plant(s, plant, 430)
            s.turned([(420, 112), (520, 112), (610, 96)], s.round_(s.tone("trim", "Chalk")))
            s.rect(278, 560, 244, 22, s.flat(dark(main, 0.1)), 4)
            for x in (276, 502):
                s.board(x, 500, 24, 200, main, 6)
        case "trough":
            s.shadow(400, 250, FLOOR)
            _plant(s, plant, 450)
            s.poly([(160, 440), (640, 440), (618, 636), (182, 636)], s.flat(main))
            s.rect(150, 432, 500, 26, s.flat(light(main, 0.2)), 8)
            s.rect(176, 618, 448, 24, s.flat(dark(main, 0.16)), 6)
        case "hanging":
            for x in (-148, 0, 148):
                s.line([(400, 60), (400 + x, 372)], "#cdb894", 6)
            s.line([(400, 0), (400, 60)], "#cdb894", 9)
            s.disc(400, 62, 14, s.ball("#cdb894"))
            s.path("M250 370H550C556 480 480 540 400 540S244 480 250 370Z", s.ball(main))
            s.rect(244, 358, 312, 26, s.round_(light(main, 0.12)), 10)
            _plant(s, plant, 364)
        case _:
            s.shadow(400, 130, GROUND)
            _plant(s, plant, 400)
            s.poly([(280, 440), (520, 440), (482, 696), (318, 696)], s.round_(main))
            s.poly([(262, 396), (538, 396), (530, 462), (270, 462)], s.round_(light(main, 0.1)))
            s.line([(273, 466), (527, 466)], dark(main, 0.3), 6, opacity=0.5)


@drawing("watering_can")
def watering_can(s: Sheet) -> None:
    main = s.main
    s.shadow(410, 190, GROUND)
    if s.trait("shape") == "rose":
        s.line([(330, 650), (190, 420), (134, 330)], s.flat(dark(main, 0.08)), 34)
        s.line([(200, 440), (340, 440)], s.flat(dark(main, 0.15)), 10)
        s.turn(-32, 128, 320, lambda: s.poly([(112, 330), (146, 330), (186, 276), (72, 276)],
                                             s.flat(colour("Brass"))))  # fmt: skip
        s.turn(-32, 128, 320, lambda: s.oval(129, 276, 57, 16, s.flat(light(colour("Brass"), 0.3))))
        s.curve("M330 400C340 240 540 230 560 400", s.flat(dark(main, 0.12)), 22)
        s.curve("M566 440C690 430 690 640 570 640", s.flat(dark(main, 0.12)), 22)
        s.rect(310, 400, 270, 296, s.round_(main), 14)
        s.oval(445, 402, 135, 26, s.flat(dark(main, 0.4)))
        s.path("M310 404A135 28 0 0 1 445 374V430A135 28 0 0 1 310 404Z", s.flat(light(main, 0.15)))
        for y in (470, 650):
            s.curve(f"M310 {y}Q445 {y + 30} 580 {y}", dark(main, 0.25), 6, opacity=0.6)
        return
    s.curve("M350 650C250 640 260 360 96 250", s.flat(dark(main, 0.05)), 18)
    s.line([(96, 250), (78, 246)], dark(main, 0.35), 14)
    s.curve("M500 420C520 280 720 330 690 470S600 620 572 630", s.flat(dark(main, 0.1)), 20)
    s.path("M370 420H520L590 690Q460 712 320 690Z", s.round_(main))
    s.oval(445, 420, 76, 18, dark(main, 0.45))
    s.curve("M330 660Q460 684 582 660", dark(main, 0.25), 5, opacity=0.5)


@drawing("mister")
def mister(s: Sheet) -> None:
    main = s.main
    s.shadow(420, 120)
    s.turned([(370, 40), (400, 74), (480, 118), (580, 118), (636, 96)], s.round_(main, 0.6), 420)
    s.rect(378, 330, 84, 44, s.round_(dark(main, 0.1)), 6)
    s.rect(404, 220, 32, 112, s.round_(main))
    s.rect(300, 262, 130, 26, s.flat(main), 8)
    s.rect(286, 254, 26, 42, s.round_(dark(main, 0.15)), 5)
    s.rect(414, 168, 12, 56, s.round_(colour("Steel")))
    s.oval(420, 164, 44, 16, s.round_(main, 0.7))
    s.curve("M436 300C520 300 520 350 500 380", s.flat(dark(main, 0.2)), 12)
    for r in (3, 4, 5):
        fog = [(262 - step * 15 - r * 3, s.chance.uniform(-1, 1) * (18 + step * 6)) for step in range(10)]
        s.dots([(x, 275 + off) for x, off in fog], r, "#ffffff", opacity=0.8)


@drawing("garden_tools")
def garden_tools(s: Sheet) -> None:
    wood, steel = s.main, colour("Steel")
    s.bare()
    for x in (290, 510):
        s.curve(f"M{x} 120q-34 -50 0 -66q34 16 0 66", s.flat(colour("Walnut")), 8)
        s.disc(x, 58, 11, s.ball(colour("Brass")))
        s.turned([(106, 18), (130, 27), (220, 21), (300, 30), (350, 20)], s.round_(wood), x)
        s.rect(x - 20, 340, 40, 34, s.round_(colour("Brass")), 4)
        s.rect(x - 9, 370, 18, 90, s.round_(steel))
    s.path("M236 450Q290 420 344 450L346 600Q340 680 290 726Q240 680 234 600Z", s.round_(steel, 0.7))
    s.curve("M290 460V690", dark(steel, 0.25), 4, opacity=0.7)
    for y in range(500, 660, 32):
        s.line([(240, y), (256, y)], dark(steel, 0.4), 3)
    s.curve("M444 700V520Q444 462 510 462T576 520V700", s.flat(steel), 18)
    s.curve("M510 450V710", s.flat(steel), 18)


@drawing("secateurs")
def secateurs(s: Sheet) -> None:
    main, steel = s.main, colour("Steel")
    s.bare()
    s.path("M392 360C350 300 350 220 400 130C450 210 470 290 446 360Z", s.round_(steel, 0.7))
    s.path("M440 372C520 330 526 250 500 176C492 262 452 310 400 330Z", s.round_(dark(steel, 0.2), 0.5))
    s.curve("M410 400C300 460 270 560 250 676", s.flat(main), 46)
    s.curve("M424 400C520 460 550 560 560 676", s.flat(dark(main, 0.1)), 46)
    s.curve("M384 430C290 500 272 590 252 660", light(main, 0.5), 6, opacity=0.5)
    spring = [(388, 440), (452, 448), (386, 462), (456, 470), (384, 484), (460, 494)]
    s.line(spring, dark(steel, 0.25), 7)
    s.disc(418, 372, 42, s.ball(dark(steel, 0.25)))
    s.disc(418, 372, 16, s.ball(colour("Brass")))


@drawing("gloves")
def gloves(s: Sheet) -> None:
    main = s.main
    s.bare()
    for x, lean in ((150, -7), (410, 8)):
        s.turn(lean, x + 120, 460, partial(_glove, s, x, main))


def _glove(s: Sheet, x: float, main: str) -> None:
    for number, (up, y) in enumerate(((0, 214), (1, 170), (2, 182), (3, 230))):
        s.rect(x + 20 + up * 50, y, 46, 260, s.round_(light(main, 0.04 * number)), 23)
    s.turn(38, x + 226, 480, lambda: s.rect(x + 190, 330, 52, 180, s.round_(main), 26))
    s.path(
        f"M{x + 20} 400H{x + 216}V540Q{x + 210} 570 {x + 204} 590H{x + 32}Q{x + 22} 560 {x + 20} 540Z",
        s.flat(main),
    )
    s.path(f"M{x + 30} 580H{x + 206}L{x + 226} 710H{x + 10}Z", s.flat(dark(main, 0.22)))
    s.rect(x + 24, 572, 188, 20, s.flat(dark(main, 0.38)), 8)
    for number in range(3):
        s.curve(f"M{x + 62 + number * 50} 410V480", dark(main, 0.3), 3, opacity=0.6)


@drawing("bird_house")
def bird_house(s: Sheet) -> None:
    main, shape = s.main, s.trait("shape")
    if shape == "table":
        s.shadow(400, 120, 750)
        s.rect(386, 420, 28, 330, s.round_(dark(main, 0.1)))
        s.line([(330, 748), (400, 640), (470, 748)], s.flat(dark(main, 0.2)), 20)
        for x in (256, 524):
            s.rect(x, 250, 20, 160, s.round_(dark(main, 0.05)))
        s.poly(
            [(400, 90), (620, 260), (560, 274), (400, 150), (240, 274), (180, 260)], s.flat(dark(main, 0.15))
        )
        s.poly([(400, 150), (540, 258), (260, 258)], s.flat(light(main, 0.1)))
        s.board(220, 404, 360, 34, main, 6)
        s.dots([(280 + number * 18, 400 - number % 2 * 5) for number in range(14)], 6, colour("Mustard"))
        return
    s.shadow(400, 160, GROUND)
    s.poly([(400, 190), (560, 330), (560, 696), (240, 696), (240, 330)], s.flat(main))
    if shape == "bees":
        s.poly([(400, 230), (536, 348), (536, 672), (264, 672), (264, 348)], dark(main, 0.5))
        for wide, part in ((19, 0), (15, 1)):
            tubes = [
                (296 + column * 42 - row % 2 * 8, 376 + row * 40)
                for row, column in product(range(8), range(6))
                if (row * 7 + column * 3) % 5 % 2 == part
            ]
            s.dots(tubes, wide, colour("Bamboo"))
            s.dots(tubes, wide * 0.5, "#3a2c22")
        s.disc(400, 296, 24, s.flat(colour("Bamboo")))
        s.disc(400, 296, 11, "#3a2c22")
    else:
        for x in (320, 400, 480):
            s.line([(x, 340), (x, 690)], dark(main, 0.25), 3, opacity=0.5)
        s.disc(400, 420, 48, s.flat(light(main, 0.3)))
        s.disc(400, 420, 36, "#2f2620")
        s.rect(392, 500, 16, 60, s.round_(colour("Oak")), 8)
    s.poly(
        [(400, 140), (630, 340), (596, 376), (400, 204), (204, 376), (170, 340)],
        s.flat(dark(colour("Oak"), 0.3)),
    )


@drawing("fire_bowl")
def fire_bowl(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 230, GROUND)
    s.disc(400, 330, 320, s.glow("#ffb45c", 0.6))
    s.path("M280 450C240 350 340 330 330 220C400 270 390 330 430 300C450 270 446 230 430 190"
           "C540 260 560 370 520 450Z",
           s.ball("#f08a35"))  # fmt: skip
    s.path("M330 452C320 390 380 370 380 310C440 350 470 390 460 452Z", "#ffd479")
    for a, b in (((260, 430), (500, 400)), ((540, 436), (330, 396))):
        s.line([a, b], s.flat("#5b4030"), 28)
    for x, foot in ((270, 236), (400, 400), (530, 564)):
        s.tapered((x, 540), (foot, GROUND), (26, 20), s.flat(dark(main, 0.25)))
    s.path("M150 430C170 570 290 620 400 620S630 570 650 430Z", s.ball(main))
    s.rect(138, 418, 524, 24, s.round_(light(main, 0.15)), 12)
