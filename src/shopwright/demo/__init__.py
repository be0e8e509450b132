"""The demo shop: 200 products of our own invention, so that a newcomer sees a real shop at once.

`write(folder)` writes `products.jsonl` (our own import format, one draft of a product per line) and the
pictures it names into `folder/pictures`. The same bytes every time, in well under a second; a file that is
already right is left alone. Nothing here is copied from elsewhere, and nothing needs the network.

`data/*.toml` is the merchandise, written by hand: names, texts, prices in euros, options, what is sold out.
Add a product by adding a table there; `sku` is its number within the file's `prefix` and never changes.
`shop` turns a table into a draft: SKUs, barcodes, prices in the other currencies, stock. `colours` says what
"Moss" or "Walnut" looks like; a value of Colour, Wood or Finish that stands there gets its own picture.
`drawing` draws: `look = { draw = "mug", … }` names a function of `drawing/*.py`, the rest are its traits.
Pictures use plain shapes and gradients only, as the catalogue refuses any other SVG.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from . import shop
from .drawing import draw

__all__ = ["write"]


def write(folder: Path) -> None:
    """Write `products.jsonl` and `pictures/*.svg` into `folder`, which is made if it is missing."""
    pictures = folder / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    items = shop.items()
    encoder = msgspec.json.Encoder()
    for item in items:
        for picture in item.pictures:
            _put(pictures / picture.file, draw(picture).encode())
    _put(folder / "products.jsonl", encoder.encode_lines([shop.draft(item) for item in items]))


def _put(path: Path, content: bytes) -> None:
    if not path.is_file() or path.read_bytes() != content:
        path.write_bytes(content)
