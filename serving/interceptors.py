"""Makes gRPC statuses of exceptions, bounds the work in flight, and logs one line per call."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from serving.errors import Internal, InvalidField, Overloaded, TandemError, status_of

logger = logging.getLogger(__name__)
access_log = logging.getLogger("tandem.access")
# Health checks, reflection: answered even under overload, and too frequent to be logged.
_PLUMBING = "/grpc."
_OVERLOAD_RETRY_S = 0.5

# The type stubs know these only as they are for synchronous servers.
Handler = Any
Context = Any


class ErrorInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]  # not at run time
    """Wraps every method of our own services; those that stream responses are async generators.

    At most `max_in_flight` calls are worked on at a time; more are refused with OVERLOADED.
    """

    def __init__(self, max_in_flight: int) -> None:
        self._max_in_flight = max_in_flight
        self._in_flight = 0

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """Return the method's handler, wrapped."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        # None: there is no such method. gRPC then answers UNIMPLEMENTED.
        if handler is None or method.startswith(_PLUMBING):
            return handler
        # Requests are parsed inside the wrapper, so that a malformed one gets our error too.
        parse = handler.request_deserializer
        if handler.request_streaming:
            inner = handler.stream_stream if handler.response_streaming else handler.stream_unary
        else:
            inner = handler.unary_stream if handler.response_streaming else handler.unary_unary

        def parsed(raw: Any) -> Any:
            return _parse_all(parse, raw) if handler.request_streaming else _parse(parse, raw)

        async def one(raw: Any, context: Context) -> Any:
            async with _Call(self, method, context):
                return await inner(parsed(raw), context)

        async def many(raw: Any, context: Context) -> AsyncIterator[Any]:
            # Closed at once when the caller goes away, not when it is garbage-collected.
            async with (
                _Call(self, method, context),
                aclosing(inner(parsed(raw), context)) as stream,
            ):
                async for response in stream:
                    yield response

        make: Callable[..., Handler] = {
            (False, False): grpc.unary_unary_rpc_method_handler,
            (False, True): grpc.unary_stream_rpc_method_handler,
            (True, False): grpc.stream_unary_rpc_method_handler,
            (True, True): grpc.stream_stream_rpc_method_handler,
        }[handler.request_streaming, handler.response_streaming]
        return make(
            many if handler.response_streaming else one,
            request_deserializer=None,
            response_serializer=handler.response_serializer,
        )

    def enter(self) -> None:
        """Count a call in, or refuse it."""
        if self._in_flight >= self._max_in_flight:
            raise Overloaded(_OVERLOAD_RETRY_S)
        self._in_flight += 1

    def leave(self) -> None:
        """Count a call out."""
        self._in_flight -= 1


class _Call:
    """One call: counted, timed, logged, and its exception turned into a status."""

    def __init__(self, interceptor: ErrorInterceptor, method: str, context: Context) -> None:
        self._interceptor = interceptor
        self._method = method
        self._context = context
        self._start = time.perf_counter()

    async def __aenter__(self) -> None:
        try:
            self._interceptor.enter()
        except Overloaded as error:
            await self._abort(error)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        self._interceptor.leave()
        match error:
            case None:
                self._log("OK")
            case TandemError():
                await self._abort(error)
            case asyncio.CancelledError() | GeneratorExit():
                self._log("CANCELLED")
            case grpc.aio.AbortError():
                self._log("ABORTED")
            case _:
                logger.error("%s failed", self._method, exc_info=error)
                await self._abort(Internal())

    async def _abort(self, error: TandemError) -> None:
        status = status_of(error)
        self._log(status.code.name)
        await self._context.abort(
            status.code, status.details, trailing_metadata=status.trailing_metadata
        )

    def _log(self, status: str) -> None:
        elapsed_ms = (time.perf_counter() - self._start) * 1000
        access_log.info("%s %s %.1f ms", self._method, status, elapsed_ms)


def _parse(parse: Callable[[bytes], Any], raw: bytes) -> Any:
    try:
        return parse(raw)
    except DecodeError:
        raise InvalidField("request", "is not a valid message of the contract") from None


async def _parse_all(
    parse: Callable[[bytes], Any], raw: AsyncIterator[bytes]
) -> AsyncIterator[Any]:
    async for message in raw:
        yield _parse(parse, message)
