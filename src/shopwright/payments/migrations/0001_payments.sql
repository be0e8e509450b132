-- Payments, the events they are the sum of, and the double-entry ledger.
-- payment_events is the truth and never changes; a payments row is its fold, written by the functions below only.

CREATE TABLE payments (
    id           uuid PRIMARY KEY,
    order_id     uuid,
    amount       bigint NOT NULL CHECK (amount >= 0),
    currency     text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    method       text NOT NULL,
    provider     text NOT NULL,
    description  text NOT NULL,
    return_url   text NOT NULL,
    provider_ref text,
    action_url   text,
    decline_code text,
    authorised   bigint NOT NULL DEFAULT 0 CHECK (authorised >= 0),
    captured     bigint NOT NULL DEFAULT 0 CHECK (captured >= 0),
    refunded     bigint NOT NULL DEFAULT 0 CHECK (refunded >= 0),
    voided       boolean NOT NULL DEFAULT false,
    -- the operation whose outcome is not known yet; one at a time
    open_kind    text CHECK (open_kind IN ('authorise', 'capture', 'void', 'refund')),
    open_key     text,
    open_amount  bigint,
    open_phase   text CHECK (open_phase IN ('in_flight', 'action', 'unknown')),
    open_since   timestamptz,
    look_at      timestamptz,  -- in flight: the lease of who acts; otherwise when the worker asks the provider
    looks        integer NOT NULL DEFAULT 0,
    version      integer NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    status       text NOT NULL GENERATED ALWAYS AS (
        CASE
            WHEN open_phase = 'unknown' THEN 'unknown'
            WHEN refunded > 0 AND refunded = captured THEN 'refunded'
            WHEN refunded > 0 THEN 'partially_refunded'
            WHEN captured > 0 THEN 'captured'
            WHEN decline_code IS NOT NULL THEN 'declined'
            WHEN voided THEN 'voided'
            WHEN authorised > 0 THEN 'authorised'
            WHEN open_phase = 'action' THEN 'requires_action'
            ELSE 'pending'
        END) STORED,
    CONSTRAINT never_authorised_beyond_amount CHECK (authorised <= amount),
    CONSTRAINT never_captured_beyond_authorised CHECK (captured <= authorised),
    CONSTRAINT never_refunded_beyond_captured CHECK (refunded <= captured),
    CONSTRAINT never_both_voided_and_captured CHECK (NOT voided OR captured = 0),
    CONSTRAINT only_a_void_may_come_before_its_payment CHECK (amount > 0 AND order_id IS NOT NULL OR voided),
    CONSTRAINT open_operation_is_whole
        CHECK (num_nonnulls(open_kind, open_key, open_amount, open_phase, open_since) IN (0, 5))
);
CREATE INDEX payments_by_order ON payments (order_id);
CREATE INDEX payments_to_look_at ON payments (look_at) WHERE look_at IS NOT NULL;
CREATE UNIQUE INDEX payments_by_provider_ref ON payments (provider, provider_ref) WHERE provider_ref IS NOT NULL;

CREATE TABLE payment_events (
    payment_id uuid NOT NULL REFERENCES payments,
    number     integer NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('authorise', 'capture', 'void', 'refund', 'chargeback')),
    outcome    text NOT NULL
        CHECK (outcome IN ('requested', 'action_required', 'unknown', 'succeeded', 'failed')),
    key        text NOT NULL,  -- the idempotency key that the provider gets
    amount     bigint NOT NULL CHECK (amount >= 0),
    fee        bigint NOT NULL DEFAULT 0,
    code       text NOT NULL DEFAULT '',
    at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (payment_id, number),
    UNIQUE (key, outcome)
);
CREATE UNIQUE INDEX payment_events_end_once ON payment_events (key) WHERE outcome IN ('succeeded', 'failed');

-- buyer_wallet, gift_cards: what we owe buyers. provider_clearing: what the provider owes us.
-- revenue, refunds: income and what was given back of it. fees, chargebacks: expenses. Debits are positive.
CREATE TYPE ledger_account AS ENUM
    ('buyer_wallet', 'gift_cards', 'provider_clearing', 'revenue', 'refunds', 'fees', 'chargebacks');

CREATE TABLE ledger_journals (
    id           uuid PRIMARY KEY DEFAULT uuidv7(),
    payment_id   uuid,
    event_number integer,
    reason       text NOT NULL,
    at           timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (payment_id, event_number) REFERENCES payment_events,
    UNIQUE (payment_id, event_number)
);

