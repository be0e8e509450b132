"""Cloth: folded, hung, stuffed or spread.

A pattern is drawn in the unit square (across, down) and put where the cloth lies by a `Place`.
"""

from __future__ import annotations

from collections.abc import Callable

from .kit import Point, Sheet, colour, dark, drawing, light

Place = Callable[[float, float], Point]
FRINGED = {"brushed", "check", "tartan"}


def _quad(a: Point, b: Point, c: Point, d: Point) -> Place:
    """Cloth between four corners, clockwise from the upper left."""

    def place(across: float, down: float) -> Point:
        upper = a[0] + (b[0] - a[0]) * across, a[1] + (b[1] - a[1]) * across
        lower = d[0] + (c[0] - d[0]) * across, d[1] + (c[1] - d[1]) * across
        return upper[0] + (lower[0] - upper[0]) * down, upper[1] + (lower[1] - upper[1]) * down

    return place


def _box(x: float, y: float, w: float, h: float) -> Place:
    return _quad((x, y), (x + w, y), (x + w, y + h), (x, y + h))


def _bands(
    s: Sheet, at: Place, bands: list[tuple[float, float]], ink: str, *, down: bool, opacity: float
) -> None:
    """Stripes from edge to edge; each band is its middle and width, `down` says which way they run."""
    corners = [
        [(middle - width / 2, 0), (middle + width / 2, 0), (middle + width / 2, 1), (middle - width / 2, 1)]
        for middle, width in bands
    ]
    s.shapes([[at(u, v) if down else at(v, u) for u, v in each] for each in corners], ink, opacity=opacity)


def _checked(s: Sheet, at: Place, base: str, *, tartan: bool) -> None:
    ink, deep = light(base, 0.55), dark(base, 0.3)
    places = [(number + 0.5) / 5 for number in range(5)]
    for down in (False, True):
        _bands(s, at, [(place, 0.05) for place in places], ink, down=down, opacity=0.42)
        if tartan:
            _bands(s, at, [(place + 0.055, 0.022) for place in places], deep, down=down, opacity=0.6)
            thin = [(place - 0.06, 0.01) for place in places[::3]]
            _bands(s, at, thin, colour("Mustard"), down=down, opacity=0.9)


def _grid(s: Sheet, at: Place, ink: str, *, slanted: bool) -> None:
    """Seams of a waffle or, slanted, of a quilt."""
    lines = []
    for number in range(1, 8 if slanted else 15):
        step = number / (4 if slanted else 15)
        if slanted:
            far = min(step, 1)
            lines += [
                [at(far, step - far), at(step - far, far)],
                [at(1 - far, step - far), at(1 - step + far, far)],
            ]
        else:
            lines += [[at(0, step), at(1, step)], [at(step, 0), at(step, 1)]]
    s.strokes(lines, ink, 3, opacity=0.3)


def _diamond(at: Place, middle: Point, half: Point) -> list[Point]:
    (u, v), (du, dv) = middle, half
    return [at(u, v - dv), at(u + du, v), at(u, v + dv), at(u - du, v)]


def _scattered(s: Sheet, kind: str, at: Place, base: str) -> None:
    """Hairs of a mohair, or the pebbles of a mat."""
    if kind == "brushed":
        for tone in (light(base, 0.5), dark(base, 0.2)):
            spots = [at(s.chance.uniform(0.02, 0.96), s.chance.uniform(0.02, 0.98)) for _ in range(26)]
            s.strokes([[(x - 7, y), (x + 7, y + 4)] for x, y in spots], tone, 2, opacity=0.45)
        return
    cells = [(column, row) for row in range(7) for column in range(11)]
    for tone in (light(base, 0.5), light(base, 0.25), dark(base, 0.14)):
        spots = [at((column + s.chance.uniform(0.4, 1.2)) / 11.6, (row + s.chance.uniform(0.5, 0.75)) / 7.2)
                 for column, row in cells
                 if s.chance.random() < 0.55]  # fmt: skip
        s.strokes([[(x - 10, y), (x + s.chance.uniform(6, 14), y + 2)] for x, y in spots], tone, 19)


