-- Confirmed orders whose payment the provider refused for good: few, and staff must find them.

CREATE INDEX orders_unpaid ON orders (id)
    WHERE status = 'confirmed' AND payment_status IN ('declined', 'voided');
