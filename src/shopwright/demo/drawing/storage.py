"""Shelves, cabinets, baskets and what hangs on the wall."""

from __future__ import annotations

from .kit import Point, Sheet, colour, dark, drawing, light

GROUND = 700
SPINES = ("Rust", "Sage", "Ink", "Mustard", "Plum", "Oat", "Sea", "Clay")


def _books(s: Sheet, *rows: tuple[float, float, float, float]) -> None:
    """Rows of books, each (left, shelf's height on the sheet, width, height of the tallest)."""
    spines: dict[str, list[list[Point]]] = {}
    edges: list[list[Point]] = []
    for left, y, width, height in rows:
        at = left
        while at < left + width - 18:
            wide, tall = s.chance.uniform(15, 27), height * s.chance.uniform(0.6, 0.94)
            corners = [(at, y), (at, y - tall), (at + wide, y - tall), (at + wide, y)]
            spines.setdefault(s.chance.choice(SPINES), []).append(corners)
            edges.append([(at + 4, y - 4), (at + 4, y - tall + 4)])
            at += wide + 2
    for name, outlines in spines.items():
        s.shapes(outlines, colour(name))
    s.strokes(edges, "#ffffff", 3, opacity=0.3)


def _weave(s: Sheet, y: float, h: float, halves: tuple[float, float], base: str) -> None:
    """Rows of a woven wall between two half widths."""
    rows, d = int(h / 22), ""
    for number in range(1, rows):
        half = halves[0] + (halves[1] - halves[0]) * number / rows
        at = y + h * number / rows
        d += f"M{400 - half:.0f} {at:.0f}q{half:.0f} 18 {half * 2:.0f} 0"
    s.curve(d, dark(base, 0.3), 4, opacity=0.5)
    shares = [(number - 6.5) / 6.5 for number in range(1, 13)]
    s.strokes(
        [[(400 + halves[0] * share, y + 8), (400 + halves[1] * share, y + h)] for share in shares],
        light(base, 0.2), 5, opacity=0.3,
    )  # fmt: skip


@drawing("basket")
def basket(s: Sheet) -> None:
    main = s.main
    shape = s.trait("shape")
    s.shadow(400, 190, 652 if shape == "trug" else GROUND)
    match shape:
        case "felt":
            s.path(
                f"M210 380H590L562 {GROUND - 20}Q400 {GROUND + 20} 238 {GROUND - 20}Z", s.round_(main, 0.25)
            )
            s.oval(400, 380, 190, 30, dark(main, 0.45))
            s.oval(400, 380, 190, 30, "none", stroke=light(main, 0.2), stroke_width=9)
            for x in (310, 490):
                s.curve(f"M{x - 34} 440q4 92 34 92t34 -92", s.flat(colour("Walnut")), 14)
                s.dots([(x - 34, 440), (x + 34, 440)], 5, colour("Brass"))
        case "hamper":
            s.poly([(240, 320), (560, 320), (540, GROUND), (260, GROUND)], s.round_(main))
            _weave(s, 320, 370, (160, 140), main)
            s.oval(400, 310, 172, 34, s.flat(light(main, 0.1)))
            s.oval(400, 298, 172, 34, s.flat(light(main, 0.2)))
            s.oval(400, 290, 26, 8, dark(main, 0.3))
        case "trug":
            s.curve("M250 470C250 240 550 240 550 470", s.flat(dark(main, 0.08)), 20)
            s.path("M150 450Q400 500 650 450Q630 640 520 650H280Q170 640 150 450Z", s.flat(main))
            for y in (510, 560, 606):
                s.curve(f"M{150 + (y - 450) * 0.3:.0f} {y}Q400 {y + 30} {650 - (y - 450) * 0.3:.0f} {y}",
                        dark(main, 0.25), 3, opacity=0.5)  # fmt: skip
        case "handles":
            for x in (214, 586):
                s.curve(f"M{x} 470C{x + (400 - x) * -0.3:.0f} 380 {x} 350 {x + (400 - x) * 0.14:.0f} 440",
                        s.flat(dark(main, 0.2)), 14)  # fmt: skip
            s.turned([(440, 190), (540, 186), (640, 170), (694, 150)], s.round_(main))
            _weave(s, 440, 250, (190, 152), main)
            s.oval(400, 440, 190, 34, dark(main, 0.4))
        case _:
            s.turned([(400, 130), (460, 190), (550, 216), (640, 190), (694, 130)], s.round_(main))
            _weave(s, 420, 260, (170, 160), main)
            s.oval(400, 402, 134, 26, dark(main, 0.4))


