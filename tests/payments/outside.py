"""What was really done for a payment, at the sandbox and in stored value, and what our books say of it."""

from typing import NamedTuple


class Outside(NamedTuple):
    """Minor units that the providers hold, took and gave back; `most_charges`: of any one part."""

    most_charges: int
    held: int
    taken: int
    back: int


class Ours(NamedTuple):
    held: int
    taken: int
    back: int
    credited: int
    unknown: int


async def done_outside(db, payment_id):
    async with db.read() as connection:
        row = await connection.fetchrow(_OUTSIDE, payment_id)
    return Outside(**row)


async def in_our_books(db, payment_id):
    async with db.read() as connection:
        row = await connection.fetchrow(_OURS, payment_id)
    return Ours(**row)


async def unbalanced(db):
    """What in the books does not add up; empty when all does."""
    async with db.read() as connection:
        return [tuple(row.values()) for row in await connection.fetch(_UNBALANCED)]


async def age(db, by):
    """Let time pass for what is open: leases end, and what never arrived is given up."""
    async with db.read() as connection:
        await connection.execute(
            """UPDATE payments SET open_since = open_since - $1::interval, look_at = look_at - $1::interval
            WHERE open_key IS NOT NULL OR look_at IS NOT NULL""",
            by,
        )


_PARTS = "SELECT $1::uuid AS id UNION SELECT payment_id FROM payment_parts WHERE group_id = $1"
_OUTSIDE = f"""
WITH parts AS ({_PARTS}),
charges AS (
    SELECT c.reference::uuid AS id, c.state, c.amount, c.captured,
        (SELECT coalesce(sum(amount), 0) FROM sandbox.refunds r WHERE r.charge_id = c.id) AS refunded
    FROM sandbox.charges c WHERE c.reference IN (SELECT id::text FROM parts)
    UNION ALL
    SELECT reference, state, amount, captured, refunded FROM stored_charges
    WHERE reference IN (SELECT id FROM parts)
)
SELECT coalesce((SELECT max(n) FROM (SELECT count(*) AS n FROM charges GROUP BY id)), 0) AS most_charges,
    coalesce(sum(amount) FILTER (WHERE state = 'authorised' AND captured = 0), 0)::bigint AS held,
    coalesce(sum(captured), 0)::bigint AS taken, coalesce(sum(refunded), 0)::bigint AS back
FROM charges
"""
_OURS = f"""
SELECT coalesce(sum(authorised) FILTER (WHERE NOT voided AND captured = 0), 0)::bigint AS held,
    coalesce(sum(captured), 0)::bigint AS taken, coalesce(sum(refunded - credited), 0)::bigint AS back,
    coalesce(sum(credited), 0)::bigint AS credited, count(*) FILTER (WHERE status = 'unknown') AS unknown
FROM payments WHERE id IN ({_PARTS})
"""
_UNBALANCED = """
SELECT 'ledger' AS what, currency AS of_what, sum(amount)::bigint AS by FROM ledger_entries
GROUP BY currency HAVING sum(amount) <> 0
UNION ALL
SELECT 'stored', a.id::text, a.balance - coalesce(sum(e.amount), 0)::bigint
FROM stored_accounts a LEFT JOIN stored_entries e ON e.account_id = a.id
GROUP BY a.id HAVING a.balance <> coalesce(sum(e.amount), 0)
UNION ALL
SELECT 'held', a.id::text, a.held
FROM stored_accounts a WHERE a.held <> coalesce((
    SELECT sum(c.amount) FROM stored_charges c
    WHERE c.account_id = a.id AND c.state = 'authorised' AND c.captured = 0), 0)
"""
