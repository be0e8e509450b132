"""All SQL of orders: carts, orders, shipping. Verbs in, domain types out."""
