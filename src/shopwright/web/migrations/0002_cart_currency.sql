-- Pages show prices in the currency of the browser's cart without asking orders for it; empty until a cart is seen.
ALTER TABLE sessions ADD COLUMN cart_currency text NOT NULL DEFAULT '' CHECK (cart_currency ~ '^([A-Z]{3})?$');
