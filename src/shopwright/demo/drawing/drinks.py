"""Cups, pots and glasses."""

from __future__ import annotations

from .kit import FLOOR, Sheet, colour, dark, drawing, light


def _handle(s: Sheet, x: float, top: float, bottom: float, base: str, width: float = 26) -> None:
    s.curve(
        f"M{x} {top}C{x + 130} {top - 10} {x + 130} {bottom + 10} {x - 10} {bottom}",
        s.flat(dark(base, 0.1)),
        width,
    )


@drawing("mug")
def mug(s: Sheet) -> None:
    main, shape = s.main, s.trait("shape")
    s.shadow(390, 150)
    if shape == "round":
        _handle(s, 540, 430, 560, main)
        s.turned([(380, 128), (440, 160), (540, 166), (610, 140), (FLOOR, 92)], s.round_(main), 390)
        rim = 128
    else:
        _handle(s, 512, 420, 570, main, 18 if shape == "enamel" else 26)
        s.rect(250, 370, 280, 266, s.round_(main), 14 if shape == "enamel" else 34)
        rim = 140
        if shape == "straight":
            s.rect(250, 540, 280, 96, s.round_(s.tone("trim", "Oat")), 34)
            s.rect(250, 540, 280, 40, s.round_(s.tone("trim", "Oat")))
    s.oval(390, 376, rim, rim * 0.2, s.flat(light(main, 0.35)))
    s.oval(390, 380, rim - 14, rim * 0.2 - 7, "#5a3a26" if shape != "enamel" else light(main, 0.7))
    if shape == "enamel":
        s.oval(390, 376, rim, rim * 0.2, "none", stroke=colour("Ink"), stroke_width=7)
        s.curve("M252 622Q390 650 528 622", colour("Ink"), 6)
    for x, y in ((360, 320), (420, 300)):
        s.curve(f"M{x} {y}q-18 -28 0 -54t0 -52", "#ffffff", 8, opacity=0.6)


@drawing("cup")
def cup(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 230)
    s.oval(400, 620, 240, 40, dark(main, 0.25))
    s.oval(400, 608, 240, 40, s.flat(light(main, 0.15)))
    _handle(s, 536, 440, 530, main, 20)
    s.path("M250 410H550C548 520 500 600 400 600S252 520 250 410Z", s.round_(main))
    s.oval(400, 410, 150, 30, s.flat(light(main, 0.35)))
    s.oval(400, 414, 132, 22, "#6b452c")


@drawing("teapot")
def teapot(s: Sheet) -> None:
    main, fine = s.main, s.trait("shape") == "fine"
    top, half = (360, 150) if fine else (390, 190)
    s.shadow(400, half)
    s.path(
        f"M{420 - half} 520C{300 - half} 500 {300 - half} 400 {250 - half} {top + 10}L{290 - half} {top}"
        f"C{330 - half} 420 {360 - half} 440 {430 - half} 440Z",
        s.round_(main),
    )
    if fine:
        s.curve("M300 380C290 180 510 180 500 380", s.flat(colour("Brass")), 12)
    else:
        _handle(s, 400 + half - 20, 430, 560, main, 28)
    s.turned(
        [(top, 70), (top + 40, half * 0.8), (520, half), (600, half * 0.84), (FLOOR, half * 0.5)],
        s.round_(main),
    )
    s.path(f"M{400 - 74} {top + 2}Q400 {top - 70} 474 {top + 2}Z", s.ball(light(main, 0.1)))
    s.disc(400, top - 44, 17, s.ball(colour("Brass") if fine else light(main, 0.1)))


@drawing("jug")
def jug(s: Sheet) -> None:
    main = s.main
    s.shadow(390, 140)
    _handle(s, 500, 300, 500, main)
    s.turned([(230, 96), (300, 84), (400, 122), (520, 150), (600, 138), (FLOOR, 104)], s.round_(main), 390)
    s.poly([(296, 226), (250, 200), (300, 290)], s.flat(light(main, 0.15)))
    s.oval(390, 230, 96, 20, s.flat(light(main, 0.3)))
    s.oval(390, 234, 82, 13, dark(main, 0.35))


