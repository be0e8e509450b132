"""A forgotten password: a link that works once, for an hour, and tells nobody which accounts there are."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from shopwright.chassis.db import open_database
from shopwright.contracts.problems import InvalidInput
from shopwright.contracts.users import PasswordResetRequested
from shopwright.users.commands import Users
from shopwright.users.domain import InvalidCredentials, ResetLinkEnded, SessionEnded
from shopwright.users.passwords import Passwords
from shopwright.users.tokens import Tokens

PASSWORD, NEW = "correct horse battery", "a staple of another kind"


@pytest.fixture
async def db(databases):
    opened = await open_database(await databases.fresh("users"), application="test", size=4)
    yield opened
    await opened.close()


@pytest.fixture
def users(db):
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return Users(db, Passwords(10), Tokens(pem, timedelta(minutes=15)), timedelta(days=30))


@pytest.fixture
async def email(users):
    return (await users.register(f"{uuid4().hex}@example.com", PASSWORD, "Ada Lovelace", None)).email


async def mailed(db):
    """The links that went out, the newest last."""
    async with db.read() as connection:
        rows = await connection.fetch(
            "SELECT data FROM outbox WHERE topic = 'users.password_reset_requested.v1' ORDER BY position"
        )
    return [msgspec.json.decode(row["data"], type=PasswordResetRequested).token for row in rows]


async def set_back(db, column, by):
    async with db.begin() as tx:
        await tx.execute(f"UPDATE password_resets SET {column} = {column} - $1::interval", by)


class TestAsk:
    async def test_an_address_without_an_account_gets_no_mail_and_the_same_answer(self, users, db):
        assert await users.ask_reset("nobody@example.com") is None

        assert await mailed(db) == []

    async def test_asked_again_at_once_one_mail_goes_out(self, users, db, email):
        await asyncio.gather(*(users.ask_reset(email.upper()) for _ in range(5)))

        assert len(await mailed(db)) == 1

    async def test_what_the_mail_carries_is_not_in_the_table(self, users, db, email):
        await users.ask_reset(email)

        async with db.read() as connection:
            kept = await connection.fetchrow("SELECT hash FROM password_resets")
        assert (await mailed(db))[0].encode() not in kept["hash"]


class TestReset:
    async def test_sets_the_password_and_ends_every_session(self, users, db, email):
        before = await users.log_in(email, PASSWORD, "")
        await users.ask_reset(email)

        await users.reset_password((await mailed(db))[0], NEW)

        assert (await users.log_in(email, NEW, "")).access_token
        with pytest.raises(InvalidCredentials):
            await users.log_in(email, PASSWORD, "")
        with pytest.raises(SessionEnded):
            await users.refresh(before.refresh_token)

    async def test_a_link_works_once_however_often_it_is_used_at_the_same_time(self, users, db, email):
        await users.ask_reset(email)
        token = (await mailed(db))[0]

        ends = await asyncio.gather(
            *(users.reset_password(token, f"{NEW} {number}") for number in range(4)), return_exceptions=True
        )

        assert sorted(str(type(end).__name__) for end in ends) == ["NoneType"] + ["ResetLinkEnded"] * 3

    async def test_a_link_that_is_too_old_is_refused(self, users, db, email):
        await users.ask_reset(email)
        await set_back(db, "expires_at", timedelta(minutes=61))

        with pytest.raises(ResetLinkEnded):
            await users.reset_password((await mailed(db))[0], NEW)

    async def test_a_newer_link_replaces_the_older(self, users, db, email):
        await users.ask_reset(email)
        await set_back(db, "asked_at", timedelta(minutes=2))
        await users.ask_reset(email)
        old, new = await mailed(db)

        with pytest.raises(ResetLinkEnded):
            await users.reset_password(old, NEW)

        await users.reset_password(new, NEW)
        assert (await users.log_in(email, NEW, "")).access_token

    async def test_a_weak_password_is_refused_and_leaves_the_link_good(self, users, db, email):
        await users.ask_reset(email)
        token = (await mailed(db))[0]

        with pytest.raises(InvalidInput):
            await users.reset_password(token, "short")

        await users.reset_password(token, NEW)

    async def test_lets_in_at_once_who_was_kept_waiting_for_wrong_passwords(self, users, db, email):
        for _ in range(5):
            with pytest.raises(InvalidCredentials):
                await users.log_in(email, "wrong password", "")
        await users.ask_reset(email)

        await users.reset_password((await mailed(db))[0], NEW)

        assert (await users.log_in(email, NEW, "")).access_token