@drawing("bookcase")
def bookcase(s: Sheet) -> None:
    main, shape, rows = s.main, s.trait("shape"), int(s.trait("rows", "3"))
    wood = s.tone("trim", s.picture.colour)
    s.shadow(400, 200, 720)
    top, bottom = 110, 700
    step = (bottom - top) / rows
    if shape == "ladder":
        for a, b in (((270, 90), (210, 716)), ((530, 90), (590, 716))):
            s.tapered(a, b, (20, 22), s.flat(main))
        for number in range(rows):
            y = top + 60 + number * step
            half = 140 + number * 16
            s.board(400 - half, y, half * 2, 18, main)
            if number % 2:
                _books(s, (400 - half + 30, y, half, 90))
            else:
                s.turned(
                    [(y - 70, 26), (y - 36, 44), (y - 1, 34)], s.round_(colour("Clay")), 400 + half * 0.4
                )
        return
    if shape != "open":
        s.rect(210, top - 14, 380, bottom - top + 28, s.flat(main), 6)
        s.rect(228, top + 4, 344, bottom - top - 6, dark(main, 0.4))
    rows_of_books: list[tuple[float, float, float, float]] = []
    for number in range(rows):
        y = top + (number + 1) * step
        rows_of_books.append((380 if number % 2 else 244, y - 4, 180, step - 22))
        if number % 2:
            s.turned([(y - 66, 20), (y - 36, 40), (y - 5, 30)], s.round_(colour("Oat")), 300)
        s.board(216, y - 6, 368, 16, wood if shape == "open" else main)
    _books(s, *rows_of_books)
    if shape == "open":
        for x in (210, 576):
            s.rect(x, top - 20, 14, bottom - top + 34, s.round_(main))


@drawing("cabinet")
def cabinet(s: Sheet) -> None:
    main, shape = s.main, s.trait("shape")
    s.shadow(400, 210, 710)
    knob = s.ball(colour("Brass"))
    if shape == "drawers":
        for x in (250, 550):
            s.tapered((x, 640), (x, 708), (24, 16), s.flat(dark(main, 0.2)))
        s.rect(210, 270, 380, 380, s.flat(main), 8)
        for number in range(4):
            s.board(228, 290 + number * 90, 344, 78, light(main, 0.06), 4)
            s.disc(340, 329 + number * 90, 9, knob)
            s.disc(460, 329 + number * 90, 9, knob)
    elif shape == "apothecary":
        s.rect(190, 190, 420, 500, s.flat(main), 8)
        for row in range(5):
            for column in range(4):
                s.board(206 + column * 98, 208 + row * 95, 90, 84, light(main, 0.06), 3)
                s.disc(251 + column * 98, 262 + row * 95, 7, knob)
                s.rect(233 + column * 98, 226 + row * 95, 36, 16, "#fbf6ea", 2)
    elif shape == "locker":
        s.rect(270, 160, 260, 540, s.flat(main), 8)
        for x in (282, 404):
            s.rect(x, 176, 114, 508, s.flat(light(main, 0.1)), 4)
            for number in range(4):
                s.line([(x + 28, 214 + number * 16), (x + 86, 214 + number * 16)], dark(main, 0.35), 5)
        s.disc(388, 430, 8, knob)
        s.disc(412, 430, 8, knob)
    else:
        wood = s.tone("trim", "Oak")
        for x in (280, 520):
            s.tapered((x, 640), (x, 712), (22, 14), s.flat(wood))
        s.rect(250, 120, 300, 530, s.flat(main), 10)
        s.rect(268, 138, 264, 250, "#dfeaea", 4, opacity=0.75)
        for y in (220, 300):
            s.rect(268, y, 264, 8, wood)
        for x, y in ((310, 220), (370, 220), (470, 300), (330, 388), (440, 388)):
            s.turned([(y - 44, 16), (y - 20, 26), (y, 18)], s.round_(colour("Oat")), x)
        s.line([(400, 138), (400, 388)], main, 10)
        for x in (268, 404):
            s.rect(x, 402, 128, 232, s.flat(light(main, 0.08)), 4)
        s.disc(386, 510, 8, knob)
        s.disc(414, 510, 8, knob)


@drawing("sideboard")
def sideboard(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 310, 690)
    for x in (150, 650):
        s.tapered((x, 580), (x, 690), (26, 16), s.flat(dark(main, 0.15)))
    s.rect(100, 350, 600, 240, s.flat(main), 8)
    for number in range(3):
        x = 118 + number * 192
        cane = s.trait("doors") == "cane"
        s.rect(x, 368, 180, 204, s.flat(light(colour("Natural"), 0.4) if cane else light(main, 0.1)), 4)
        if cane:
            cells = [[(x + step * 15, 368), (x + step * 15, 572)] for step in range(1, 12)]
            cells += [[(x, 368 + step * 15), (x + 180, 368 + step * 15)] for step in range(1, 14)]
            s.strokes(cells, dark(colour("Natural"), 0.25), 2, opacity=0.5)
        s.rect(x, 368, 180, 204, "none", 4, stroke=dark(main, 0.1), stroke_width=10)
    s.turned([(250, 18), (280, 42), (330, 48), (350, 34)], s.round_(colour("Clay")), 240)
    _books(s, (480, 350, 130, 90))


