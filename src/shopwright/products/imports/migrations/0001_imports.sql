-- Import jobs and what their reports tell. A job is a row with a lease; at most one runs at a time.

CREATE TABLE import_jobs (
    id          uuid PRIMARY KEY,
    status      text NOT NULL DEFAULT 'queued'
                CHECK (status IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    file        text NOT NULL,
    bytes       bigint NOT NULL,
    form        jsonb NOT NULL,
    options     jsonb NOT NULL,
    user_id     uuid,
    total       bigint,
    products    bigint,
    position    bigint NOT NULL DEFAULT 0,
    rows        bigint NOT NULL DEFAULT 0,
    created     bigint NOT NULL DEFAULT 0,
    changed     bigint NOT NULL DEFAULT 0,
    unchanged   bigint NOT NULL DEFAULT 0,
    skipped     bigint NOT NULL DEFAULT 0,
    refused     bigint NOT NULL DEFAULT 0,
    errors      bigint NOT NULL DEFAULT 0,
    detail      text NOT NULL DEFAULT '',
    holder      text NOT NULL DEFAULT '',
    lease_until timestamptz NOT NULL DEFAULT '-infinity',
    attempts    integer NOT NULL DEFAULT 0,
    cancel      boolean NOT NULL DEFAULT false,
    created_at  timestamptz NOT NULL DEFAULT now(),
    started_at  timestamptz,
    finished_at timestamptz,
    CONSTRAINT import_counts_add_up CHECK (created + changed + unchanged + skipped + refused = position)
);
CREATE UNIQUE INDEX import_jobs_one_runs ON import_jobs ((true)) WHERE status = 'running';
CREATE INDEX import_jobs_waiting ON import_jobs (id) WHERE status = 'queued';

CREATE TABLE import_errors (
    job_id     uuid NOT NULL REFERENCES import_jobs ON DELETE CASCADE,
    number     bigint NOT NULL,
    line       bigint NOT NULL,
    identifier text NOT NULL,
    outcome    text NOT NULL CHECK (outcome IN ('refused', 'warning', 'skipped')),
    pointer    text NOT NULL,
    detail     text NOT NULL,
    PRIMARY KEY (job_id, number)
);
