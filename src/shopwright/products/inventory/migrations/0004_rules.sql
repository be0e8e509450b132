-- Warehouses that lie in a country and can be closed; rules per SKU; bundles; and what was sold beyond stock.
--
-- The warehouse '~owed' is none: its stock row of a SKU is the debt of what was sold beyond stock. `on_hand` is
-- minus the units that buyers are owed, `reserved` those promised to orders at work, `owed_max` how many both may
-- be. So one constraint holds everywhere, movements sum to balances there too, and what is on a shelf never
-- goes below zero.

ALTER TABLE warehouses
    ADD COLUMN country text CHECK (country ~ '^[A-Z]{2}$'),
    ADD COLUMN active boolean NOT NULL DEFAULT true,
    DROP CONSTRAINT warehouses_priority_key,
    DROP CONSTRAINT warehouses_code_check,
    ADD CONSTRAINT warehouses_code CHECK (code ~ '^[a-z0-9-]{1,40}$' OR code = '~owed'),
    ADD CONSTRAINT warehouses_owed_stays CHECK (code <> '~owed' OR active);
INSERT INTO warehouses (code, name, priority) VALUES ('~owed', 'Sold beyond stock', 0);

ALTER TABLE stock
    ADD COLUMN owed_max integer NOT NULL DEFAULT 0,
    DROP CONSTRAINT stock_never_oversold,
    ADD CONSTRAINT stock_never_oversold CHECK (reserved >= 0 AND reserved <= on_hand + owed_max),
    ADD CONSTRAINT stock_owed_in_one_place CHECK (
        CASE WHEN warehouse = '~owed' THEN on_hand <= 0 AND owed_max >= 0 ELSE owed_max = 0 END);

-- How the shop chooses warehouses for an order: one row.
CREATE TABLE allocation (
    one      boolean PRIMARY KEY DEFAULT true CHECK (one),
    strategy text NOT NULL CHECK (strategy IN ('priority', 'fewest_parcels', 'nearest'))
);
INSERT INTO allocation (strategy) VALUES ('priority');

CREATE TABLE stock_rules (
    sku           text PRIMARY KEY CHECK (sku <> ''),
    safety_stock  integer NOT NULL DEFAULT 0 CHECK (safety_stock >= 0),   -- kept back from sale
    backorder_max integer NOT NULL DEFAULT 0 CHECK (backorder_max >= 0),
    preorder_from date,                                                   -- the day from which it ships
    preorder_max  integer NOT NULL DEFAULT 0 CHECK (preorder_max >= 0),   -- on top, until that day
    low_stock_at  integer CHECK (low_stock_at >= 0),                      -- null: the shop's
    CONSTRAINT stock_rules_countable CHECK (backorder_max::bigint + preorder_max <= 1000000000)
);
CREATE INDEX stock_rules_preorders ON stock_rules (preorder_from) WHERE preorder_max > 0;

-- A bundle is sold as one and has no stock of its own; bundles hold no bundles.
CREATE TABLE bundle_components (
    bundle    text NOT NULL CHECK (bundle <> ''),
    component text NOT NULL CHECK (component <> ''),
    quantity  integer NOT NULL CHECK (quantity BETWEEN 1 AND 1000),
    PRIMARY KEY (bundle, component),
    CONSTRAINT bundle_components_other CHECK (bundle <> component)
);
CREATE INDEX bundle_components_where ON bundle_components (component, bundle);

-- Lines of backorders are found by their SKU when stock comes.
CREATE INDEX reservation_lines_promised ON reservation_lines (sku) WHERE warehouse = '~owed';

