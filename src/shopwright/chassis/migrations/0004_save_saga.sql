-- A saga's progress and the lines of its log in one call, so that one statement can hold them together with
-- what the step changed. Raises serialization_failure when another driver has taken the saga over.

CREATE FUNCTION save_saga(
    saga uuid, seen integer, to_step text, facing text, to_status text, tried integer, pause interval,
    lease interval, why jsonb, seen_wakes integer, ats timestamptz[], steps text[], directions text[],
    outcomes text[], details text[], OUT version integer, OUT wakes integer
) LANGUAGE plpgsql AS $$
BEGIN
    UPDATE sagas s SET step = to_step, direction = facing, status = to_status, attempts = tried,
        version = s.version + 1, run_at = CASE WHEN s.wakes = seen_wakes THEN now() + pause ELSE now() END,
        lease_until = now() + lease, reason = why, updated_at = now()
    WHERE s.id = saga AND s.version = seen RETURNING s.version, s.wakes INTO version, wakes;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'saga % is driven by another', saga USING ERRCODE = 'serialization_failure';
    END IF;
    INSERT INTO saga_log (saga_id, at, step, direction, outcome, detail)
    SELECT saga, * FROM unnest(ats, steps, directions, outcomes, details);
END $$;
