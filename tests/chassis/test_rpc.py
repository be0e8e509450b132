"""gRPC between services: problems arrive as their own class, deadlines and identity are kept."""

import asyncio
import contextlib
from uuid import uuid4

import grpc
import pytest

from shopwright.chassis import deadline, telemetry
from shopwright.chassis.rpc import RpcClient, RpcServer, Serves
from shopwright.contracts.money import Money
from shopwright.contracts.payments import RefundTooLarge
from shopwright.contracts.payments_pb2 import DESCRIPTOR
from shopwright.contracts.payments_rpc import (
    AUTHORISE,
    CAPTURE,
    GET,
    REFUND,
    SERVICE,
    VOID,
    PaymentId,
    PaymentState,
    RefundRequest,
)
from shopwright.contracts.problems import DeadlineExceeded, InternalError, NotAllowed, Unavailable

SPIFFE = "spiffe://shopwright.local/ns/default/sa/orders"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "s.sock"


@contextlib.asynccontextmanager
async def served(path, *methods, caller=SPIFFE):
    server = RpcServer(path, methods, ("orders", "web"))
    await server.start()
    client = RpcClient(path, "payments", caller=caller)
    try:
        yield client
    finally:
        await client.close()
        await server.stop(0)


async def captured(request):
    return PaymentState(payment_id=request.payment_id, status="captured", amount=2**53 + 1)


async def tried(call):
    """Its answer, or none where nobody was there."""
    try:
        return await call
    except Unavailable:
        return None


async def test_the_table_is_the_proto():
    methods = DESCRIPTOR.services_by_name["Payments"].methods

    assert DESCRIPTOR.services_by_name["Payments"].full_name == SERVICE
    assert {(m.name, m.input_type.full_name, m.output_type.full_name) for m in methods} == {
        (rpc.method, rpc.request.DESCRIPTOR.full_name, rpc.answer.DESCRIPTOR.full_name)
        for rpc in (AUTHORISE, CAPTURE, VOID, REFUND, GET)
    }


class TestCall:
    async def test_answers(self, path):
        async with served(path, Serves(CAPTURE, captured)) as client:
            answer = await client.call(CAPTURE, PaymentId(payment_id="p"), timeout_s=5)

        assert (answer.payment_id, answer.status, answer.amount) == ("p", "captured", 2**53 + 1)

    async def test_raises_the_same_class_that_was_raised_over_there(self, path):
        async def refuse(request):
            raise RefundTooLarge(detail="50.00 EUR of 19.99 EUR", refundable=Money(1_999, "EUR"))

        async with served(path, Serves(REFUND, refuse)) as client:
            with pytest.raises(RefundTooLarge) as caught:
                await client.call(REFUND, RefundRequest(), timeout_s=5)

        assert caught.value.refundable == Money(1_999, "EUR")
        assert str(caught.value) == "50.00 EUR of 19.99 EUR"

    async def test_tells_a_bug_without_its_details(self, path):
        async def break_down(request):
            raise ValueError("the secret is 42")

        async with served(path, Serves(GET, break_down)) as client:
            with pytest.raises(InternalError) as caught:
                await client.call(GET, PaymentId(), timeout_s=5)

        assert "42" not in str(caught.value)

    async def test_passes_the_time_that_is_left(self, path):
        left = []

        async def look(request):
            left.append(deadline.remaining_s(60))
            return PaymentState()

        async with served(path, Serves(GET, look)) as client:
            deadline.start(2)
            await client.call(GET, PaymentId(), timeout_s=30)
            deadline.clear()

        assert 1 < left[0] <= 2

    async def test_does_not_wait_beyond_its_limit(self, path):
        async def sleep(request):
            await asyncio.sleep(30)

        async with served(path, Serves(GET, sleep)) as client:
            with pytest.raises(DeadlineExceeded):
                await client.call(GET, PaymentId(), timeout_s=0.1)

    async def test_does_not_call_without_time(self, path):
        client = RpcClient(path, "payments")
        deadline.start(0)

        with pytest.raises(DeadlineExceeded, match="no time left"):
            await client.call(GET, PaymentId(), timeout_s=5)
        deadline.clear()
        await client.close()

    async def test_tells_when_nobody_is_there(self, path):
        client = RpcClient(path, "payments")

        with pytest.raises(Unavailable):
            await client.call(GET, PaymentId(), timeout_s=5)
        await client.close()

    async def test_finds_a_server_that_comes_back(self, path):
        async with served(path, Serves(CAPTURE, captured)) as client:
            await client.call(CAPTURE, PaymentId(), timeout_s=5)
        client = RpcClient(path, "payments", caller="orders")
        with pytest.raises(Unavailable):
            await client.call(CAPTURE, PaymentId(), timeout_s=5)

        async with served(path, Serves(CAPTURE, captured)):
            async with asyncio.timeout(60):
                while (answer := await tried(client.call(CAPTURE, PaymentId(), timeout_s=5))) is None:
                    await asyncio.sleep(0.05)
            await client.close()

        assert answer.status == "captured"

    async def test_is_refused_inside_a_transaction(self, path, database):
        db = await database("chassis")
        client = RpcClient(path, "payments")

        async with db.begin():
            with pytest.raises(RuntimeError, match="inside a database transaction"):
                await client.call(GET, PaymentId(), timeout_s=5)
        await client.close()


class TestIdentity:
    @pytest.mark.parametrize("caller", ["orders", "web", SPIFFE])
    async def test_lets_in_who_is_listed(self, path, caller):
        async with served(path, Serves(CAPTURE, captured), caller=caller) as client:
            assert (await client.call(CAPTURE, PaymentId(), timeout_s=5)).status == "captured"

    @pytest.mark.parametrize("caller", ["", "edge", "products", "spiffe://evil/ns/default/sa/orders"])
    async def test_refuses_everybody_else(self, path, caller):
        async with served(path, Serves(CAPTURE, captured), caller=caller) as client:
            with pytest.raises(NotAllowed):
                await client.call(CAPTURE, PaymentId(), timeout_s=5)


class TestTelemetry:
    async def test_carries_trace_and_request_id(self, path):
        seen = []

        async def look(request):
            seen.append(telemetry.current())
            return PaymentState()

        request_id = uuid4().hex
        async with served(path, Serves(GET, look)) as client:
            with telemetry.span("test", request_id=request_id) as span:
                await client.call(GET, PaymentId(), timeout_s=5)

        assert (seen[0].trace_id, seen[0].request_id) == (span.trace_id, request_id)


class TestStop:
    async def test_lets_calls_in_flight_finish(self, path):
        started = asyncio.Event()

        async def work(request):
            started.set()
            await asyncio.sleep(0.3)
            return PaymentState(status="captured")

        server = RpcServer(path, [Serves(CAPTURE, work)], ("orders",))
        await server.start()
        client = RpcClient(path, "payments", caller="orders")
        call = asyncio.ensure_future(client.call(CAPTURE, PaymentId(), timeout_s=5))
        await started.wait()
        await server.stop(5)

        assert (await call).status == "captured"
        await client.close()


async def test_a_plain_grpc_error_of_the_mesh_becomes_our_problem(path):
    async def deny(request, context):
        await context.abort(grpc.StatusCode.PERMISSION_DENIED, "RBAC: access denied")

    server = grpc.aio.server()
    handler = grpc.unary_unary_rpc_method_handler(deny)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {"Get": handler}),))
    server.add_insecure_port(f"unix:{path}")
    await server.start()
    client = RpcClient(path, "payments")

    with pytest.raises(NotAllowed):
        await client.call(GET, PaymentId(), timeout_s=5)
    await client.close()
    await server.stop(0)
