"""Cloth: folded, hung, stuffed or spread."""

from __future__ import annotations

from .kit import Sheet, colour, dark, drawing, light


def _pattern(s: Sheet, kind: str, box: tuple[float, float, float, float], base: str) -> None:
    """A woven or printed pattern over a box (x, y, width, height)."""
    x, y, w, h = box
    ink = light(base, 0.55) if base != light(base, 0.55) else dark(base, 0.2)
    deep = dark(base, 0.28)
    match kind:
        case "stripes" | "stripe":
            for number in range(1, 9, 1 if kind == "stripes" else 3):
                s.line([(x, y + h * number / 9), (x + w, y + h * number / 9)], ink, h / 30, opacity=0.85)
        case "check" | "tartan":
            for number in range(1, 7):
                s.line([(x, y + h * number / 7), (x + w, y + h * number / 7)], ink, h / 26, opacity=0.5)
                s.line([(x + w * number / 7, y), (x + w * number / 7, y + h)], ink, w / 30, opacity=0.5)
            if kind == "tartan":
                for number in range(1, 7, 2):
                    s.line(
                        [(x, y + h * number / 7 + 9), (x + w, y + h * number / 7 + 9)], deep, 4, opacity=0.7
                    )
                    s.line(
                        [(x + w * number / 7 + 9, y), (x + w * number / 7 + 9, y + h)], deep, 4, opacity=0.7
                    )
        case "waffle":
            for number in range(1, 14):
                s.line([(x, y + h * number / 14), (x + w, y + h * number / 14)], deep, 2, opacity=0.35)
                s.line([(x + w * number / 14, y), (x + w * number / 14, y + h)], deep, 2, opacity=0.35)
        case "dots":
            for row in range(6):
                for column in range(7):
                    at = x + w * (column + (0.75 if row % 2 else 0.35)) / 7.3
                    s.disc(at, y + h * (row + 0.5) / 6, min(w, h) / 44, ink, opacity=0.9)
        case "diamonds":
            for column in range(5):
                cx, cy = x + w * (column + 0.5) / 5, y + h / 2
                s.poly([(cx, cy - h * 0.36), (cx + w * 0.09, cy), (cx, cy + h * 0.36), (cx - w * 0.09, cy)], ink,
                       opacity=0.8)  # fmt: skip
        case "quilt":
            for number in range(-3, 8):
                s.line([(x + w * number / 6, y), (x + w * (number + 3) / 6, y + h)], deep, 2.5, opacity=0.35)
                s.line([(x + w * number / 6, y + h), (x + w * (number + 3) / 6, y)], deep, 2.5, opacity=0.35)
        case "brushed":
            for _ in range(60):
                at, up = x + s.chance.uniform(0, w), y + s.chance.uniform(0, h)
                s.line([(at, up), (at + 12, up + 5)], ink, 2, opacity=0.4)
        case "kilim":
            for row in range(5):
                for column in range(6):
                    cx, cy = x + w * (column + 0.5) / 6, y + h * (row + 0.5) / 5
                    tone = (ink, deep, colour("Mustard"))[(row + column) % 3]
                    s.poly([(cx, cy - h / 12), (cx + w / 14, cy), (cx, cy + h / 12), (cx - w / 14, cy)], tone,
                           opacity=0.85)  # fmt: skip
        case "pebbles":
            for _ in range(40):
                s.oval(x + s.chance.uniform(0.04, 0.96) * w, y + s.chance.uniform(0.1, 0.9) * h,
                       w / 26, h / 20, s.flat(light(base, s.chance.uniform(0.1, 0.6))))  # fmt: skip
        case "border":
            s.rect(x + w * 0.06, y + h * 0.1, w * 0.88, h * 0.8, "none", 2, stroke=ink, stroke_width=h / 30)
            s.rect(x + w * 0.1, y + h * 0.17, w * 0.8, h * 0.66, "none", 2, stroke=deep, stroke_width=h / 60)
        case "hem" | "piped":
            s.line([(x, y + h * 0.86), (x + w, y + h * 0.86)], ink, h / 22, opacity=0.9)
        case "tufted":
            for row in range(4):
                for column in range(4):
                    s.disc(x + w * (column + 0.5) / 4, y + h * (row + 0.5) / 4, 8, deep, opacity=0.5)
        case _:
            pass


@drawing("cushion")
def cushion(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 220, 640)
    if s.trait("shape") == "round":
        s.disc(400, 420, 210, s.ball(main))
        for turn in range(12):
            s.turn(
                turn * 30,
                400,
                420,
                lambda: s.curve("M400 396Q412 310 400 214", dark(main, 0.25), 4, opacity=0.4),
            )
        s.disc(400, 420, 20, s.ball(dark(main, 0.15)))
        return
    oblong = s.trait("shape") == "oblong"
    left, top, w, h = (150, 320, 500, 310) if oblong else (200, 230, 400, 400)
    right, bottom = left + w, top + h
    outline = (f"M{left} {top}Q400 {top + 34} {right} {top}Q{right - 30} {top + h / 2:.0f} {right} {bottom}"
               f"Q400 {bottom - 30} {left} {bottom}Q{left + 30} {top + h / 2:.0f} {left} {top}Z")  # fmt: skip
    s.path(outline, s.ball(main))
    s.within(f'<path d="{outline}"/>', lambda: _pattern(s, s.trait("pattern"), (left, top, w, h), main))
    s.path(outline, "none", stroke=dark(main, 0.2), stroke_width=4, opacity=0.5)


