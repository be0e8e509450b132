-- Drafts: carts that staff make for a buyer; a price that one of the staff named stands on its line.

ALTER TABLE carts
    ADD COLUMN staff_id uuid,
    ADD COLUMN note     text NOT NULL DEFAULT '';
CREATE INDEX carts_drafts ON carts (created_at DESC, id DESC) WHERE staff_id IS NOT NULL AND status = 'open';
ALTER TABLE cart_lines ADD COLUMN staff_price bigint CHECK (staff_price >= 0);
