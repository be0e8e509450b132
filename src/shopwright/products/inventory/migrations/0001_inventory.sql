-- Stock, reservations and the ledger. Every command is one function: one round trip, locks in key order.

CREATE TABLE warehouses (
    code     text PRIMARY KEY CHECK (code ~ '^[a-z0-9-]{1,40}$'),
    name     text NOT NULL,
    priority integer NOT NULL UNIQUE
);
INSERT INTO warehouses VALUES ('main', 'Main warehouse', 1), ('north', 'North warehouse', 2);

CREATE TABLE stock (
    sku       text NOT NULL CHECK (sku <> ''),
    warehouse text NOT NULL REFERENCES warehouses,
    on_hand   integer NOT NULL,
    reserved  integer NOT NULL DEFAULT 0,
    PRIMARY KEY (sku, warehouse),
    CONSTRAINT stock_never_oversold CHECK (reserved >= 0 AND reserved <= on_hand)
) WITH (fillfactor = 70);

CREATE TABLE reservations (
    id         uuid PRIMARY KEY,
    status     text NOT NULL CHECK (status IN ('held', 'claimed', 'released')),
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX reservations_due ON reservations (expires_at) WHERE status = 'held';

CREATE TABLE reservation_lines (
    reservation_id uuid NOT NULL REFERENCES reservations,
    sku            text NOT NULL,
    warehouse      text NOT NULL,
    quantity       integer NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (reservation_id, sku, warehouse)
);

CREATE TABLE movements (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sku            text NOT NULL,
    warehouse      text NOT NULL,
    delta_on_hand  integer NOT NULL,
    delta_reserved integer NOT NULL,
    reason         text NOT NULL,
    reference      text NOT NULL DEFAULT '',
    at             timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX movements_by_sku ON movements (sku, id DESC);

-- What can be bought of each SKU now.
CREATE FUNCTION available_of(p_skus text[]) RETURNS TABLE (sku text, available bigint) STABLE LANGUAGE sql AS $$
    SELECT s.sku, sum(s.on_hand - s.reserved) FROM stock s WHERE s.sku = ANY(p_skus) GROUP BY s.sku
$$;

-- Hold lines over the warehouses by priority: all or nothing. Returns shortages (empty: held) and what sold out.
CREATE FUNCTION inventory_hold(p_id uuid, p_skus text[], p_quantities integer[])
RETURNS TABLE (kind text, sku text, requested integer, available integer) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    wanted record;
    place record;
    missing integer;
    taken integer;
    free integer;
BEGIN
    PERFORM 1 FROM stock s WHERE s.sku = ANY(p_skus) ORDER BY s.sku, s.warehouse FOR UPDATE;
    RETURN QUERY
        SELECT 'short', w.sku, w.quantity, coalesce(a.free, 0)::integer
        FROM (SELECT u.sku, sum(u.quantity)::integer AS quantity
              FROM unnest(p_skus, p_quantities) AS u (sku, quantity) GROUP BY u.sku) w
        LEFT JOIN (SELECT s.sku, sum(s.on_hand - s.reserved) AS free FROM stock s
                   WHERE s.sku = ANY(p_skus) GROUP BY s.sku) a ON a.sku = w.sku
        WHERE coalesce(a.free, 0) < w.quantity;
    IF FOUND THEN
        RETURN;
    END IF;
    FOR wanted IN SELECT u.sku, sum(u.quantity)::integer AS quantity
                  FROM unnest(p_skus, p_quantities) AS u (sku, quantity) GROUP BY u.sku ORDER BY u.sku LOOP
        missing := wanted.quantity;
        free := 0;
        FOR place IN SELECT s.warehouse, s.on_hand - s.reserved AS free FROM stock s
                     JOIN warehouses w ON w.code = s.warehouse
                     WHERE s.sku = wanted.sku AND s.on_hand > s.reserved ORDER BY w.priority LOOP
            taken := least(missing, place.free);
            free := free + place.free - taken;
            IF taken > 0 THEN
                UPDATE stock s SET reserved = s.reserved + taken
                WHERE s.sku = wanted.sku AND s.warehouse = place.warehouse;
                INSERT INTO reservation_lines VALUES (p_id, wanted.sku, place.warehouse, taken);
                INSERT INTO movements (sku, warehouse, delta_on_hand, delta_reserved, reason, reference)
                VALUES (wanted.sku, place.warehouse, 0, taken, 'reserved', p_id::text);
                missing := missing - taken;
            END IF;
        END LOOP;
        IF free = 0 THEN
            RETURN QUERY SELECT 'changed', wanted.sku, 0, 0;
        END IF;
    END LOOP;
END $$;

-- Reserve under the caller's id; a repeat answers what stands. kind: status, short, changed.
CREATE FUNCTION inventory_reserve(p_id uuid, p_skus text[], p_quantities integer[], p_seconds integer)
RETURNS TABLE (kind text, sku text, requested integer, available integer) LANGUAGE plpgsql AS $$
DECLARE v_status text;
BEGIN
    INSERT INTO reservations (id, status, expires_at)
    VALUES (p_id, 'held', now() + make_interval(secs => p_seconds)) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        SELECT r.status INTO v_status FROM reservations r WHERE r.id = p_id;
        RETURN QUERY SELECT 'status', v_status, 0, 0;
        RETURN;
    END IF;
    RETURN QUERY SELECT * FROM inventory_hold(p_id, p_skus, p_quantities);
END $$;

-- Give back what is held; an id never seen is noted, so that a reserve that comes late is refused.
CREATE FUNCTION inventory_release(p_id uuid, p_reason text)
RETURNS TABLE (kind text, sku text, requested integer, available integer) LANGUAGE plpgsql AS $$
DECLARE v_status text;
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
    PERFORM 1 FROM stock s JOIN reservation_lines l USING (sku, warehouse)
    WHERE l.reservation_id = p_id ORDER BY s.sku, s.warehouse FOR UPDATE OF s;
    RETURN QUERY
        SELECT 'changed', a.sku, 0, l.quantity::integer
        FROM available_of(ARRAY(SELECT x.sku FROM reservation_lines x WHERE x.reservation_id = p_id)) a
        JOIN (SELECT x.sku, sum(x.quantity) AS quantity FROM reservation_lines x
              WHERE x.reservation_id = p_id GROUP BY x.sku) l ON l.sku = a.sku
        WHERE a.available = 0;
    UPDATE stock s SET reserved = s.reserved - l.quantity FROM reservation_lines l
    WHERE l.reservation_id = p_id AND s.sku = l.sku AND s.warehouse = l.warehouse;
    INSERT INTO movements (sku, warehouse, delta_on_hand, delta_reserved, reason, reference)
    SELECT l.sku, l.warehouse, 0, -l.quantity, p_reason, p_id::text FROM reservation_lines l
    WHERE l.reservation_id = p_id;
    UPDATE reservations SET status = 'released' WHERE id = p_id;
    RETURN QUERY SELECT 'status', 'released', 0, 0;
END $$;

-- Take what is held; what had expired is held again first, if it is still there.
CREATE FUNCTION inventory_claim(p_id uuid)
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
    IF v_status = 'released' THEN
        SELECT array_agg(l.sku), array_agg(l.quantity) INTO v_skus, v_quantities
        FROM reservation_lines l WHERE l.reservation_id = p_id;
        IF v_skus IS NULL THEN
            RETURN QUERY SELECT 'status', 'unknown', 0, 0;
            RETURN;
        END IF;
        DELETE FROM reservation_lines l WHERE l.reservation_id = p_id;
        RETURN QUERY SELECT * FROM inventory_hold(p_id, v_skus, v_quantities);
        IF NOT EXISTS (SELECT FROM reservation_lines l WHERE l.reservation_id = p_id) THEN
            RETURN;  -- short: the caller rolls back
        END IF;
    END IF;
    PERFORM 1 FROM stock s JOIN reservation_lines l USING (sku, warehouse)
    WHERE l.reservation_id = p_id ORDER BY s.sku, s.warehouse FOR UPDATE OF s;
    UPDATE stock s SET reserved = s.reserved - l.quantity, on_hand = s.on_hand - l.quantity
    FROM reservation_lines l
    WHERE l.reservation_id = p_id AND s.sku = l.sku AND s.warehouse = l.warehouse;
    INSERT INTO movements (sku, warehouse, delta_on_hand, delta_reserved, reason, reference)
    SELECT l.sku, l.warehouse, -l.quantity, -l.quantity, 'sold', p_id::text FROM reservation_lines l
    WHERE l.reservation_id = p_id;
    UPDATE reservations SET status = 'claimed' WHERE id = p_id;
    RETURN QUERY SELECT 'status', 'claimed', 0, 0;
END $$;

-- Change what is on hand by a delta; NULL when that would go below what is reserved.
CREATE FUNCTION inventory_adjust(p_sku text, p_warehouse text, p_delta integer, p_reason text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO stock (sku, warehouse, on_hand) VALUES (p_sku, p_warehouse, 0) ON CONFLICT DO NOTHING;
    UPDATE stock SET on_hand = on_hand + p_delta
    WHERE sku = p_sku AND warehouse = p_warehouse AND on_hand + p_delta >= reserved;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO movements (sku, warehouse, delta_on_hand, delta_reserved, reason)
    VALUES (p_sku, p_warehouse, p_delta, 0, p_reason);
    RETURN true;
END $$;

-- Set what is on hand, as a count or an import tells; never below what is reserved. Returns the SKUs that changed.
CREATE FUNCTION inventory_intake(p_skus text[], p_warehouses text[], p_on_hand integer[], p_reason text)
RETURNS SETOF text LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    INSERT INTO stock (sku, warehouse, on_hand)
    SELECT DISTINCT u.sku, u.warehouse, 0 FROM unnest(p_skus, p_warehouses) AS u (sku, warehouse)
    ORDER BY 1, 2 ON CONFLICT DO NOTHING;
    PERFORM 1 FROM stock s WHERE s.sku = ANY(p_skus) ORDER BY s.sku, s.warehouse FOR UPDATE;
    RETURN QUERY
    WITH counted AS (
        SELECT s.sku, s.warehouse, s.on_hand AS before, greatest(max(u.on_hand), s.reserved) AS on_hand
        FROM unnest(p_skus, p_warehouses, p_on_hand) AS u (sku, warehouse, on_hand)
        JOIN stock s USING (sku, warehouse) GROUP BY s.sku, s.warehouse, s.on_hand, s.reserved
    ), written AS (
        UPDATE stock s SET on_hand = c.on_hand FROM counted c
        WHERE s.sku = c.sku AND s.warehouse = c.warehouse AND c.on_hand <> c.before
        RETURNING s.sku, s.warehouse, c.on_hand - c.before AS delta
    ), noted AS (
        INSERT INTO movements (sku, warehouse, delta_on_hand, delta_reserved, reason)
        SELECT sku, warehouse, delta, 0, p_reason FROM written
    )
    SELECT DISTINCT sku FROM written;
END $$;
