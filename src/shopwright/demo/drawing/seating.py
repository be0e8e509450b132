"""Things to sit on, seen a little from above and from the left."""

from __future__ import annotations

from .kit import Sheet, colour, dark, drawing, light

GROUND = 700


def _legs(s: Sheet, wood: str, seat: float, xs: tuple[float, float], spread: float = 16) -> None:
    left, right = xs
    for x, lean, y in ((left + 46, -0.4, GROUND - 34), (right - 46, 0.4, GROUND - 34)):
        s.tapered((x, seat), (x + spread * lean, y), (20, 14), s.flat(dark(wood, 0.22)))
    for x, lean in ((left + 8, -1), (right - 8, 1)):
        s.tapered((x, seat), (x + spread * lean, GROUND), (24, 16), s.flat(wood))


def _seat(s: Sheet, x: float, y: float, w: float, base: str, depth: float = 56) -> None:
    """A seat's top and front edge."""
    s.poly([(x + 34, y - depth), (x + w - 34, y - depth), (x + w, y), (x, y)], s.flat(light(base, 0.12)))
    s.rect(x, y, w, 22, s.flat(dark(base, 0.12)), 4)


@drawing("chair")
def chair(s: Sheet) -> None:
    main, wood = s.main, s.tone("trim", s.picture.colour)
    small = s.trait("size") == "small"
    left, right, seat, top = (280, 520, 520, 330) if small else (260, 540, 480, 190)
    s.shadow(400, 170, GROUND)
    _back(s, s.trait("back"), (left + 26, right - 26), (top, seat - 40), main, wood)
    match s.trait("legs"):
        case "swivel":
            s.rect(388, seat, 24, 130, s.round_(colour("Steel")))
            for x in (270, 340, 460, 530):
                s.line([(400, seat + 130), (x, GROUND - 16)], s.flat(colour("Steel")), 14)
                s.disc(x, GROUND - 10, 12, colour("Black"))
        case "cross":
            for a, b in (
                ((left + 20, seat), (right - 10, GROUND)),
                ((right - 20, seat), (left + 10, GROUND)),
            ):
                s.line([a, b], s.flat(wood), 20)
        case "rockers":
            _legs(s, wood, seat, (left, right), 8)
            s.curve(
                f"M{left - 60} {GROUND - 14}Q400 {GROUND + 52} {right + 60} {GROUND - 14}", s.flat(wood), 18
            )
        case _:
            _legs(s, wood, seat, (left, right))
    _seat(s, left, seat, right - left, main)
    if s.trait("seat") == "cord":
        for across in range(-7, 8, 2):
            off = across * (right - left - 40) / 14
            s.line([(400 + off, seat - 2), (400 + off * 0.78, seat - 54)], dark(main, 0.25), 2, opacity=0.6)
    elif s.trait("seat") == "slats":
        for number in range(1, 4):
            y, inset = seat - number * 14, number * 8
            s.line([(left + inset, y), (right - inset, y)], dark(main, 0.4), 3, opacity=0.6)


