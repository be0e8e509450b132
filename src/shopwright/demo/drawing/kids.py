"""Toys and what stands in a child's room."""

from __future__ import annotations

from functools import partial

from .kit import Sheet, colour, dark, drawing, light

BEECH = colour("Beech")
GROUND = 690


@drawing("blocks")
def blocks(s: Sheet) -> None:
    main, bare = s.main, BEECH
    s.shadow(400, 290, GROUND)
    for x, y, w, h, tone in (
        (130, 570, 120, 120, main), (550, 570, 120, 120, bare), (250, 630, 120, 60, bare),
        (160, 470, 80, 100, bare), (570, 430, 80, 140, main), (290, 330, 60, 120, main),
        (450, 330, 60, 120, bare),
    ):  # fmt: skip
        s.rect(x, y, w, h, s.flat(tone), 6)
    s.path(f"M270 630V450H530V{GROUND}H470V600A70 70 0 0 0 330 600V630Z", s.flat(light(main, 0.3)))
    s.rect(280, 300, 240, 36, s.flat(bare), 5)
    s.poly([(400, 180), (530, 300), (270, 300)], s.flat(main))
    s.poly([(200, 390), (252, 470), (148, 470)], s.flat(main))
    s.poly([(610, 350), (662, 430), (558, 430)], s.flat(bare))
    for x, y in ((190, 630), (610, 500)):
        s.disc(x, y, 24, dark(main, 0.35))
    s.rect(600, 610, 30, 80, dark(bare, 0.35), 4)


@drawing("stacker")
def stacker(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 210, GROUND)
    s.rect(384, 240, 32, 400, s.round_(BEECH), 12)
    s.rect(220, 640, 360, 50, s.round_(BEECH), 18)
    tones = (dark(main, 0.18), main, light(main, 0.25), light(main, 0.48), light(main, 0.68))
    for number, tone in enumerate(tones):
        half = 176 - number * 22
        s.rect(400 - half, 568 - number * 70, half * 2, 68, s.round_(tone), 34)
    s.disc(400, 238, 54, s.ball(BEECH))


def _wheels(s: Sheet, xs: tuple[int, ...], y: float, r: float) -> None:
    for x in xs:
        s.disc(x, y, r, s.ball(dark(BEECH, 0.12)))
    for share, tone in ((0.66, dark(BEECH, 0.4)), (0.56, BEECH), (0.22, dark(BEECH, 0.5))):
        s.dots([(x, y) for x in xs], r * share, tone)


@drawing("train")
def train(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 350, 640)
    s.strokes([[(252, 592), (300, 592)], [(476, 592), (520, 592)]], colour("Steel"), 14)
    s.board(60, 576, 210, 34, BEECH, 8)
    s.rect(70, 440, 90, 140, s.flat(main), 6)
    s.rect(90, 462, 50, 56, light(main, 0.75), 6)
    s.rect(58, 420, 116, 26, s.flat(dark(main, 0.25)), 8)
    s.rect(156, 490, 112, 90, s.flat(light(main, 0.15)), 16)
    s.poly([(206, 430), (256, 430), (246, 494), (216, 494)], s.round_(BEECH))
    s.board(296, 576, 190, 34, BEECH, 8)
    s.rect(306, 500, 170, 80, s.flat(light(main, 0.3)), 6)
    for x, tone in ((340, "Brick"), (390, "Moss"), (440, "Brick")):
        s.disc(x, 492, 27, s.ball(colour(tone)))
    s.rect(306, 508, 170, 72, s.flat(light(main, 0.3)), 6)
    s.board(516, 576, 220, 34, BEECH, 8)
    s.rect(526, 440, 200, 140, s.flat(main), 8)
    for x in (544, 606, 668):
        s.rect(x, 470, 44, 54, light(main, 0.75), 6)
    s.rect(514, 418, 224, 28, s.flat(dark(main, 0.25)), 12)
    _wheels(s, (110, 220, 340, 442, 570, 682), 614, 32)


@drawing("pull_toy")
def pull_toy(s: Sheet) -> None:
    main = s.main
    s.shadow(390, 300, 660)
    s.curve("M120 520Q40 540 50 640T110 700", colour("Brick"), 7)
    s.disc(120, 702, 20, s.ball(colour("Brick")))
    s.curve("M640 470Q700 440 720 360", s.flat(dark(main, 0.1)), 26)
    s.path("M250 480L200 520Q110 540 90 490Q84 440 160 420Q180 330 260 330Q330 340 320 430Z", s.flat(main))
    s.rect(270, 420, 150, 150, s.flat(main), 44)
    s.rect(400, 430, 130, 140, s.flat(light(main, 0.14)), 44)
    s.rect(510, 424, 146, 146, s.flat(main), 50)
    s.path("M250 340Q330 350 326 470Q300 530 256 490Q236 420 250 340Z", s.flat(dark(colour("Clay"), 0.4)))
    s.disc(196, 408, 12, "#241a1c")
    s.disc(192, 404, 4, "#ffffff")
    s.disc(98, 470, 19, s.ball("#2c2426"))
    for x in (320, 600):
        s.rect(x - 14, 550, 28, 50, s.flat(dark(main, 0.3)), 6)
    _wheels(s, (320, 600), 610, 52)


