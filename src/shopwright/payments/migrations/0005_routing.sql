-- Which provider takes which payments: the shop's rules, in order.

CREATE TABLE payment_routing (
    one_row    boolean PRIMARY KEY DEFAULT true CHECK (one_row),
    rules      jsonb NOT NULL DEFAULT '[]',
    changed_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO payment_routing DEFAULT VALUES;

-- Top-ups that are to be taken or given up: few at any time.
CREATE INDEX payments_top_ups ON payments (created_at)
    WHERE purpose = 'top_up' AND status IN ('authorised', 'requires_action');
