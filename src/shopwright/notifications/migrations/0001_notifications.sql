-- Notifications, each person's feed of them, and what people want to be told.

CREATE TABLE notifications (
    id                uuid PRIMARY KEY,
    source            text NOT NULL UNIQUE,  -- the event that caused it: one event, one notification
    kind              text NOT NULL
                      CHECK (kind IN ('welcome', 'password_changed', 'order_confirmed', 'order_cancelled',
                                      'order_shipped', 'order_refunded')),
    user_id           uuid,                  -- NULL: a guest
    email             text NOT NULL CHECK (email <> ''),
    name              text NOT NULL,
    title             text NOT NULL,
    link              text NOT NULL,
    content           jsonb,                 -- what the mail says; forgotten once it is out
    state             text NOT NULL CHECK (state IN ('queued', 'retrying', 'sent', 'skipped')),
    attempts          integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    error             text NOT NULL DEFAULT '',
    unsubscribe_token text UNIQUE,           -- in the mail of a kind that one may switch off
    position          bigint,                -- in the feed of `user_id`; NULL: not shown there
    lease_holder      text NOT NULL DEFAULT '',
    lease_until       timestamptz NOT NULL DEFAULT '-infinity',
    queued_at         timestamptz NOT NULL DEFAULT now(),
    created_at        timestamptz NOT NULL DEFAULT now(),
    sent_at           timestamptz,
    read_at           timestamptz,
    CHECK ((state = 'sent') = (sent_at IS NOT NULL)),
    CHECK ((state IN ('queued', 'retrying')) = (content IS NOT NULL)),
    CHECK (position IS NULL OR user_id IS NOT NULL)
);
CREATE UNIQUE INDEX notifications_feed ON notifications (user_id, position) WHERE position IS NOT NULL;
CREATE INDEX notifications_unread ON notifications (user_id)
    WHERE position IS NOT NULL AND read_at IS NULL;
CREATE INDEX notifications_waiting ON notifications (queued_at) WHERE state IN ('queued', 'retrying');
CREATE INDEX notifications_by_user ON notifications (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX notifications_by_email ON notifications (lower(email), id);
CREATE INDEX notifications_by_age ON notifications (created_at);

-- The last position given out in a person's feed. Its row lock makes positions appear in their order.
CREATE TABLE feeds (
    user_id uuid PRIMARY KEY,
    last    bigint NOT NULL
);

CREATE TABLE preferences (
    user_id uuid NOT NULL,
    kind    text NOT NULL
            CHECK (kind IN ('welcome', 'password_changed', 'order_confirmed', 'order_cancelled',
                                      'order_shipped', 'order_refunded')),
    channel text NOT NULL CHECK (channel IN ('email', 'in_app')),
    enabled boolean NOT NULL,
    PRIMARY KEY (user_id, kind, channel),
    CHECK (enabled OR channel <> 'email' OR kind = 'welcome')  -- security and order mails always go out
);