@drawing("rainbow")
def rainbow(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 300, 660)
    names = ("Mustard", "Sage", "Sky", "Rose", "Plum")
    for number, tone in enumerate((main, *(colour(name) for name in names))):
        r = 290 - number * 46
        s.path(f"M{400 - r} 660V580A{r} {r} 0 0 1 {400 + r} 580V660H{400 + r - 42}V580"
               f"A{r - 42} {r - 42} 0 0 0 {400 - r + 42} 580V660Z", s.flat(tone))  # fmt: skip


@drawing("rabbit")
def rabbit(s: Sheet) -> None:
    main, seam = s.main, dark(s.main, 0.4)
    s.shadow(400, 190, 710)
    for x, lean in ((346, -10), (454, 12)):
        s.turn(lean, x, 260, partial(s.oval, x, 160, 40, 130, s.round_(main)))
        s.turn(lean, x, 260, partial(s.oval, x, 166, 20, 96, light(colour("Blush"), 0.1)))
    for x in (310, 490):
        s.rect(x - 38, 560, 76, 150, s.round_(main), 38)
        s.oval(x, 690, 52, 30, s.ball(light(main, 0.15)))
    s.turn(24, 300, 470, lambda: s.rect(252, 450, 60, 190, s.round_(dark(main, 0.06)), 30))
    s.turn(-24, 500, 470, lambda: s.rect(488, 450, 60, 190, s.round_(dark(main, 0.06)), 30))
    s.turned([(430, 70), (500, 118), (600, 134), (660, 100)], s.ball(main))
    s.oval(400, 350, 124, 112, s.ball(main))
    s.path("M318 448Q400 480 482 448L470 492Q400 512 330 492Z", s.flat(colour("Brick")))
    s.dots([(354, 340), (446, 340)], 11, "#2c2426")
    s.path("M386 376H414L400 392Z", colour("Rose"))
    s.curve("M400 392V408M400 408Q386 424 370 414M400 408Q414 424 430 414", seam, 4)
    s.curve("M400 520V640", seam, 3, opacity=0.5)


@drawing("kite")
def kite(s: Sheet) -> None:
    main = s.main
    s.bare()
    s.curve("M400 540C330 600 480 640 420 710S300 760 260 740", dark(main, 0.15), 5)
    for x, y, name in ((384, 580, "Mustard"), (438, 664, "Sky"), (330, 748, "Sage")):
        tone = dark(main, 0.25) if colour(name) == main else colour(name)
        s.path(f"M{x} {y}l-34-18v36Zl34-18v36Z", s.flat(tone))
    s.curve("M400 280Q560 520 760 780", "#7d7468", 3)
    s.poly([(400, 70), (590, 280), (400, 560), (210, 280)], s.flat(main))
    s.poly([(400, 70), (590, 280), (400, 280)], light(main, 0.45))
    s.poly([(400, 560), (210, 280), (400, 280)], light(main, 0.3))
    s.poly([(400, 560), (590, 280), (400, 280)], dark(main, 0.12))
    s.line([(400, 66), (400, 564)], s.flat(colour("Bamboo")), 10)
    s.line([(206, 280), (594, 280)], s.flat(colour("Bamboo")), 10)
    s.disc(400, 280, 14, s.ball(colour("Brass")))


