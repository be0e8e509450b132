-- The entries of a journal come in one statement, so each statement's must balance, and they are looked at once,
-- without reading the table: eight queries of a capture became one. That a journal has entries is still held until the
-- commit.

DROP TRIGGER entry_must_balance ON ledger_entries;
CREATE FUNCTION entries_must_balance() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_journal uuid;
BEGIN
    SELECT f.journal_id INTO v_journal FROM fresh f GROUP BY f.journal_id, f.currency HAVING sum(f.amount) <> 0 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'journal % does not balance', v_journal
            USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_must_balance';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER entries_must_balance AFTER INSERT ON ledger_entries REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION entries_must_balance();

CREATE OR REPLACE FUNCTION journal_must_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM ledger_entries WHERE journal_id = NEW.id) THEN
        RAISE EXCEPTION 'journal % has no entries', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_must_balance';
    END IF;
    RETURN NULL;
END $$;
