"""The sandbox: a payment provider for shops that do not take real money yet, with a card page and webhooks.

It stands for somebody else's servers: its books are its own (schema `sandbox`), our side reaches them only
through `SandboxProvider`, the page and signed webhooks, and each of these may be late, lost or doubled.
"""