@drawing("puzzle")
def puzzle(s: Sheet) -> None:
    main = s.main
    s.bare()
    s.rect(112, 146, 600, 520, "#2a2018", 22, opacity=0.18)
    s.rect(100, 134, 600, 520, s.flat(BEECH), 22)
    s.rect(136, 170, 528, 448, s.flat(light(main, 0.55)), 12)
    s.path("M136 520Q260 440 400 510T664 480V606Q664 618 652 618H148Q136 618 136 606Z", s.flat(main))
    for x, base, tall in ((216, 540, 210), (306, 510, 160), (590, 530, 240)):
        s.rect(x - 12, base - 30, 24, 50, s.flat(colour("Walnut")), 4)
        for step in range(3):
            y = base - 20 - step * tall / 4
            half = 62 - step * 14
            s.poly(
                [(x, y - tall / 2.2), (x + half, y), (x - half, y)],
                s.flat(dark(colour("Moss"), 0.25 - step * 0.12)),
            )
    s.rect(396, 420, 118, 116, s.flat(colour("Brick")), 5)
    s.poly([(455, 340), (534, 424), (376, 424)], s.flat(dark(colour("Brick"), 0.35)))
    s.rect(440, 470, 34, 66, light(colour("Butter"), 0.2), 4)
    s.disc(478, 236, 38, s.ball(colour("Mustard")))
    s.path("M340 596v-34q0-26 30-26h62l10-30 22 14v30q0 16-20 16v30h-18v-24h-60v24Z", s.flat(colour("Clay")))
    s.path("M540 600q0-46 50-46t50 46Z", s.flat(dark(colour("Clay"), 0.4)))
    s.strokes([[(560, 556), (552, 536)], [(580, 550), (576, 530)], [(600, 550), (606, 530)],
               [(620, 558), (630, 540)]],
              dark(colour("Clay"), 0.4), 7)  # fmt: skip


@drawing("tent")
def tent(s: Sheet) -> None:
    main, wood = s.main, s.flat(colour("Beech"))
    s.shadow(400, 290, 710)
    for a, b in (
        ((440, 110), (150, 700)),
        ((360, 110), (650, 700)),
        ((390, 96), (400, 200)),
        ((412, 96), (398, 200)),
    ):
        s.line([a, b], wood, 16)
    s.poly([(400, 190), (640, 706), (160, 706)], s.flat(main))
    s.poly([(400, 190), (640, 706), (520, 706)], dark(main, 0.16))
    s.poly([(388, 330), (480, 706), (268, 706)], dark(main, 0.55))
    s.path("M388 320Q300 560 236 706H290Q360 560 388 330Z", s.flat(light(main, 0.35)))
    s.path("M388 320Q440 520 452 706H496Q450 520 388 320Z", s.flat(light(main, 0.2)))
    s.strokes([[(262, 600), (322, 616)]], colour("Brick"), 9)
    s.path("M366 232L434 232L400 196Z", dark(main, 0.3))
    s.curve("M140 706Q400 724 660 706", dark(main, 0.3), 5)
    s.oval(390, 690, 66, 16, colour("Mustard"))


@drawing("owl")
def owl(s: Sheet) -> None:
    main = s.main
    s.disc(400, 430, 380, s.glow("#ffe3a3"))
    s.shadow(400, 170, 680)
    s.path("M250 250Q400 330 550 250Q600 420 570 560Q540 690 400 690T230 560Q200 420 250 250Z", s.ball(main))
    for x in (246, 554):
        s.oval(x, 510, 40, 110, s.flat(dark(main, 0.14)))
    s.oval(400, 560, 104, 112, light(main, 0.5))
    feathers = ((360, 510), (440, 510), (400, 550), (360, 590), (440, 590))
    s.strokes([[(x - 14, y), (x, y + 14), (x + 14, y)] for x, y in feathers],
              dark(main, 0.25), 6)  # fmt: skip
    for x in (334, 466):
        s.disc(x, 386, 68, s.flat(light(main, 0.7)))
        s.disc(x, 386, 32, "#3a2f2c")
        s.disc(x - 10, 376, 10, "#ffffff")
    s.poly([(380, 424), (420, 424), (400, 462)], s.flat(colour("Mustard")))
    s.dots([(346, 690), (374, 694), (426, 694), (454, 690)], 15, colour("Mustard"))


@drawing("height_chart")
def height_chart(s: Sheet) -> None:
    main = s.main
    s.bare()
    s.rect(310, 40, 200, 720, "#2a2018", 4, opacity=0.16)
    s.board(300, 32, 200, 720, main, 6)
    ink = dark(main, 0.65)
    s.strokes([[(300, y), (328, y)] for y in range(52, 752, 14)], ink, 3)
    s.strokes([[(300, y), (366, y)] for y in range(52, 752, 70)], ink, 5)
    digits = {"6": "m20 0h-20v36h20v-18h-20", "8": "m0 0h20v36h-20v-36m0 18h20", "1": "m10 0v36",
              "0": "m0 0h20v36h-20Z", "2": "m0 0h20v18h-20v18h20", "4": "m0 0v18h20m0-18v36"}  # fmt: skip
    for y, number in ((664, "60"), (524, "80"), (384, "100"), (244, "120"), (104, "140")):
        d = "".join(f"M{390 + place * 32} {y}{digits[digit]}" for place, digit in enumerate(number))
        s.curve(d, ink, 6)
    for y, name in ((612, "Brick"), (482, "Denim"), (330, "Brick")):
        s.strokes([[(380, y), (492, y)], [(440, y - 14), (480, y - 14)]], colour(name), 5)
