-- What pays an order beside one card: stored value (wallets, gift cards), several parts, refunds to a wallet.
-- cash: money received by hand. given_away: gift cards that nobody paid for, an expense.

ALTER TYPE ledger_account ADD VALUE IF NOT EXISTS 'cash';
ALTER TYPE ledger_account ADD VALUE IF NOT EXISTS 'given_away';

ALTER TABLE payments
    ADD COLUMN user_id  uuid,
    ADD COLUMN purpose  text NOT NULL DEFAULT 'order' CHECK (purpose IN ('order', 'top_up')),
    ADD COLUMN group_id uuid,  -- the payment of several parts that it is one of
    ADD COLUMN credited bigint NOT NULL DEFAULT 0 CHECK (credited >= 0),  -- of `refunded`, to the buyer's wallet
    ADD CONSTRAINT never_credited_beyond_refunded CHECK (credited <= refunded),
    ADD CONSTRAINT a_top_up_has_a_buyer CHECK (purpose <> 'top_up' OR user_id IS NOT NULL),
    DROP CONSTRAINT only_a_void_may_come_before_its_payment,
    ADD CONSTRAINT only_a_void_may_come_before_its_payment
        CHECK (amount > 0 AND (order_id IS NOT NULL OR purpose = 'top_up') OR voided);
CREATE INDEX payments_by_group ON payments (group_id) WHERE group_id IS NOT NULL;

-- Wallets (one per user and currency) and gift cards. `held` is promised to orders and not yet taken.
CREATE TABLE stored_accounts (
    id          uuid PRIMARY KEY DEFAULT uuidv7(),
    kind        text NOT NULL CHECK (kind IN ('wallet', 'gift_card')),
    user_id     uuid,
    currency    text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    balance     bigint NOT NULL DEFAULT 0,
    held        bigint NOT NULL DEFAULT 0,
    code_hash   bytea UNIQUE,  -- keyed; the code itself is shown once and kept nowhere
    last4       text NOT NULL DEFAULT '',
    issued      bigint NOT NULL DEFAULT 0 CHECK (issued >= 0),
    issued_by   uuid,
    note        text NOT NULL DEFAULT '',
    expires_at  timestamptz,
    disabled_at timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT never_spent_twice CHECK (balance >= held AND held >= 0),
    CONSTRAINT a_wallet_has_an_owner CHECK ((kind = 'wallet') = (user_id IS NOT NULL)),
    CONSTRAINT a_gift_card_has_a_code CHECK ((kind = 'gift_card') = (code_hash IS NOT NULL))
);
CREATE UNIQUE INDEX stored_accounts_one_wallet ON stored_accounts (user_id, currency) WHERE kind = 'wallet';
CREATE INDEX stored_accounts_gift_cards ON stored_accounts (id DESC) WHERE kind = 'gift_card';

