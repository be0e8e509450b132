"""Stripe as a payment provider, by its official SDK.

Cards are authorised with PaymentIntents of manual capture; Stripe's page asks for 3-D Secure where a bank
wants it. Our side relies on none of Stripe's idempotency: a charge or refund is looked for
before it is sent again, and what a webhook says is only a reason to ask what is true.
"""
