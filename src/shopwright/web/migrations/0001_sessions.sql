-- Browser sessions. The cookie's value is never stored, only its SHA-256; tokens and names are sealed with the
-- session key, so a copy of this table opens nobody's account.

CREATE TABLE sessions (
    id_hash          bytea PRIMARY KEY CHECK (length(id_hash) = 32),
    audience         text NOT NULL CHECK (audience IN ('shop', 'staff')),
    identity         bytea,
    refreshing_until timestamptz,
    cart_id          uuid,
    cart_count       integer NOT NULL DEFAULT 0 CHECK (cart_count >= 0),
    purchases        jsonb NOT NULL DEFAULT '[]',
    notice           text,
    created_at       timestamptz NOT NULL DEFAULT now(),
    idle_until       timestamptz NOT NULL,
    expires_at       timestamptz NOT NULL
);
CREATE INDEX sessions_by_end ON sessions (least(idle_until, expires_at));
