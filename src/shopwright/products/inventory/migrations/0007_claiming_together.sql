-- Take what is held for many at once: one update of each balance for all of them. Returns the reservations that are
-- claimed now, those that were before among them; any other is left as it is, for `inventory_claim`. What is sold
-- was held, so nothing sells out by it and nobody need hear of it. Locks: reservations, then stock, in key order.
CREATE FUNCTION inventory_claim_held(p_ids uuid[]) RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
    v_held uuid[];
    v_claimed uuid[];
BEGIN
    SELECT coalesce(array_agg(r.id) FILTER (WHERE r.status = 'held'), '{}'),
        coalesce(array_agg(r.id) FILTER (WHERE r.status = 'claimed'), '{}') INTO v_held, v_claimed
    FROM (SELECT id, status FROM reservations WHERE id = ANY (p_ids) ORDER BY id FOR UPDATE) r;
    IF v_held = '{}' THEN
        RETURN v_claimed;
    END IF;
    PERFORM 1 FROM stock s
    WHERE s.sku = ANY (ARRAY(SELECT l.sku FROM reservation_lines l WHERE l.reservation_id = ANY (v_held)))
    ORDER BY s.sku, s.warehouse FOR UPDATE;
    WITH gone AS (
        SELECT l.* FROM reservation_lines l WHERE l.reservation_id = ANY (v_held)
    ), taken AS (
        UPDATE stock s SET reserved = s.reserved - g.quantity, on_hand = s.on_hand - g.quantity
        FROM (SELECT l.sku, l.warehouse, sum(l.quantity)::integer AS quantity FROM gone l GROUP BY 1, 2) g
        WHERE s.sku = g.sku AND s.warehouse = g.warehouse
    ), noted AS (
        INSERT INTO movements (sku, warehouse, delta_on_hand, delta_reserved, reason, reference)
        SELECT l.sku, l.warehouse, -l.quantity, -l.quantity, 'sold', l.reservation_id::text FROM gone l
    )
    UPDATE reservations SET status = 'claimed' WHERE id = ANY (v_held);
    RETURN v_claimed || v_held;
END $$;
