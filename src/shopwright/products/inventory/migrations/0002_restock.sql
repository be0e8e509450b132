-- What was sold comes back: once per id, whatever repeats.

CREATE TABLE restocks (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now()
);

-- Put units back on hand, in the warehouse of highest priority. Returns the SKUs that can be bought again.
CREATE FUNCTION inventory_restock(p_id uuid, p_skus text[], p_quantities integer[], p_reason text)
RETURNS SETOF text LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE v_warehouse text;
BEGIN
    INSERT INTO restocks (id) VALUES (p_id) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT w.code INTO v_warehouse FROM warehouses w ORDER BY w.priority LIMIT 1;
    INSERT INTO stock (sku, warehouse, on_hand)
    SELECT DISTINCT u.sku, v_warehouse, 0 FROM unnest(p_skus) AS u (sku) ORDER BY 1 ON CONFLICT DO NOTHING;
    PERFORM 1 FROM stock s WHERE s.sku = ANY(p_skus) ORDER BY s.sku, s.warehouse FOR UPDATE;
    RETURN QUERY SELECT a.sku FROM available_of(p_skus) a WHERE a.available = 0;
    UPDATE stock s SET on_hand = s.on_hand + u.quantity
    FROM (SELECT x.sku, sum(x.quantity)::integer AS quantity
          FROM unnest(p_skus, p_quantities) AS x (sku, quantity) GROUP BY x.sku) u
    WHERE s.sku = u.sku AND s.warehouse = v_warehouse;
    INSERT INTO movements (sku, warehouse, delta_on_hand, delta_reserved, reason, reference)
    SELECT x.sku, v_warehouse, sum(x.quantity)::integer, 0, p_reason, p_id::text
    FROM unnest(p_skus, p_quantities) AS x (sku, quantity) GROUP BY x.sku;
END $$;