CREATE TABLE ledger_entries (
    journal_id uuid NOT NULL REFERENCES ledger_journals,
    account    ledger_account NOT NULL,
    currency   text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount     bigint NOT NULL CHECK (amount <> 0),
    PRIMARY KEY (journal_id, account, currency)
);

CREATE FUNCTION journal_must_balance() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    journal uuid := CASE TG_TABLE_NAME WHEN 'ledger_journals' THEN to_jsonb(NEW)->>'id'
                                       ELSE to_jsonb(NEW)->>'journal_id' END;
BEGIN
    IF EXISTS (SELECT FROM ledger_entries WHERE journal_id = journal GROUP BY currency HAVING sum(amount) <> 0) THEN
        RAISE EXCEPTION 'journal % does not balance', journal
            USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_must_balance';
    END IF;
    IF NOT EXISTS (SELECT FROM ledger_entries WHERE journal_id = journal) THEN
        RAISE EXCEPTION 'journal % has no entries', journal
            USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_must_balance';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER journal_must_balance AFTER INSERT ON ledger_journals
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION journal_must_balance();
CREATE CONSTRAINT TRIGGER entry_must_balance AFTER INSERT ON ledger_entries
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION journal_must_balance();

CREATE FUNCTION never_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER never_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON payment_events
    FOR EACH STATEMENT EXECUTE FUNCTION never_changes();
CREATE TRIGGER never_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_journals
    FOR EACH STATEMENT EXECUTE FUNCTION never_changes();
CREATE TRIGGER never_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
    FOR EACH STATEMENT EXECUTE FUNCTION never_changes();

-- A payment and its request to authorise; nothing when the id is known.
CREATE FUNCTION open_payment(
    wanted uuid, of_order uuid, asked bigint, in_currency text, by_method text, by_provider text,
    what text, back_to text, lease interval
) RETURNS SETOF payments LANGUAGE plpgsql AS $$
DECLARE
    p payments;
BEGIN
    INSERT INTO payments (id, order_id, amount, currency, method, provider, description, return_url,
        open_kind, open_key, open_amount, open_phase, open_since, look_at)
    VALUES (wanted, of_order, asked, in_currency, by_method, by_provider, what, back_to,
        'authorise', wanted || ':authorise', asked, 'in_flight', now(), now() + lease)
    ON CONFLICT DO NOTHING RETURNING * INTO p;
    IF NOT FOUND THEN RETURN; END IF;
    INSERT INTO payment_events (payment_id, number, kind, outcome, key, amount)
    VALUES (wanted, 1, 'authorise', 'requested', p.open_key, asked);
    RETURN NEXT p;
END $$;

-- A void that overtook its payment: the payment can no longer be made. Nothing when the id is known.
CREATE FUNCTION void_unseen(wanted uuid, by_provider text) RETURNS SETOF payments LANGUAGE plpgsql AS $$
DECLARE
    p payments;
BEGIN
    INSERT INTO payments (id, amount, currency, method, provider, description, return_url, voided)
    VALUES (wanted, 0, 'XXX', '', by_provider, '', '', true)
    ON CONFLICT DO NOTHING RETURNING * INTO p;
    IF NOT FOUND THEN RETURN; END IF;
    INSERT INTO payment_events (payment_id, number, kind, outcome, key, amount, code)
    VALUES (wanted, 1, 'void', 'succeeded', wanted || ':void', 0, 'never_seen');
    RETURN NEXT p;
END $$;

