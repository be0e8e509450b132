-- The books of the sandbox provider: what a real provider would keep on its own servers.
-- Our side never reads them but through the provider's calls.

CREATE SCHEMA sandbox;

CREATE TABLE sandbox.charges (
    id           text PRIMARY KEY,
    key          text NOT NULL UNIQUE,
    reference    text NOT NULL,  -- whatever the merchant calls it
    amount       bigint NOT NULL CHECK (amount > 0),
    currency     text NOT NULL,
    description  text NOT NULL,
    state        text NOT NULL CHECK (state IN ('requires_action', 'authorised', 'declined', 'voided')),
    stage        text CHECK (stage IN ('card', 'challenge')),  -- what the page asks of the buyer
    session      text UNIQUE,
    action_url   text NOT NULL DEFAULT '',
    return_url   text NOT NULL DEFAULT '',
    decline_code text NOT NULL DEFAULT '',
    captured     bigint NOT NULL DEFAULT 0,
    fee          bigint NOT NULL DEFAULT 0,
    settles_at   timestamptz NOT NULL DEFAULT now(),  -- a slow bank: until then the outcome is not known
    expires_at   timestamptz NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CHECK (captured <= amount)
);

CREATE TABLE sandbox.refunds (
    key        text PRIMARY KEY,
    charge_id  text NOT NULL REFERENCES sandbox.charges,
    amount     bigint NOT NULL CHECK (amount > 0),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX refunds_by_charge ON sandbox.refunds (charge_id);

CREATE VIEW sandbox.reports AS
SELECT c.id, c.key, c.reference, c.amount, c.currency, c.description, c.stage, c.session, c.action_url,
    c.return_url, c.captured, c.fee,
    CASE
        WHEN c.state = 'requires_action' AND c.expires_at <= now() THEN 'declined'
        WHEN c.state = 'authorised' AND c.settles_at > now() THEN 'processing'
        ELSE c.state
    END AS state,
    CASE
        WHEN c.state = 'requires_action' AND c.expires_at <= now() THEN 'expired'
        ELSE c.decline_code
    END AS decline_code,
    coalesce((SELECT jsonb_object_agg(r.key, r.amount) FROM sandbox.refunds r WHERE r.charge_id = c.id), '{}')
        AS refunds
FROM sandbox.charges c;

CREATE TABLE sandbox.webhooks (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id     text NOT NULL,
    body         bytea NOT NULL,
    attempts     integer NOT NULL DEFAULT 0,
    send_at      timestamptz NOT NULL DEFAULT now(),
    delivered_at timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX webhooks_to_send ON sandbox.webhooks (send_at) WHERE delivered_at IS NULL;
