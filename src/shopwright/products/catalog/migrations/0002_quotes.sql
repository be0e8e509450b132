-- What orders asks of SKUs. Planning this query costs several times what running it does, and PostgreSQL would
-- plan it anew for every call: in a function it is planned once per connection.

CREATE FUNCTION catalog_quotes(p_skus text[], p_currency text)
RETURNS TABLE (sku text, variant_id uuid, product_id uuid, slug text, name text, options jsonb, names text[],
    amount bigint, weight_g integer, picture text, available bigint, category_slugs text[], tax_class text,
    preorder_from date)
STABLE LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT v.sku, v.id AS variant_id, v.product_id, p.slug, p.name, v.options, p.options AS names, r.amount,
        v.weight_g,
        coalesce(v.picture, (SELECT i.url FROM pictures i WHERE i.product_id = p.id ORDER BY i.position LIMIT 1))
            AS picture,
        coalesce(a.available, 0) AS available,
        ARRAY(
            SELECT DISTINCT above.slug FROM product_categories pc JOIN categories c ON c.id = pc.category_id
            JOIN categories above ON above.id = ANY(c.path) WHERE pc.product_id = p.id ORDER BY above.slug
        ) AS category_slugs,
        coalesce(nullif(lower(jsonb_path_query_first(p.attributes,
            'strict $[*] ? (@[0] like_regex "^tax[ _]class$" flag "i")[1][0]', '{}', true) #>> '{}'), ''),
            'standard')
            AS tax_class,
        d.ships_from AS preorder_from
    FROM variants v
    JOIN products p ON p.id = v.product_id AND p.status = 'active'
    JOIN prices r ON r.variant_id = v.id AND r.currency = p_currency
    LEFT JOIN available_of(p_skus) a ON a.sku = v.sku
    LEFT JOIN preorders_of(p_skus) d ON d.sku = v.sku
    WHERE v.sku = ANY(p_skus);
END $$;
