-- What pays an order beside one card: what was asked for, and the parts it came to; NULL for one card.

ALTER TABLE orders ADD COLUMN tender jsonb;
