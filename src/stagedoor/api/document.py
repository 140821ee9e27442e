"""The OpenAPI document: routes from the framework, bodies and answers from the table of calls.

Handlers read bodies and write answers themselves where these are large, so the framework does not know their types; the
table does.
"""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request
from litestar.openapi.plugins import JsonRenderPlugin

from ..wire.calls import EVENTS, PART, RECEIPT_MHL, TABLE, Call
from ..wire.house import ErrorAnswer

_REF = "#/components/schemas/{name}"
_BINARY = {"schema": {"type": "string", "format": "binary"}}


class Document(JsonRenderPlugin):
    """Renders the document, once."""

    def __init__(self, path: str) -> None:
        super().__init__(path=path)
        self._made = b""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        if not self._made:
            self._made = msgspec.json.encode(_completed(openapi_schema))
        return self._made


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    kinds = {kind for call in TABLE.values() for kind in (call.answer, call.body, call.items) if kind} | {ErrorAnswer}
    ordered = sorted(kinds, key=lambda kind: str(kind.__name__))
    schemas, components = msgspec.json.schema_components(ordered, ref_template=_REF)
    refs = dict(zip(ordered, schemas, strict=True))
    for call in TABLE.values():
        _complete(document["paths"][call.path][call.method.lower()], call, refs)
    document["components"]["schemas"] = components
    return document


def _complete(operation: dict[str, Any], call: Call, refs: dict[Any, Any]) -> None:
    if call.body:
        operation["requestBody"] = {"required": True, "content": _json(refs[call.body])}
    if call is PART:
        operation["requestBody"] = {"required": True, "content": {"application/octet-stream": _BINARY}}
        operation.setdefault("parameters", []).extend([_header("Content-Range"), _header("Content-Digest")])
    success = next(status for status in operation["responses"] if status.startswith("2"))
    answer: dict[str, Any] = {"description": operation.get("description") or "Done."}
    if call is EVENTS:
        answer["content"] = {"text/event-stream": {"schema": refs[call.items]}}
    elif call.items:
        page = {"total": {"type": "integer"}, "items": {"type": "array", "items": refs[call.items]}}
        answer["content"] = _json({"type": "object", "required": ["total", "items"], "properties": page})
    elif call is RECEIPT_MHL:
        answer["content"] = {"application/zip": _BINARY}
    elif call.answer:
        answer["content"] = _json(refs[call.answer])
    refused = {"description": "Refused; the code tells why.", "content": _json(refs[ErrorAnswer])}
    operation["responses"] = {success: answer, "default": refused}


def _json(schema: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _header(name: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": True, "schema": {"type": "string"}}
