-- Buyers are asked to pay what a change of their order costs, or what is sent in exchange.

ALTER TABLE notifications
    DROP CONSTRAINT notifications_kind_check,
    ADD CONSTRAINT notifications_kind_check
        CHECK (kind IN ('welcome', 'password_changed', 'order_confirmed', 'order_cancelled', 'order_shipped',
                        'order_refunded', 'order_drafted',
                        'payment_requested'));
ALTER TABLE preferences
    DROP CONSTRAINT preferences_kind_check,
    ADD CONSTRAINT preferences_kind_check
        CHECK (kind IN ('welcome', 'password_changed', 'order_confirmed', 'order_cancelled', 'order_shipped',
                        'order_refunded', 'order_drafted',
                        'payment_requested'));
