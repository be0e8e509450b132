-- As before, and: a refund to the buyer's wallet and a top-up that was captured change the wallet's balance in the
-- same transaction; the fact tells the payment's method and the payment that it is a part of.

-- Append events to a payment that still stands at version `seen`, and bring its row, the ledger and the outbox
-- along. Nothing when it moved on meanwhile. An event that is known already changes nothing.
-- `once_key`: what makes a webhook recognisable; a repeat changes nothing at all.
CREATE OR REPLACE FUNCTION append_events(
    wanted uuid, seen integer, kinds text[], outcomes text[], keys text[], amounts bigint[], fees bigint[],
    codes text[], ref text, url text, look interval, once_key text, traceparent text
) RETURNS SETOF payments LANGUAGE plpgsql AS $$
DECLARE
    p payments;
    before text;
    last integer;
    fresh boolean;
BEGIN
    SELECT * INTO p FROM payments WHERE id = wanted AND version = seen FOR UPDATE;
    IF NOT FOUND THEN RETURN; END IF;
    IF once_key IS NOT NULL THEN
        INSERT INTO once (key, fingerprint) VALUES (once_key, '') ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN RETURN NEXT p; RETURN; END IF;
    END IF;
    before := p.status;
    SELECT coalesce(max(e.number), 0) INTO last FROM payment_events e WHERE e.payment_id = wanted;
    FOR i IN 1 .. coalesce(array_length(kinds, 1), 0) LOOP
        INSERT INTO payment_events (payment_id, number, kind, outcome, key, amount, fee, code)
        VALUES (wanted, last + 1, kinds[i], outcomes[i], keys[i], amounts[i], fees[i], codes[i])
        ON CONFLICT DO NOTHING;
        fresh := FOUND;
        IF NOT fresh AND outcomes[i] = 'succeeded' THEN  -- given up or refused before, and done after all
            INSERT INTO payment_events (payment_id, number, kind, outcome, key, amount, fee, code)
            SELECT wanted, last + 1, kinds[i], outcomes[i], keys[i] || '-late', amounts[i], fees[i], 'late'
            FROM payment_events e WHERE e.key = keys[i] AND e.outcome = 'failed'
            ON CONFLICT DO NOTHING;
            fresh := FOUND;
        END IF;
        IF outcomes[i] = 'requested' THEN  -- also again: an operation of unknown outcome that is sent once more
            p.open_kind := kinds[i]; p.open_key := keys[i]; p.open_amount := amounts[i];
            p.open_phase := 'in_flight'; p.open_since := now(); p.looks := 0;
        ELSIF p.open_key = keys[i] AND outcomes[i] IN ('unknown', 'action_required') THEN
            p.open_phase := CASE outcomes[i] WHEN 'unknown' THEN 'unknown' ELSE 'action' END;
        ELSIF p.open_key = keys[i] THEN
            p.open_kind := NULL; p.open_key := NULL; p.open_amount := NULL;
            p.open_phase := NULL; p.open_since := NULL; p.looks := 0;
        END IF;
        CONTINUE WHEN NOT fresh;
        last := last + 1;
        CASE kinds[i] || ' ' || outcomes[i]
            WHEN 'authorise succeeded' THEN p.authorised := p.authorised + amounts[i];
            WHEN 'authorise failed' THEN p.decline_code := codes[i];
            WHEN 'capture succeeded' THEN p.captured := p.captured + amounts[i];
            WHEN 'refund succeeded' THEN
                p.refunded := p.refunded + amounts[i];
                IF codes[i] = 'to_wallet' THEN p.credited := p.credited + amounts[i]; END IF;
            WHEN 'void succeeded' THEN p.voided := true;
            ELSE
        END CASE;
        IF outcomes[i] = 'succeeded' AND kinds[i] IN ('capture', 'refund') THEN
            PERFORM post_journal(p, last, CASE codes[i] WHEN 'to_wallet' THEN 'credit' ELSE kinds[i] END,
                                 amounts[i], fees[i]);
            IF codes[i] = 'to_wallet' THEN
                PERFORM stored_post(wallet_of(p.user_id, p.currency), amounts[i], 0, 'refund', keys[i], wanted);
            ELSIF kinds[i] = 'capture' AND p.purpose = 'top_up' THEN
                PERFORM stored_post(wallet_of(p.user_id, p.currency), amounts[i], 0, 'top_up', keys[i], wanted);
            END IF;
        END IF;
    END LOOP;
    UPDATE payments SET
        provider_ref = coalesce(ref, provider_ref), action_url = coalesce(url, action_url),
        decline_code = p.decline_code, authorised = p.authorised, captured = p.captured, refunded = p.refunded,
        credited = p.credited, voided = p.voided,
        open_kind = p.open_kind, open_key = p.open_key, open_amount = p.open_amount,
        open_phase = p.open_phase, open_since = p.open_since, look_at = now() + look, looks = p.looks,
        version = version + 1, updated_at = now()
    WHERE id = wanted RETURNING * INTO p;
    IF p.status <> before AND p.order_id IS NOT NULL THEN
        PERFORM publish_event('payments.payment_changed.v1', p.id::text, convert_to(json_build_object(
            'payment_id', p.id, 'order_id', p.order_id, 'status', p.status, 'method', p.method, 'part_of', p.group_id,
            'amount', json_build_object('amount', p.amount, 'currency', p.currency))::text, 'UTF8'), traceparent);
    END IF;
    RETURN NEXT p;
END $$;
