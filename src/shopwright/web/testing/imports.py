"""The fake of imports: takes a file, gets on with it at each look, refuses lines that begin with `bad`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from shopwright.chassis import problems
from shopwright.contracts.ids import new_id
from shopwright.contracts.problems import NotFound

from .people import People
from .routing import route

SCOPE = "catalog:write"
OVER = ("done", "failed", "cancelled")


class Imports:
    def __init__(self, people: People) -> None:
        self._people = people
        self.reports: dict[str, dict[str, Any]] = {}
        self.received: list[bytes] = []

    @route("products", "POST", "/v1/imports")
    def start_import(self, request: web.Request, body: Any) -> Any:
        self._people.needs(request, SCOPE)
        if not body.strip():
            document = {"type": "/problems/not-a-product-file", "status": 422, "formats": ["csv", "jsonl"]}
            title = "That is no product file that can be read"
            raise problems.ForeignProblem(detail="the file is empty", document=document | {"title": title})
        self.received.append(body)
        lines = body.decode().strip().splitlines()[1:]
        bad = [number for number, line in enumerate(lines, 2) if line.startswith("bad")]
        report = {
            "id": str(new_id()), "status": "queued", "format": request.query.get("format") or "csv",
            "file": request.query.get("filename", ""), "bytes": len(body), "rows": 0, "total": len(lines),
            "products": len(lines), "progress": 0.0, "created": 0, "changed": 0, "unchanged": 0, "skipped": 0,
            "refused": 0, "errors_total": len(bad), "detail": "", "created_at": datetime.now(UTC),
            "started_at": None, "finished_at": None,
            "hints": [] if b"stock" in body.splitlines()[0] else ["2 variants have no stock; `--stock 100`"],
            "errors": [
                {"line": line, "identifier": f"row {line}", "outcome": "refused", "pointer": "/price",
                 "detail": "is no amount; write 19.90"}
                for line in bad
            ],
        }  # fmt: skip
        self.reports[str(report["id"])] = report
        return 202, report | {"errors": []}

    @route("products", "GET", "/v1/imports")
    def list_imports(self, request: web.Request, _body: Any) -> Any:
        self._people.needs(request, SCOPE)
        found = [report | {"errors": []} for report in reversed(self.reports.values())]
        return {"items": found, "next_cursor": None}

    @route("products", "GET", "/v1/imports/([0-9a-f-]{36})")
    def read_import(self, request: web.Request, _body: Any, import_id: str) -> Any:
        """Each look brings the import half of its way further."""
        self._people.needs(request, SCOPE)
        report = self._report(import_id)
        if report["status"] == "queued":
            report |= {"status": "running", "rows": report["total"] // 2, "progress": 0.5}
            report["started_at"] = datetime.now(UTC)
        elif report["status"] == "running":
            refused = len(report["errors"])
            report |= {"status": "done", "rows": report["total"], "progress": 1.0, "refused": refused}
            report |= {"created": report["total"] - refused, "finished_at": datetime.now(UTC)}
        return report

    @route("products", "GET", "/v1/imports/([0-9a-f-]{36})/errors")
    def list_errors(self, request: web.Request, _body: Any, import_id: str) -> Any:
        self._people.needs(request, SCOPE)
        report = self._report(import_id)
        return {"items": report["errors"] if report["rows"] else [], "next_cursor": None}

    @route("products", "POST", "/v1/imports/([0-9a-f-]{36})/cancel")
    def cancel_import(self, request: web.Request, _body: Any, import_id: str) -> Any:
        self._people.needs(request, SCOPE)
        report = self._report(import_id)
        if report["status"] in OVER:
            document = {"type": "/problems/import-over", "title": "This import has ended already"}
            raise problems.ForeignProblem(document=document | {"status": 409})
        report["status"] = "cancelled"
        return report

    def _report(self, import_id: str) -> dict[str, Any]:
        if import_id not in self.reports:
            raise NotFound(detail=f"no import {import_id}")
        return self.reports[import_id]
