-- Ordered carts are forgotten as open ones are, and an account's with the account: the order has frozen them.

DROP INDEX carts_by_age;
CREATE INDEX carts_by_age ON carts (updated_at);
CREATE INDEX carts_of_user ON carts (user_id) WHERE user_id IS NOT NULL;