-- Double entry for a capture or refund that succeeded. Debits are positive.
CREATE FUNCTION post_journal(p payments, event_number integer, kind text, amount bigint, fee bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    journal uuid;
BEGIN
    INSERT INTO ledger_journals (payment_id, event_number, reason)
    VALUES (p.id, post_journal.event_number, post_journal.kind) RETURNING id INTO journal;
    INSERT INTO ledger_entries (journal_id, account, currency, amount)
    SELECT journal, v.account::ledger_account, p.currency, v.amount
    FROM (VALUES
        ('provider_clearing', CASE post_journal.kind WHEN 'capture' THEN post_journal.amount - post_journal.fee
                                                     ELSE -post_journal.amount - post_journal.fee END),
        ('fees', post_journal.fee),
        (CASE post_journal.kind WHEN 'capture' THEN 'revenue' ELSE 'refunds' END,
         CASE post_journal.kind WHEN 'capture' THEN -post_journal.amount ELSE post_journal.amount END)
    ) AS v (account, amount)
    WHERE v.amount <> 0;
END $$;

-- Append events to a payment that still stands at version `seen`, and bring its row, the ledger and the outbox
-- along. Nothing when it moved on meanwhile. An event that is known already changes nothing.
-- `once_key`: what makes a webhook recognisable; a repeat changes nothing at all.
CREATE FUNCTION append_events(
    wanted uuid, seen integer, kinds text[], outcomes text[], keys text[], amounts bigint[], fees bigint[],
    codes text[], ref text, url text, look interval, once_key text, traceparent text
) RETURNS SETOF payments LANGUAGE plpgsql AS $$
DECLARE
    p payments;
    before text;
    last integer;
    fresh boolean;
BEGIN
    SELECT * INTO p FROM payments WHERE id = wanted AND version = seen FOR UPDATE;
    IF NOT FOUND THEN RETURN; END IF;
    IF once_key IS NOT NULL THEN
        INSERT INTO once (key, fingerprint) VALUES (once_key, '') ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN RETURN NEXT p; RETURN; END IF;
    END IF;
    before := p.status;
    SELECT coalesce(max(e.number), 0) INTO last FROM payment_events e WHERE e.payment_id = wanted;
    FOR i IN 1 .. coalesce(array_length(kinds, 1), 0) LOOP
        INSERT INTO payment_events (payment_id, number, kind, outcome, key, amount, fee, code)
        VALUES (wanted, last + 1, kinds[i], outcomes[i], keys[i], amounts[i], fees[i], codes[i])
        ON CONFLICT DO NOTHING;
        fresh := FOUND;
        IF NOT fresh AND outcomes[i] = 'succeeded' THEN  -- given up or refused before, and done after all
            INSERT INTO payment_events (payment_id, number, kind, outcome, key, amount, fee, code)
            SELECT wanted, last + 1, kinds[i], outcomes[i], keys[i] || '-late', amounts[i], fees[i], 'late'
            FROM payment_events e WHERE e.key = keys[i] AND e.outcome = 'failed'
            ON CONFLICT DO NOTHING;
            fresh := FOUND;
        END IF;
        IF outcomes[i] = 'requested' THEN  -- also again: an operation of unknown outcome that is sent once more
            p.open_kind := kinds[i]; p.open_key := keys[i]; p.open_amount := amounts[i];
            p.open_phase := 'in_flight'; p.open_since := now(); p.looks := 0;
        ELSIF p.open_key = keys[i] AND outcomes[i] IN ('unknown', 'action_required') THEN
            p.open_phase := CASE outcomes[i] WHEN 'unknown' THEN 'unknown' ELSE 'action' END;
        ELSIF p.open_key = keys[i] THEN
            p.open_kind := NULL; p.open_key := NULL; p.open_amount := NULL;
            p.open_phase := NULL; p.open_since := NULL; p.looks := 0;
        END IF;
        CONTINUE WHEN NOT fresh;
        last := last + 1;
        CASE kinds[i] || ' ' || outcomes[i]
            WHEN 'authorise succeeded' THEN p.authorised := p.authorised + amounts[i];
            WHEN 'authorise failed' THEN p.decline_code := codes[i];
            WHEN 'capture succeeded' THEN p.captured := p.captured + amounts[i];
            WHEN 'refund succeeded' THEN p.refunded := p.refunded + amounts[i];
            WHEN 'void succeeded' THEN p.voided := true;
            ELSE
        END CASE;
        IF outcomes[i] = 'succeeded' AND kinds[i] IN ('capture', 'refund') THEN
            PERFORM post_journal(p, last, kinds[i], amounts[i], fees[i]);
        END IF;
    END LOOP;
    UPDATE payments SET
        provider_ref = coalesce(ref, provider_ref), action_url = coalesce(url, action_url),
        decline_code = p.decline_code, authorised = p.authorised, captured = p.captured, refunded = p.refunded,
        voided = p.voided, open_kind = p.open_kind, open_key = p.open_key, open_amount = p.open_amount,
        open_phase = p.open_phase, open_since = p.open_since, look_at = now() + look, looks = p.looks,
        version = version + 1, updated_at = now()
    WHERE id = wanted RETURNING * INTO p;
    IF p.status <> before AND p.order_id IS NOT NULL THEN
        PERFORM publish_event('payments.payment_changed.v1', p.id::text, convert_to(json_build_object(
            'payment_id', p.id, 'order_id', p.order_id, 'status', p.status,
            'amount', json_build_object('amount', p.amount, 'currency', p.currency))::text, 'UTF8'), traceparent);
    END IF;
    RETURN NEXT p;
END $$;
