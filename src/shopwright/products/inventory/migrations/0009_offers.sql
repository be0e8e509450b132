-- What shops show of SKUs: how many can be bought, how many of them are there, and from which day they ship.

CREATE FUNCTION offers_of(p_skus text[]) RETURNS TABLE (sku text, available bigint, in_stock bigint, ships_from date)
STABLE LANGUAGE sql AS $$
    WITH parts AS MATERIALIZED (
        SELECT u.sku, coalesce(b.component, u.sku) AS part, coalesce(b.quantity, 1) AS each,
            b.bundle IS NOT NULL AS bundled
        FROM unnest(p_skus) AS u (sku) LEFT JOIN bundle_components b ON b.bundle = u.sku
    ), stands AS MATERIALIZED (
        SELECT l.sku, l.available, l.shelf FROM stock_levels l WHERE l.sku = ANY (ARRAY(SELECT p.part FROM parts p))
    )
    SELECT p.sku, min(coalesce(s.available, 0) / p.each), min(coalesce(s.shelf, 0) / p.each),
        max(r.preorder_from) FILTER (WHERE r.preorder_from > current_date)
    FROM parts p
    LEFT JOIN stands s ON s.sku = p.part
    LEFT JOIN stock_rules r ON r.sku = p.part
    WHERE p.bundled OR s.sku IS NOT NULL
    GROUP BY p.sku
$$;
