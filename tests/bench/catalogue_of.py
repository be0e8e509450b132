"""Writes a catalogue of N products to standard output, in our own CSV; always the same for the same N.

    python tests/bench/catalogue_of.py 100000 > catalogue.csv

It knows nothing of Shopwright. Half of the products have one variant, the others two to six; texts have some
200 characters, a tree of 60 categories, five attributes, prices in two currencies, two warehouses.
"""

import csv
import random
import sys

MATERIALS = [
    "Oak",
    "Ash",
    "Linen",
    "Cotton",
    "Steel",
    "Brass",
    "Clay",
    "Glass",
    "Cork",
    "Wool",
    "Leather",
    "Jute",
]
THINGS = ["Lamp", "Mug", "Chair", "Throw", "Vase", "Tray", "Stool", "Bowl", "Rug", "Clock", "Basket", "Shelf"]
STYLES = ["Nordic", "Classic", "Bold", "Quiet", "Rustic", "Modern", "Soft", "Slim", "Grand", "Little"]
COLOURS = ["Sand", "Moss", "Ink", "Clay", "Snow", "Rust", "Sky", "Plum"]
SIZES = ["S", "M", "L"]
BRANDS = [f"Workshop {letter}{number}" for letter in "ABCDEFGH" for number in range(10)]
ROOMS = ["Living", "Kitchen", "Bedroom", "Bath", "Garden"]
HEADER = [
    "slug", "name", "status", "brand", "summary", "description", "categories", "pictures",
    "attribute:Material", "attribute:Style", "attribute:Room", "attribute:Made In", "attribute:Care",
    "sku", "barcode", "weight_g", "option:Colour", "option:Size",
    "price:EUR", "compare_at:EUR", "price:USD", "stock:main", "stock:north",
]  # fmt: skip
SENTENCES = [
    "Made by hand in small batches and finished with oil.",
    "A piece that gets better with every year of use.",
    "It fits where others do not, and is mended for life.",
    "Every one is a little different, as things made by people are.",
    "Delivered in recycled board without any plastic.",
]


def rows(number, random_):
    material, thing, style = (random_.choice(words) for words in (MATERIALS, THINGS, STYLES))
    room = random_.choice(ROOMS)
    name = f"{style} {material} {thing} No. {number}"
    slug = name.lower().replace(". ", "-").replace(" ", "-")
    text = "".join(f"<p>{sentence}</p>" for sentence in random_.sample(SENTENCES, 3))
    own = [
        slug, name, "active", random_.choice(BRANDS), f"{style} and made of {material.lower()}.", text,
        f"{room} > {thing}s", f"https://pictures.example/{slug}.jpg",
        material, style, room, random_.choice(["Portugal", "Estonia", "Japan", "Norway"]), "Wipe clean",
    ]  # fmt: skip
    choices = [("", "")]
    if number % 2:
        colours = random_.sample(COLOURS, random_.randint(1, 2))
        choices = [(colour, size) for colour in colours for size in SIZES]
    for place, (colour, size) in enumerate(choices):
        cents = random_.randint(500, 40_000)
        yield [
            *(own if place == 0 else [slug, *[""] * (len(own) - 1)]),
            f"S{number:07}-{place}", f"{4_000_000_000_000 + number * 10 + place}", random_.randint(50, 9_000),
            colour, size,
            f"{cents / 100:.2f}", f"{cents / 80:.2f}" if number % 5 == 0 else "", f"{cents / 90:.2f}",
            random_.randint(0, 500), random_.randint(0, 50),
        ]  # fmt: skip


def main():
    random_ = random.Random(7)
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(HEADER)
    for number in range(int(sys.argv[1])):
        table.writerows(rows(number, random_))


if __name__ == "__main__":
    main()
