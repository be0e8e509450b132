-- What Transaction.publish does for one event, for functions that are a whole transaction in one round trip
-- (Database.commit). The same sequence per subject, the same outbox.

CREATE FUNCTION publish_event(topic text, subject text, data bytea, traceparent text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    counted bigint;
BEGIN
    INSERT INTO event_sequences AS s (subject, last) VALUES (publish_event.subject, 1)
    ON CONFLICT ON CONSTRAINT event_sequences_pkey DO UPDATE SET last = s.last + 1
    RETURNING s.last INTO counted;
    INSERT INTO outbox (id, topic, subject, sequence, data, traceparent)
    VALUES (uuidv7(), publish_event.topic, publish_event.subject, counted, publish_event.data,
            publish_event.traceparent);
END $$;