def _pattern(s: Sheet, kind: str, at: Place, base: str) -> None:
    """What is woven into or printed on the cloth."""
    ink, deep = light(base, 0.55), dark(base, 0.28)
    match kind:
        case "stripes":
            _bands(s, at, [(number / 10, 0.034) for number in range(1, 10)], ink, down=False, opacity=0.85)
        case "stripe":
            _bands(
                s, at, [(0.12, 0.05), (0.2, 0.02), (0.8, 0.02), (0.88, 0.05)], deep, down=True, opacity=0.75
            )
        case "check" | "tartan":
            _checked(s, at, base, tartan=kind == "tartan")
        case "waffle" | "quilt":
            _grid(s, at, deep, slanted=kind == "quilt")
        case "dots":
            spots = [
                at((column + 0.75 - row % 2 * 0.5) / 8, (row + 0.5) / 5)
                for row in range(5)
                for column in range(8)
            ]
            s.dots(spots, 8, ink, opacity=0.9)
        case "diamonds":
            for half, tone in ((0.4, ink), (0.24, deep), (0.1, ink)):
                s.shapes(
                    [_diamond(at, ((n + 0.5) / 5, 0.5), (half / 4, half)) for n in range(5)],
                    tone,
                    opacity=0.8,
                )
        case "kilim":
            for number, tone in enumerate((ink, deep, colour("Mustard"))):
                s.shapes([_diamond(at, ((column + 0.5) / 6, (row + 0.5) / 5), (0.075, 0.09))
                          for row in range(5) for column in range(6) if (row + column) % 3 == number],
                         tone, opacity=0.85)  # fmt: skip
            _bands(s, at, [(0.015, 0.03), (0.985, 0.03)], colour("Mustard"), down=True, opacity=0.8)
        case "brushed" | "pebbles":
            _scattered(s, kind, at, base)
        case "border":
            for edge, tone, width in ((0.08, ink, 13), (0.15, deep, 6)):
                corners = [
                    (edge, edge),
                    (1 - edge, edge),
                    (1 - edge, 1 - edge),
                    (edge, 1 - edge),
                    (edge, edge),
                ]
                s.strokes([[at(u, v) for u, v in corners]], tone, width)
        case "hem":
            _bands(s, at, [(0.1, 0.05), (0.9, 0.05)], ink, down=True, opacity=0.9)
        case "tufted":
            spots = [at((column + 0.5) / 3, (row + 0.5) / 3) for row in range(3) for column in range(3)]
            s.dots(spots, 9, deep, opacity=0.6)
            s.dots([(x - 2, y - 3) for x, y in spots], 4, light(base, 0.3), opacity=0.7)


def _fringe(s: Sheet, at: Place, edge: float, length: float, tone: str) -> None:
    """Threads along an edge, which is how far down (0 or 1)."""
    ends = [at((number + 0.5) / 30, edge) for number in range(30)]
    threads = [f"M{x:.0f} {y:.0f}l{s.chance.randint(-3, 3)} {length:.0f}" for x, y in ends]
    s.curve("".join(threads), tone, 3)


@drawing("cushion")
def cushion(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 220, 640)
    if s.trait("shape") == "round":
        s.disc(400, 420, 210, s.soft(main))
        for turn in range(0, 360, 30):
            s.turn(
                turn, 400, 420, lambda: s.curve("M400 396Q412 310 400 214", dark(main, 0.25), 4, opacity=0.4)
            )
        s.disc(400, 420, 208, "none", stroke=dark(main, 0.25), stroke_width=5, opacity=0.5)
        s.disc(400, 420, 22, s.ball(dark(main, 0.15)))
        return
    oblong = s.trait("shape") == "oblong"
    left, top, w, h = (140, 310, 520, 320) if oblong else (185, 215, 430, 420)
    right, bottom = left + w, top + h
    outline = (f"M{left} {top}Q400 {top + 38} {right} {top}Q{right - 34} {top + h / 2:.0f} {right} {bottom}"
               f"Q400 {bottom - 34} {left} {bottom}Q{left + 34} {top + h / 2:.0f} {left} {top}Z")  # fmt: skip
    s.path(outline, s.soft(main))
    s.within(f'<path d="{outline}"/>', lambda: _pattern(s, s.trait("pattern"), _box(left, top, w, h), main))
    s.path(outline, "none", stroke=dark(main, 0.22), stroke_width=5, stroke_linejoin="round", opacity=0.5)
    folds = "".join(f"M{x} {y}q{dx} {dy * 0.4:.0f} {dx * 1.3:.0f} {dy}" for x, y, dx, dy in (
        (left + 12, top + 14, 60, 54), (right - 12, top + 14, -60, 54),
        (left + 12, bottom - 14, 60, -54), (right - 12, bottom - 14, -60, -54)))  # fmt: skip
    s.curve(folds, dark(main, 0.3), 6, opacity=0.28)


def _layers(s: Sheet, top: float, bottom: float, half: float, *, count: int) -> None:
    """The front of a pile of folds between two heights."""
    tall = (bottom - top) / count
    for number in reversed(range(count)):
        y = top + number * tall
        x, wide = 400 - half + number % 2 * 6, half * 2 - number % 2 * 9
        s.rect(x, y, wide, tall, s.flat(dark(s.main, 0.05 * number)), tall * 0.42)
    s.strokes([[(400 - half + 26, top + n * tall - 3), (400 + half - 22, top + n * tall - 3)]
               for n in range(1, count + 1)], dark(s.main, 0.4), 3, opacity=0.3)  # fmt: skip


