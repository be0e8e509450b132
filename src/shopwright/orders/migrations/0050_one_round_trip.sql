-- The usual changes of a cart, and placing an order, as one function each that is a whole transaction. They make
-- the change or leave everything as it was; whoever is refused looks again, step by step, to say why.

-- A cart with its lines.
CREATE VIEW whole_carts AS
SELECT c.id, c.user_id, c.currency, c.status, c.email, c.address, c.shipping_method, c.version, c.coupons, c.merged_into,
    coalesce((
        SELECT jsonb_agg(jsonb_build_object('id', l.id, 'sku', l.sku, 'quantity', l.quantity, 'seen', l.seen,
                                            'staff_price', l.staff_price)
                         ORDER BY l.position)
        FROM cart_lines l WHERE l.cart_id = c.id), '[]') AS lines
FROM carts c;

-- Sets what is not NULL. No row: the cart is not open, or another account's.
CREATE FUNCTION change_cart(
    p_cart uuid, p_user uuid, p_email text, p_address jsonb, p_shipping text, p_coupons text[]
) RETURNS SETOF whole_carts LANGUAGE plpgsql AS $$
BEGIN
    UPDATE carts SET version = version + 1, updated_at = now(), user_id = coalesce(user_id, p_user),
        email = coalesce(p_email, email), address = coalesce(p_address, address),
        shipping_method = coalesce(p_shipping, shipping_method), coupons = coalesce(p_coupons, coupons)
    WHERE id = p_cart AND status = 'open' AND (user_id IS NULL OR user_id = p_user);
    IF FOUND THEN
        RETURN QUERY SELECT * FROM whole_carts w WHERE w.id = p_cart;
    END IF;
END $$;

-- Puts more of a SKU into the cart. No row: as above. Raises serialization_failure when a line or the cart would hold
-- more than it may.
CREATE FUNCTION add_to_cart(
    p_cart uuid, p_user uuid, p_line uuid, p_sku text, p_quantity integer, p_seen jsonb, p_quantity_max integer,
    p_lines_max integer
) RETURNS SETOF whole_carts LANGUAGE plpgsql AS $$
DECLARE
    w whole_carts;
BEGIN
    UPDATE carts SET version = version + 1, updated_at = now(), user_id = coalesce(user_id, p_user)
    WHERE id = p_cart AND status = 'open' AND (user_id IS NULL OR user_id = p_user);
    IF NOT FOUND THEN
        RETURN;
    END IF;
    INSERT INTO cart_lines AS l (id, cart_id, sku, quantity, seen)
    SELECT p_line, p_cart, p_sku, p_quantity, p_seen WHERE p_quantity <= p_quantity_max
    ON CONFLICT (cart_id, sku) DO UPDATE SET quantity = l.quantity + excluded.quantity, seen = excluded.seen,
            staff_price = NULL  -- it was named for as many as there were
        WHERE l.quantity + excluded.quantity <= p_quantity_max;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a line cannot hold as many' USING ERRCODE = 'serialization_failure';
    END IF;
    SELECT * INTO w FROM whole_carts c WHERE c.id = p_cart;
    IF jsonb_array_length(w.lines) > p_lines_max THEN
        RAISE EXCEPTION 'the cart is full' USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN NEXT w;
END $$;

-- place_order, with the key of the request that asks for it (NULL: it has none). Raises serialization_failure when
-- something stands against it: that key was used before, the cart or the rules have changed, a coupon is used up.
CREATE FUNCTION place_order_once(
    p_key text, p_fingerprint bytea, p_cart uuid, p_version integer, p_order uuid, p_payment uuid, p_head jsonb,
    p_lines jsonb, OUT number text, OUT created_at timestamptz
) LANGUAGE plpgsql AS $$
BEGIN
    IF p_key IS NOT NULL THEN
        INSERT INTO once (key, fingerprint, outcome) VALUES (p_key, p_fingerprint, uuid_send(p_order))
        ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'the key was used before' USING ERRCODE = 'serialization_failure';
        END IF;
    END IF;
    number := (place_order(p_cart, p_version, p_order, p_payment, p_head, p_lines)).number;
    IF number IS NULL THEN
        RAISE EXCEPTION 'the order cannot be placed like this' USING ERRCODE = 'serialization_failure';
    END IF;
    created_at := now();
END $$;
