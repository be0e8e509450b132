-- What a promotion took off an order and the tax on it are frozen with its lines, and the uses are claimed with it.

ALTER TABLE order_lines
    ADD COLUMN discount bigint NOT NULL DEFAULT 0,
    ADD COLUMN tax      bigint NOT NULL DEFAULT 0 CHECK (tax >= 0),
    ADD CONSTRAINT never_reduced_below_nothing CHECK (discount BETWEEN 0 AND total);
ALTER TABLE orders
    ADD COLUMN discounts jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN taxes     jsonb NOT NULL DEFAULT '[]';

-- Counts one use of a promotion or coupon by a customer; what refuses it, or NULL.
CREATE FUNCTION claim_use(p_order uuid, p_promotion uuid, p_code text, p_customer text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE v_all integer; v_coupon integer;
BEGIN
    UPDATE promotions SET uses = uses + 1
    WHERE id = p_promotion AND active AND uses_max IS NOT NULL AND uses < uses_max
    RETURNING uses_per_customer_max INTO v_all;
    IF NOT FOUND THEN
        SELECT uses_per_customer_max INTO v_all FROM promotions
        WHERE id = p_promotion AND active AND uses_max IS NULL;
        IF NOT FOUND THEN
            RETURN 'used_up';
        END IF;
    END IF;
    IF p_code <> '' THEN
        UPDATE coupons SET uses = uses + 1
        WHERE code = p_code AND promotion_id = p_promotion AND (uses_max IS NULL OR uses < uses_max)
        RETURNING uses_per_customer_max INTO v_coupon;
        IF NOT FOUND THEN
            RETURN CASE WHEN EXISTS (SELECT FROM coupons WHERE code = p_code) THEN 'used_up' ELSE 'unknown' END;
        END IF;
        INSERT INTO customer_uses AS u VALUES (p_promotion, p_code, p_customer, 1, v_coupon)
        ON CONFLICT (promotion_id, code, customer) DO UPDATE SET uses = u.uses + 1, uses_max = excluded.uses_max
            WHERE excluded.uses_max IS NULL OR u.uses < excluded.uses_max;
        IF NOT FOUND THEN
            RETURN 'used_by_you';
        END IF;
    END IF;
    INSERT INTO customer_uses AS u VALUES (p_promotion, '', p_customer, 1, v_all)
    ON CONFLICT (promotion_id, code, customer) DO UPDATE SET uses = u.uses + 1, uses_max = excluded.uses_max
        WHERE excluded.uses_max IS NULL OR u.uses < excluded.uses_max;
    IF NOT FOUND THEN
        RETURN 'used_by_you';
    END IF;
    INSERT INTO promotion_uses (order_id, promotion_id, code, customer)
    VALUES (p_order, p_promotion, p_code, p_customer);
    RETURN NULL;
END $$;

-- Gives back what an order that ended unplaced had claimed; a repeat gives back nothing.
CREATE FUNCTION give_back_uses(p_order uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE used record;
BEGIN
    FOR used IN DELETE FROM promotion_uses WHERE order_id = p_order RETURNING promotion_id, code, customer LOOP
        UPDATE promotions SET uses = uses - 1 WHERE id = used.promotion_id AND uses_max IS NOT NULL AND uses > 0;
        UPDATE coupons SET uses = uses - 1 WHERE code = used.code AND uses > 0;
        UPDATE customer_uses SET uses = uses - 1
        WHERE promotion_id = used.promotion_id AND code IN ('', used.code) AND customer = used.customer AND uses > 0;
    END LOOP;
END $$;

-- Makes an order of an open cart in one round trip. No number: the cart is not open at that version any more,
-- or `refusal` says what stands against it; the caller then rolls back.
DROP FUNCTION place_order(uuid, integer, uuid, uuid, jsonb, jsonb);
CREATE FUNCTION place_order(
    p_cart uuid, p_version integer, p_order uuid, p_payment uuid, p_head jsonb, p_lines jsonb,
    OUT number text, OUT refusal text, OUT code text
) LANGUAGE plpgsql AS $$
DECLARE claim jsonb;
BEGIN
    UPDATE carts SET status = 'ordered', updated_at = now()
    WHERE id = p_cart AND status = 'open' AND version = p_version;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF p_head->'claims' <> '[]' THEN
        PERFORM pg_advisory_xact_lock_shared(5001);  -- whoever sets a limit counts uses when none is in flight
    END IF;
    IF (SELECT version FROM shop_rules) <> (p_head->>'rules_version')::bigint THEN
        refusal := 'rules_changed';
        RETURN;
    END IF;
    FOR claim IN SELECT value FROM jsonb_array_elements(p_head->'claims') ORDER BY value->>'promotion_id' LOOP
        code := claim->>'code';
        refusal := claim_use(p_order, (claim->>'promotion_id')::uuid, code, p_head->>'customer');
        IF refusal IS NOT NULL THEN
            RETURN;
        END IF;
    END LOOP;
    number := 'SW-' || nextval('order_numbers');
    INSERT INTO orders (id, number, cart_id, user_id, email, name, currency, status, payment_id, payment_method,
                        payment_token, return_url, totals, total, address, shipping_method, shipping_name,
                        discounts, taxes)
    VALUES (p_order, number, p_cart, (p_head->>'user_id')::uuid, p_head->>'email', p_head->>'name',
            p_head->>'currency', 'in_progress', p_payment, p_head->>'payment_method', p_head->>'payment_token',
            p_head->>'return_url', p_head->'totals', (p_head->>'total')::bigint, nullif(p_head->'address', 'null'),
            p_head->>'shipping_method', p_head->>'shipping_name', p_head->'discounts', p_head->'taxes');
    INSERT INTO order_lines (id, order_id, position, sku, name, slug, picture, options, quantity, unit_price, total,
                             discount, tax)
    SELECT (line->>'id')::uuid, p_order, place, line->>'sku', line->>'name', line->>'slug', line->>'picture',
           line->'options', (line->>'quantity')::integer, (line->>'unit_price')::bigint, (line->>'total')::bigint,
           (line->>'discount')::bigint, (line->>'tax')::bigint
    FROM jsonb_array_elements(p_lines) WITH ORDINALITY AS l (line, place);
END $$;
