"""The catalogue over HTTP."""

from .media import HANDLERS as MEDIA
from .reading import HANDLERS as READING
from .staff import HANDLERS as STAFF

HANDLERS: list[object] = [*READING, *STAFF, *MEDIA]
