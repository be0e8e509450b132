-- Order and completeness of what a consumer hears: which replica reads a stream, and the number under which
-- the relay last sent an event, so that a reader who misses a number can be given what the bus lost.

CREATE TABLE inbox (
    consumers  text NOT NULL,  -- the group
    source     text NOT NULL,
    holder     text NOT NULL,
    held_until timestamptz NOT NULL,
    PRIMARY KEY (consumers, source)
);

ALTER TABLE outbox ADD COLUMN number bigint;
CREATE INDEX outbox_by_number ON outbox USING brin (number) WITH (pages_per_range = 8, autosummarize = on);
