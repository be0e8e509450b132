"""The API reference: every service's own description made into one document, and the pages that show it.

Promises: `/openapi.json` is a valid OpenAPI 3.1 document of what the gateway lets through, `/asyncapi.json`
an AsyncAPI 3 document of the events, `/docs` both for people, rendered here, without JavaScript. A service
that is away keeps its last known part and is named.
"""

from .pages import HANDLERS

__all__ = ["HANDLERS"]