def _back(
    s: Sheet, kind: str, xs: tuple[float, float], ys: tuple[float, float], main: str, wood: str
) -> None:
    (left, right), (top, bottom) = xs, ys
    width, height = right - left, bottom - top
    if kind == "shell":
        s.path(f"M{left - 10} {bottom + 20}C{left - 30} {top + 20} {left + 40} {top} 400 {top}S{right + 30} "
               f"{top + 20} {right + 10} {bottom + 20}Z", s.ball(main))  # fmt: skip
        return
    if kind == "pad":
        s.rect(left, top + 30, width, height * 0.62, s.flat(main), 34)
        s.rect(390, top + height * 0.6, 20, height * 0.5, s.round_(colour("Steel")))
        return
    for x in (left, right):
        s.tapered((x, top), (x, bottom + 30), (18, 24), s.flat(wood))
    match kind:
        case "cane":
            s.rect(left + 8, top + 16, width - 16, height * 0.62, s.flat(light(colour("Natural"), 0.35)), 8)
            for number in range(1, 9):
                x = left + 8 + number * (width - 16) / 9
                s.line(
                    [(x, top + 18), (x, top + height * 0.68)], dark(colour("Natural"), 0.3), 1.5, opacity=0.7
                )
            for number in range(1, 7):
                y = top + 16 + number * height * 0.088
                s.line([(left + 10, y), (right - 10, y)], dark(colour("Natural"), 0.3), 1.5, opacity=0.7)
            s.rect(left + 4, top + 12, width - 8, height * 0.66, "none", 10, stroke=wood, stroke_width=12)
        case "ladder":
            for number in range(4):
                s.board(left, top + 14 + number * height * 0.24, width, 24, wood, 10)
        case "spindle":
            s.board(left - 14, top - 6, width + 28, 34, wood, 16)
            for number in range(1, 7):
                x = left + number * width / 7
                s.line([(x, top + 20), (400 + (x - 400) * 0.92, bottom + 10)], s.flat(wood), 8)
        case _:
            s.board(left, top, width, 52, wood, 14)
            s.board(left, top + height * 0.4, width, 40, wood, 12)


@drawing("stool")
def stool(s: Sheet) -> None:
    main = s.main
    tall = s.trait("height") == "tall"
    seat = 250 if tall else 440
    s.shadow(400, 140, GROUND)
    splay = 0.95 if s.trait("seat") == "saddle" else 0.7
    feet = (300, 400, 500) if s.trait("legs") == "three" else (296, 356, 444, 504)
    for x in feet:
        back = x in {356, 444}
        y = GROUND - 30 if back else GROUND
        s.tapered(
            (400 + (x - 400) * splay, seat + 20), (x, y), (24, 16), s.flat(dark(main, 0.2 if back else 0.05))
        )
    if tall:
        s.line([(318, 560), (482, 560)], s.flat(dark(main, 0.1)), 12)
    if s.trait("seat") == "saddle":
        s.path(f"M236 {seat - 30}q164 60 328 0v44q-164 60 -328 0Z", s.flat(dark(main, 0.12)))
        s.path(f"M262 {seat - 48}q138 48 276 0l26 18q-164 60 -328 0Z", s.flat(light(main, 0.14)))
    else:
        s.oval(400, seat + 22, 138, 40, dark(main, 0.22))
        s.oval(400, seat, 138, 40, s.flat(light(main, 0.1)))


@drawing("bench")
def bench(s: Sheet) -> None:
    main, wood = s.main, s.tone("trim", s.picture.colour)
    bath = s.trait("shape") == "bath"
    left, right, seat = (230, 570, 470) if bath else (120, 680, 480)
    s.shadow(400, (right - left) / 2, GROUND)
    _legs(s, wood, seat, (left + 20, right - 20), 6)
    _seat(s, left, seat, right - left, main, 70)
    if s.trait("seat") == "woven":
        for number in range(14):
            x = left + 30 + number * (right - left - 60) / 13
            s.line([(x, seat - 2), (400 + (x - 400) * 0.9, seat - 68)], dark(main, 0.2), 2.5, opacity=0.6)
        for number in range(1, 5):
            s.line([(left + number * 8, seat - number * 14), (right - number * 8, seat - number * 14)],
                   dark(main, 0.2), 2, opacity=0.5)  # fmt: skip
    if bath:
        gaps = [-130, -78, -26, 26, 78, 130]
        s.strokes([[(400 + x, seat + 3), (400 + x * 0.8, seat - 66)] for x in gaps], dark(main, 0.5), 7)
        for number in range(2):
            s.board(left + 30, 600 + number * 20, right - left - 60, 14, wood, 5)


