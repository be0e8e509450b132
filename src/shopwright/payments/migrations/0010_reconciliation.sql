-- Reconciliation: a provider's report of a day held against our events and ledger, and what differs.

CREATE TABLE reconciliations (
    id          uuid PRIMARY KEY DEFAULT uuidv7(),
    provider    text NOT NULL,
    day         date NOT NULL,
    status      text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'done', 'failed')),
    error       text NOT NULL DEFAULT '',  -- why the last attempt found no end
    attempts    integer NOT NULL DEFAULT 0,
    look_at     timestamptz NOT NULL DEFAULT now(),  -- queued: not before; running: the lease of who does it
    rows_there  integer NOT NULL DEFAULT 0,
    differences integer NOT NULL DEFAULT 0,
    asked_at    timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    UNIQUE (provider, day)
);
CREATE INDEX reconciliations_to_do ON reconciliations (look_at) WHERE status IN ('queued', 'running');

CREATE TABLE reconciliation_totals (
    reconciliation_id  uuid NOT NULL REFERENCES reconciliations,
    currency           text NOT NULL,
    there_captured     bigint NOT NULL,
    there_refunded     bigint NOT NULL,
    there_charged_back bigint NOT NULL,
    there_fees         bigint NOT NULL,
    here_captured      bigint NOT NULL,
    here_refunded      bigint NOT NULL,
    here_charged_back  bigint NOT NULL,
    here_fees          bigint NOT NULL,
    here_net           bigint NOT NULL,  -- of the ledger's provider_clearing
    PRIMARY KEY (reconciliation_id, currency)
);

CREATE TABLE reconciliation_differences (
    reconciliation_id uuid NOT NULL REFERENCES reconciliations,
    number            integer NOT NULL,
    what              text NOT NULL
        CHECK (what IN ('missing_here', 'missing_there', 'amount_differs', 'fee_differs', 'twice')),
    kind              text NOT NULL,
    payment_id        uuid,
    ref               text NOT NULL,
    key               text NOT NULL,
    currency          text NOT NULL,
    there_amount      bigint,
    there_fee         bigint,
    here_amount       bigint,
    here_fee          bigint,
    at                timestamptz NOT NULL,
    PRIMARY KEY (reconciliation_id, number)
);

-- The rows of reports, for a week: an outcome that we learn of days later was in an earlier report. Unlogged:
-- after a crash they are fetched again.
CREATE UNLOGGED TABLE provider_rows (
    reconciliation_id uuid NOT NULL,
    provider          text NOT NULL,
    day               date NOT NULL,
    ref               text NOT NULL,
    reference         uuid,
    kind              text NOT NULL,
    key               text NOT NULL,
    amount            bigint NOT NULL,
    fee               bigint NOT NULL,
    currency          text NOT NULL,
    at                timestamptz NOT NULL
);
CREATE INDEX provider_rows_by_run ON provider_rows (reconciliation_id);
CREATE INDEX provider_rows_by_ref ON provider_rows (provider, ref);

-- Events come in this order, so that a day of them is found without an index entry for each.
CREATE INDEX payment_events_by_time ON payment_events USING brin (at) WITH (pages_per_range = 16);