@drawing("throw")
def throw(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 250, 650)
    for number in range(4):
        y = 590 - number * 62
        s.rect(170, y, 460, 58, s.flat(light(main, 0.05 * number)), 28)
        s.curve(f"M200 {y + 46}H600", dark(main, 0.3), 3, opacity=0.35)
    top = '<path d="M170 404Q180 350 230 350H600Q630 360 630 404Z"/>'
    s.path("M170 404Q180 350 230 350H600Q630 360 630 404Z", s.flat(light(main, 0.18)))
    s.within('<rect x="170" y="350" width="460" height="298" rx="28"/>' + top,
             lambda: _pattern(s, s.trait("pattern"), (170, 350, 460, 298), main))  # fmt: skip
    for number in range(16):
        s.line([(180 + number * 28, 646), (178 + number * 28, 676)], main, 4)
    if s.trait("strap"):
        for x in (300, 500):
            s.rect(x - 13, 348, 26, 302, s.round_(colour("Walnut")), 5)
        s.curve("M300 350C320 270 480 270 500 350", s.flat(colour("Walnut")), 16)


@drawing("folded")
def folded(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 220, 640)
    for number in range(3):
        y = 570 - number * 70
        s.rect(200, y, 400, 66, s.flat(light(main, 0.08 * number)), 22)
        s.line([(214, y + 52), (586, y + 52)], dark(main, 0.3), 3, opacity=0.35)
        _pattern(s, s.trait("pattern"), (204, y + 6, 392, 44), main)


@drawing("bed_linen")
def bed_linen(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 300, 690)
    s.board(90, 240, 620, 200, colour("Oak"), 16)
    for x in (130, 415):
        s.rect(x, 330, 255, 120, s.flat(light(main, 0.3)), 44)
        if s.trait("pattern") == "piped":
            s.rect(x + 12, 342, 231, 96, "none", 34, stroke=dark(main, 0.3), stroke_width=5)
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
            s.curve(f"M{x:.0f} 134Q{x + (left - x) * 0.1:.0f} 420 {x + (left - x) * 0.1:.0f} 716", dark(main, 0.22), 7,
                    opacity=0.35)  # fmt: skip
    s.rect(80, 112, 640, 16, s.flat(colour("Brass")), 8)
    for x in (80, 720):
        s.disc(x, 120, 18, s.ball(colour("Brass")))


@drawing("rug")
def rug(s: Sheet) -> None:
    main, shape = s.main, s.trait("shape")
    if shape == "round":
        s.shadow(400, 290, 500, 130)
        s.oval(400, 480, 290, 150, s.flat(main))
        for number in range(1, 7):
            s.oval(400, 480, 290 - number * 42, 150 - number * 21.5, "none", stroke=dark(main, 0.2), stroke_width=4,
                   opacity=0.5)  # fmt: skip
        return
    box = {"runner": (270, 120, 260, 590), "mat": (170, 330, 460, 280)}.get(shape, (120, 210, 560, 410))
    x, y, w, h = box
    s.shadow(400, w / 2, y + h + 4)
    if shape != "mat":
        for number in range(int(w / 16)):
            for edge, way in ((y, -18), (y + h, 18)):
                s.line([(x + 8 + number * 16, edge), (x + 8 + number * 16, edge + way)], light(main, 0.5), 3)
    s.rect(x, y, w, h, s.flat(main), 6)
    _pattern(s, s.trait("pattern"), box, main)


@drawing("towel")
def towel(s: Sheet) -> None:
    main = s.main
    if s.trait("shape") == "folded":
        s.shadow(400, 230, 650)
        for number in range(4):
            y = 580 - number * 70
            s.rect(180, y, 440, 66, s.flat(light(main, 0.06 * number)), 32)
            s.line([(206, y + 52), (600, y + 52)], dark(main, 0.28), 3, opacity=0.4)
            s.line([(520, y + 4), (520, y + 62)], light(main, 0.6), 12, opacity=0.7)
        return
    s.rect(160, 196, 480, 18, s.flat(colour("Brass")), 9)
    for x in (160, 640):
        s.disc(x, 205, 20, s.ball(colour("Brass")))
    s.path("M230 196H570V640Q400 654 230 640Z", s.flat(main))
    s.within('<path d="M230 196H570V640Q400 654 230 640Z"/>',
             lambda: _pattern(s, s.trait("pattern"), (230, 200, 340, 440), main))  # fmt: skip
    s.path("M230 196H570V330Q400 344 230 330Z", s.flat(light(main, 0.1)), opacity=0.55)
    s.line([(236, 610), (564, 610)], light(main, 0.6), 14, opacity=0.8)


@drawing("apron")
def apron(s: Sheet) -> None:
    main = s.main
    s.disc(400, 120, 12, s.ball(colour("Brass")))
    s.curve("M330 250C330 150 470 150 470 250", s.flat(dark(main, 0.2)), 14)
    s.path(
        "M310 240H490C500 330 530 380 590 400L580 690Q400 710 220 690L210 400C270 380 300 330 310 240Z",
        s.flat(main),
    )
    s.rect(310, 480, 180, 120, s.flat(light(main, 0.12)), 8)
    s.line([(400, 480), (400, 600)], dark(main, 0.3), 4)
    s.curve("M212 410Q150 440 160 540", s.flat(dark(main, 0.2)), 10)
    s.curve("M588 410Q650 440 640 540", s.flat(dark(main, 0.2)), 10)
