-- One event's notification in one round trip: the inbox row, the preferences, the place in the feed, the row,
-- the queued mail. A repeat, and a fact about somebody whose account is gone, change nothing and return NULLs.
-- The lock is what an erasure waits for, and what waits for an erasure.

CREATE FUNCTION add_notification(
    new_id uuid, event_key text, new_kind text, person uuid, address text, person_name text, headline text,
    path text, said jsonb, token text, topic text, fact bytea, traceparent text,
    OUT queued boolean, OUT in_feed boolean
) LANGUAGE plpgsql AS $$
DECLARE
    place bigint;
BEGIN
    INSERT INTO once (key, fingerprint) VALUES (event_key, '') ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(hashtextextended(person::text, 0));
    IF EXISTS (SELECT FROM erased WHERE user_id = person) THEN
        RETURN;
    END IF;
    queued := NOT EXISTS (
        SELECT FROM preferences
        WHERE user_id = person AND kind = new_kind AND channel = 'email' AND NOT enabled);
    in_feed := person IS NOT NULL AND NOT EXISTS (
        SELECT FROM preferences
        WHERE user_id = person AND kind = new_kind AND channel = 'in_app' AND NOT enabled);
    IF in_feed THEN
        INSERT INTO feeds AS f (user_id, last) VALUES (person, 1)
        ON CONFLICT (user_id) DO UPDATE SET last = f.last + 1 RETURNING last INTO place;
    END IF;
    INSERT INTO notifications (id, source, kind, user_id, email, name, title, link, content, state,
                               unsubscribe_token, position)
    VALUES (new_id, event_key, new_kind, person, address, person_name, headline, path,
            CASE WHEN queued THEN said END, CASE WHEN queued THEN 'queued' ELSE 'skipped' END, token, place);
    IF queued THEN
        PERFORM publish_event(topic, new_id::text, fact, traceparent);
    END IF;
END $$;
