"""Forms: what a person typed, which fields are wrong and why, and whether the form is ours.

Nothing typed is lost: a page that refuses shows the same values again with the reason beside the field.
Forgery is refused twice: by where the browser says the request comes from, and by the session's token.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from litestar import Request
from litestar.datastructures import UploadFile

from shopwright.contracts.money import Money, parse_decimal
from shopwright.contracts.problem import Problem
from shopwright.contracts.problems import InvalidInput

TOKEN_FIELD = "form_token"
_PASSWORDS = ("password", "current", "new")  # kept to the letter, blanks too
_SECRET = (*_PASSWORDS, "otp", TOKEN_FIELD)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_NUMBER = re.compile(r"-?[0-9]{1,19}")
#: What msgspec says → what a person reads; the first that fits counts.
_MACHINE_WORDS = tuple(
    (re.compile(pattern), text)
    for pattern, text in (
        (r"Expected `str` of length <= (\d+)", "Use at most {0} characters"),
        (r"(?:Expected `str` of length >= 1|is required)$", "Fill this in"),
        (r"Expected `str` of length >= (\d+)", "Use at least {0} characters"),
        (r"Expected `(?:int|float|decimal)` <= (-?[\d.]+)", "Enter at most {0}"),
        (r"Expected `(?:int|float|decimal)` >= (-?[\d.]+)", "Enter at least {0}"),
        (r"Expected `(?:int|float|decimal)`", "Enter a number"),
        (r"(?:Expected `|Invalid |Object )", "This is not written as it should be"),
    )
)
TEXT_MAX = 2_000  # of one field; longer is no address and no search


class ForeignForm(Problem):
    """This form was sent from another site."""

    kind = "denied"


class StaleForm(Problem):
    """This form is older than your session; please send it again."""

    kind = "denied"
    fields: dict[str, str]


class Form:
    """The fields of a request with their errors."""

    def __init__(self, values: Mapping[str, str], files: Mapping[str, UploadFile] | None = None) -> None:
        self.values = dict(values)
        self.files = dict(files or {})
        self.repeated: dict[str, list[str]] = {}
        self.errors: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")

    def number(self, name: str, least: int, most: int, default: int) -> int:
        value = int(self[name]) if _NUMBER.fullmatch(self[name]) else default
        return max(least, min(most, value))

    def money(self, name: str, currency: str) -> Money | None:
        """The amount typed in `name`; None, with an error, if it is none."""
        try:
            return parse_decimal(self[name].replace(",", "."), currency)
        except ValueError as error:
            self.errors[name] = str(error)
            return None

    def require(self, fields: Mapping[str, str]) -> None:
        """Each of `fields` (name → what to say) must not be empty."""
        self.errors |= {name: message for name, message in fields.items() if not self[name]}

    def require_email(self, name: str = "email") -> None:
        if not _EMAIL.fullmatch(self[name]):
            self.errors[name] = "Enter an e-mail address such as name@example.com"

    def refuse(self, problem: Problem, known: Iterable[str]) -> None:
        """Put what a service refused beside the fields; what fits none goes to the top of the form."""
        names = set(known)
        found = problem.errors if isinstance(problem, InvalidInput) else []
        for error in found:
            parts = reversed(error.pointer.split("/"))
            self.errors[next((part for part in parts if part in names), "")] = plain_words(error.detail)
        if not found:
            self.errors[""] = _sentence(problem.detail or problem.title)

    @property
    def kept(self) -> dict[str, str]:
        """The fields that may be shown again."""
        return {name: value for name, value in self.values.items() if name not in _SECRET}


async def read_form(request: Request, text_max: int = TEXT_MAX) -> Form:
    """The posted fields, stripped and shortened; files apart. `repeated` has all values of each name."""
    sent = await request.form()
    values: dict[str, str] = {}
    repeated: dict[str, list[str]] = {}
    files: dict[str, UploadFile] = {}
    for name, value in sent.multi_items():
        if isinstance(value, UploadFile):
            files[name] = value
        else:
            text = str(value).replace("\r\n", "\n")[:text_max]
            values[name] = text if name in _PASSWORDS else text.strip()
            repeated.setdefault(name, []).append(values[name])
    form = Form(values, files)
    form.repeated = repeated
    return form


def comes_from(request: Request, origin: str) -> bool | None:
    """Whether the browser says that this page sent the request; None if it says nothing.

    Every browser of the last years sends Origin with a cross-site POST; a client that sends neither header
    is no browser, so it carries nobody's session unknowingly.
    """
    if sent := request.headers.get("origin"):
        return sent == origin
    if site := request.headers.get("sec-fetch-site"):
        return site in {"same-origin", "none"}
    return None


def plain_words(detail: str) -> str:
    """What a service says of a refused field, as a person would: `Expected `str` of length <= 20` is none."""
    for pattern, text in _MACHINE_WORDS:
        if found := pattern.match(detail):
            return text.format(*found.groups())
    return _sentence(detail)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] if text else "This was refused"
