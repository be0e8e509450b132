-- Products, variants, prices, pictures, categories; and `listings`, from which every public list is read by one
-- index scan. Keys compare by bytes (COLLATE "C"), so that pages are cut the same way everywhere.

CREATE TABLE categories (
    id          uuid PRIMARY KEY,
    parent_id   uuid REFERENCES categories,
    slug        text COLLATE "C" NOT NULL UNIQUE
                CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 200),
    key         text COLLATE "C" NOT NULL CHECK (key <> ''),  -- the name as a slug: tells it from its siblings
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description text NOT NULL DEFAULT '' CHECK (length(description) <= 20000),
    picture     text,
    position    integer NOT NULL DEFAULT 0,
    path        uuid[] NOT NULL,  -- ids from the top down to this one
    CONSTRAINT categories_siblings_differ UNIQUE NULLS NOT DISTINCT (parent_id, key),
    CONSTRAINT categories_path_ends_here CHECK (path[cardinality(path)] = id),
    CONSTRAINT categories_path_follows_parent CHECK (path[cardinality(path) - 1] IS NOT DISTINCT FROM parent_id),
    CONSTRAINT categories_never_below_themselves CHECK (array_position(path, id) = cardinality(path)),
    CONSTRAINT categories_not_too_deep CHECK (cardinality(path) <= 6)
);

CREATE TABLE products (
    id          uuid PRIMARY KEY,  -- version 7: the newest is the greatest
    slug        text COLLATE "C" NOT NULL UNIQUE
                CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 200),
    status      text NOT NULL CHECK (status IN ('active', 'draft', 'archived')),
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 300),
    name_key    text COLLATE "C" NOT NULL,  -- the name without case and accents: how lists are sorted
    summary     text NOT NULL DEFAULT '' CHECK (length(summary) <= 1000),
    description text NOT NULL DEFAULT '' CHECK (length(description) <= 100000),
    brand       text NOT NULL DEFAULT '' CHECK (length(brand) <= 200),
    attributes  jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(attributes) = 'array'),  -- [[name, [values]]]: in order
    options     text[] NOT NULL DEFAULT '{}',  -- names of the variants' options in order
    popularity  bigint NOT NULL DEFAULT 0 CHECK (popularity >= 0),  -- units sold
    version     integer NOT NULL DEFAULT 1 CHECK (version > 0),
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT products_slug_is_no_id CHECK (slug !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')
);
CREATE INDEX products_by_status ON products (status, id);
CREATE INDEX products_by_words ON products USING gin (name gin_trgm_ops);

CREATE TABLE product_categories (
    product_id  uuid NOT NULL REFERENCES products ON DELETE CASCADE,
    category_id uuid NOT NULL REFERENCES categories,
    position    integer NOT NULL,
    PRIMARY KEY (product_id, category_id)
);
CREATE INDEX product_categories_by_category ON product_categories (category_id);

CREATE TABLE pictures (
    id         uuid PRIMARY KEY,
    product_id uuid NOT NULL REFERENCES products ON DELETE CASCADE,
    url        text NOT NULL CHECK (url ~ '^(https?://|/media/)' AND length(url) <= 2000),
    alt        text NOT NULL DEFAULT '',
    width      integer CHECK (width > 0),
    height     integer CHECK (height > 0),
    position   integer NOT NULL,
    UNIQUE (product_id, url)
);
CREATE INDEX pictures_by_url ON pictures (url) WHERE url LIKE '/media/%';

CREATE TABLE variants (
    id         uuid PRIMARY KEY,
    product_id uuid NOT NULL REFERENCES products ON DELETE CASCADE,
    sku        text COLLATE "C" NOT NULL UNIQUE CHECK (length(sku) BETWEEN 1 AND 200),
    position   integer NOT NULL,
    options    jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(options) = 'object'),
    barcode    text CHECK (barcode <> ''),
    weight_g   integer CHECK (weight_g >= 0),
    picture    text,
    CONSTRAINT variants_picture_is_one_of_the_products FOREIGN KEY (product_id, picture)
        REFERENCES pictures (product_id, url) ON DELETE SET NULL (picture)
);
CREATE INDEX variants_by_product ON variants (product_id, position);

CREATE TABLE prices (
    variant_id uuid NOT NULL REFERENCES variants ON DELETE CASCADE,
    currency   text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount     bigint NOT NULL CHECK (amount >= 0),
    compare_at bigint CHECK (compare_at > amount),
    PRIMARY KEY (variant_id, currency)
);

-- One row for each active product in each category it is in, by itself or below, and in the nil category, which
-- holds everything.
CREATE TABLE listings (
    category_id uuid NOT NULL,
    product_id  uuid NOT NULL REFERENCES products ON DELETE CASCADE,
    name_key    text COLLATE "C" NOT NULL,
    popularity  bigint NOT NULL,
    currencies  text[] NOT NULL,
    PRIMARY KEY (category_id, product_id)
);
CREATE INDEX listings_by_name ON listings (category_id, name_key, product_id);
CREATE INDEX listings_by_popularity ON listings (category_id, popularity, product_id);
CREATE INDEX listings_by_product ON listings (product_id);

-- The lowest price in each currency. A product that has none in the shop's own currency stands there with
-- another one and `sold` false: it is in the plain list, but not in that of what is sold in this currency.
CREATE TABLE listing_prices (
    category_id uuid NOT NULL,
    currency    text NOT NULL,
    price       bigint NOT NULL,
    product_id  uuid NOT NULL REFERENCES products ON DELETE CASCADE,
    sold        boolean NOT NULL,
    PRIMARY KEY (category_id, currency, price, product_id)
);
CREATE INDEX listing_prices_by_product ON listing_prices (product_id);

-- Units sold that popularity does not count yet.
CREATE TABLE sales (
    id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sku   text NOT NULL,
    units integer NOT NULL CHECK (units > 0)
);

-- Pictures under /media. Housekeeping looks at each now and then and deletes what nobody refers to.
CREATE TABLE media_files (
    path      text PRIMARY KEY,
    width     integer NOT NULL CHECK (width > 0),
    height    integer NOT NULL CHECK (height > 0),
    looked_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX media_files_due ON media_files (looked_at);

-- Bring the listings of these products up to date with everything above. A product that has no price in the shop's
-- own currency stands behind all that have one, whichever way they are sorted: `listing_prices.price` of what is not
-- `sold` counts from -1 downwards. Its price is the one that is shown (`contracts.money.fallback`): US dollars first.
CREATE FUNCTION catalog_list(p_ids uuid[], p_currency text) RETURNS void LANGUAGE plpgsql AS $$
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
