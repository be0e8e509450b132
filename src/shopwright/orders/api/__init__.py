"""What a caller can ask of orders: parse, call one command or query, render."""
