-- What happens to a confirmed order: parts of it are shipped, come back, or are paid back.

ALTER TABLE order_lines
    ADD COLUMN fulfilled integer NOT NULL DEFAULT 0,
    ADD COLUMN returned  integer NOT NULL DEFAULT 0,
    ADD CONSTRAINT never_shipped_beyond_ordered CHECK (fulfilled BETWEEN 0 AND quantity),
    ADD CONSTRAINT never_returned_beyond_shipped CHECK (returned BETWEEN 0 AND fulfilled);

-- `refunding` is what was asked to be paid back and has not failed; `refunded` what was paid back.
ALTER TABLE orders
    ADD COLUMN refunding bigint NOT NULL DEFAULT 0,
    ADD COLUMN refunded  bigint NOT NULL DEFAULT 0,
    ADD CONSTRAINT never_refunded_beyond_total CHECK (refunding BETWEEN refunded AND total AND refunded >= 0);

CREATE TABLE fulfilments (
    id              uuid PRIMARY KEY,
    order_id        uuid NOT NULL REFERENCES orders ON DELETE CASCADE,
    carrier         text NOT NULL,
    tracking_number text NOT NULL,
    tracking_url    text NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX fulfilments_by_order ON fulfilments (order_id);
CREATE TABLE fulfilment_lines (
    fulfilment_id uuid NOT NULL REFERENCES fulfilments ON DELETE CASCADE,
    line_id       uuid NOT NULL REFERENCES order_lines ON DELETE CASCADE,
    quantity      integer NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (fulfilment_id, line_id)
);

-- Money, goods or both that go back; `id` is the refund's id at payments and the restock's at products.
CREATE TABLE reversals (
    id         uuid PRIMARY KEY,
    order_id   uuid NOT NULL REFERENCES orders ON DELETE CASCADE,
    kind       text NOT NULL CHECK (kind IN ('refund', 'return', 'cancellation')),
    amount     bigint NOT NULL CHECK (amount >= 0),
    restock    jsonb NOT NULL,
    reason     text NOT NULL,
    status     text NOT NULL DEFAULT 'requested' CHECK (status IN ('requested', 'succeeded', 'failed')),
    failure    text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX reversals_by_order ON reversals (order_id);
CREATE TABLE reversal_lines (
    reversal_id uuid NOT NULL REFERENCES reversals ON DELETE CASCADE,
    line_id     uuid NOT NULL REFERENCES order_lines ON DELETE CASCADE,
    quantity    integer NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (reversal_id, line_id)
);
