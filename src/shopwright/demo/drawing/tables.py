"""Tables of all heights."""

from __future__ import annotations

from .kit import Sheet, colour, dark, drawing, light

GROUND = 690


def _top(s: Sheet, x: float, y: float, w: float, base: str, *, depth: float = 60) -> None:
    """A table top in perspective, with its front edge."""
    s.poly(
        [(x + depth, y - depth), (x + w - depth, y - depth), (x + w, y), (x, y)], s.flat(light(base, 0.15))
    )
    s.board(x, y, w, 24, dark(base, 0.06), 4)


def _legs(s: Sheet, wood: str, top: float, xs: tuple[float, float], *, lean: float = 0) -> None:
    left, right = xs
    for x, way in ((left + 50, -1), (right - 50, 1)):
        s.tapered((x, top), (x + way * lean * 0.6, GROUND - 46), (18, 13), s.flat(dark(wood, 0.25)))
    for x, way in ((left, -1), (right, 1)):
        s.tapered((x, top), (x + way * lean, GROUND), (24, 16), s.flat(wood))


@drawing("table")
def table(s: Sheet) -> None:
    main, wood = s.main, s.tone("trim", s.picture.colour)
    match s.trait("shape"):
        case "bistro":
            s.shadow(400, 130, GROUND)
            s.rect(390, 380, 20, 290, s.round_(main))
            for x in (290, 400, 510):
                s.line([(400, 640), (x, GROUND - 6)], s.flat(main), 14)
            s.oval(400, 384, 190, 46, dark(main, 0.2))
            s.oval(400, 372, 190, 46, s.flat(light(main, 0.15)))
        case "pedestal":
            s.shadow(400, 160, GROUND)
            s.turned([(420, 60), (480, 34), (600, 44), (680, 150)], s.round_(main))
            s.oval(400, 410, 290, 60, dark(main, 0.2))
            s.oval(400, 396, 290, 60, s.flat(light(main, 0.15)))
        case "console":
            s.shadow(400, 240, GROUND)
            _legs(s, main, 380, (190, 610))
            _top(s, 160, 370, 480, main, depth=34)
            s.board(190, 394, 420, 60, dark(main, 0.1))
            s.disc(400, 424, 9, s.ball(colour("Brass")))
        case "desk":
            s.shadow(400, 300, GROUND)
            _legs(s, main, 430, (140, 660), lean=12)
            _top(s, 110, 420, 580, main)
            s.board(430, 444, 220, 76, dark(main, 0.08))
            s.disc(540, 482, 9, s.ball(colour("Brass")))
        case "dropleaf":
            s.shadow(400, 230, GROUND)
            _legs(s, main, 430, (210, 590))
            _top(s, 160, 420, 480, main, depth=70)
            s.board(166, 446, 468, 84, dark(main, 0.08), 8)
            s.line([(168, 445), (632, 445)], dark(main, 0.45), 4, opacity=0.7)
            for x in (250, 526):
                s.rect(x, 434, 24, 26, s.flat(colour("Brass")), 4)
        case "standing":
            s.shadow(400, 260, GROUND)
            for x in (240, 560):
                s.rect(x - 16, 300, 32, 360, s.round_(main))
                s.rect(x - 70, 656, 140, 24, s.flat(main), 10)
            _top(s, 120, 300, 560, wood)
        case "trestle":
            s.shadow(400, 300, GROUND)
            for x in (220, 580):
                for way in (-1, 1):
                    s.tapered((x + way * 8, 430), (x + way * 60, GROUND), (22, 18), s.flat(main))
                s.line([(x - 36, 590), (x + 36, 590)], s.flat(dark(main, 0.15)), 12)
            _top(s, 90, 420, 620, wood)
        case _:
            s.shadow(400, 320, GROUND)
            _legs(s, main, 440, (130, 670))
            _top(s, 90, 420, 620, main, depth=76)


