-- Carts and orders. Prices in cart_lines are what was last seen, for pages when the catalogue is away; what is
-- charged is asked anew at checkout and frozen in order_lines.

CREATE TABLE carts (
    id              uuid PRIMARY KEY,
    user_id         uuid,
    currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    status          text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'ordered')),
    email           text,
    address         jsonb,
    shipping_method text,
    version         integer NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX carts_by_user ON carts (user_id, updated_at DESC) WHERE user_id IS NOT NULL AND status = 'open';
CREATE INDEX carts_by_age ON carts (updated_at) WHERE status = 'open';

CREATE TABLE cart_lines (
    id       uuid PRIMARY KEY,
    cart_id  uuid NOT NULL REFERENCES carts ON DELETE CASCADE,
    sku      text NOT NULL,
    quantity integer NOT NULL CHECK (quantity BETWEEN 1 AND 999),
    seen     jsonb NOT NULL,
    position bigint GENERATED ALWAYS AS IDENTITY,
    UNIQUE (cart_id, sku)
);

CREATE TABLE shipping_methods (
    code          text PRIMARY KEY,
    name          text NOT NULL,
    needs_address boolean NOT NULL,
    days_min      integer NOT NULL CHECK (days_min >= 0),
    days_max      integer NOT NULL CHECK (days_max >= days_min),
    position      integer NOT NULL
);
CREATE TABLE shipping_prices (
    code      text NOT NULL REFERENCES shipping_methods ON DELETE CASCADE,
    currency  text NOT NULL,
    amount    bigint NOT NULL CHECK (amount >= 0),
    free_from bigint CHECK (free_from > 0),
    PRIMARY KEY (code, currency)
);
INSERT INTO shipping_methods VALUES
    ('standard', 'Standard delivery', true, 2, 4, 1),
    ('express', 'Express delivery', true, 1, 1, 2),
    ('pickup', 'Collect in store', false, 0, 1, 3);
INSERT INTO shipping_prices VALUES
    ('standard', 'EUR', 490, 7500), ('express', 'EUR', 1290, NULL),
    ('standard', 'USD', 590, 9000), ('express', 'USD', 1490, NULL),
    ('standard', 'GBP', 450, 6500), ('express', 'GBP', 1190, NULL),
    ('standard', 'PLN', 1990, 30000), ('express', 'PLN', 4990, NULL),
    ('standard', 'JPY', 800, 12000), ('express', 'JPY', 2000, NULL);

CREATE SEQUENCE order_numbers START 100001;

CREATE TABLE orders (
    id              uuid PRIMARY KEY,
    number          text NOT NULL UNIQUE,
    cart_id         uuid NOT NULL,
    user_id         uuid,
    email           text NOT NULL,
    name            text NOT NULL,
    currency        text NOT NULL,
    status          text NOT NULL CHECK (status IN ('in_progress', 'awaiting_buyer', 'confirmed', 'refused',
                        'cancelled', 'partially_fulfilled', 'fulfilled', 'returned', 'expired')),
    payment_id      uuid NOT NULL UNIQUE,
    payment_status  text NOT NULL DEFAULT 'pending',
    payment_method  text NOT NULL,
    payment_token   text NOT NULL,
    return_url      text NOT NULL,
    action_url      text,
    totals          jsonb NOT NULL,
    total           bigint NOT NULL CHECK (total >= 0),
    address         jsonb,
    shipping_method text NOT NULL,
    shipping_name   text NOT NULL,
    refusal         jsonb,
    created_at      timestamptz NOT NULL DEFAULT now(),
    confirmed_at    timestamptz,
    updated_at      timestamptz NOT NULL DEFAULT now()
);
-- One living order per cart: what makes a double click, two tabs or a lost answer harmless.
CREATE UNIQUE INDEX orders_one_per_cart ON orders (cart_id)
    WHERE status NOT IN ('refused', 'cancelled', 'expired');
CREATE INDEX orders_by_cart ON orders (cart_id);
CREATE INDEX orders_by_user ON orders (user_id, id DESC) WHERE user_id IS NOT NULL;
CREATE INDEX orders_by_status ON orders (status, id DESC);
CREATE INDEX orders_by_email ON orders (lower(email), id DESC);

CREATE TABLE order_lines (
    id         uuid PRIMARY KEY,
    order_id   uuid NOT NULL REFERENCES orders ON DELETE CASCADE,
    position   integer NOT NULL,
    sku        text NOT NULL,
    name       text NOT NULL,
    slug       text NOT NULL,
    picture    text,
    options    jsonb NOT NULL,
    quantity   integer NOT NULL CHECK (quantity > 0),
    unit_price bigint NOT NULL CHECK (unit_price >= 0),
    total      bigint NOT NULL CHECK (total = unit_price * quantity),
    UNIQUE (order_id, position)
);

-- Makes an order of an open cart in one round trip; NULL when the cart is not open at that version any more.
CREATE FUNCTION place_order(
    p_cart uuid, p_version integer, p_order uuid, p_payment uuid, p_head jsonb, p_lines jsonb
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE v_number text;
BEGIN
    UPDATE carts SET status = 'ordered', updated_at = now()
    WHERE id = p_cart AND status = 'open' AND version = p_version;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    v_number := 'SW-' || nextval('order_numbers');
    INSERT INTO orders (id, number, cart_id, user_id, email, name, currency, status, payment_id, payment_method,
                        payment_token, return_url, totals, total, address, shipping_method, shipping_name)
    VALUES (p_order, v_number, p_cart, (p_head->>'user_id')::uuid, p_head->>'email', p_head->>'name',
            p_head->>'currency', 'in_progress', p_payment, p_head->>'payment_method', p_head->>'payment_token',
            p_head->>'return_url', p_head->'totals', (p_head->>'total')::bigint, nullif(p_head->'address', 'null'),
            p_head->>'shipping_method', p_head->>'shipping_name');
    INSERT INTO order_lines (id, order_id, position, sku, name, slug, picture, options, quantity, unit_price, total)
    SELECT (line->>'id')::uuid, p_order, place, line->>'sku', line->>'name', line->>'slug', line->>'picture',
           line->'options', (line->>'quantity')::integer, (line->>'unit_price')::bigint, (line->>'total')::bigint
    FROM jsonb_array_elements(p_lines) WITH ORDINALITY AS l (line, place);
    RETURN v_number;
END $$;