@drawing("throw")
def throw(s: Sheet) -> None:
    main, pattern = s.main, s.trait("pattern")
    s.shadow(400, 262, 652)
    _layers(s, 520, 652, 246, count=3)
    top = _quad((220, 350), (580, 350), (656, 446), (144, 446))
    flap = _quad((144, 446), (656, 446), (650, 556), (150, 556))
    s.path("M150 556Q140 500 144 446H656Q660 500 650 556Z", s.flat(dark(main, 0.06)))
    s.path("M144 446Q150 436 156 430L212 360Q220 350 236 350H564Q580 350 588 360L644 430Q650 436 656 446Z",
           s.flat(light(main, 0.14)))  # fmt: skip
    _pattern(s, pattern, top, main)
    _pattern(s, pattern, flap, main)
    s.rect(144, 441, 512, 10, light(main, 0.5), 5, opacity=0.3)
    if pattern in FRINGED:
        _fringe(s, flap, 1, 32, light(main, 0.2))
    else:
        s.line([(152, 552), (648, 552)], dark(main, 0.25), 7, opacity=0.6)
    if s.trait("strap"):
        leather = colour("Walnut")
        for u in (0.3, 0.7):
            s.poly([top(u - 0.03, 0), top(u + 0.03, 0), top(u + 0.03, 1), top(u - 0.03, 1)], s.flat(leather))
            x = top(u, 1)[0]
            s.rect(x - 15, 444, 30, 210, s.round_(leather), 6)
            s.rect(x - 12, 500, 24, 28, "none", 4, stroke=colour("Brass"), stroke_width=5)
        s.curve(f"M{top(0.3, 1)[0]:.0f} 446C310 300 490 300 {top(0.7, 1)[0]:.0f} 446", s.flat(leather), 20)


@drawing("folded")
def folded(s: Sheet) -> None:
    main, napkins = s.main, s.trait("pattern") == "stripe"
    half, count = (190, 5) if napkins else (230, 3)
    top, bottom = (460, 640) if napkins else (500, 640)
    s.shadow(400, half + 16, 640)
    _layers(s, top, bottom, half, count=count)
    lid = _quad((400 - half * 0.74, top - 84), (400 + half * 0.74, top - 84), (400 + half, top + 6),
                (400 - half, top + 6))  # fmt: skip
    s.poly([lid(0, 0), lid(1, 0), lid(1, 1), lid(0, 1)], s.flat(light(main, 0.16)))
    _pattern(s, s.trait("pattern"), lid, main)
    _pattern(s, s.trait("pattern"), _box(400 - half, top + 4, half * 2, bottom - top - 10), main)
    if not napkins:
        band = s.flat(colour("Natural"))
        s.poly([lid(0.44, 0), lid(0.56, 0), lid(0.56, 1), lid(0.44, 1)], band)
        s.rect(lid(0.44, 1)[0], top + 5, half * 0.24, bottom - top - 8, band)
        s.strokes(
            [[lid(0.5, 0.7), lid(0.4, 0.35)], [lid(0.5, 0.7), lid(0.6, 0.35)]],
            dark(colour("Natural"), 0.3),
            6,
        )
        s.disc(*lid(0.5, 0.7), 9, s.ball(colour("Natural")))


@drawing("bed_linen")
def bed_linen(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 300, 690)
    s.board(90, 240, 620, 200, colour("Oak"), 16)
    for x in (130, 415):
        s.rect(x, 330, 255, 120, s.flat(light(main, 0.3)), 44)
        if s.trait("pattern") == "piped":
            s.rect(x + 12, 342, 231, 96, "none", 34, stroke=dark(main, 0.3), stroke_width=5)
    for x in (110, 670):
        s.rect(x, 660, 20, 44, s.flat(dark(colour("Oak"), 0.25)), 4)
    s.path("M96 460Q400 410 704 460V670Q400 700 96 670Z", s.flat(main))
    s.path("M96 460Q400 410 704 460V520Q400 476 96 520Z", s.flat(light(main, 0.35)))
    for x, lean in ((220, 40), (390, -20), (560, 30)):
        s.curve(f"M{x} 530Q{x + lean} 600 {x + lean / 2:.0f} 676", dark(main, 0.25), 4, opacity=0.3)


