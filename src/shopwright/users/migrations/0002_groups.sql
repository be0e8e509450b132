-- Groups of customers that staff put an account in; promotions may be for one of them.

ALTER TABLE users ADD COLUMN groups text[] NOT NULL DEFAULT '{}';
