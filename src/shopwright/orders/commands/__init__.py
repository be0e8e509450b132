"""What can change in orders, and when it is refused."""
