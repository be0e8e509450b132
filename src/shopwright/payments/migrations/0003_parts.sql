-- A payment of several parts, each an ordinary payment; and refunds as they were shared out among the parts.
-- An order paid by one card has neither: its payment is the whole.

CREATE TABLE payment_groups (
    id         uuid PRIMARY KEY,
    order_id   uuid NOT NULL,
    amount     bigint NOT NULL CHECK (amount > 0),
    currency   text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    voided     boolean NOT NULL DEFAULT false,  -- it is over: no part may be begun any more
    version    integer NOT NULL DEFAULT 1,      -- of the shares of its refunds
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX payment_groups_by_order ON payment_groups (order_id);

CREATE TABLE payment_parts (
    group_id   uuid NOT NULL REFERENCES payment_groups,
    number     integer NOT NULL,
    payment_id uuid NOT NULL UNIQUE,
    method     text NOT NULL,
    provider   text NOT NULL,
    account_id uuid REFERENCES stored_accounts,
    amount     bigint NOT NULL CHECK (amount > 0),
    replaces   integer,  -- the part whose provider could not be reached
    PRIMARY KEY (group_id, number),
    UNIQUE (group_id, replaces)
);

CREATE TABLE payment_refunds (
    refund_id  uuid NOT NULL,
    payment_id uuid NOT NULL REFERENCES payments,
    group_id   uuid NOT NULL REFERENCES payment_groups,
    amount     bigint NOT NULL CHECK (amount > 0),
    PRIMARY KEY (refund_id, payment_id)
);
CREATE INDEX payment_refunds_by_group ON payment_refunds (group_id);

CREATE FUNCTION parts_must_add_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    of_group uuid := CASE TG_TABLE_NAME WHEN 'payment_groups' THEN to_jsonb(NEW)->>'id'
                                        ELSE to_jsonb(NEW)->>'group_id' END;
BEGIN
    IF (SELECT amount FROM payment_groups WHERE id = of_group) IS DISTINCT FROM
       (SELECT sum(p.amount) FROM payment_parts p WHERE p.group_id = of_group AND NOT EXISTS (
            SELECT FROM payment_parts r WHERE r.group_id = of_group AND r.replaces = p.number)) THEN
        RAISE EXCEPTION 'the parts of payment % do not add up', of_group
            USING ERRCODE = 'check_violation', CONSTRAINT = 'parts_must_add_up';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER parts_must_add_up AFTER INSERT ON payment_groups
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION parts_must_add_up();
CREATE CONSTRAINT TRIGGER parts_must_add_up AFTER INSERT ON payment_parts
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION parts_must_add_up();

-- Commit to the parts of a payment; nothing when they are known, or the payment was voided before it came.
CREATE FUNCTION open_group(wanted uuid, of_order uuid, asked bigint, in_currency text, plan jsonb)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(wanted::text, 0));
    IF EXISTS (SELECT FROM payments WHERE id = wanted AND NOT plan @> jsonb_build_array(
            jsonb_build_object('payment_id', wanted))) THEN
        RETURN false;
    END IF;
    INSERT INTO payment_groups (id, order_id, amount, currency)
    VALUES (wanted, of_order, asked, in_currency) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN RETURN false; END IF;
    INSERT INTO payment_parts (group_id, number, payment_id, method, provider, account_id, amount, replaces)
    SELECT wanted, p.number, p.payment_id, p.method, p.provider, p.account_id, p.amount, p.replaces
    FROM jsonb_to_recordset(plan) AS p (
        number integer, payment_id uuid, method text, provider text, account_id uuid, amount bigint,
        replaces integer);
    RETURN true;
END $$;

