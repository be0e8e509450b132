"""Imports and exports over HTTP: a file in, its report, our own file out. Scopes catalog:write and :read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Request, get, post
from litestar.params import Parameter
from litestar.response import Stream
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from shopwright.chassis.auth import Principal
from shopwright.chassis.paging import Limit, Page, decode_cursor, encode_cursor, page_of
from shopwright.chassis.validation import invalid

from .commands import Asked, Imports
from .domain import ERRORS_SHOWN, UPLOAD_MAX, Job, RowError, Status
from .exporting import MEDIA_TYPES, Exports
from .readers.values import STOCK_MAX

FORM_FIELD_MAX = 1_000
ENVELOPE = 65_536  # of a multipart body, around the file

Filename = Annotated[str, Parameter(max_length=500, description="What the file is called; shown in lists.")]
FormatName = Annotated[
    str, Parameter(max_length=40, description="csv, jsonl, shopify, woocommerce …; found out without it.")
]
CurrencyCode = Annotated[str, Parameter(max_length=3, description="Of prices whose file names none.")]
Warehouse = Annotated[str, Parameter(max_length=40, description="Of stock whose file names none.")]
Units = Annotated[
    int | None, Parameter(ge=0, le=STOCK_MAX, description="On hand of variants whose stock the file lacks.")
]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """How an import stands. `rows` of `total` are worked through; the other counts are products. `errors` are
    the first 1,000; `errors_total` says how many there are, `/errors` has them all. `hints` tell once what
    the file as a whole lacks.
    """

    id: UUID
    status: Status
    format: str
    file: str
    bytes: int
    rows: int
    total: int | None
    products: int | None
    progress: float
    created: int
    changed: int
    unchanged: int
    skipped: int
    refused: int
    errors_total: int
    errors: list[RowError]
    hints: list[str]
    detail: str
    created_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None


@post(
    "/v1/imports",
    status_code=202,
    request_max_body_size=UPLOAD_MAX + ENVELOPE,
    tags=["imports"],
)
async def start_import(
    request: Request,
    principal: Principal,
    imports: Imports,
    filename: Filename = "",
    format: FormatName = "",  # noqa: A002 - the public name of the option
    currency: CurrencyCode = "",
    warehouse: Warehouse = "",
    stock: Units = None,
) -> Report:
    """Import a product file: the body itself, or the part `file` of multipart/form-data; gzip and zip with
    pictures are fine. Answers at once; the report tells how it goes on.
    """
    principal.require("catalog:write")
    upload = _Upload(request)
    job_id = await imports.receive(upload.chunks())
    asked = Asked(
        filename=filename or upload.filename,
        format=format or upload.fields.get("format", ""),
        currency=currency or upload.fields.get("currency", ""),
        warehouse=warehouse or upload.fields.get("warehouse", ""),
        stock=stock,
    )
    return _report(await imports.start(job_id, asked, principal.user_id), [])


@get("/v1/imports", tags=["imports"])
async def list_imports(
    principal: Principal, imports: Imports, limit: Limit = 20, cursor: str | None = None
) -> Page[Report]:
    """Newest first, without their errors."""
    principal.require("catalog:write")
    jobs = await imports.page(decode_cursor(cursor, UUID), limit + 1)
    return page_of([_report(job, []) for job in jobs], limit, lambda report: report.id)


@get("/v1/imports/{job_id:uuid}", tags=["imports"])
async def read_import(job_id: UUID, principal: Principal, imports: Imports) -> Report:
    """Progress while it runs, the report when it is over."""
    principal.require("catalog:write")
    job = await imports.job(job_id)
    rows = await imports.errors(job_id, 0, ERRORS_SHOWN) if job.errors else []
    return _report(job, [error for _, error in rows])


@get("/v1/imports/{job_id:uuid}/errors", tags=["imports"])
async def list_errors(
    job_id: UUID,
    principal: Principal,
    imports: Imports,
    limit: Annotated[int, Parameter(ge=1, le=ERRORS_SHOWN)] = 100,
    cursor: str | None = None,
) -> Page[RowError]:
    """All that was refused, skipped or left out, in the order of the file."""
    principal.require("catalog:write")
    await imports.job(job_id)
    rows = await imports.errors(job_id, decode_cursor(cursor, int) or 0, limit + 1)
    more = encode_cursor(rows[limit - 1][0]) if len(rows) > limit else None
    return Page([error for _, error in rows[:limit]], more)


@post("/v1/imports/{job_id:uuid}/cancel", status_code=200, tags=["imports"])
async def cancel_import(job_id: UUID, principal: Principal, imports: Imports) -> Report:
    """End an import; the products it has put in stay."""
    principal.require("catalog:write")
    return _report(await imports.cancel(job_id), [])


@get("/v1/exports/products", tags=["imports"])
async def export_products(
    principal: Principal,
    exports: Exports,
    format: Literal["csv", "jsonl"] = "jsonl",  # noqa: A002 - the public name of the option
) -> Stream:
    """All products as a file that `POST /v1/imports` takes back unchanged."""
    principal.require("catalog:read")
    return Stream(
        exports.products(format),
        media_type=MEDIA_TYPES[format],
        headers={"content-disposition": f'attachment; filename="products.{format}"'},
    )


HANDLERS: list[object] = [
    start_import, list_imports, read_import, list_errors, cancel_import, export_products,
]  # fmt: skip


class _Upload:
    """The file in a request's body, and what a form says beside it."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self.filename = ""
        self.fields: dict[str, str] = {}

    async def chunks(self) -> AsyncIterator[bytes]:
        """The file's bytes as they come; raises InvalidInput for a form without a file."""
        kind, options = parse_options_header(self._request.headers.get("content-type", ""))
        if kind != "multipart/form-data":
            async for chunk in self._request.stream():
                yield chunk
            return
        found = False
        try:
            async for segment, content in self._parts(options.get("boundary", "")):
                if segment.filename is not None or segment.name == "file":
                    found, self.filename = True, segment.filename or ""
                    yield content
                elif segment.name:
                    value = self.fields.get(segment.name, "") + content.decode(errors="replace")
                    self.fields[segment.name] = value[:FORM_FIELD_MAX].strip()
        except (MultipartError, ValueError) as error:
            raise invalid("/body", f"is no multipart/form-data: {error}") from error
        if not found:
            raise invalid("/body/file", "is missing; send the file as the part `file`, or as the body itself")

    async def _parts(self, boundary: str) -> AsyncIterator[tuple[MultipartSegment, bytes]]:
        with PushMultipartParser(boundary, max_segment_count=20) as parser:
            segment: MultipartSegment | None = None
            async for chunk in self._request.stream():
                for event in parser.parse(chunk) if chunk else ():
                    if isinstance(event, MultipartSegment):
                        segment = event
                        yield segment, b""
                    elif event and segment is not None:
                        yield segment, bytes(event)


def _report(job: Job, errors: list[RowError]) -> Report:
    return Report(
        id=job.id,
        status=job.status,
        format=job.form.format,
        file=job.file,
        bytes=job.bytes,
        rows=job.rows,
        total=job.total,
        products=job.products,
        progress=job.progress,
        created=job.created,
        changed=job.changed,
        unchanged=job.unchanged,
        skipped=job.skipped,
        refused=job.refused,
        errors_total=job.errors,
        errors=errors,
        hints=job.hints,
        detail=job.detail,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
    )
