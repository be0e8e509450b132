-- Holding, giving back and taking, over warehouses, debts and bundles. Locks: all stock rows of the SKUs, in key
-- order, so that what is promised may become stock while others wait.

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

DROP FUNCTION inventory_reserve(uuid, text[], integer[], integer);
DROP FUNCTION inventory_hold(uuid, text[], integer[]);

-- Hold lines: all or nothing. What the shelves lack is promised, as far as it may be. The caller has locked.
CREATE FUNCTION inventory_hold(p_id uuid, p_skus text[], p_quantities integer[], p_country text, p_low integer)
RETURNS TABLE (kind text, sku text, requested integer, available integer) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_strategy text;
    v_order text[];
    v_was stock_levels;
    need record;
    place record;
    missing bigint;
    taken integer;
BEGIN
    IF EXISTS (SELECT FROM stock_parts(p_skus, p_quantities) n LEFT JOIN stock_levels l ON l.sku = n.sku
               WHERE coalesce(l.available, 0) < n.quantity) THEN
        RETURN QUERY SELECT * FROM stock_short(p_skus, p_quantities);
        RETURN;
    END IF;
    SELECT a.strategy INTO v_strategy FROM allocation a;
    v_order := stock_order(v_strategy, p_skus, p_quantities, p_country);
    FOR need IN SELECT n.sku, n.quantity FROM stock_parts(p_skus, p_quantities) n ORDER BY n.sku LOOP
        SELECT l.* INTO v_was FROM stock_levels l WHERE l.sku = need.sku;
        missing := least(need.quantity, v_was.shelf);
        FOR place IN SELECT s.warehouse, s.on_hand - s.reserved AS free FROM stock s
                     WHERE s.sku = need.sku AND s.on_hand > s.reserved AND s.warehouse = ANY (v_order)
                     ORDER BY v_strategy = 'fewest_parcels' AND s.on_hand - s.reserved < missing,
                         array_position(v_order, s.warehouse) LOOP
            taken := least(missing, place.free);
            EXIT WHEN taken = 0;
            PERFORM stock_take(p_id, need.sku, place.warehouse, taken);
            missing := missing - taken;
        END LOOP;
        IF need.quantity > v_was.shelf THEN
            PERFORM stock_take(p_id, need.sku, '~owed', (need.quantity - v_was.shelf)::integer);
        END IF;
        RETURN QUERY SELECT * FROM stock_crossed(v_was, p_low);
    END LOOP;
END $$;

CREATE FUNCTION stock_take(p_id uuid, p_sku text, p_warehouse text, p_quantity integer) RETURNS void
LANGUAGE sql AS $$
    UPDATE stock SET reserved = reserved + p_quantity WHERE sku = p_sku AND warehouse = p_warehouse;
    INSERT INTO reservation_lines VALUES (p_id, p_sku, p_warehouse, p_quantity);
    INSERT INTO movements (sku, warehouse, delta_on_hand, delta_reserved, reason, reference)
    VALUES (p_sku, p_warehouse, 0, p_quantity, 'reserved', p_id::text);
$$;

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
                    PERFORM publish_event('products.stock_low.v1', said.sku, convert_to(
                        '{"sku":' || to_json(said.sku)::text || ',"available":' || said.available || ',"threshold":'
                        || said.requested || '}', 'UTF8'), p_trace);
                ELSE
                    DELETE FROM reservations r WHERE r.id = p_ids[i];
                    answers := answers || jsonb_build_array(
                        jsonb_build_array(i, said.kind, said.sku, said.requested, said.available));
            END CASE;
        END LOOP;
    END LOOP;
    FOR said IN SELECT a.sku, a.available FROM available_of(v_changed) a ORDER BY a.sku LOOP
        PERFORM publish_event('products.stock_changed.v1', said.sku, convert_to(
            '{"sku":' || to_json(said.sku)::text || ',"available":' || said.available || '}', 'UTF8'), p_trace);
    END LOOP;
    RETURN answers;
