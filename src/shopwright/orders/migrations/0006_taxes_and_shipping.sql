-- What the shop decides about taxes and shipping, and one number that moves when any of it does: processes keep
-- the rules in memory, and no order is placed by rules of another version.

CREATE TABLE shop_rules (
    only_row            boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version             bigint NOT NULL DEFAULT 1,
    prices_include_tax  boolean NOT NULL DEFAULT true,
    country             text CHECK (country ~ '^[A-Z]{2}$'),
    shipping_tax_class  text NOT NULL DEFAULT 'standard'
);
INSERT INTO shop_rules DEFAULT VALUES;

CREATE TABLE tax_rates (
    id         uuid PRIMARY KEY,
    name       text NOT NULL,
    country    text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
    region     text NOT NULL DEFAULT '',
    tax_class  text NOT NULL DEFAULT 'standard',
    percent    numeric(6, 3) NOT NULL CHECK (percent BETWEEN 0 AND 100)
);
CREATE UNIQUE INDEX tax_rates_one_per_place ON tax_rates (country, lower(region), tax_class);

CREATE TABLE shipping_zones (
    id   uuid PRIMARY KEY,
    name text NOT NULL UNIQUE
);
CREATE TABLE shipping_zone_places (
    zone_id uuid NOT NULL REFERENCES shipping_zones ON DELETE CASCADE,
    country text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
    region  text NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX shipping_zone_places_in_one_zone ON shipping_zone_places (country, lower(region));
CREATE INDEX shipping_zone_places_of_zone ON shipping_zone_places (zone_id);

CREATE TABLE shipping_rules (
    code           text NOT NULL REFERENCES shipping_methods ON DELETE CASCADE,
    position       integer NOT NULL,
    zone_id        uuid REFERENCES shipping_zones,
    currency       text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount         bigint NOT NULL CHECK (amount >= 0),
    free_from      bigint CHECK (free_from > 0),
    weight_from_g  integer NOT NULL DEFAULT 0 CHECK (weight_from_g >= 0),
    weight_below_g integer CHECK (weight_below_g > weight_from_g),
    total_from     bigint NOT NULL DEFAULT 0 CHECK (total_from >= 0),
    total_below    bigint CHECK (total_below > total_from),
    PRIMARY KEY (code, position)
);
CREATE INDEX shipping_rules_of_zone ON shipping_rules (zone_id) WHERE zone_id IS NOT NULL;
INSERT INTO shipping_rules (code, position, currency, amount, free_from)
    SELECT code, row_number() OVER (PARTITION BY code ORDER BY currency), currency, amount, free_from
    FROM shipping_prices;
DROP TABLE shipping_prices;

CREATE FUNCTION rules_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE shop_rules SET version = version + 1;
    RETURN NULL;
END $$;
CREATE TRIGGER settings_changed AFTER UPDATE OF prices_include_tax, country, shipping_tax_class ON shop_rules
    FOR EACH STATEMENT EXECUTE FUNCTION rules_changed();
CREATE TRIGGER rates_changed AFTER INSERT OR UPDATE OR DELETE ON tax_rates
    FOR EACH STATEMENT EXECUTE FUNCTION rules_changed();
CREATE TRIGGER zones_changed AFTER INSERT OR UPDATE OR DELETE ON shipping_zone_places
    FOR EACH STATEMENT EXECUTE FUNCTION rules_changed();
CREATE TRIGGER methods_changed AFTER INSERT OR UPDATE OR DELETE ON shipping_methods
    FOR EACH STATEMENT EXECUTE FUNCTION rules_changed();
CREATE TRIGGER prices_changed AFTER INSERT OR UPDATE OR DELETE ON shipping_rules
    FOR EACH STATEMENT EXECUTE FUNCTION rules_changed();
-- Not when a use is counted: that says nothing new to those who know the rules.
CREATE TRIGGER promotions_changed AFTER INSERT OR DELETE OR UPDATE OF name, kind, percent, amounts, buy_quantity,
    get_quantity, get_percent, products, categories, customer_groups, minimum, starts_at, ends_at, needs_code,
    stacking, priority, active, uses_max, uses_per_customer_max ON promotions
    FOR EACH STATEMENT EXECUTE FUNCTION rules_changed();
