"""What a table is laid with."""

from __future__ import annotations

from .kit import Sheet, colour, dark, drawing, light


def _speckles(s: Sheet, cx: float, cy: float, rx: float, ry: float, ink: str) -> None:
    for size in (1.5, 2.5, 3.5):
        spots = [(s.chance.uniform(-1, 1), s.chance.uniform(-1, 1)) for _ in range(18)]
        s.dots([(cx + x * rx, cy + y * ry) for x, y in spots if x * x + y * y < 1], size, ink, opacity=0.6)


@drawing("plate")
def plate(s: Sheet) -> None:
    main = s.main
    s.horizon = 330
    s.shadow(400, 300, 590, 100)
    s.path("M110 520A290 122 0 0 0 690 520L560 632Q400 664 240 632Z", s.round_(dark(main, 0.16)))
    s.oval(400, 520, 290, 122, s.flat(light(main, 0.14)))
    inner = 178 if s.trait("rim") == "wide" else 240
    s.oval(400, 526, inner, inner * 0.4, s.flat(dark(main, 0.12)))
    s.oval(400, 532, inner - 10, inner * 0.4 - 7, s.flat(light(main, 0.1)))
    s.oval(400, 520, 288, 120, "none", stroke=light(main, 0.6), stroke_width=4, opacity=0.7)
    if s.trait("rim") == "speckled":
        _speckles(s, 400, 520, 280, 112, dark(main, 0.55))


@drawing("platter")
def platter(s: Sheet) -> None:
    main = s.main
    s.horizon = 330
    s.shadow(400, 330, 560, 90)
    s.oval(400, 500, 320, 110, dark(main, 0.3))
    s.oval(400, 482, 320, 110, s.flat(light(main, 0.12)))
    s.oval(400, 490, 276, 84, s.flat(dark(main, 0.06)))
    for way in (-1, 1):
        s.oval(400 + way * 296, 482, 18, 34, dark(main, 0.4))
    for x in (330, 400, 470):
        s.disc(x, 466, 38, s.ball(colour("Mustard")))
        s.path(f"M{x} 430q14 -26 40 -20q-10 24 -40 20Z", colour("Moss"))


@drawing("bowl")
def bowl(s: Sheet) -> None:
    main, shape = s.main, s.trait("shape")
    half, top, foot = {
        "deep": (180, 400, 80), "serving": (250, 400, 110), "tea": (130, 430, 60), "wide": (230, 460, 90),
        "pie": (260, 520, 180),
    }[shape]  # fmt: skip
    s.shadow(400, foot + 70)
    s.rect(400 - foot * 0.8, 612, foot * 1.6, 26, s.round_(dark(main, 0.12)), 8)
    s.path(f"M{400 - half} {top}H{400 + half}C{400 + half - 8} {top + 130} {400 + foot} 624 400 624"
           f"S{400 - half + 8} {top + 130} {400 - half} {top}Z", s.round_(main))  # fmt: skip
    s.oval(400, top, half, half * 0.2, s.flat(light(main, 0.3)))
    s.oval(400, top + 6, half - 14, half * 0.2 - 8, s.flat(dark(main, 0.18)))
    if s.trait("stripe"):
        s.curve(
            f"M{400 - half + 6} {top + 44}Q400 {top + 110} {400 + half - 6} {top + 44}", colour("Ink"), 14
        )
    if shape == "pie":
        s.oval(400, top + 2, half - 20, half * 0.17, s.flat("#d9a35e"))
        for number in range(-2, 3):
            s.line([(400 + number * 74 - 60, top - 30), (400 + number * 74 + 60, top + 36)], "#efc98c", 14)
    if shape == "serving":
        for x, tone in ((310, "Moss"), (390, "Coral"), (470, "Moss"), (430, "Butter"), (350, "Coral")):
            s.disc(x, top - 8 + (x % 3) * 6, 36, s.ball(colour(tone)))


@drawing("butter_dish")
def butter_dish(s: Sheet) -> None:
    main = s.main
    s.shadow(400, 250)
    s.rect(150, 600, 500, 30, s.flat(main), 14)
    s.rect(210, 420, 380, 182, s.flat(light(main, 0.08)), 26)
    s.rect(210, 420, 380, 50, light(main, 0.5), 26, opacity=0.5)
    s.rect(370, 392, 60, 30, s.round_(colour("Oak")), 12)


@drawing("egg_cup")
def egg_cup(s: Sheet) -> None:
    main = s.main
    for x in (290, 510):
        s.shadow(x, 80)
        s.path(
            f"M{x - 66} 420C{x - 66} 320 {x - 34} 270 {x} 270S{x + 66} 320 {x + 66} 420Z", s.ball("#eed8bf")
        )
        s.turned([(420, 84), (500, 74), (560, 30), (600, 34), (640, 76)], s.round_(main), x)
        s.oval(x, 420, 84, 16, s.flat(light(main, 0.3)))


@drawing("cutlery")
def cutlery(s: Sheet) -> None:
    metal = s.main
    s.bare()
    s.rect(150, 130, 500, 570, s.flat(colour("Linen")), 10)
    s.rect(150, 130, 500, 26, light(colour("Linen"), 0.5), 10)
    for x in (240, 400, 560):
        s.rect(x - 11, 380, 22, 290, s.round_(metal), 11)
    for lean in (-27, -9, 9, 27):
        s.rect(240 + lean - 5, 180, 10, 120, s.round_(metal), 5)
    s.path("M206 270H274Q274 360 240 392Q206 360 206 270Z", s.round_(metal))
    s.path("M378 180Q430 180 430 300L422 400H378Z", s.round_(light(metal, 0.15)))
    s.oval(560, 260, 44, 82, s.round_(metal))
    s.oval(564, 268, 30, 62, dark(metal, 0.16), opacity=0.7)
