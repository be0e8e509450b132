"""What stands on the stove or beside it."""

from __future__ import annotations

from .kit import FLOOR, Sheet, colour, dark, drawing, light


def _knob(s: Sheet, x: float, y: float, base: str) -> None:
    s.rect(x - 6, y, 12, 16, s.round_(dark(base, 0.2)))
    s.oval(x, y - 4, 24, 14, s.ball(base))


@drawing("pot")
def pot(s: Sheet) -> None:
    main, shape = s.main, s.trait("shape")
    top, half = {"casserole": (430, 190), "saucepan": (450, 140)}.get(shape, (330, 180))
    s.shadow(400, half)
    if shape == "saucepan":
        s.line([(530, 490), (730, 460)], s.flat(colour("Black")), 24)
    else:
        for way in (-1, 1):
            s.curve(f"M{400 + way * half} {top + 40}h{way * 40}v36h{-way * 40}", s.flat(dark(main, 0.15)), 16)
    s.turned(
        [(top, half), (FLOOR - 40, half - 2), (FLOOR - 6, half - 26), (FLOOR, half - 40)], s.round_(main)
    )
    s.oval(400, top, half + 6, half * 0.16, dark(main, 0.15))
    s.path(f"M{400 - half - 4} {top - 6}Q400 {top - 110} {400 + half + 4} {top - 6}"
           f"Q400 {top + 46} {400 - half - 4} {top - 6}Z", s.ball(light(main, 0.12)))  # fmt: skip
    _knob(s, 400, top - 70, colour("Brass") if shape == "casserole" else colour("Black"))
    if shape == "stock":
        s.rect(400 - half, top + 40, half * 2, 10, dark(main, 0.2), opacity=0.35)


@drawing("pan")
def pan(s: Sheet) -> None:
    main = s.main
    handle = s.tone("handle", "Beech")
    s.shadow(330, 220, 560)
    s.line([(520, 470), (742, 380)], s.flat(handle), 30)
    s.disc(722, 388, 8, dark(handle, 0.5))
    s.oval(330, 500, 230, 92, dark(main, 0.25))
    s.oval(330, 478, 230, 92, s.flat(light(main, 0.12)))
    s.oval(330, 486, 204, 76, s.flat(dark(main, 0.15)))
    s.oval(290, 470, 120, 30, light(main, 0.35), opacity=0.35)
    if s.trait("shape") == "skillet":
        s.poly([(110, 450), (86, 470), (126, 500)], s.flat(light(main, 0.1)))
        s.oval(330, 490, 150, 54, "none", stroke=light(main, 0.3), stroke_width=3, opacity=0.5)


@drawing("kettle")
def kettle(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 170)
    s.path("M520 470C600 470 610 380 680 340L700 366C650 400 650 520 540 560Z", s.round_(main))
    s.curve("M270 400C250 200 550 200 530 400", s.flat(colour("Walnut")), 24)
    s.turned([(390, 70), (420, 130), (520, 180), (600, 172), (FLOOR, 130)], s.round_(main))
    s.oval(400, 396, 74, 16, dark(main, 0.15))
    _knob(s, 400, 380, colour("Walnut"))


@drawing("moka")
def moka(s: Sheet) -> None:
    main = s.main
    s.shadow(390, 110)
    s.poly([(310, 640), (470, 640), (446, 450), (334, 450)], s.round_(main))
    s.poly([(310, 640), (360, 640), (368, 450), (334, 450)], light(main, 0.5), opacity=0.5)
    s.rect(328, 430, 124, 26, s.round_(dark(main, 0.15)), 6)
    s.poly([(338, 430), (442, 430), (480, 250), (300, 250)], s.round_(main))
    s.poly([(338, 430), (372, 430), (356, 250), (300, 250)], light(main, 0.5), opacity=0.5)
    s.poly([(300, 250), (260, 236), (310, 290)], s.flat(light(main, 0.2)))
    s.poly([(296, 250), (484, 250), (440, 212), (340, 212)], s.round_(light(main, 0.1)))
    _knob(s, 390, 200, colour("Black"))
    s.curve("M474 270H570V420L540 436", s.flat(colour("Black")), 26)


