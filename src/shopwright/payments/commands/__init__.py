"""What can change of payments, by noun: `tenders` is what orders ask, `payments` each part, `charges` does it
at the provider, `routing` says at which.
"""

from .payments import Payments
from .routing import Routing
from .tenders import Tenders

__all__ = ["Payments", "Routing", "Tenders"]