@drawing("carafe")
def carafe(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 130)
    s.turned(
        [(170, 58), (260, 46), (350, 60), (480, 128), (590, 134), (FLOOR, 100)], s.round_(main), opacity=0.55
    )
    s.turned([(430, 104), (480, 126), (590, 130), (636, 98)], s.round_(light(main, 0.2)), opacity=0.7)
    s.oval(400, 430, 104, 16, "#ffffff", opacity=0.7)
    s.curve("M322 450Q290 540 320 606", "#ffffff", 12, opacity=0.75)
    s.oval(400, 170, 58, 12, "#ffffff", opacity=0.6)
    s.disc(400, 140, 40, s.ball(colour("Oak")))


@drawing("glass")
def glass(s: Sheet) -> None:
    main = s.main
    drink = colour("Rose") if s.trait("shape") in {"coupe", "wine"} else colour("Amber")
    tint = s.round_(main)
    for x in (280, 520):
        s.shadow(x, 90)
        match s.trait("shape"):
            case "coupe":
                s.path(f"M{x - 120} 300H{x + 120}Q{x + 100} 410 {x} 412T{x - 120} 300Z", tint, opacity=0.6)
                s.path(f"M{x - 108} 340H{x + 108}Q{x + 90} 402 {x} 404T{x - 108} 340Z", drink, opacity=0.75)
                s.rect(x - 6, 410, 12, 220, tint, opacity=0.8)
                s.oval(x, 632, 80, 14, tint, opacity=0.8)
            case "wine":
                s.turned([(240, 70), (330, 96), (400, 84), (446, 20)], tint, x, opacity=0.6)
                s.turned([(340, 94), (400, 82), (442, 20)], drink, x, opacity=0.8)
                s.rect(x - 6, 440, 12, 190, tint, opacity=0.8)
                s.oval(x, 632, 84, 14, tint, opacity=0.8)
            case "highball":
                s.rect(x - 66, 280, 132, 356, tint, 12, opacity=0.55)
                s.rect(x - 56, 370, 112, 256, drink, 8, opacity=0.55)
                s.rect(x - 40, 390, 50, 50, "#ffffff", 8, opacity=0.5)
            case _:
                s.poly([(x - 96, 420), (x + 96, 420), (x + 78, 636), (x - 78, 636)], tint, opacity=0.6)
                s.poly([(x - 88, 500), (x + 88, 500), (x + 76, 628), (x - 76, 628)], drink, opacity=0.6)
                s.oval(x, 420, 96, 16, "#ffffff", opacity=0.6)
        top = {"tumbler": 460, "highball": 310}.get(s.trait("shape"), 320)
        s.curve(f"M{x - 46} {top}v70", "#ffffff", 10, opacity=0.7)


@drawing("bottle")
def bottle(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 120)
    s.turned(
        [(190, 34), (280, 36), (350, 60), (410, 116), (540, 122), (FLOOR, 112)], s.round_(main), opacity=0.65
    )
    s.rect(300, 470, 200, 110, "#fffdf6", 6, opacity=0.85)
    s.line([(330, 510), (470, 510)], dark(main, 0.5), 5)
    s.line([(350, 546), (450, 546)], dark(main, 0.3), 4)
    if s.trait("shape") == "swing":
        s.rect(370, 150, 60, 46, s.ball("#f7f4ee"), 16)
        s.curve("M352 260L366 178H434L448 260", s.flat(colour("Steel")), 8)
    else:
        s.rect(376, 150, 48, 50, s.round_(colour("Natural")), 8)
    s.curve("M316 430Q296 520 314 600", "#ffffff", 12, opacity=0.6)