-- What makes two rows the same movement: a charge is captured once, a refund or chargeback has a key.
CREATE FUNCTION movement_key(kind text, key text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN kind = 'capture' THEN '' WHEN key LIKE '%-late' THEN left(key, -5) ELSE key END
$$;

-- Hold the rows of a run against our events. A pair counts on the day that the provider gives it, whatever our
-- clock said; what has no partner on its own side's day.
CREATE FUNCTION reconcile(run uuid) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    r reconciliations;
    first timestamptz;
    past timestamptz;
    found_differences integer;
BEGIN
    SELECT * INTO r FROM reconciliations WHERE id = run FOR UPDATE;
    first := r.day::timestamp AT TIME ZONE 'UTC';
    past := first + interval '1 day';
    DELETE FROM reconciliation_totals WHERE reconciliation_id = run;
    DELETE FROM reconciliation_differences WHERE reconciliation_id = run;
    WITH named AS MATERIALIZED (
        SELECT t.*, coalesce(a.id, b.id) AS payment_id, movement_key(t.kind, t.key) AS movement,
            t.at >= first AND t.at < past AS of_day,
            t.ref = coalesce(a.provider_ref, b.provider_ref) AS by_name
        FROM provider_rows t
        LEFT JOIN payments a ON a.id = t.reference AND a.provider = t.provider
        LEFT JOIN payments b ON a.id IS NULL AND b.provider = t.provider AND b.provider_ref = t.ref
        WHERE t.reconciliation_id = run
    ), there AS MATERIALIZED (
        SELECT *, row_number() OVER (
            PARTITION BY kind, coalesce(payment_id::text, ref), movement ORDER BY by_name DESC NULLS LAST, at, ref)
            AS nth
        FROM named
    ), events AS (
        SELECT payment_id, number FROM payment_events WHERE at >= first AND at < past
        UNION
        SELECT payment_id, number FROM payment_events JOIN (SELECT DISTINCT payment_id FROM there) t USING (payment_id)
    ), here AS MATERIALIZED (
        SELECT e.payment_id, e.kind, e.key, movement_key(e.kind, e.key) AS movement, e.amount, e.fee, e.at,
            p.currency, coalesce(p.provider_ref, '') AS ref, coalesce(l.amount, 0) AS net
        FROM events
        JOIN payment_events e USING (payment_id, number)
        JOIN payments p ON p.id = e.payment_id
        LEFT JOIN ledger_journals j ON j.payment_id = e.payment_id AND j.event_number = e.number
        LEFT JOIN ledger_entries l
            ON l.journal_id = j.id AND l.account = 'provider_clearing' AND l.currency = p.currency
        WHERE p.provider = r.provider AND e.outcome = 'succeeded'
            AND e.kind IN ('capture', 'refund', 'chargeback') AND e.code <> 'to_wallet'
    ), pairs AS MATERIALIZED (
        SELECT coalesce(t.kind, h.kind) AS kind, coalesce(t.payment_id, h.payment_id) AS payment_id,
            coalesce(t.ref, h.ref) AS ref, coalesce(t.key, h.key) AS key,
            coalesce(t.currency, h.currency) AS currency, coalesce(t.at, h.at) AS at,
            t.amount AS there_amount, t.fee AS there_fee, h.amount AS here_amount, h.fee AS here_fee, h.net,
            h.currency AS here_currency,
            CASE
                WHEN t.ref IS NULL THEN 'missing_there'
                WHEN h.payment_id IS NULL THEN 'missing_here'
                WHEN t.amount <> h.amount OR t.currency <> h.currency THEN 'amount_differs'
                WHEN t.fee <> h.fee THEN 'fee_differs'
                ELSE ''
            END AS what
        FROM (SELECT * FROM there WHERE nth = 1) t
        FULL JOIN here h ON h.payment_id = t.payment_id AND h.kind = t.kind AND h.movement = t.movement
        WHERE t.of_day OR t.ref IS NULL AND h.at >= first AND h.at < past
            AND NOT EXISTS (
                SELECT FROM provider_rows o WHERE o.provider = r.provider AND o.ref = h.ref
                    AND o.kind = h.kind AND movement_key(o.kind, o.key) = h.movement)
    ), listed AS (
        SELECT what, kind, payment_id, ref, key, currency, there_amount, there_fee, here_amount, here_fee, at
        FROM pairs WHERE what <> ''
        UNION ALL
        SELECT 'twice', kind, payment_id, ref, key, currency, amount, fee, NULL, NULL, at
        FROM there WHERE nth > 1 AND of_day
    ), written AS (
        INSERT INTO reconciliation_differences
        SELECT run, row_number() OVER (ORDER BY at, ref, key, what), what, kind, payment_id, ref, key, currency,
            there_amount, there_fee, here_amount, here_fee, at
        FROM listed RETURNING 1
    ), movements AS (
        SELECT currency, 'there' AS side, kind, amount, fee, 0::bigint AS net FROM there WHERE of_day
        UNION ALL
        SELECT here_currency, 'here', kind, here_amount, here_fee, net FROM pairs WHERE here_amount IS NOT NULL
    ), summed AS (
        INSERT INTO reconciliation_totals
        SELECT run, currency,
            coalesce(sum(amount) FILTER (WHERE side = 'there' AND kind = 'capture'), 0),
            coalesce(sum(amount) FILTER (WHERE side = 'there' AND kind = 'refund'), 0),
            coalesce(sum(amount) FILTER (WHERE side = 'there' AND kind = 'chargeback'), 0),
            coalesce(sum(fee) FILTER (WHERE side = 'there'), 0),
            coalesce(sum(amount) FILTER (WHERE side = 'here' AND kind = 'capture'), 0),
            coalesce(sum(amount) FILTER (WHERE side = 'here' AND kind = 'refund'), 0),
            coalesce(sum(amount) FILTER (WHERE side = 'here' AND kind = 'chargeback'), 0),
            coalesce(sum(fee) FILTER (WHERE side = 'here'), 0),
            coalesce(sum(net), 0)
        FROM movements GROUP BY currency
    )
    SELECT count(*) INTO found_differences FROM written;
    UPDATE reconciliations SET status = 'done', error = '', attempts = 0, finished_at = now(),
        differences = found_differences,
        rows_there = (SELECT count(*) FROM provider_rows t
                      WHERE t.reconciliation_id = run AND t.at >= first AND t.at < past)
    WHERE id = run;
    RETURN found_differences;
END $$;
