"""Storefront: what a buyer sees, from the first page to the order's confirmation."""
