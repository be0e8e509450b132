"""What can change of payments, by noun: `payments` is what others ask, `charges` does it at the provider."""

from .payments import Payments

__all__ = ["Payments"]
