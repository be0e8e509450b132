-- The same promises, read straight: standings of the SKUs at hand only, never by a join, for which PostgreSQL adds
-- up the stock of the whole shop; and each of them once.

CREATE OR REPLACE FUNCTION stock_short(p_skus text[], p_quantities integer[])
RETURNS TABLE (kind text, sku text, requested integer, available integer) STABLE LANGUAGE sql AS $$
    WITH uses AS (
        SELECT l.sku, l.quantity, coalesce(b.component, l.sku) AS part, coalesce(b.quantity, 1) AS each
        FROM (SELECT u.sku, sum(u.quantity) AS quantity FROM unnest(p_skus, p_quantities) AS u (sku, quantity)
              GROUP BY u.sku) l
        LEFT JOIN bundle_components b ON b.bundle = l.sku
    ), stands AS MATERIALIZED (
        SELECT l.sku, l.available FROM stock_levels l WHERE l.sku = ANY (ARRAY(SELECT u.part FROM uses u))
    ), short AS (
        SELECT n.sku AS part, n.quantity, coalesce(a.available, 0) AS available
        FROM stock_parts(p_skus, p_quantities) n LEFT JOIN stands a ON a.sku = n.sku
        WHERE coalesce(a.available, 0) < n.quantity
    )
    SELECT 'short', u.sku, max(u.quantity)::integer,
        greatest(0, min((s.available - s.quantity + u.each * u.quantity) / u.each))::integer
    FROM uses u JOIN short s ON s.part = u.part GROUP BY u.sku
$$;

-- As `stock_crossed`, of a SKU whose standing is known before and after.
CREATE FUNCTION stock_crossing(p_sku text, p_available_was bigint, p_available bigint, p_shelf_was bigint,
    p_shelf bigint, p_low integer)
RETURNS TABLE (kind text, sku text, requested integer, available integer) STABLE LANGUAGE sql AS $$
    SELECT 'changed', p_sku, 0, 0 WHERE (p_available_was > 0) <> (p_available > 0)
    UNION ALL
    SELECT 'changed', b.bundle, 0, 0 FROM bundle_components b
    WHERE b.component = p_sku AND (p_available_was >= b.quantity) <> (p_available >= b.quantity)
    UNION ALL
    SELECT 'low', p_sku, t.low, p_shelf::integer
    FROM (SELECT coalesce((SELECT r.low_stock_at FROM stock_rules r WHERE r.sku = p_sku), p_low) AS low) t
    WHERE p_shelf_was > t.low AND p_shelf <= t.low
$$;

CREATE OR REPLACE FUNCTION inventory_hold(p_id uuid, p_skus text[], p_quantities integer[], p_country text,
    p_low integer)
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

CREATE OR REPLACE FUNCTION stock_take(p_id uuid, p_sku text, p_warehouse text, p_quantity integer) RETURNS void
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

CREATE OR REPLACE FUNCTION stock_pay(p_skus text[]) RETURNS void LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    debt record;
    place record;
    line record;
    v_left bigint;
    v_paid integer;
BEGIN
    IF NOT EXISTS (SELECT FROM stock s WHERE s.sku = ANY (p_skus) AND s.warehouse = '~owed') THEN
        RETURN;
    END IF;
    FOR debt IN SELECT l.sku, l.owed, l.shelf FROM stock_levels l
                WHERE l.sku = ANY (p_skus) AND l.owed + l.promised > 0 AND l.shelf > 0 ORDER BY l.sku LOOP
        v_left := debt.shelf;
        FOR place IN SELECT s.warehouse, s.on_hand - s.reserved AS free FROM stock s
                     JOIN warehouses w ON w.code = s.warehouse
                     WHERE s.sku = debt.sku AND w.active AND s.on_hand > s.reserved
                     ORDER BY w.priority, w.code LOOP
            v_paid := least(v_left, place.free, debt.owed);
            IF v_paid > 0 THEN
                PERFORM stock_shift(debt.sku, place.warehouse, -v_paid, 0, 'backorder sent', '');
                PERFORM stock_shift(debt.sku, '~owed', v_paid, 0, 'backorder sent', '');
                v_left := v_left - v_paid;
                debt.owed := debt.owed - v_paid;
                place.free := place.free - v_paid;
            END IF;
            FOR line IN SELECT l.reservation_id AS id, l.quantity
                        FROM reservation_lines l JOIN reservations r ON r.id = l.reservation_id
                        WHERE r.status = 'held' AND l.sku = debt.sku AND l.warehouse = '~owed'
                        ORDER BY r.created_at, r.id LOOP
                v_paid := least(v_left, place.free, line.quantity);
                EXIT WHEN v_paid = 0;
                PERFORM stock_fill(line.id, debt.sku, place.warehouse, v_paid);
                v_left := v_left - v_paid;
                place.free := place.free - v_paid;
            END LOOP;
        END LOOP;
    END LOOP;
    UPDATE stock s SET owed_max = greatest(c.allowed, s.reserved - s.on_hand)
    FROM (SELECT o.sku, coalesce((SELECT r.backorder_max + CASE WHEN r.preorder_from > current_date
                                  THEN r.preorder_max ELSE 0 END FROM stock_rules r WHERE r.sku = o.sku), 0) AS allowed
          FROM stock o WHERE o.sku = ANY (p_skus) AND o.warehouse = '~owed') c
    WHERE s.sku = c.sku AND s.warehouse = '~owed' AND s.owed_max <> greatest(c.allowed, s.reserved - s.on_hand);
END $$;

-- Let units of a warehouse stand for units that were promised to a reservation.
CREATE FUNCTION stock_fill(p_id uuid, p_sku text, p_warehouse text, p_quantity integer) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM stock_shift(p_sku, '~owed', 0, -p_quantity, 'backorder filled', p_id::text);
    PERFORM stock_shift(p_sku, p_warehouse, 0, p_quantity, 'backorder filled', p_id::text);
    DELETE FROM reservation_lines l WHERE l.reservation_id = p_id AND l.sku = p_sku AND l.warehouse = '~owed'
        AND l.quantity = p_quantity;
    IF NOT FOUND THEN
        UPDATE reservation_lines l SET quantity = l.quantity - p_quantity
        WHERE l.reservation_id = p_id AND l.sku = p_sku AND l.warehouse = '~owed';
    END IF;
    INSERT INTO reservation_lines AS l VALUES (p_id, p_sku, p_warehouse, p_quantity)
    ON CONFLICT (reservation_id, sku, warehouse) DO UPDATE SET quantity = l.quantity + p_quantity;
END $$;

-- Lines of backorders are found by their SKU when stock comes.
CREATE INDEX reservation_lines_promised ON reservation_lines (sku) WHERE warehouse = '~owed';

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
