-- When money moved, so that the sandbox can report a day as real providers do.
-- BRIN: rows come in about that order, and a capture stays a heap-only update.

ALTER TABLE sandbox.charges ADD COLUMN captured_at timestamptz;
UPDATE sandbox.charges SET captured_at = created_at WHERE captured > 0;

CREATE INDEX charges_by_capture ON sandbox.charges USING brin (captured_at);
CREATE INDEX refunds_by_time ON sandbox.refunds USING brin (created_at);

CREATE VIEW sandbox.movements AS
SELECT id AS ref, reference, 'capture' AS kind, key, captured AS amount, fee, currency, captured_at AS at
FROM sandbox.charges WHERE captured > 0
UNION ALL
SELECT r.charge_id, c.reference, 'refund', r.key, r.amount, 0, c.currency, r.created_at
FROM sandbox.refunds r JOIN sandbox.charges c ON c.id = r.charge_id;