DROP FUNCTION void_unseen(uuid, text);
-- A void that overtook its payment: the payment can no longer be made. Nothing when the id is known.
CREATE FUNCTION void_unseen(wanted uuid) RETURNS SETOF payments LANGUAGE plpgsql AS $$
DECLARE
    p payments;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(wanted::text, 0));
    IF EXISTS (SELECT FROM payment_groups WHERE id = wanted) THEN RETURN; END IF;
    INSERT INTO payments (id, amount, currency, method, provider, description, return_url, voided)
    VALUES (wanted, 0, 'XXX', '', '', '', '', true)
    ON CONFLICT DO NOTHING RETURNING * INTO p;
    IF NOT FOUND THEN RETURN; END IF;
    INSERT INTO payment_events (payment_id, number, kind, outcome, key, amount, code)
    VALUES (wanted, 1, 'void', 'succeeded', wanted || ':void', 0, 'never_seen');
    RETURN NEXT p;
END $$;

DROP FUNCTION open_payment(uuid, uuid, bigint, text, text, text, text, text, interval);
-- A payment and its request to authorise; nothing when the id is known, also as one of several parts.
CREATE FUNCTION open_payment(
    wanted uuid, of_order uuid, asked bigint, in_currency text, by_method text, by_provider text,
    what text, back_to text, lease interval, of_user uuid, for_what text, part_of uuid
) RETURNS SETOF payments LANGUAGE plpgsql AS $$
DECLARE
    p payments;
BEGIN
    IF EXISTS (SELECT FROM payment_groups WHERE id = wanted) THEN RETURN; END IF;
    INSERT INTO payments (id, order_id, amount, currency, method, provider, description, return_url,
        open_kind, open_key, open_amount, open_phase, open_since, look_at, user_id, purpose, group_id)
    VALUES (wanted, of_order, asked, in_currency, by_method, by_provider, what, back_to,
        'authorise', wanted || ':authorise', asked, 'in_flight', now(), now() + lease, of_user, for_what, part_of)
    ON CONFLICT DO NOTHING RETURNING * INTO p;
    IF NOT FOUND THEN RETURN; END IF;
    INSERT INTO payment_events (payment_id, number, kind, outcome, key, amount)
    VALUES (wanted, 1, 'authorise', 'requested', p.open_key, asked);
    RETURN NEXT p;
END $$;

-- Double entry for a capture or refund that succeeded. Debits are positive. What a wallet or a gift card pays was
-- owed to its buyer; a top-up is owed from now on; a refund to the wallet moves what was income into what is owed.
CREATE OR REPLACE FUNCTION post_journal(p payments, event_number integer, kind text, amount bigint, fee bigint)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    journal uuid;
    money text := CASE WHEN kind = 'credit' THEN 'buyer_wallet'
        ELSE CASE p.provider WHEN 'wallet' THEN 'buyer_wallet' WHEN 'gift_card' THEN 'gift_cards'
            WHEN 'cash_on_delivery' THEN 'cash' WHEN 'bank_transfer' THEN 'cash' ELSE 'provider_clearing' END END;
    income text := CASE WHEN kind <> 'capture' THEN 'refunds'
        WHEN p.purpose = 'top_up' THEN 'buyer_wallet' ELSE 'revenue' END;
BEGIN
    INSERT INTO ledger_journals (payment_id, event_number, reason)
    VALUES (p.id, post_journal.event_number, CASE post_journal.kind WHEN 'credit' THEN 'refund to the wallet'
                                             ELSE post_journal.kind END) RETURNING id INTO journal;
    INSERT INTO ledger_entries (journal_id, account, currency, amount)
    SELECT journal, v.account::ledger_account, p.currency, v.amount
    FROM (VALUES
        (money, CASE post_journal.kind WHEN 'capture' THEN post_journal.amount - post_journal.fee
                                       ELSE -post_journal.amount - post_journal.fee END),
        ('fees', post_journal.fee),
        (income, CASE post_journal.kind WHEN 'capture' THEN -post_journal.amount ELSE post_journal.amount END)
    ) AS v (account, amount)
    WHERE v.amount <> 0;
END $$;