@drawing("steamer")
def steamer(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 220)
    for y in (540, 440):
        s.rect(190, y, 420, 96, s.round_(main), 6)
        s.rect(184, y + 60, 432, 26, s.round_(dark(main, 0.14)), 8)
        s.rect(184, y, 432, 20, s.round_(light(main, 0.15)), 8)
    s.path("M184 440Q400 300 616 440Z", s.ball(light(main, 0.15)))
    for number in range(1, 8):
        x = 184 + number * 54
        s.curve(f"M{x} 440Q{400 + (x - 400) * 0.6:.0f} 380 400 366", dark(main, 0.25), 3, opacity=0.5)
    s.rect(380, 352, 40, 18, s.round_(dark(main, 0.2)), 8)
    for x, y in ((330, 300), (400, 270), (470, 310)):
        s.curve(f"M{x} {y}q-22 -34 0 -64t0 -62", "#ffffff", 9, opacity=0.7)


@drawing("colander")
def colander(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 150)
    s.rect(330, 610, 140, 28, s.round_(dark(main, 0.1)), 6)
    for way in (-1, 1):
        s.curve(f"M{400 + way * 214} 400h{way * 44}v40h{-way * 56}", s.flat(dark(main, 0.15)), 14)
    s.path("M184 390H616C610 540 520 622 400 622S190 540 184 390Z", s.round_(main))
    s.oval(400, 390, 216, 44, s.flat(light(main, 0.25)))
    s.oval(400, 396, 196, 34, dark(main, 0.25))
    for row, count, half in ((0, 9, 176), (1, 8, 156), (2, 6, 118)):
        for number in range(count):
            s.disc(400 - half + number * 2 * half / (count - 1), 470 + row * 46, 7, dark(main, 0.5))


@drawing("mill")
def mill(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 90)
    profile = [(180, 30), (214, 58), (260, 46), (290, 36), (340, 60), (420, 46), (520, 54), (600, 84)]
    s.turned([*profile, (FLOOR, 80)], s.round_(main))
    s.rect(362, 284, 76, 14, s.round_(colour("Brass")), 4)
    s.disc(400, 166, 20, s.ball(colour("Brass")))


@drawing("mortar")
def mortar(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 170)
    s.line([(520, 210), (410, 420)], s.flat(light(main, 0.1)), 46)
    s.path(
        "M226 400H574C566 530 510 590 490 600L506 640H294L310 600C290 590 234 530 226 400Z", s.round_(main)
    )
    s.oval(400, 400, 174, 38, s.flat(light(main, 0.2)))
    s.oval(400, 406, 148, 26, dark(main, 0.3))
    s.line([(470, 306), (424, 394)], s.flat(light(main, 0.1)), 46)


@drawing("salt_pig")
def salt_pig(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 160)
    s.turned([(280, 60), (310, 120), (420, 180), (560, 186), (FLOOR, 130)], s.round_(main))
    s.oval(330, 400, 96, 84, dark(main, 0.2))
    s.oval(338, 408, 82, 70, dark(main, 0.6))
    s.path("M262 430Q330 400 416 436Q400 478 338 478T262 430Z", "#fdfbf6")
    s.line([(350, 430), (470, 300)], s.flat(colour("Beech")), 16)


@drawing("bread_box")
def bread_box(s: Sheet) -> None:
    main, wood = s.main, s.tone("trim", "Beech")
    s.shadow(400, 270)
    s.rect(140, 420, 520, 210, s.flat(main), 30)
    s.rect(140, 580, 520, 50, s.flat(dark(main, 0.12)), 20)
    s.board(126, 396, 548, 40, wood, 14)
    s.oval(400, 398, 30, 8, dark(wood, 0.4))
    s.path("M190 396C190 300 300 300 320 340C360 290 470 300 470 396Z", s.ball("#c98d4e"))
    for x in (250, 320, 390):
        s.curve(f"M{x} 372q20 -30 44 -34", "#f0cf9a", 7)