@drawing("wall_shelf")
def wall_shelf(s: Sheet) -> None:
    main, wood = s.main, s.tone("trim", s.picture.colour)
    s.bare()
    if s.trait("shape") == "hung":
        for x in (230, 570):
            s.line([(x, 170), (x, 540)], s.flat(main), 10)
        for y in (330, 520):
            s.board(180, y, 440, 20, wood)
    else:
        for y in (330, 520):
            s.board(150, y, 500, 18, main)
            s.rect(150, y - 16, 500, 18, s.flat(light(main, 0.1)), 3)
    s.turned([(236, 16), (270, 44), (314, 40), (330, 30)], s.round_(colour("Sage")), 500)
    _books(s, (250, 328, 150, 120), (430, 518, 130, 110))
    s.turned([(430, 40), (470, 46), (520, 34)], s.round_(colour("Chalk")), 320)


@drawing("hook_rail")
def hook_rail(s: Sheet) -> None:
    main = s.main
    s.bare()
    s.board(120, 300, 560, 70, main, 8)
    for x in (190, 314, 438, 562):
        s.line([(x, 340), (x, 390), (x + 18, 404)], s.flat(colour("Brass")), 12)
        s.disc(x, 336, 14, s.ball(colour("Brass")))
    s.curve("M566 400C540 420 520 450 520 480M570 400C596 420 612 450 612 480", colour("Denim"), 9)
    s.path("M500 476H632L650 640Q566 664 482 640Z", s.flat(colour("Denim")))
    s.line([(504, 500), (628, 500)], dark(colour("Denim"), 0.3), 4, opacity=0.6)


@drawing("coat_stand")
def coat_stand(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 150, 730)
    for x in (290, 400, 510):
        s.tapered((400 + (x - 400) * 0.1, 560), (x, 730), (18, 14), s.flat(dark(main, 0.08)))
    s.rect(390, 110, 20, 500, s.round_(main), 8)
    for y, way in ((150, -1), (190, 1), (240, -1), (280, 1)):
        s.line([(400, y + 34), (400 + way * 70, y)], s.flat(main), 14)
        s.disc(400 + way * 74, y - 2, 13, s.ball(main))
    s.path(
        "M330 240C300 300 280 420 290 520H380C386 420 380 300 352 236Z", s.flat(colour("Denim")), opacity=0.95
    )


@drawing("shoe_rack")
def shoe_rack(s: Sheet) -> None:
    main, wood = s.main, s.tone("trim", "Oak")
    s.shadow(400, 260, 690)
    for y in (430, 540, 640):
        for number in range(4):
            s.board(160, y + number * 9, 480, 7, wood, 3)
    for x in (150, 636):
        s.rect(x, 350, 14, 340, s.round_(main))
    for x, y, tone in ((250, 428, "Rust"), (330, 428, "Rust"), (470, 538, "Ink"), (550, 538, "Ink")):
        s.path(
            f"M{x} {y}V{y - 44}H{x + 26}C{x + 34} {y - 20} {x + 60} {y - 22} {x + 64} {y}Z",
            s.flat(colour(tone)),
        )


@drawing("mirror")
def mirror(s: Sheet) -> None:
    main = s.main
    s.bare()
    s.disc(400, 380, 226, s.flat(main))
    s.disc(400, 380, 204, s.flat("#cfdde0"))
    s.path("M260 300L420 190H480L240 430Z", "#ffffff", opacity=0.45)
    s.path("M330 520L570 280L580 330L380 540Z", "#ffffff", opacity=0.3)


@drawing("crate")
def crate(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 230, 680)
    s.poly([(190, 430), (610, 430), (570, 390), (230, 390)], dark(main, 0.45))
    for number in range(4):
        s.board(180, 430 + number * 62, 440, 50, main, 5)
    for x in (180, 584):
        s.board(x, 424, 36, 252, dark(main, 0.1), 4)
    s.rect(350, 450, 100, 24, dark(main, 0.5), 12)


@drawing("oval_box")
def oval_box(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 210, 640)
    for x, y, w, h in ((400, 520, 210, 110), (400, 410, 160, 96)):
        s.rect(x - w, y, w * 2, h, s.round_(main))
        s.oval(x, y + h, w, 30, s.round_(main))
        s.rect(x - w - 6, y - 10, w * 2 + 12, 40, s.round_(light(main, 0.12)))
        s.oval(x, y + 30, w + 6, 26, s.round_(light(main, 0.12)))
        s.oval(x, y - 10, w + 6, 28, s.flat(light(main, 0.3)))
        s.path(
            f"M{x - 40} {y + 46}L{x - 10} {y + 76}L{x - 40} {y + 100}",
            "none",
            stroke=dark(main, 0.3),
            stroke_width=3,
        )
