-- Who forgot their password is mailed a link to choose a new one.

ALTER TABLE notifications
    DROP CONSTRAINT notifications_kind_check,
    ADD CONSTRAINT notifications_kind_check
        CHECK (kind IN ('welcome', 'password_changed', 'order_confirmed', 'order_cancelled', 'order_shipped',
                        'order_refunded', 'order_drafted', 'payment_requested', 'password_reset'));
ALTER TABLE preferences
    DROP CONSTRAINT preferences_kind_check,
    ADD CONSTRAINT preferences_kind_check
        CHECK (kind IN ('welcome', 'password_changed', 'order_confirmed', 'order_cancelled', 'order_shipped',
                        'order_refunded', 'order_drafted', 'payment_requested', 'password_reset'));
