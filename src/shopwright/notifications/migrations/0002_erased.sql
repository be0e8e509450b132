-- Whose account is gone: facts about a person that arrive after it (of another stream, by another replica)
-- make no notification. Only the id is kept, as long as notifications are.

CREATE TABLE erased (
    user_id   uuid PRIMARY KEY,
    erased_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX erased_by_age ON erased (erased_at);
