"""Payments: what buyers pay and get back, the provider that does it, and the ledger of it.

Owns: payments with their immutable events, the double-entry ledger; in `sandbox`, apart from both, the books
of the local test provider.
Promises: no payment is charged, captured or refunded twice, whatever dies or repeats; an outcome that is not
known is asked for, never tried again; every journal balances per currency; a card number never comes here.
Publishes: PaymentChanged.
Consumes: nothing; the provider's webhooks.
Calls: the payment provider.
"""
