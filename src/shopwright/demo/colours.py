"""What the names of colours, woods and metals look like, and the three letters they have in a SKU.

Pure. Colours are `#rrggbb`; mixing is linear in sRGB, which is good enough for shading flat drawings.
"""

from __future__ import annotations

from functools import cache

#: name → (letters in a SKU, colour)
COLOURS = {
    "Acacia": ("ACA", "#8c5a38"),
    "Amber": ("AMB", "#cf8a35"),
    "Ash": ("ASH", "#dcc49c"),
    "Bamboo": ("BAM", "#d8b777"),
    "Beech": ("BEE", "#d9ae7c"),
    "Birch": ("BIR", "#e5cfa8"),
    "Black": ("BLK", "#2c2b2d"),
    "Blush": ("BLU", "#e9c3b8"),
    "Brass": ("BRS", "#c9a04b"),
    "Brick": ("BRI", "#9c4335"),
    "Butter": ("BUT", "#f0d384"),
    "Chalk": ("CHK", "#efe8db"),
    "Charcoal": ("CHA", "#47474b"),
    "Cherry": ("CHE", "#a7623f"),
    "Clay": ("CLY", "#bb7254"),
    "Clear": ("CLR", "#d5e6e6"),
    "Copper": ("COP", "#c3744a"),
    "Coral": ("COR", "#e27a60"),
    "Denim": ("DEN", "#4f6f94"),
    "Forest": ("FOR", "#315843"),
    "Ink": ("INK", "#2b3a57"),
    "Iron": ("IRO", "#45454a"),
    "Linen": ("LIN", "#e8dcc4"),
    "Moss": ("MOS", "#74824f"),
    "Mustard": ("MUS", "#d6a036"),
    "Natural": ("NAT", "#d2b184"),
    "Oak": ("OAK", "#c99c66"),
    "Oat": ("OAT", "#dbccb1"),
    "Plum": ("PLU", "#6d405a"),
    "Rose": ("ROS", "#d59a98"),
    "Rust": ("RUS", "#a9502f"),
    "Sage": ("SAG", "#9db08c"),
    "Sand": ("SAN", "#d3b88c"),
    "Sea": ("SEA", "#5a9a9d"),
    "Sky": ("SKY", "#a8c8db"),
    "Smoke": ("SMO", "#8b9097"),
    "Steel": ("STL", "#b9bfc5"),
    "Stone": ("STO", "#b6b0a5"),
    "Teak": ("TEA", "#a87142"),
    "Terracotta": ("TER", "#c5683f"),
    "Walnut": ("WAL", "#7b5136"),
    "White": ("WHI", "#f7f4ee"),
}

#: The options whose values are colours of that table and so change the picture.
COLOURED = ("Colour", "Wood", "Finish")

METALS = {"Brass", "Copper", "Iron", "Steel"}
WOODS = {"Acacia", "Ash", "Bamboo", "Beech", "Birch", "Cherry", "Oak", "Teak", "Walnut"}


def colour(name: str) -> str:
    return COLOURS[name][1]


@cache
def mix(first: str, second: str, share: float) -> str:
    """`first` with `share` (0 to 1) of `second` in it."""
    pairs = zip(_channels(first), _channels(second), strict=True)
    return "#" + "".join(f"{round(one + (two - one) * share):02x}" for one, two in pairs)


def light(value: str, share: float = 0.25) -> str:
    """Towards a warm white, as under a lamp."""
    return mix(value, "#fffaf0", share)


def dark(value: str, share: float = 0.25) -> str:
    """Towards a cool brown, as in shade."""
    return mix(value, "#241a1c", share)


def distance(first: str, second: str) -> float:
    """How far apart two colours look, 0 to about 760; below 90 they merge."""
    red, green, blue = (one - two for one, two in zip(_channels(first), _channels(second), strict=True))
    return float((2 * red * red + 4 * green * green + 3 * blue * blue) ** 0.5)


def brightness(value: str) -> float:
    """0 (black) to 1 (white)."""
    red, green, blue = _channels(value)
    return (0.299 * red + 0.587 * green + 0.114 * blue) / 255


def _channels(value: str) -> tuple[int, int, int]:
    return int(value[1:3], 16), int(value[3:5], 16), int(value[5:7], 16)
