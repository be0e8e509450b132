"""Shopwright."""
