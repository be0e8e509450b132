"""All SQL of payments, by noun."""
