-- A guest's cart is closed when its lines go over into the account's; whoever asks again is told which that is.

ALTER TABLE carts
    ADD COLUMN merged_into uuid,
    DROP CONSTRAINT carts_status_check,
    ADD CONSTRAINT carts_status_check CHECK (status IN ('open', 'ordered', 'merged')),
    ADD CONSTRAINT merged_into_some_cart CHECK ((status = 'merged') = (merged_into IS NOT NULL));