END $$;

-- Let units that may be sold pay what is owed, then what was promised, the oldest first; and let no more be
-- owed than the rules say. The caller has locked.
CREATE FUNCTION stock_pay(p_skus text[]) RETURNS void LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    debt record;
    place record;
    line record;
    v_left bigint;
    v_paid integer;
BEGIN
    FOR debt IN SELECT s.sku, -s.on_hand AS owed, l.shelf FROM stock s JOIN stock_levels l ON l.sku = s.sku
                WHERE s.sku = ANY (p_skus) AND s.warehouse = '~owed' AND s.reserved > s.on_hand AND l.shelf > 0
                ORDER BY s.sku LOOP
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
                PERFORM stock_shift(debt.sku, '~owed', 0, -v_paid, 'backorder filled', line.id::text);
                PERFORM stock_shift(debt.sku, place.warehouse, 0, v_paid, 'backorder filled', line.id::text);
                DELETE FROM reservation_lines l WHERE l.reservation_id = line.id AND l.sku = debt.sku
                    AND l.warehouse = '~owed' AND l.quantity = v_paid;
                IF NOT FOUND THEN
                    UPDATE reservation_lines l SET quantity = l.quantity - v_paid
                    WHERE l.reservation_id = line.id AND l.sku = debt.sku AND l.warehouse = '~owed';
                END IF;
                INSERT INTO reservation_lines AS l VALUES (line.id, debt.sku, place.warehouse, v_paid)
                ON CONFLICT (reservation_id, sku, warehouse) DO UPDATE SET quantity = l.quantity + v_paid;
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

CREATE FUNCTION stock_shift(p_sku text, p_warehouse text, p_on_hand integer, p_reserved integer, p_reason text,
    p_reference text) RETURNS void LANGUAGE sql AS $$
    UPDATE stock SET on_hand = on_hand + p_on_hand, reserved = reserved + p_reserved
    WHERE sku = p_sku AND warehouse = p_warehouse;
    INSERT INTO movements (sku, warehouse, delta_on_hand, delta_reserved, reason, reference)
    VALUES (p_sku, p_warehouse, p_on_hand, p_reserved, p_reason, p_reference);
$$;

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
    SELECT array_agg(l.sku), array_agg(l.quantity) INTO v_skus, v_quantities
    FROM reservation_lines l WHERE l.reservation_id = p_id;
    IF v_skus IS NULL THEN
        RETURN QUERY SELECT 'status', 'unknown', 0, 0;
        RETURN;
    END IF;
    PERFORM 1 FROM stock s WHERE s.sku = ANY (v_skus) ORDER BY s.sku, s.warehouse FOR UPDATE;
    IF v_status = 'released' THEN
        DELETE FROM reservation_lines l WHERE l.reservation_id = p_id;
        RETURN QUERY SELECT * FROM inventory_hold(p_id, v_skus, v_quantities, NULL, NULL);
        IF NOT EXISTS (SELECT FROM reservation_lines l WHERE l.reservation_id = p_id) THEN
            RETURN;  -- short: the caller rolls back
        END IF;
    END IF;
    UPDATE stock s SET reserved = s.reserved - l.quantity, on_hand = s.on_hand - l.quantity
    FROM reservation_lines l
    WHERE l.reservation_id = p_id AND s.sku = l.sku AND s.warehouse = l.warehouse;
    INSERT INTO movements (sku, warehouse, delta_on_hand, delta_reserved, reason, reference)
    SELECT l.sku, l.warehouse, -l.quantity, -l.quantity, 'sold', p_id::text FROM reservation_lines l
    WHERE l.reservation_id = p_id;
    UPDATE reservations SET status = 'claimed' WHERE id = p_id;
    RETURN QUERY SELECT 'status', 'claimed', 0, 0;
END $$;