-- Where each SKU stands. `shelf`: what may be sold of the stock; `available`: with what may be sold beyond it.
CREATE VIEW stock_levels AS
SELECT t.*, t.shelf + t.beyond AS available
FROM (
    SELECT s.sku,
        coalesce(sum(s.on_hand) FILTER (WHERE w.code <> '~owed'), 0)::bigint AS on_hand,
        coalesce(sum(s.reserved) FILTER (WHERE w.code <> '~owed'), 0)::bigint AS reserved,
        coalesce(-sum(s.on_hand) FILTER (WHERE w.code = '~owed'), 0)::bigint AS owed,
        coalesce(sum(s.reserved) FILTER (WHERE w.code = '~owed'), 0)::bigint AS promised,
        greatest(0, coalesce(sum(s.on_hand - s.reserved) FILTER (WHERE w.active AND w.code <> '~owed'), 0)
            - coalesce(max(r.safety_stock), 0))::bigint AS shelf,
        coalesce(sum(s.on_hand + s.owed_max - s.reserved) FILTER (WHERE w.code = '~owed'), 0)::bigint AS beyond
    FROM stock s
    JOIN warehouses w ON w.code = s.warehouse
    LEFT JOIN stock_rules r ON r.sku = s.sku
    GROUP BY s.sku
) t;

-- What can be bought of each SKU now; of a bundle as many as its scarcest component makes.
CREATE OR REPLACE FUNCTION available_of(p_skus text[]) RETURNS TABLE (sku text, available bigint)
STABLE LANGUAGE sql AS $$
    SELECT l.sku, l.available FROM stock_levels l
    WHERE l.sku = ANY (p_skus) AND NOT EXISTS (SELECT FROM bundle_components b WHERE b.bundle = l.sku)
    UNION ALL
    SELECT b.bundle, min(coalesce((SELECT l.available FROM stock_levels l WHERE l.sku = b.component), 0) / b.quantity)
    FROM bundle_components b WHERE b.bundle = ANY (p_skus) GROUP BY b.bundle
$$;

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

-- The day from which each SKU ships, of those that do not ship yet; of a bundle its last component's.
CREATE FUNCTION preorders_of(p_skus text[]) RETURNS TABLE (sku text, ships_from date) STABLE LANGUAGE sql AS $$
    SELECT u.sku, max(r.preorder_from)
    FROM unnest(p_skus) AS u (sku)
    LEFT JOIN bundle_components b ON b.bundle = u.sku
    JOIN stock_rules r ON r.sku = coalesce(b.component, u.sku)
    WHERE r.preorder_from > current_date GROUP BY u.sku
$$;

-- The units of stock that lines ask for: those of a bundle are its components.
CREATE FUNCTION stock_parts(p_skus text[], p_quantities integer[]) RETURNS TABLE (sku text, quantity bigint)
STABLE LANGUAGE sql AS $$
    SELECT coalesce(b.component, u.sku), sum(u.quantity::bigint * coalesce(b.quantity, 1))::bigint
    FROM unnest(p_skus, p_quantities) AS u (sku, quantity)
    LEFT JOIN bundle_components b ON b.bundle = u.sku GROUP BY 1
$$;

-- Which lines are short, and how many of each there would be beside the others. Standings are read of the SKUs at
-- hand only, never by a join, for which PostgreSQL adds up the stock of the whole shop; and each of them once.
CREATE FUNCTION stock_short(p_skus text[], p_quantities integer[])
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

-- What others should hear when a SKU came from `p_was` to where it stands: it (or a bundle with it) sold out or
-- came back ('changed'), what is on the shelf came down to the point where staff want to know ('low').
CREATE FUNCTION stock_crossed(p_was stock_levels, p_low integer)
RETURNS TABLE (kind text, sku text, requested integer, available integer) STABLE LANGUAGE sql AS $$
    WITH now AS MATERIALIZED (SELECT l.* FROM stock_levels l WHERE l.sku = p_was.sku)
    SELECT 'changed', n.sku, 0, 0 FROM now n WHERE (p_was.available > 0) <> (n.available > 0)
    UNION ALL
    SELECT 'changed', b.bundle, 0, 0 FROM now n JOIN bundle_components b ON b.component = n.sku
    WHERE (p_was.available >= b.quantity) <> (n.available >= b.quantity)
    UNION ALL
    SELECT 'low', n.sku, t.low, n.shelf::integer
    FROM now n, LATERAL (
        SELECT coalesce((SELECT r.low_stock_at FROM stock_rules r WHERE r.sku = n.sku), p_low) AS low) t
    WHERE p_was.shelf > t.low AND n.shelf <= t.low
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