@drawing("curtain")
def curtain(s: Sheet) -> None:
    main = s.main
    s.rect(230, 180, 340, 440, s.flat("#eef5f7"), 4)
    s.rect(394, 180, 12, 440, "#ffffff")
    for left, edge in ((120, 340), (680, 460)):
        s.path(f"M{left} 130H{edge}C{edge + (left - edge) * 0.1:.0f} 360 {edge} 540 "
               f"{edge + (left - edge) * 0.2:.0f} 720H{left}Z", s.flat(main), opacity=0.96)  # fmt: skip
        for number in range(1, 6):
            x = left + (edge - left) * number / 6
            hang = x + (left - x) * 0.1
            s.curve(f"M{x:.0f} 134Q{hang:.0f} 420 {hang:.0f} 716", dark(main, 0.22), 7, opacity=0.35)
    s.rect(80, 112, 640, 16, s.flat(colour("Brass")), 8)
    for x in (80, 720):
        s.disc(x, 120, 18, s.ball(colour("Brass")))


@drawing("rug")
def rug(s: Sheet) -> None:
    main, shape = s.main, s.trait("shape")
    s.horizon = 300
    if shape == "round":
        s.oval(400, 588, 326, 160, dark(main, 0.35), opacity=0.35)
        s.oval(400, 580, 320, 156, dark(main, 0.2))
        s.oval(400, 572, 320, 156, s.flat(main))
        for number in range(1, 8):
            tone = dark(main, 0.2) if number % 2 else light(main, 0.35)
            rx, ry = 320 - number * 43, 156 - number * 21
            s.oval(400, 572, rx, ry, "none", stroke=tone, stroke_width=5, opacity=0.5)
        return
    corners: tuple[Point, Point, Point, Point] = {
        "runner": ((322, 370), (478, 370), (590, 740), (210, 740)),
        "mat": ((240, 500), (560, 500), (630, 680), (170, 680)),
    }.get(shape, ((190, 430), (610, 430), (720, 710), (80, 710)))
    at = _quad(*corners)
    s.shadow(400, corners[2][0] - 390, corners[2][1] + 6, 34)
    if shape != "mat":
        _fringe(s, at, 0, -12, light(main, 0.55))
        _fringe(s, at, 1, 26, light(main, 0.55))
    s.poly([(x, y + 9) for x, y in corners], dark(main, 0.35))
    s.poly(corners, s.flat(main))
    _pattern(s, s.trait("pattern"), at, main)


@drawing("towel")
def towel(s: Sheet) -> None:
    main = s.main
    if s.trait("shape") == "folded":
        s.shadow(400, 240, 650)
        _layers(s, 430, 650, 226, count=4)
        s.path("M176 436Q178 420 190 410L226 366Q232 360 244 360H556Q568 360 574 366L610 410Q622 420 624 436"
            "Q624 446 610 446H190Q176 446 176 436Z",
               s.flat(light(main, 0.16)))  # fmt: skip
        lid = _quad((232, 360), (568, 360), (624, 440), (176, 440))
        _bands(s, lid, [(0.84, 0.05), (0.9, 0.02)], light(main, 0.6), down=True, opacity=0.7)
        _scattered(s, "brushed", lid, main)
        return
    s.rect(160, 196, 480, 18, s.flat(colour("Brass")), 9)
    for x in (160, 640):
        s.disc(x, 205, 20, s.ball(colour("Brass")))
    s.path("M252 200H580V560Q420 574 252 560Z", s.flat(dark(main, 0.2)))
    s.path("M230 196Q226 186 238 184H562Q574 186 570 196V640Q400 654 230 640Z", s.flat(main))
    s.within('<path d="M230 196H570V640Q400 654 230 640Z"/>',
             lambda: _pattern(s, s.trait("pattern"), _box(230, 200, 340, 450), main))  # fmt: skip
    folds = "".join(
        f"M{x} 214Q{x + lean} 420 {x + lean / 2:.0f} 636" for x, lean in ((300, 14), (420, -12), (510, 10))
    )
    s.curve(folds, dark(main, 0.3), 8, opacity=0.22)
    s.line([(236, 612), (564, 612)], light(main, 0.6), 12, opacity=0.8)


@drawing("apron")
def apron(s: Sheet) -> None:
    main = s.main
    s.bare()
    s.curve("M324 250C324 160 376 140 400 104C424 140 476 160 476 250", s.flat(dark(main, 0.2)), 14)
    s.disc(400, 108, 16, s.ball(colour("Brass")))
    s.path(
        "M310 240H490C500 330 530 380 590 400L580 690Q400 710 220 690L210 400C270 380 300 330 310 240Z",
        s.flat(main),
    )
    s.rect(310, 480, 180, 120, s.flat(light(main, 0.12)), 8)
    s.line([(400, 480), (400, 600)], dark(main, 0.3), 4)
    s.curve("M212 410Q150 440 160 540", s.flat(dark(main, 0.2)), 10)
    s.curve("M588 410Q650 440 640 540", s.flat(dark(main, 0.2)), 10)
