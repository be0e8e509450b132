"""What lies in the kitchen's drawers and hangs on its wall."""

from __future__ import annotations

from functools import partial

from .kit import Sheet, colour, dark, drawing, light

STEEL = "#c4cad0"


@drawing("board")
def board(s: Sheet) -> None:
    main = s.main
    s.bare()
    if s.trait("shape") == "endgrain":
        s.shadow(400, 280, 610, 40)
        s.rect(130, 240, 540, 380, dark(main, 0.3), 22)
        s.rect(130, 220, 540, 380, s.flat(main), 22)
        for row in range(6):
            for column in range(9):
                tone = light(main, 0.18) if (row + column) % 2 else dark(main, 0.1)
                s.rect(148 + column * 56, 238 + row * 57, 54, 55, tone, 4, opacity=0.6)
        s.rect(130, 220, 540, 380, "none", 22, stroke=dark(main, 0.2), stroke_width=6)
        return
    s.shadow(400, 240, 690, 26)
    s.path("M360 120Q400 90 440 120L448 250Q580 270 580 380V640Q580 680 540 680H260"
           "Q220 680 220 640V380Q220 270 352 250Z", s.flat(main))  # fmt: skip
    s.disc(400, 150, 18, dark(main, 0.5))
    for x in (290, 350, 430, 500):
        s.curve(
            f"M{x} 300Q{x + s.chance.uniform(-14, 14):.0f} 480 {x} 660", dark(main, 0.22), 4, opacity=0.35
        )


@drawing("knife")
def knife(s: Sheet) -> None:
    handle = s.main
    s.bare()
    s.shadow(400, 300, 470, 30)
    match s.trait("shape"):
        case "bread":
            s.path("M320 370H720Q740 390 720 420H320Z", s.flat(STEEL))
            for number in range(16):
                s.disc(334 + number * 24.5, 421, 11, s.flat("#dfe4e8"))
            start = 320
        case "cook":
            s.path("M330 350H610Q700 372 742 410Q560 486 330 470Z", s.flat(STEEL))
            s.path("M330 440Q560 452 742 410Q560 486 330 470Z", "#eef1f3")
            start = 330
        case _:
            s.path("M380 370H560Q620 384 650 412Q520 448 380 436Z", s.flat(STEEL))
            s.path("M380 420Q520 428 650 412Q520 448 380 436Z", "#eef1f3")
            start = 380
    s.rect(start - 24, 364, 26, 74, s.round_("#9aa2a9"), 4)
    s.path(f"M{start - 22} 366H120Q76 372 76 402T124 440H{start - 22}Z", s.flat(handle))
    for x in (150, 210, start - 56):
        s.disc(x, 403, 8, s.ball(colour("Brass")))


@drawing("knife_bar")
def knife_bar(s: Sheet) -> None:
    main = s.main
    s.bare()
    s.board(110, 250, 580, 80, main, 14)
    for x, long in ((200, 300), (330, 240), (450, 200), (560, 150)):
        s.path(f"M{x} 230V{290 + long}Q{x + 52} {250 + long} {x + 46} 230Z", s.flat(STEEL))
        s.rect(x, 110, 44, 128, s.flat(dark(main, 0.45)), 12)
        s.disc(x + 22, 150, 6, s.ball(colour("Brass")))
        s.disc(x + 22, 200, 6, s.ball(colour("Brass")))


@drawing("rolling_pin")
def rolling_pin(s: Sheet) -> None:
    main = s.main
    s.bare()
    s.turn(-14, 400, 400, partial(s.rect, 90, 390, 640, 92, "#2a2018", 44, opacity=0.14))
    for x in (70, 620):
        s.turn(-14, 400, 400, partial(s.rect, x, 374, 110, 52, s.flat(dark(main, 0.08)), 26))
    s.turn(-14, 400, 400, partial(s.rect, 160, 340, 480, 120, s.flat(main), 40))
    s.turn(-14, 400, 400, partial(s.rect, 170, 352, 460, 26, light(main, 0.5), 13, opacity=0.6))
    s.turn(-14, 400, 400, partial(s.grain, 180, 380, 440, 70, main))


@drawing("utensils")
def utensils(s: Sheet) -> None:
    main = s.main
    s.bare()
    for x, kind in ((200, "spoon"), (330, "slot"), (460, "spatula"), (590, "fork")):
        s.rect(x - 11, 330, 22, 380, s.flat(main), 11)
        if kind == "spoon":
            s.oval(x, 240, 52, 92, s.flat(main))
            s.oval(x + 4, 248, 38, 72, dark(main, 0.15))
        elif kind == "slot":
            s.oval(x, 240, 52, 92, s.flat(main))
            for lean in (-18, 0, 18):
                s.line([(x + lean, 190), (x + lean, 286)], dark(main, 0.45), 8)
        elif kind == "spatula":
            s.rect(x - 46, 140, 92, 200, s.flat(main), 26)
        else:
            for lean in (-34, 0, 34):
                s.rect(x + lean - 12, 150, 24, 130, s.flat(main), 12)
            s.path(f"M{x - 46} 250H{x + 46}Q{x + 40} 330 {x} 350Q{x - 40} 330 {x - 46} 250Z", s.flat(main))


@drawing("whisk")
def whisk(s: Sheet) -> None:
    main = s.main
    s.bare()
    for half in (30, 70, 110):
        s.curve(f"M{400 - 16} 420C{400 - half * 1.5:.0f} 300 {400 - half} 90 400 90"
                f"S{400 + half * 1.5:.0f} 300 416 420",
                s.round_(STEEL), 8)  # fmt: skip
    s.line([(400, 90), (400, 420)], "#aeb5bb", 7)
    s.rect(374, 410, 52, 310, s.round_(main), 24)
    s.rect(374, 410, 52, 30, s.round_(colour("Brass")), 8)
    s.disc(400, 694, 9, dark(main, 0.5))


@drawing("jar")
def jar(s: Sheet) -> None:
    inside = s.tone("inside", "Oat")
    lid = s.tone("trim", "Beech")
    for x, top, half in ((280, 330, 110), (500, 430, 120)):
        s.shadow(x, half)
        s.rect(x - half, top, half * 2, 640 - top, "#dfecec", 24, opacity=0.75)
        s.rect(x - half + 12, top + 70, half * 2 - 24, 558 - top, s.round_(inside), 16)
        grains = [(s.chance.uniform(-0.8, 0.8) * half, s.chance.uniform(top + 86, 616)) for _ in range(34)]
        s.strokes([[(x + off, y), (x + off + 9, y + 3)] for off, y in grains], dark(inside, 0.18), 7)
        s.rect(x - half + 14, top + 10, 18, 600 - top, "#ffffff", 9, opacity=0.6)
        s.board(x - half + 6, top - 44, half * 2 - 12, 50, lid, 10)


@drawing("caddy")
def caddy(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 160)
    s.curve("M276 350C276 160 524 160 524 350", s.flat(colour("Beech")), 16)
    s.poly([(250, 340), (550, 340), (520, 640), (280, 640)], s.round_(main))
    s.oval(400, 340, 160, 34, s.flat(light(main, 0.2)))
    s.oval(400, 330, 150, 28, s.flat(light(main, 0.35)))
    s.disc(400, 322, 16, s.ball(colour("Beech")))
    s.path("M400 540C350 500 360 440 420 430C440 490 430 520 400 540Z", light(main, 0.55), opacity=0.8)
