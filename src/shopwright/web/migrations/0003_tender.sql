-- How a buyer means to pay (method, gift-card codes, wallet) until the order is placed; sealed with the session
-- key like the tokens, because a gift-card code is money.
ALTER TABLE sessions ADD COLUMN tender bytea;
