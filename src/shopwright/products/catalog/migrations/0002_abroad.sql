-- A product that has no price in the shop's own currency stands behind all that have one, whichever way they are
-- sorted: `listing_prices.price` of what is not `sold` counts from -1 downwards. Its price is the one that is
-- shown (`contracts.money.fallback`): US dollars before others.

CREATE OR REPLACE FUNCTION catalog_list(p_ids uuid[], p_currency text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM listings l WHERE l.product_id = ANY(p_ids);
    DELETE FROM listing_prices l WHERE l.product_id = ANY(p_ids);
    WITH priced AS MATERIALIZED (
        SELECT v.product_id, r.currency, min(r.amount) AS amount
        FROM variants v JOIN prices r ON r.variant_id = v.id
        WHERE v.product_id = ANY(p_ids) GROUP BY v.product_id, r.currency
    ), place AS MATERIALIZED (
        SELECT p.id, p.name_key, p.popularity, c.category_id FROM products p
        CROSS JOIN LATERAL (
            SELECT '00000000-0000-0000-0000-000000000000'::uuid AS category_id
            UNION
            SELECT unnest(c.path) FROM product_categories pc JOIN categories c ON c.id = pc.category_id
            WHERE pc.product_id = p.id
        ) c
        WHERE p.id = ANY(p_ids) AND p.status = 'active'
    ), listed AS (
        INSERT INTO listings (category_id, product_id, name_key, popularity, currencies)
        SELECT l.category_id, l.id, l.name_key, l.popularity,
            coalesce((SELECT array_agg(x.currency) FROM priced x WHERE x.product_id = l.id), '{}')
        FROM place l
    ), wanted AS (
        SELECT product_id, currency, amount, true AS sold FROM priced
        UNION ALL
        SELECT * FROM (
            SELECT DISTINCT ON (x.product_id) x.product_id, p_currency, -1 - x.amount, false FROM priced x
            WHERE NOT EXISTS (SELECT FROM priced y WHERE y.product_id = x.product_id AND y.currency = p_currency)
            ORDER BY x.product_id, x.currency <> 'USD', x.currency
        ) other
    )
    INSERT INTO listing_prices (category_id, currency, price, product_id, sold)
    SELECT l.category_id, w.currency, w.amount, l.id, w.sold FROM place l JOIN wanted w ON w.product_id = l.id;
END $$;

SELECT catalog_list(ids, currency)
FROM (SELECT currency, array_agg(DISTINCT product_id) AS ids FROM listing_prices WHERE NOT sold GROUP BY currency) x;
