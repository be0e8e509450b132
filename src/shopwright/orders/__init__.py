"""Orders: carts, orders, and the saga that turns one into the other.

Owns: carts with their lines, orders with what was frozen into them, shipping methods, order numbers.
Promises: one order per cart at most; a total that changed is refused, never charged; an accepted order ends
confirmed and paid once, or refused and unpaid, whatever process dies in between.
Publishes: OrderConfirmed, OrderRefused, OrderCancelled, OrderShipped, OrderRefunded, OrderDrafted,
PaymentRequested, TransferAwaited.
Consumes: PaymentChanged (payments), UserErased (users).
Calls: products (quotes, reservations), payments (gRPC), users (who is this buyer).
"""
