-- Chargebacks: a bank takes back what was captured, and its fee. Booked when the transaction that appends the event
-- commits, for the capture may be told of in the same report.

ALTER TABLE payments
    ADD COLUMN charged_back bigint NOT NULL DEFAULT 0 CHECK (charged_back >= 0);  -- banks may take more than was paid

CREATE FUNCTION book_chargeback() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    journal uuid;
    in_currency text;
BEGIN
    UPDATE payments SET charged_back = charged_back + NEW.amount, version = version + 1, updated_at = now()
    WHERE id = NEW.payment_id RETURNING currency INTO in_currency;
    INSERT INTO ledger_journals (payment_id, event_number, reason) VALUES (NEW.payment_id, NEW.number, NEW.kind)
    RETURNING id INTO journal;
    INSERT INTO ledger_entries (journal_id, account, currency, amount)
    SELECT journal, v.account::ledger_account, in_currency, v.amount
    FROM (VALUES ('chargebacks', NEW.amount), ('fees', NEW.fee), ('provider_clearing', -NEW.amount - NEW.fee))
        AS v (account, amount)
    WHERE v.amount <> 0;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER book_chargeback AFTER INSERT ON payment_events DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.kind = 'chargeback' AND NEW.outcome = 'succeeded') EXECUTE FUNCTION book_chargeback();