-- Every change of a balance; they sum up to it.
CREATE TABLE stored_entries (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES stored_accounts,
    amount     bigint NOT NULL CHECK (amount <> 0),
    balance    bigint NOT NULL,
    reason     text NOT NULL CHECK (reason IN ('issued', 'top_up', 'payment', 'refund')),
    key        text NOT NULL UNIQUE,
    payment_id uuid,
    at         timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX stored_entries_by_account ON stored_entries (account_id, id DESC);
CREATE TRIGGER never_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON stored_entries
    FOR EACH STATEMENT EXECUTE FUNCTION never_changes();

CREATE TABLE stored_charges (
    id           uuid PRIMARY KEY DEFAULT uuidv7(),
    key          text NOT NULL UNIQUE,
    account_id   uuid REFERENCES stored_accounts,
    reference    uuid NOT NULL,
    amount       bigint NOT NULL CHECK (amount > 0),
    state        text NOT NULL CHECK (state IN ('authorised', 'declined', 'voided')),
    decline_code text NOT NULL DEFAULT '',
    captured     bigint NOT NULL DEFAULT 0 CHECK (captured BETWEEN 0 AND amount),
    refunded     bigint NOT NULL DEFAULT 0 CHECK (refunded BETWEEN 0 AND captured),
    created_at   timestamptz NOT NULL DEFAULT now(),
    CHECK (captured = 0 OR state = 'authorised')
);
CREATE TABLE stored_refunds (
    key       text PRIMARY KEY,
    charge_id uuid NOT NULL REFERENCES stored_charges,
    amount    bigint NOT NULL CHECK (amount > 0)
);
CREATE INDEX stored_refunds_by_charge ON stored_refunds (charge_id);

CREATE VIEW stored_reports AS
SELECT c.*, coalesce((SELECT jsonb_object_agg(r.key, r.amount) FROM stored_refunds r WHERE r.charge_id = c.id),
                     '{}'::jsonb) AS refunds
FROM stored_charges c;

CREATE FUNCTION wallet_of(owner uuid, in_currency text) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    found_id uuid;
BEGIN
    SELECT id INTO found_id FROM stored_accounts
    WHERE kind = 'wallet' AND user_id = owner AND currency = in_currency;
    IF found_id IS NULL THEN
        INSERT INTO stored_accounts (kind, user_id, currency) VALUES ('wallet', owner, in_currency)
        ON CONFLICT (user_id, currency) WHERE kind = 'wallet' DO UPDATE SET user_id = excluded.user_id
        RETURNING id INTO found_id;
    END IF;
    RETURN found_id;
END $$;

-- Change a balance, with its entry; the key makes a second time fail.
CREATE FUNCTION stored_post(account uuid, change bigint, release bigint, why text, once_key text, of_payment uuid)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    after bigint;
BEGIN
    UPDATE stored_accounts SET balance = balance + change, held = held - release
    WHERE id = account RETURNING balance INTO after;
    INSERT INTO stored_entries (account_id, amount, balance, reason, key, payment_id)
    VALUES (account, change, after, why, once_key, of_payment);
END $$;

-- Hold `asked` for a payment, once per key: by one conditional update, so that no two can spend the same.
CREATE FUNCTION stored_authorise(once_key text, account uuid, for_payment uuid, asked bigint, in_currency text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO stored_charges (key, account_id, reference, amount, state, decline_code)
    VALUES (once_key, account, for_payment, asked, 'declined', 'insufficient_funds') ON CONFLICT (key) DO NOTHING;
    IF NOT FOUND THEN RETURN; END IF;
    UPDATE stored_accounts SET held = held + asked
    WHERE id = account AND currency = in_currency AND balance - held >= asked AND disabled_at IS NULL
        AND (expires_at IS NULL OR expires_at > now());
    IF FOUND THEN
        UPDATE stored_charges SET state = 'authorised', decline_code = '' WHERE key = once_key;
    END IF;
END $$;

CREATE FUNCTION stored_capture(charge uuid, taken bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    c stored_charges;
BEGIN
    UPDATE stored_charges SET captured = taken
    WHERE id = charge AND state = 'authorised' AND captured = 0 AND taken BETWEEN 1 AND amount RETURNING * INTO c;
    IF FOUND THEN
        PERFORM stored_post(c.account_id, -taken, c.amount, 'payment', c.key || ':taken', c.reference);
    END IF;
END $$;

CREATE FUNCTION stored_void(charge uuid) RETURNS void LANGUAGE sql AS $$
    WITH given_back AS (
        UPDATE stored_charges SET state = 'voided'
        WHERE id = charge AND state = 'authorised' AND captured = 0 RETURNING account_id, amount)
    UPDATE stored_accounts a SET held = held - g.amount FROM given_back g WHERE a.id = g.account_id;
$$;

CREATE FUNCTION stored_refund(charge uuid, back bigint, once_key text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    c stored_charges;
BEGIN
    SELECT * INTO c FROM stored_charges WHERE id = charge FOR UPDATE;
    IF NOT FOUND OR EXISTS (SELECT FROM stored_refunds WHERE key = once_key) THEN RETURN; END IF;
    IF c.captured - c.refunded < back THEN RETURN; END IF;
    UPDATE stored_charges SET refunded = refunded + back WHERE id = charge;
    INSERT INTO stored_refunds (key, charge_id, amount) VALUES (once_key, charge, back);
    PERFORM stored_post(c.account_id, back, 0, 'refund', once_key, c.reference);
END $$;

-- A gift card that staff give away: what it holds is owed from now on.
CREATE FUNCTION issue_gift_card(
    wanted uuid, hash bytea, ending text, worth bigint, in_currency text, until timestamptz, what text, by_user uuid
) RETURNS SETOF stored_accounts LANGUAGE plpgsql AS $$
DECLARE
    card stored_accounts;
    journal uuid;
BEGIN
    INSERT INTO stored_accounts (id, kind, currency, code_hash, last4, issued, issued_by, note, expires_at)
    VALUES (wanted, 'gift_card', in_currency, hash, ending, worth, by_user, what, until)
    ON CONFLICT DO NOTHING RETURNING * INTO card;
    IF NOT FOUND THEN RETURN; END IF;
    PERFORM stored_post(wanted, worth, 0, 'issued', wanted || ':issued', NULL);
    INSERT INTO ledger_journals (reason) VALUES ('gift card issued') RETURNING id INTO journal;
    INSERT INTO ledger_entries (journal_id, account, currency, amount) VALUES
        (journal, 'given_away', in_currency, worth), (journal, 'gift_cards', in_currency, -worth);
    RETURN QUERY SELECT * FROM stored_accounts WHERE id = wanted;
END $$;