@drawing("armchair")
def armchair(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 230, GROUND)
    if s.trait("shape") == "wing":
        for x in (250, 550):
            s.tapered((x, 600), (x + (-10 if x < 400 else 10), GROUND), (28, 18), s.flat(colour("Walnut")))
        s.path("M262 540V250Q258 190 320 176Q400 146 480 176Q542 190 538 250V540Z", s.soft(main))
        buttons = [(340, 270), (400, 270), (460, 270), (370, 340), (430, 340)]
        s.dots(buttons, 7, dark(main, 0.35))
        s.dots([(x - 2, y - 2) for x, y in buttons], 3, light(main, 0.3), opacity=0.7)
        s.path("M272 214C216 236 204 330 226 430L288 460Q296 330 272 214Z", s.flat(light(main, 0.05)))
        s.path("M528 214C584 236 596 330 574 430L512 460Q504 330 528 214Z", s.flat(dark(main, 0.2)))
        s.rect(256, 540, 288, 84, s.flat(dark(main, 0.14)), 14)
        s.rect(262, 472, 276, 84, s.flat(light(main, 0.12)), 30)
        s.rect(194, 410, 82, 214, s.flat(main), 40)
        s.rect(524, 410, 82, 214, s.flat(dark(main, 0.12)), 40)
        return
    wood = s.tone("trim", "Oak")
    s.rect(270, 230, 260, 270, s.flat(main), 30)
    s.rect(256, 460, 288, 84, s.flat(light(main, 0.1)), 28)
    s.rect(262, 530, 276, 30, s.flat(dark(main, 0.18)), 8)
    for x in (226, 574):
        s.tapered((x, 420), (x, GROUND), (24, 18), s.flat(wood))
        s.board(x - 26, 404, 52, 24, wood, 10)
    s.rect(226, 558, 348, 22, s.flat(wood), 6)


@drawing("sofa")
def sofa(s: Sheet) -> None:
    main, slim = s.main, s.trait("arms") == "slim"
    seats = int(s.trait("seats", "2"))
    wood = s.tone("trim", "Walnut")
    s.shadow(400, 310, 680)
    for x in (150, 650):
        s.tapered((x, 600), (x, 680), (26, 16), s.flat(wood))
    s.rect(110, 300, 580, 260, s.flat(dark(main, 0.08)), 46)
    width = 500 / seats
    for number in range(seats):
        place = 154 + number * width
        s.rect(place, 330, width - 8, 170, s.flat(main), 34)
        s.rect(place, 470, width - 8, 84, s.flat(light(main, 0.12)), 28)
    s.rect(120, 545, 560, 62, s.flat(dark(main, 0.14)), 16)
    arm, radius = (48, 14) if slim else (84, 42)
    for x in (84, 716 - arm):
        s.rect(x, 400, arm, 206, s.flat(light(main, 0.04)), radius)
    if slim:
        s.rect(84, 596, 632, 18, s.flat(wood), 6)


@drawing("pouf")
def pouf(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 210, 660)
    s.path("M300 396C130 410 130 640 290 658Q400 672 510 658C670 640 670 410 500 396Q400 372 300 396Z",
           s.soft(main))  # fmt: skip
    ribs = [(430, 186), (468, 216), (508, 228), (548, 225), (588, 208), (624, 172)]
    s.curve(
        "".join(f"M{400 - half} {y}q{half} 40 {half * 2} 0" for y, half in ribs),
        dark(main, 0.3),
        7,
        opacity=0.4,
    )
    loops = [(400 + n * 46 + y % 3 * 8, y + 8 + 20 * (1 - (n / 5) ** 2)) for y in (448, 488, 528, 568)
             for n in range(-4, 5)]  # fmt: skip
    s.strokes(
        [[(x - 9, y + 6), (x, y - 6), (x + 9, y + 6)] for x, y in loops], light(main, 0.3), 4, opacity=0.45
    )
    s.oval(400, 404, 108, 22, s.flat(light(main, 0.12)))
    s.oval(400, 404, 60, 11, "none", stroke=dark(main, 0.25), stroke_width=5, opacity=0.5)
