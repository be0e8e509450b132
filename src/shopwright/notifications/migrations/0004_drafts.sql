-- Buyers are told of an order that staff put together for them.

ALTER TABLE notifications
    DROP CONSTRAINT notifications_kind_check,
    ADD CONSTRAINT notifications_kind_check
        CHECK (kind IN ('welcome', 'password_changed', 'order_confirmed', 'order_cancelled', 'order_shipped',
                        'order_refunded', 'order_drafted'));
ALTER TABLE preferences
    DROP CONSTRAINT preferences_kind_check,
    ADD CONSTRAINT preferences_kind_check
        CHECK (kind IN ('welcome', 'password_changed', 'order_confirmed', 'order_cancelled', 'order_shipped',
                        'order_refunded', 'order_drafted'));
