-- What waits to be indexed, and who writes the index.

-- Append-only: two transactions that note the same product never wait for each other.
CREATE TABLE search_pending (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind     text NOT NULL CHECK (kind IN ('product', 'sku')),
    key      text NOT NULL
);

CREATE TABLE search_writer (
    single         boolean PRIMARY KEY DEFAULT true CHECK (single),
    holder         text NOT NULL DEFAULT '',
    held_until     timestamptz NOT NULL DEFAULT '-infinity',
    rebuilds_asked bigint NOT NULL DEFAULT 0,
    rebuilds_done  bigint NOT NULL DEFAULT 0
);
INSERT INTO search_writer DEFAULT VALUES;
