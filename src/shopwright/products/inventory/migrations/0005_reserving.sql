-- Holding, giving back and taking, over warehouses, debts and bundles. Locks: all stock rows of the SKUs, in key
-- order, so that what is promised may become stock while others wait.

DROP FUNCTION inventory_reserve(uuid, text[], integer[], integer);
DROP FUNCTION inventory_hold(uuid, text[], integer[]);

CREATE FUNCTION stock_lock(p_skus text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM stock s
    WHERE s.sku = ANY (p_skus || ARRAY(SELECT b.component FROM bundle_components b WHERE b.bundle = ANY (p_skus)))
    ORDER BY s.sku, s.warehouse FOR UPDATE;
END $$;

-- The warehouses that sell, in the order in which the shop's strategy takes from them.
CREATE FUNCTION stock_order(p_strategy text, p_skus text[], p_quantities integer[], p_country text) RETURNS text[]
STABLE LANGUAGE plpgsql AS $$
BEGIN
    IF p_strategy = 'fewest_parcels' THEN
        RETURN ARRAY(
            SELECT w.code FROM warehouses w
            LEFT JOIN (SELECT s.warehouse, count(*) AS whole
                       FROM stock_parts(p_skus, p_quantities) n
                       JOIN stock s ON s.sku = n.sku AND s.on_hand - s.reserved >= n.quantity
                       GROUP BY s.warehouse) x ON x.warehouse = w.code
            WHERE w.active AND w.code <> '~owed' ORDER BY coalesce(x.whole, 0) DESC, w.priority, w.code);
    END IF;
    RETURN ARRAY(
        SELECT w.code FROM warehouses w WHERE w.active AND w.code <> '~owed'
        ORDER BY p_strategy = 'nearest' AND p_country IS NOT NULL AND w.country IS DISTINCT FROM p_country,
            w.priority, w.code);
END $$;

CREATE FUNCTION stock_take(p_id uuid, p_sku text, p_warehouse text, p_quantity integer) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    WITH held AS (
        UPDATE stock s SET reserved = s.reserved + p_quantity WHERE s.sku = p_sku AND s.warehouse = p_warehouse
    ), line AS (
        INSERT INTO reservation_lines VALUES (p_id, p_sku, p_warehouse, p_quantity)
    )
    INSERT INTO movements (sku, warehouse, delta_on_hand, delta_reserved, reason, reference)
    VALUES (p_sku, p_warehouse, 0, p_quantity, 'reserved', p_id::text);
END $$;

-- Hold lines: all or nothing. What the shelves lack is promised, as far as it may be. The caller has locked.
CREATE FUNCTION inventory_hold(p_id uuid, p_skus text[], p_quantities integer[], p_country text, p_low integer)
RETURNS TABLE (kind text, sku text, requested integer, available integer) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_parts text[];
    v_units bigint[];
    v_was stock_levels[];
    v_shelf bigint;
    v_strategy text;
    v_order text[];
    v_missing bigint;
    v_taken integer;
    place record;
BEGIN
    SELECT array_agg(n.sku ORDER BY n.sku), array_agg(n.quantity ORDER BY n.sku) INTO v_parts, v_units
    FROM stock_parts(p_skus, p_quantities) n;
    v_was := ARRAY(SELECT l FROM stock_levels l WHERE l.sku = ANY (v_parts) ORDER BY l.sku);
    FOR i IN 1 .. cardinality(v_parts) LOOP
        IF cardinality(v_was) < cardinality(v_parts) OR (v_was[i]).available < v_units[i] THEN
            RETURN QUERY SELECT * FROM stock_short(p_skus, p_quantities);
            RETURN;
        END IF;
    END LOOP;
    SELECT a.strategy INTO v_strategy FROM allocation a;
    IF v_strategy = 'fewest_parcels' THEN
        v_order := stock_order(v_strategy, p_skus, p_quantities, p_country);
    END IF;
    FOR i IN 1 .. cardinality(v_parts) LOOP
        v_shelf := (v_was[i]).shelf;
        v_missing := least(v_units[i], v_shelf);
        IF v_missing > 0 THEN
            FOR place IN SELECT s.warehouse, s.on_hand - s.reserved AS free
                         FROM stock s JOIN warehouses w ON w.code = s.warehouse
                         WHERE s.sku = v_parts[i] AND s.on_hand > s.reserved AND w.active
                         ORDER BY v_strategy = 'fewest_parcels' AND s.on_hand - s.reserved < v_missing,
                             array_position(v_order, s.warehouse),
                             v_strategy = 'nearest' AND p_country IS NOT NULL AND w.country IS DISTINCT FROM p_country,
                             w.priority, w.code LOOP
                v_taken := least(v_missing, place.free);
                EXIT WHEN v_taken = 0;
                PERFORM stock_take(p_id, v_parts[i], place.warehouse, v_taken);
                v_missing := v_missing - v_taken;
            END LOOP;
        END IF;
        IF v_units[i] > v_shelf THEN
            PERFORM stock_take(p_id, v_parts[i], '~owed', (v_units[i] - v_shelf)::integer);
        END IF;
        RETURN QUERY SELECT * FROM stock_crossing(v_parts[i], (v_was[i]).available,
            (v_was[i]).available - v_units[i], v_shelf, greatest(0, v_shelf - v_units[i]), p_low);
    END LOOP;
END $$;

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

-- Reserve for many at once, each all or nothing and under its own id; a repeat answers what stands. Line n is of
-- the reservation p_of[n]. Publishes what sold out or came down to its low point. Returns [number, kind, sku,
-- requested, available] of those that are short or stood already.
CREATE FUNCTION inventory_reserve(p_ids uuid[], p_seconds integer[], p_countries text[], p_of integer[],
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

-- Give back what is held; an id never seen is noted, so that a reserve that comes late is refused.
CREATE OR REPLACE FUNCTION inventory_release(p_id uuid, p_reason text)
RETURNS TABLE (kind text, sku text, requested integer, available integer) LANGUAGE plpgsql AS $$
DECLARE
    v_status text;
    v_skus text[];
    v_was stock_levels[];
BEGIN
    INSERT INTO reservations (id, status, expires_at) VALUES (p_id, 'released', now()) ON CONFLICT DO NOTHING;
    IF FOUND THEN
        RETURN QUERY SELECT 'status', 'released', 0, 0;
        RETURN;
    END IF;
    SELECT r.status INTO v_status FROM reservations r WHERE r.id = p_id FOR UPDATE;
    IF v_status <> 'held' THEN
        RETURN QUERY SELECT 'status', v_status, 0, 0;
        RETURN;
    END IF;
    v_skus := ARRAY(SELECT DISTINCT l.sku FROM reservation_lines l WHERE l.reservation_id = p_id);
    PERFORM 1 FROM stock s WHERE s.sku = ANY (v_skus) ORDER BY s.sku, s.warehouse FOR UPDATE;
    v_was := ARRAY(SELECT l FROM stock_levels l WHERE l.sku = ANY (v_skus));
    UPDATE stock s SET reserved = s.reserved - l.quantity FROM reservation_lines l
    WHERE l.reservation_id = p_id AND s.sku = l.sku AND s.warehouse = l.warehouse;
    INSERT INTO movements (sku, warehouse, delta_on_hand, delta_reserved, reason, reference)
    SELECT l.sku, l.warehouse, 0, -l.quantity, p_reason, p_id::text FROM reservation_lines l
    WHERE l.reservation_id = p_id;
    UPDATE reservations SET status = 'released' WHERE id = p_id;
    PERFORM stock_pay(v_skus);
    RETURN QUERY SELECT c.* FROM unnest(v_was) AS w, LATERAL stock_crossed(w, NULL) c;
    RETURN QUERY SELECT 'status', 'released', 0, 0;
END $$;

-- Take what is held; what had expired is held again first, if it is still there.
CREATE OR REPLACE FUNCTION inventory_claim(p_id uuid)
RETURNS TABLE (kind text, sku text, requested integer, available integer) LANGUAGE plpgsql AS $$
DECLARE
    v_status text;
    v_skus text[];
    v_quantities integer[];
BEGIN
    SELECT r.status INTO v_status FROM reservations r WHERE r.id = p_id FOR UPDATE;
    IF v_status IS NULL OR v_status = 'claimed' THEN
        RETURN QUERY SELECT 'status', coalesce(v_status, 'unknown'), 0, 0;
        RETURN;
    END IF;
    PERFORM 1 FROM stock s
    WHERE s.sku = ANY (ARRAY(SELECT l.sku FROM reservation_lines l WHERE l.reservation_id = p_id))
    ORDER BY s.sku, s.warehouse FOR UPDATE;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'status', 'unknown', 0, 0;
        RETURN;
    END IF;
    IF v_status = 'released' THEN
        SELECT array_agg(l.sku), array_agg(l.quantity) INTO v_skus, v_quantities
        FROM reservation_lines l WHERE l.reservation_id = p_id;
        DELETE FROM reservation_lines l WHERE l.reservation_id = p_id;
        RETURN QUERY SELECT * FROM inventory_hold(p_id, v_skus, v_quantities, NULL, NULL);
        IF NOT EXISTS (SELECT FROM reservation_lines l WHERE l.reservation_id = p_id) THEN
            RETURN;  -- short: the caller rolls back
        END IF;
    END IF;
    WITH gone AS (
        UPDATE stock s SET reserved = s.reserved - l.quantity, on_hand = s.on_hand - l.quantity
        FROM reservation_lines l
        WHERE l.reservation_id = p_id AND s.sku = l.sku AND s.warehouse = l.warehouse
        RETURNING l.sku, l.warehouse, l.quantity
    ), noted AS (
        INSERT INTO movements (sku, warehouse, delta_on_hand, delta_reserved, reason, reference)
        SELECT g.sku, g.warehouse, -g.quantity, -g.quantity, 'sold', p_id::text FROM gone g
    )
    UPDATE reservations SET status = 'claimed' WHERE id = p_id;
    RETURN QUERY SELECT 'status', 'claimed', 0, 0;
END $$;
