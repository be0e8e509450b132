-- What staff do with orders: who did it, units that are not sent after all, changes before shipment, drafts,
-- exchanges, and money that goes back to the wallet.

ALTER TABLE order_lines
    ADD COLUMN cancelled integer NOT NULL DEFAULT 0,
    DROP CONSTRAINT never_shipped_beyond_ordered,
    ADD CONSTRAINT never_shipped_beyond_ordered
        CHECK (fulfilled >= 0 AND cancelled >= 0 AND fulfilled + cancelled <= quantity);

-- `taken_off` is what edits took off the total after it was paid: paid in all is total + taken_off.
ALTER TABLE orders
    ADD COLUMN taken_off   bigint NOT NULL DEFAULT 0 CHECK (taken_off >= 0),
    ADD COLUMN exchange_of uuid,
    DROP CONSTRAINT never_refunded_beyond_total,
    ADD CONSTRAINT never_refunded_beyond_total
        CHECK (refunding BETWEEN refunded AND total + taken_off AND refunded >= 0);
CREATE INDEX orders_exchanges ON orders (exchange_of) WHERE exchange_of IS NOT NULL;

ALTER TABLE reversals
    ADD COLUMN destination text NOT NULL DEFAULT 'source' CHECK (destination IN ('source', 'wallet')),
    DROP CONSTRAINT reversals_kind_check,
    ADD CONSTRAINT reversals_kind_check CHECK (kind IN ('refund', 'return', 'cancellation', 'edit'));

-- Which of the staff did what; whose e-mail address it is, users is asked.
CREATE TABLE order_actions (
    id         uuid PRIMARY KEY,
    order_id   uuid NOT NULL REFERENCES orders ON DELETE CASCADE,
    command    text NOT NULL,
    by_user    uuid,
    detail     text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX order_actions_by_order ON order_actions (order_id);

-- A change of an order before it is shipped; its reversal, once it is applied, has the same id.
CREATE TABLE order_edits (
    id         uuid PRIMARY KEY,
    order_id   uuid NOT NULL REFERENCES orders ON DELETE CASCADE,
    removed    jsonb NOT NULL,
    added      jsonb NOT NULL,
    reason     text NOT NULL,
    by_user    uuid,
    status     text NOT NULL DEFAULT 'requested' CHECK (status IN ('requested', 'applied', 'refused')),
    refusal    jsonb,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX order_edits_by_order ON order_edits (order_id);
