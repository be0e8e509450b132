-- Many reservations of a unit or some of one SKU, all of which the shelf has: one update of its balance for all.
-- NULL when they are not like that, for then each must be looked at by itself; otherwise what
-- `inventory_reserve` answers. The caller has locked.

CREATE FUNCTION inventory_hold_together(p_ids uuid[], p_seconds integer[], p_sku text, p_quantities integer[],
    p_low integer, p_trace text)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_was stock_levels;
    v_place text;
    v_free integer;
    v_places integer;
    v_asked bigint;
    v_held bigint;
    v_made uuid[];
BEGIN
    SELECT sum(u.quantity) INTO v_asked FROM unnest(p_quantities) AS u (quantity);
    SELECT l.* INTO v_was FROM stock_levels l WHERE l.sku = p_sku;
    SELECT f.warehouse, f.free, count(*) OVER () INTO v_place, v_free, v_places
    FROM (SELECT s.warehouse, s.on_hand - s.reserved AS free, w.priority
          FROM stock s JOIN warehouses w ON w.code = s.warehouse
          WHERE s.sku = p_sku AND s.on_hand > s.reserved AND w.active) f
    ORDER BY f.priority, f.warehouse LIMIT 1;
    IF v_place IS NULL OR v_free < v_asked OR v_was.shelf < v_asked
        OR EXISTS (SELECT FROM bundle_components b WHERE b.bundle = p_sku)
        OR v_places > 1 AND EXISTS (SELECT FROM allocation a WHERE a.strategy = 'nearest') THEN
        RETURN NULL;
    END IF;
    WITH asked AS (
        SELECT u.* FROM unnest(p_ids, p_seconds, p_quantities) WITH ORDINALITY AS u (id, seconds, quantity, n)
    ), made AS (
        INSERT INTO reservations (id, status, expires_at)
        SELECT a.id, 'held', now() + make_interval(secs => a.seconds) FROM asked a
        ON CONFLICT DO NOTHING RETURNING id
    ), held AS MATERIALIZED (
        SELECT DISTINCT ON (a.id) a.id, a.quantity FROM made m JOIN asked a ON a.id = m.id ORDER BY a.id, a.n
    ), lines AS (
        INSERT INTO reservation_lines SELECT h.id, p_sku, v_place, h.quantity FROM held h
    ), noted AS (
        INSERT INTO movements (sku, warehouse, delta_on_hand, delta_reserved, reason, reference)
        SELECT p_sku, v_place, 0, h.quantity, 'reserved', h.id::text FROM held h
    )
    SELECT coalesce(sum(h.quantity), 0), coalesce(array_agg(h.id), '{}') INTO v_held, v_made FROM held h;
    UPDATE stock s SET reserved = s.reserved + v_held WHERE s.sku = p_sku AND s.warehouse = v_place;
    PERFORM inventory_publish(c.kind, c.sku, c.requested, c.available, p_trace)
    FROM stock_crossing(p_sku, v_was.available, v_was.available - v_held, v_was.shelf, v_was.shelf - v_held, p_low) c;
    RETURN coalesce((
        SELECT jsonb_agg(jsonb_build_array(u.n, 'status', r.status, 0, 0))
        FROM unnest(p_ids) WITH ORDINALITY AS u (id, n) JOIN reservations r ON r.id = u.id
        WHERE u.id <> ALL (v_made)), '[]');
END $$;

-- Publish that a SKU sold out or came back, or that it is low.
CREATE FUNCTION inventory_publish(p_kind text, p_sku text, p_threshold integer, p_left integer, p_trace text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF p_kind = 'low' THEN
        PERFORM publish_event('products.stock_low.v1', p_sku, convert_to(
            '{"sku":' || to_json(p_sku)::text || ',"available":' || p_left || ',"threshold":' || p_threshold || '}',
            'UTF8'), p_trace);
    ELSE
        PERFORM publish_event('products.stock_changed.v1', p_sku, convert_to(
            '{"sku":' || to_json(p_sku)::text || ',"available":'
            || coalesce((SELECT a.available FROM available_of(ARRAY[p_sku]) a), 0) || '}', 'UTF8'), p_trace);
    END IF;
END $$;

CREATE OR REPLACE FUNCTION inventory_reserve(p_ids uuid[], p_seconds integer[], p_countries text[], p_of integer[],
    p_skus text[], p_quantities integer[], p_low integer, p_trace text)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    answers jsonb := '[]';
    v_skus text[];
    v_quantities integer[];
    v_changed text[] := '{}';
    v_status text;
    said record;
BEGIN
    PERFORM stock_lock(p_skus);
    IF cardinality(p_ids) > 1 AND cardinality(p_ids) = cardinality(p_skus) AND p_skus[1] = ALL (p_skus) THEN
        answers := inventory_hold_together(p_ids, p_seconds, p_skus[1], p_quantities, p_low, p_trace);
        IF answers IS NOT NULL THEN
            RETURN answers;
        END IF;
        answers := '[]';
    END IF;
    FOR i IN 1 .. cardinality(p_ids) LOOP
        INSERT INTO reservations (id, status, expires_at)
        VALUES (p_ids[i], 'held', now() + make_interval(secs => p_seconds[i])) ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN
            SELECT r.status INTO v_status FROM reservations r WHERE r.id = p_ids[i];
            answers := answers || jsonb_build_array(jsonb_build_array(i, 'status', v_status, 0, 0));
            CONTINUE;
        END IF;
        SELECT array_agg(u.sku), array_agg(u.quantity) INTO v_skus, v_quantities
        FROM unnest(p_of, p_skus, p_quantities) AS u (n, sku, quantity) WHERE u.n = i;
        FOR said IN SELECT * FROM inventory_hold(p_ids[i], v_skus, v_quantities, p_countries[i], p_low) LOOP
            CASE said.kind
                WHEN 'changed' THEN
                    v_changed := v_changed || said.sku;
                WHEN 'low' THEN
                    PERFORM inventory_publish('low', said.sku, said.requested, said.available, p_trace);
                ELSE
                    DELETE FROM reservations r WHERE r.id = p_ids[i];
                    answers := answers || jsonb_build_array(
                        jsonb_build_array(i, said.kind, said.sku, said.requested, said.available));
            END CASE;
        END LOOP;
    END LOOP;
    PERFORM inventory_publish('changed', u.sku, 0, 0, p_trace)
    FROM (SELECT DISTINCT c.sku FROM unnest(v_changed) AS c (sku) ORDER BY c.sku) u;
    RETURN answers;
END $$;
