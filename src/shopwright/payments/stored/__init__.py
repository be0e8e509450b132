"""Stored value: what the shop owes buyers, in wallets and on gift cards, and spending it as a provider.

Owns the accounts, what is held of them, and their entries, in the same database as the payments. Guarantees
that no balance is spent twice: holding is one conditional update, and a constraint says so again.
"""
