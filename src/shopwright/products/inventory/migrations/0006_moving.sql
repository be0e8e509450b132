-- What staff, imports and returns change. Each locks the SKU's stock rows, moves, lets what came pay debts, and
-- returns rows (kind, sku, requested, available): 'refused' with the reason as sku, or what others should hear.

DROP FUNCTION inventory_adjust(text, text, integer, text);
DROP FUNCTION inventory_intake(text[], text[], integer[], text);
DROP FUNCTION inventory_restock(uuid, text[], integer[], text);

-- Bundles wait while stock is entered, and it while a bundle is made: a bundle has no stock of its own.
CREATE FUNCTION stock_enter(p_skus text[], p_warehouses text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE bundle_components IN ROW SHARE MODE;
    INSERT INTO stock (sku, warehouse, on_hand)
    SELECT DISTINCT u.sku, u.warehouse, 0 FROM unnest(p_skus, p_warehouses) AS u (sku, warehouse)
    WHERE NOT EXISTS (SELECT FROM bundle_components b WHERE b.bundle = u.sku)
    ORDER BY 1, 2 ON CONFLICT DO NOTHING;
    PERFORM 1 FROM stock s WHERE s.sku = ANY (p_skus) ORDER BY s.sku, s.warehouse FOR UPDATE;
END $$;

CREATE FUNCTION stock_shift(p_sku text, p_warehouse text, p_on_hand integer, p_reserved integer, p_reason text,
    p_reference text) RETURNS void LANGUAGE sql AS $$
    UPDATE stock SET on_hand = on_hand + p_on_hand, reserved = reserved + p_reserved
    WHERE sku = p_sku AND warehouse = p_warehouse;
    INSERT INTO movements (sku, warehouse, delta_on_hand, delta_reserved, reason, reference)
    VALUES (p_sku, p_warehouse, p_on_hand, p_reserved, p_reason, p_reference);
$$;

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

-- Pay debts, and tell what became of SKUs that stood at `p_was`.
CREATE FUNCTION stock_settle(p_was stock_levels[], p_low integer)
RETURNS TABLE (kind text, sku text, requested integer, available integer) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM stock_pay(ARRAY(SELECT w.sku FROM unnest(p_was) AS w));
    RETURN QUERY SELECT c.* FROM unnest(p_was) AS w, LATERAL stock_crossed(w, p_low) c;
END $$;

CREATE FUNCTION stock_levels_of(p_skus text[]) RETURNS stock_levels[] STABLE LANGUAGE sql AS $$
    SELECT ARRAY(SELECT l FROM stock_levels l WHERE l.sku = ANY (p_skus))
$$;

-- Change what is on hand by a delta; refused: 'bundle', or 'low' when that would go below what is reserved.
CREATE FUNCTION inventory_adjust(p_sku text, p_warehouse text, p_delta integer, p_reason text, p_low integer)
RETURNS TABLE (kind text, sku text, requested integer, available integer) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE v_was stock_levels[];
BEGIN
    PERFORM stock_enter(ARRAY[p_sku], ARRAY[p_warehouse]);
    IF EXISTS (SELECT FROM bundle_components b WHERE b.bundle = p_sku) THEN
        RETURN QUERY SELECT 'refused', 'bundle', 0, 0;
        RETURN;
    END IF;
    v_was := stock_levels_of(ARRAY[p_sku]);
    UPDATE stock s SET on_hand = s.on_hand + p_delta
    WHERE s.sku = p_sku AND s.warehouse = p_warehouse AND s.on_hand + p_delta >= s.reserved;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'refused', 'low', 0, 0;
        RETURN;
    END IF;
    INSERT INTO movements (sku, warehouse, delta_on_hand, delta_reserved, reason)
    VALUES (p_sku, p_warehouse, p_delta, 0, p_reason);
    RETURN QUERY SELECT * FROM stock_settle(v_was, p_low);
END $$;

-- Carry units from one warehouse to another: two movements under one reference; refused as an adjustment is.
CREATE FUNCTION inventory_transfer(p_id uuid, p_sku text, p_from text, p_to text, p_quantity integer,
    p_reason text, p_low integer)
RETURNS TABLE (kind text, sku text, requested integer, available integer) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE v_was stock_levels[];
BEGIN
    PERFORM stock_enter(ARRAY[p_sku, p_sku], ARRAY[p_from, p_to]);
    IF EXISTS (SELECT FROM bundle_components b WHERE b.bundle = p_sku) THEN
        RETURN QUERY SELECT 'refused', 'bundle', 0, 0;
        RETURN;
    END IF;
    v_was := stock_levels_of(ARRAY[p_sku]);
    IF NOT EXISTS (SELECT FROM stock s WHERE s.sku = p_sku AND s.warehouse = p_from
                   AND s.on_hand - s.reserved >= p_quantity) THEN
        RETURN QUERY SELECT 'refused', 'low', 0, 0;
        RETURN;
    END IF;
    PERFORM stock_shift(p_sku, p_from, -p_quantity, 0, p_reason, p_id::text);
    PERFORM stock_shift(p_sku, p_to, p_quantity, 0, p_reason, p_id::text);
    RETURN QUERY SELECT * FROM stock_settle(v_was, p_low);
END $$;

-- Set what is on hand, as a count or an import tells; never below what is reserved; bundles are passed over.
-- 'changed': every SKU whose stock changed, and bundles that sold out or came back by it.
CREATE FUNCTION inventory_intake(p_skus text[], p_warehouses text[], p_on_hand integer[], p_reason text,
    p_low integer)
RETURNS TABLE (kind text, sku text, requested integer, available integer) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_was stock_levels[];
    v_changed text[];
BEGIN
    PERFORM stock_enter(p_skus, p_warehouses);
    v_was := stock_levels_of(p_skus);
    WITH counted AS (
        SELECT s.sku, s.warehouse, s.on_hand AS before, greatest(max(u.on_hand), s.reserved) AS on_hand
        FROM unnest(p_skus, p_warehouses, p_on_hand) AS u (sku, warehouse, on_hand)
        JOIN stock s USING (sku, warehouse)
        WHERE NOT EXISTS (SELECT FROM bundle_components b WHERE b.bundle = s.sku)
        GROUP BY s.sku, s.warehouse, s.on_hand, s.reserved
    ), written AS (
        UPDATE stock s SET on_hand = c.on_hand FROM counted c
        WHERE s.sku = c.sku AND s.warehouse = c.warehouse AND c.on_hand <> c.before
        RETURNING s.sku, s.warehouse, c.on_hand - c.before AS delta
    ), noted AS (
        INSERT INTO movements (sku, warehouse, delta_on_hand, delta_reserved, reason)
        SELECT sku, warehouse, delta, 0, p_reason FROM written
    )
    SELECT array_agg(DISTINCT sku) INTO v_changed FROM written;
    RETURN QUERY SELECT 'changed', u.sku, 0, 0 FROM unnest(v_changed) AS u (sku);
    v_was := ARRAY(SELECT w FROM unnest(v_was) AS w WHERE w.sku = ANY (v_changed));
    RETURN QUERY SELECT s.* FROM stock_settle(v_was, p_low) s WHERE s.kind <> 'changed' OR s.sku <> ALL (v_changed);
END $$;

-- Put units back on hand, once per id, in the first warehouse that sells; those of a bundle are its components.
CREATE FUNCTION inventory_restock(p_id uuid, p_skus text[], p_quantities integer[], p_reason text)
RETURNS TABLE (kind text, sku text, requested integer, available integer) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_warehouse text;
    v_parts text[];
    v_was stock_levels[];
    part record;
BEGIN
    INSERT INTO restocks (id) VALUES (p_id) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT w.code INTO v_warehouse FROM warehouses w WHERE w.code <> '~owed'
    ORDER BY NOT w.active, w.priority, w.code LIMIT 1;
    v_parts := ARRAY(SELECT n.sku FROM stock_parts(p_skus, p_quantities) n);
    PERFORM stock_enter(v_parts, array_fill(v_warehouse, ARRAY[cardinality(v_parts)]));
    v_was := stock_levels_of(v_parts);
    FOR part IN SELECT n.sku, n.quantity FROM stock_parts(p_skus, p_quantities) n LOOP
        PERFORM stock_shift(part.sku, v_warehouse, part.quantity::integer, 0, p_reason, p_id::text);
    END LOOP;
    RETURN QUERY SELECT * FROM stock_settle(v_was, NULL);
END $$;

-- Set the rules of a SKU; refused: 'bundle'.
CREATE FUNCTION inventory_rule(p_sku text, p_safety integer, p_backorder integer, p_preorder_from date,
    p_preorder integer, p_low_at integer, p_low integer)
RETURNS TABLE (kind text, sku text, requested integer, available integer) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE v_was stock_levels[];
BEGIN
    PERFORM stock_enter(CASE WHEN p_backorder + p_preorder > 0 THEN ARRAY[p_sku] ELSE '{}' END,
        CASE WHEN p_backorder + p_preorder > 0 THEN ARRAY['~owed'] ELSE '{}' END);
    IF EXISTS (SELECT FROM bundle_components b WHERE b.bundle = p_sku) THEN
        RETURN QUERY SELECT 'refused', 'bundle', 0, 0;
        RETURN;
    END IF;
    PERFORM stock_lock(ARRAY[p_sku]);
    v_was := stock_levels_of(ARRAY[p_sku]);
    INSERT INTO stock_rules VALUES (p_sku, p_safety, p_backorder, p_preorder_from, p_preorder, p_low_at)
    ON CONFLICT (sku) DO UPDATE SET safety_stock = excluded.safety_stock,
        backorder_max = excluded.backorder_max, preorder_from = excluded.preorder_from,
        preorder_max = excluded.preorder_max, low_stock_at = excluded.low_stock_at;
    RETURN QUERY SELECT * FROM stock_settle(v_was, p_low);
END $$;

-- End the pre-orders whose day has come: what may be owed on their account ends. At most `p_limit` SKUs.
CREATE FUNCTION inventory_end_preorders(p_limit integer)
RETURNS TABLE (kind text, sku text, requested integer, available integer) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE v_skus text[];
BEGIN
    v_skus := ARRAY(
        SELECT r.sku FROM stock_rules r JOIN stock s ON s.sku = r.sku AND s.warehouse = '~owed'
        WHERE r.preorder_max > 0 AND r.preorder_from <= current_date
            AND s.owed_max > greatest(r.backorder_max, s.reserved - s.on_hand)
        ORDER BY r.preorder_from, r.sku LIMIT p_limit);
    IF cardinality(v_skus) > 0 THEN
        PERFORM stock_lock(v_skus);
        RETURN QUERY SELECT * FROM stock_settle(stock_levels_of(v_skus), NULL);
    END IF;
END $$;

-- Open or close a warehouse: its stock is for sale or not.
CREATE FUNCTION inventory_open(p_code text, p_active boolean, p_low integer)
RETURNS TABLE (kind text, sku text, requested integer, available integer) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_skus text[];
    v_was stock_levels[];
BEGIN
    v_skus := ARRAY(SELECT s.sku FROM stock s WHERE s.warehouse = p_code AND s.on_hand > 0);
    PERFORM stock_lock(v_skus);
    v_was := stock_levels_of(v_skus);
    UPDATE warehouses SET active = p_active WHERE code = p_code;
    RETURN QUERY SELECT * FROM stock_settle(v_was, p_low);
END $$;

-- Make a SKU a bundle, or without components none; refused with the reason: 'stocked' when it has stock or rules
-- of its own, 'nested' when it or a component would be a bundle within a bundle.
CREATE FUNCTION inventory_bundle(p_sku text, p_components text[], p_quantities integer[])
RETURNS TABLE (kind text, sku text, requested integer, available integer) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    LOCK TABLE bundle_components IN EXCLUSIVE MODE;
    PERFORM 1 FROM stock s WHERE s.sku = p_sku ORDER BY s.warehouse FOR UPDATE;
    IF cardinality(p_components) > 0 THEN
        IF EXISTS (SELECT FROM stock s WHERE s.sku = p_sku
                   AND (s.on_hand <> 0 OR s.reserved <> 0 OR s.owed_max <> 0)) THEN
            RETURN QUERY SELECT 'refused', 'stocked', 0, 0;
            RETURN;
        END IF;
        IF EXISTS (SELECT FROM bundle_components b WHERE b.component = p_sku OR b.bundle = ANY (p_components)) THEN
            RETURN QUERY SELECT 'refused', 'nested', 0, 0;
            RETURN;
        END IF;
    END IF;
    DELETE FROM bundle_components b WHERE b.bundle = p_sku;
    INSERT INTO bundle_components SELECT p_sku, u.component, u.quantity
    FROM unnest(p_components, p_quantities) AS u (component, quantity);
    DELETE FROM stock_rules r WHERE r.sku = p_sku AND cardinality(p_components) > 0;
    RETURN QUERY SELECT 'changed', p_sku, 0, 0;
END $$;
