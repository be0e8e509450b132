"""A wire-level fake of the mesh: one HTTP server on a Unix socket that answers as all services do.

For tests and for working on pages without the platform. It keeps carts, orders and accounts in memory and
answers in the shapes of the public contract (design §10). A service in `away` answers 503; `refusals` holds
problems that the next call to a path shall get. It proves nothing about the services themselves.
"""

from .goods import product
from .mesh import FakeMesh, dead_letter

__all__ = ["FakeMesh", "dead_letter", "product"]
