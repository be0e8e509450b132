"""Back office: what staff works with all day. Every page needs a staff session; scopes decide what is shown.

Promises: works without JavaScript, on a phone and by keyboard; a service that is away costs its own part of a
page; what was typed is never lost to a refusal; two people who change the same thing are told, never merged.
"""

from .routes import router

__all__ = ["router"]
