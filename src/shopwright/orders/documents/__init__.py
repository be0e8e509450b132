"""Papers of an order as PDF: the invoice for the buyer and the books, the packing slip for the parcel.

Pure: what is known goes in, bytes come out; both take some 50 ms of CPU, so callers use a thread. Text of
people is escaped and printed in any script that Noto Sans or a viewer's own CJK fonts have.
"""

from __future__ import annotations

from .invoice import Credit, Invoice, InvoiceLine, TaxRow, invoice
from .packing_slip import PackedLine, PackingSlip, packing_slip
from .sheet import Seller

__all__ = [
    "Credit",
    "Invoice",
    "InvoiceLine",
    "PackedLine",
    "PackingSlip",
    "Seller",
    "TaxRow",
    "invoice",
    "packing_slip",
]
