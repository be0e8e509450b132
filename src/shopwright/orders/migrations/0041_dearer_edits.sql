-- A change may make an order dearer: the difference is a further payment of the order, asked of its buyer by a
-- link where nobody said how it is paid.

ALTER TABLE order_edits
    ADD COLUMN due        bigint NOT NULL DEFAULT 0 CHECK (due >= 0),
    ADD COLUMN payment_id uuid UNIQUE,
    ADD COLUMN payment    jsonb,
    ADD COLUMN link       uuid,
    ADD COLUMN until      timestamptz,
    ADD CONSTRAINT paid_for_if_due CHECK ((due > 0) = (payment IS NOT NULL)),
    DROP CONSTRAINT order_edits_status_check,
    ADD CONSTRAINT order_edits_status_check
        CHECK (status IN ('requested', 'awaiting_payment', 'applied', 'refused', 'withdrawn'));
CREATE INDEX order_edits_waiting ON order_edits (order_id)
    WHERE due > 0 AND status IN ('requested', 'awaiting_payment');

-- What was paid after the first payment. `unpaid` of the order is what of it is not captured, `more_paid` all of
-- it and `more_refunding` what of it is asked back: no payment ever gives back more than it took.
ALTER TABLE orders
    ADD COLUMN more_paid      bigint NOT NULL DEFAULT 0,
    ADD COLUMN unpaid         bigint NOT NULL DEFAULT 0,
    ADD COLUMN more_refunding bigint NOT NULL DEFAULT 0,
    ADD CONSTRAINT unpaid_is_part_of_more_paid CHECK (unpaid BETWEEN 0 AND more_paid),
    DROP CONSTRAINT never_refunded_beyond_total,
    ADD CONSTRAINT never_refunded_beyond_total
        CHECK (refunded >= 0 AND refunding BETWEEN refunded AND total + taken_off - unpaid),
    ADD CONSTRAINT never_refunded_beyond_any_payment
        CHECK (more_refunding BETWEEN 0 AND more_paid - unpaid
               AND refunding - more_refunding BETWEEN 0 AND total + taken_off - more_paid);
CREATE TABLE order_payments (
    id           uuid PRIMARY KEY,
    order_id     uuid NOT NULL REFERENCES orders ON DELETE CASCADE,
    edit_id      uuid NOT NULL UNIQUE REFERENCES order_edits ON DELETE CASCADE,
    method       text NOT NULL,
    amount       bigint NOT NULL CHECK (amount > 0),
    status       text NOT NULL CHECK (status IN ('authorised', 'captured', 'voided', 'declined')),
    tender       jsonb,
    refunding    bigint NOT NULL DEFAULT 0,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT never_refunded_beyond_captured
        CHECK (refunding BETWEEN 0 AND CASE WHEN status = 'captured' THEN amount ELSE 0 END)
);
CREATE INDEX order_payments_by_order ON order_payments (order_id);
CREATE INDEX order_payments_never ON order_payments (order_id) WHERE status IN ('voided', 'declined');

-- From which of several payments a reversal's money comes; a reversal without any takes the first payment's.
CREATE TABLE reversal_shares (
    reversal_id uuid NOT NULL REFERENCES reversals ON DELETE CASCADE,
    payment_id  uuid NOT NULL,
    amount      bigint NOT NULL CHECK (amount > 0),
    PRIMARY KEY (reversal_id, payment_id)
);
