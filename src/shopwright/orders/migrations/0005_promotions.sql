-- Promotions and coupons. A use is claimed by one conditional update in the transaction that places the order
-- and given back in the one that ends it unplaced; the constraints hold the limits whoever writes.

CREATE TABLE promotions (
    id              uuid PRIMARY KEY,
    name            text NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('percentage', 'amount', 'buy_x_get_y', 'free_shipping')),
    percent         numeric(6, 3) CHECK (percent > 0 AND percent <= 100),
    amounts         jsonb NOT NULL DEFAULT '{}',
    buy_quantity    integer CHECK (buy_quantity > 0),
    get_quantity    integer CHECK (get_quantity > 0),
    get_percent     numeric(6, 3) CHECK (get_percent > 0 AND get_percent <= 100),
    products        text[] NOT NULL DEFAULT '{}',
    categories      text[] NOT NULL DEFAULT '{}',
    customer_groups text[] NOT NULL DEFAULT '{}',
    minimum         jsonb NOT NULL DEFAULT '{}',
    starts_at       timestamptz,
    ends_at         timestamptz CHECK (ends_at > starts_at),
    needs_code      boolean NOT NULL,
    stacking        text NOT NULL CHECK (stacking IN ('combinable', 'exclusive')),
    priority        integer NOT NULL,
    active          boolean NOT NULL,
    uses_max        integer CHECK (uses_max > 0),
    uses_per_customer_max integer CHECK (uses_per_customer_max > 0),
    uses            integer NOT NULL DEFAULT 0,  -- kept only while there is a limit, for it is one row for all
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT never_used_beyond_limit CHECK (uses >= 0 AND (uses_max IS NULL OR uses <= uses_max)),
    CONSTRAINT says_what_it_takes_off CHECK (
        CASE kind WHEN 'percentage' THEN percent IS NOT NULL WHEN 'amount' THEN amounts <> '{}'
                  WHEN 'buy_x_get_y' THEN buy_quantity IS NOT NULL AND get_quantity IS NOT NULL ELSE true END)
);
CREATE INDEX promotions_by_themselves ON promotions (priority DESC, id) WHERE active AND NOT needs_code;

CREATE TABLE coupons (
    code         text PRIMARY KEY CHECK (code = upper(code)),
    promotion_id uuid NOT NULL REFERENCES promotions ON DELETE CASCADE,
    uses_max     integer CHECK (uses_max > 0),
    uses_per_customer_max integer CHECK (uses_per_customer_max > 0),
    uses         integer NOT NULL DEFAULT 0,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT never_used_beyond_limit CHECK (uses >= 0 AND (uses_max IS NULL OR uses <= uses_max))
);
CREATE INDEX coupons_of_promotion ON coupons (promotion_id, code);

-- Who used what with which order: one row each. The customer is an account's id, or a hash of a guest's e-mail.
CREATE TABLE promotion_uses (
    order_id     uuid NOT NULL,
    promotion_id uuid NOT NULL,
    code         text NOT NULL,
    customer     text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (order_id, promotion_id)
);
CREATE INDEX promotion_uses_of_promotion ON promotion_uses (promotion_id);
CREATE INDEX promotion_uses_of_customer ON promotion_uses (customer);

-- How often a customer used a promotion (no code) or a coupon, and the limit that held at the last use.
CREATE TABLE customer_uses (
    promotion_id uuid NOT NULL,
    code         text NOT NULL,
    customer     text NOT NULL,
    uses         integer NOT NULL CHECK (uses >= 0),
    uses_max     integer,
    PRIMARY KEY (promotion_id, code, customer),
    CONSTRAINT never_used_beyond_limit CHECK (uses_max IS NULL OR uses <= uses_max)
);
CREATE INDEX customer_uses_of_customer ON customer_uses (customer);

ALTER TABLE carts ADD COLUMN coupons text[] NOT NULL DEFAULT '{}';
