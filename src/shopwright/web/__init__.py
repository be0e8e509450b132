"""Web: the shop's pages and the operators' pages; a client of the services like any other.

Owns: browser sessions (who is logged in, which cart is theirs), and nothing else.
Promises: the whole purchase works without JavaScript; tokens never reach a browser; every form is guarded
against forgery; one service being away costs its own part of a page, not the page.
Publishes and consumes: no events.
Calls: users, products, orders, payments, notifications by their public paths with the user's own token, and
their operators' paths (dead letters, schema, readiness) for the back office.
"""
