-- Reservations that ended long ago are forgotten; what they moved stays in the ledger.

CREATE INDEX reservations_ended ON reservations (created_at) WHERE status <> 'held';
