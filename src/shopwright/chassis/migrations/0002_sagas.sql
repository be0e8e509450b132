-- Sagas: one row says where each stands; the log is what operators read. Used by services that run sagas.

CREATE TABLE sagas (
    id          uuid PRIMARY KEY,
    kind        text NOT NULL,
    step        text NOT NULL,
    direction   text NOT NULL CHECK (direction IN ('forward', 'backward')),
    status      text NOT NULL CHECK (status IN ('running', 'waiting', 'completed', 'undone')),
    attempts    integer NOT NULL DEFAULT 0,
    version     integer NOT NULL DEFAULT 1,
    wakes       integer NOT NULL DEFAULT 0,
    cancel      boolean NOT NULL DEFAULT false,
    reason      jsonb,
    traceparent text NOT NULL,
    deadline    timestamptz NOT NULL,
    run_at      timestamptz NOT NULL DEFAULT now(),
    lease_until timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sagas_due ON sagas (run_at) WHERE status IN ('running', 'waiting');

CREATE TABLE saga_log (
    saga_id   uuid NOT NULL,
    at        timestamptz NOT NULL,
    step      text NOT NULL,
    direction text NOT NULL,
    outcome   text NOT NULL,
    detail    text NOT NULL
);
CREATE INDEX saga_log_by_saga ON saga_log (saga_id, at);
