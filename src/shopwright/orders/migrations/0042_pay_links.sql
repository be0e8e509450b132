-- Links by which a buyer pays what staff ask for: the difference of a change, or an order sent in exchange.
-- Who has the link may pay, so its id is random throughout.

CREATE TABLE payment_links (
    id         uuid PRIMARY KEY,
    order_id   uuid NOT NULL REFERENCES orders ON DELETE CASCADE,
    edit_id    uuid REFERENCES order_edits ON DELETE CASCADE,
    until      timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX payment_links_by_order ON payment_links (order_id);

-- An exchange whose goods are paid before they are sent: what came back is booked once they are, or never.
CREATE TABLE order_exchanges (
    sent_id    uuid PRIMARY KEY REFERENCES orders ON DELETE CASCADE,
    order_id   uuid NOT NULL REFERENCES orders ON DELETE CASCADE,
    back       jsonb NOT NULL,
    amount     bigint NOT NULL CHECK (amount >= 0),
    restock    boolean NOT NULL,
    reason     text NOT NULL,
    by_user    uuid,
    status     text NOT NULL DEFAULT 'requested' CHECK (status IN ('requested', 'done', 'refused')),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX order_exchanges_open ON order_exchanges (created_at) WHERE status = 'requested';
