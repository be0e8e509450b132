-- Refunds that a provider refused: few, and staff look for them all the time.

CREATE INDEX reversals_failed ON reversals (id) WHERE status = 'failed';
