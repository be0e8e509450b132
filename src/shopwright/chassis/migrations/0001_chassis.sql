-- What the chassis keeps in every service's database.

CREATE TABLE once (
    key         text PRIMARY KEY,
    fingerprint bytea NOT NULL,
    outcome     bytea,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX once_by_age ON once (created_at);

CREATE TABLE event_sequences (
    subject text PRIMARY KEY,
    last    bigint NOT NULL
);

CREATE TABLE outbox (
    position     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id           uuid NOT NULL,
    topic        text NOT NULL,
    subject      text NOT NULL,
    sequence     bigint NOT NULL,
    data         bytea NOT NULL,
    traceparent  text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz,
    UNIQUE (subject, sequence)
);
CREATE INDEX outbox_unpublished ON outbox (position) WHERE published_at IS NULL;
CREATE INDEX outbox_published ON outbox (published_at) WHERE published_at IS NOT NULL;

CREATE TABLE relay (
    single     boolean PRIMARY KEY DEFAULT true CHECK (single),
    holder     text NOT NULL DEFAULT '',
    held_until timestamptz NOT NULL DEFAULT '-infinity',
    bus_run    text NOT NULL DEFAULT ''
);
INSERT INTO relay DEFAULT VALUES;

CREATE TABLE dead_letters (
    id              uuid PRIMARY KEY,
    topic           text NOT NULL,
    subject         text NOT NULL,
    envelope        bytea NOT NULL,
    state           text NOT NULL CHECK (state IN ('retrying', 'dead')),
    attempts        integer NOT NULL CHECK (attempts > 0),
    error           text NOT NULL,
    first_failed_at timestamptz NOT NULL DEFAULT now(),
    next_attempt_at timestamptz NOT NULL
);
CREATE INDEX dead_letters_due ON dead_letters (next_attempt_at) WHERE state = 'retrying';