@drawing("coffee_table")
def coffee_table(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 290, GROUND)
    if s.trait("shape") == "oval":
        for x in (240, 350, 450, 560):
            s.tapered((x, 540), (x + (x - 400) * 0.12, GROUND), (24, 14), s.flat(dark(main, 0.1)))
        s.oval(400, 546, 310, 62, dark(main, 0.22))
        s.oval(400, 530, 310, 62, s.flat(light(main, 0.15)))
        return
    frame = s.tone("trim", "Iron")
    _legs(s, frame, 520, (150, 650))
    s.board(140, 620, 520, 18, main)
    _top(s, 110, 510, 580, main)


@drawing("side_table")
def side_table(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 170, GROUND)
    match s.trait("shape"):
        case "cork":
            s.turned([(400, 150), (470, 70), (540, 66), (610, 110), (680, 150)], s.round_(main))
            s.oval(400, 400, 152, 36, s.flat(light(main, 0.25)))
            for _ in range(26):
                s.disc(
                    s.chance.uniform(280, 520), s.chance.uniform(384, 416), 3, dark(main, 0.3), opacity=0.5
                )
        case "drum":
            s.rect(250, 420, 300, 250, s.round_(main), 8)
            s.oval(400, 670, 150, 34, s.round_(main))
            s.oval(400, 420, 150, 36, s.flat(light(main, 0.2)))
        case "nest":
            for x, y, w in ((230, 420, 300), (330, 500, 270)):
                _legs(s, main, y, (x + 20, x + w - 20))
                _top(s, x, y, w, main, depth=40)
        case _:
            for way in (-1, 1):
                s.line([(400 - way * 110, 450), (400 + way * 120, GROUND)], s.flat(dark(main, 0.15)), 18)
            s.oval(400, 430, 200, 44, dark(main, 0.2))
            s.oval(400, 416, 200, 44, s.flat(main))
            s.oval(400, 420, 176, 34, s.flat(light(main, 0.22)))


@drawing("wall_desk")
def wall_desk(s: Sheet) -> None:
    main, wood = s.main, s.tone("trim", "Oak")
    s.bare()
    s.oval(410, 400, 300, 260, s.glow("#2a2018", 0.22))
    s.rect(180, 150, 440, 350, s.flat(main), 10)
    s.rect(200, 170, 400, 316, dark(main, 0.42), 4)
    s.rect(200, 296, 400, 12, s.flat(light(main, 0.1)))
    s.shapes([[(x, 170), (x + 10, 170), (x + 10, 296), (x, 296)] for x in (326, 462)], light(main, 0.06))
    for x, h, tone in (
        (216, 100, "Rust"),
        (242, 84, "Sage"),
        (266, 108, "Oat"),
        (344, 92, "Sea"),
        (370, 104, "Mustard"),
    ):
        s.rect(x, 296 - h, 22, h, s.flat(colour(tone)), 2)
    s.turned([(240, 14), (262, 32), (286, 30), (296, 22)], s.round_(colour("Clay")), 530)
    s.rect(250, 400, 60, 86, s.round_(colour("Chalk")), 6)
    s.strokes(
        [[(268, 400), (258, 344)], [(282, 400), (284, 336)], [(296, 400), (306, 350)]], colour("Mustard"), 7
    )
    s.poly([(180, 486), (620, 486), (664, 566), (136, 566)], s.flat(light(wood, 0.15)))
    s.board(136, 564, 528, 22, dark(wood, 0.08))
    s.strokes([[(190, 380), (150, 556)], [(610, 380), (650, 556)]], colour("Brass"), 5)


@drawing("trolley")
def trolley(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 210, 700)
    for y in (330, 480, 620):
        s.poly([(220, y - 40), (580, y - 40), (610, y), (190, y)], s.flat(light(main, 0.2)))
        s.rect(190, y, 420, 30, s.flat(main), 6)
    for x in (196, 592):
        s.rect(x, 290, 14, 390, s.round_(main))
        s.disc(x + 7, 690, 16, s.ball(colour("Black")))
    s.curve("M600 300C660 290 660 250 610 250", s.flat(main), 12)
