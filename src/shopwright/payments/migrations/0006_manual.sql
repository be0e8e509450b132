-- Money that people hand over or transfer: what is to be received, and what staff said they received.

CREATE TABLE manual_charges (
    id           uuid PRIMARY KEY DEFAULT uuidv7(),
    key          text NOT NULL UNIQUE,
    ref          text NOT NULL UNIQUE,  -- short, for the purpose of a transfer
    payment_id   uuid NOT NULL UNIQUE,
    method       text NOT NULL CHECK (method IN ('cash_on_delivery', 'bank_transfer')),
    amount       bigint NOT NULL CHECK (amount > 0),
    currency     text NOT NULL,
    state        text NOT NULL CHECK (state IN ('requires_action', 'authorised', 'voided')),
    captured     bigint NOT NULL DEFAULT 0 CHECK (captured IN (0, amount)),
    refunded     bigint NOT NULL DEFAULT 0 CHECK (refunded BETWEEN 0 AND captured),
    received_at  timestamptz,
    received_by  uuid,
    received_ref text NOT NULL DEFAULT '',
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT what_is_over_is_not_received CHECK (state = 'authorised' OR captured = 0)
);
CREATE TABLE manual_refunds (
    key       text PRIMARY KEY,
    charge_id uuid NOT NULL REFERENCES manual_charges,
    amount    bigint NOT NULL CHECK (amount > 0)
);
CREATE INDEX manual_refunds_by_charge ON manual_refunds (charge_id);

CREATE VIEW manual_reports AS
SELECT c.*, coalesce((SELECT jsonb_object_agg(r.key, r.amount) FROM manual_refunds r WHERE r.charge_id = c.id),
                     '{}'::jsonb) AS refunds
FROM manual_charges c;
