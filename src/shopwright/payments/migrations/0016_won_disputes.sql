-- A dispute that was won gives back what the bank took: a chargeback of a negative amount, booked the other way round.

ALTER TABLE payment_events
    DROP CONSTRAINT payment_events_amount_check,
    ADD CONSTRAINT payment_events_amount_check CHECK (amount >= 0 OR kind = 'chargeback') NOT VALID;
ALTER TABLE payment_events VALIDATE CONSTRAINT payment_events_amount_check;
