"""What a caller can ask of notifications: a file per noun."""
