"""Reconciliation: what a provider says has moved on a day, held against our events and the ledger.

Promises: every movement that only one side knows, or both know differently, is listed; a day without
differences nets to zero in every currency. A day may be reconciled again and then says what is true by then.
"""
