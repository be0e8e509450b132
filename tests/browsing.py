"""A browser without JavaScript for tests in process: keeps cookies, follows redirects, fills and sends forms
as the page has them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx

REDIRECTS_MAX = 5
VOID = {"input", "img", "br", "link", "meta", "hr"}


@dataclass
class Form:
    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)

    def __getitem__(self, name):
        return next((value for key, value in self.fields if key == name), None)


class Page(HTMLParser):
    """What a person, or a program, finds on an HTML page."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self.answer, self.status, self.html = answer, answer.status_code, answer.text
        self.path = answer.request.url.raw_path.decode()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.tags: list[tuple[str, dict]] = []
        self._words: list[str] = []
        self._silent = 0
        self._select, self._chosen, self._area = "", True, ""
        self.feed(self.html)

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self._words)).strip()

    def form(self, action):
        return next(form for form in self.forms if re.fullmatch(action, form.action))

    def all(self, tag, **attributes):
        """The attributes of every `tag` that has these."""
        wanted = attributes.items()
        return [found for name, found in self.tags if name == tag and wanted <= found.items()]

    def handle_starttag(self, tag, attrs):
        found = {name: value if value is not None else "" for name, value in attrs}
        self.tags.append((tag, found))
        if tag in {"script", "style", "option"}:
            self._silent += 1
        if tag == "a":
            self.links.append(found.get("href", ""))
        if tag == "form":
            self.forms.append(Form(found.get("action", ""), found.get("method", "get")))
        if tag == "select":
            self._select, self._chosen = found["name"], False
            self.forms[-1].fields.append((self._select, ""))
        if tag == "option" and self.forms and ("selected" in found or not self._chosen):
            self.forms[-1].fields[-1] = (self._select, found.get("value", ""))
            self._chosen = True
        if tag == "textarea" and self.forms:
            self._area = found["name"]
            self.forms[-1].fields.append((self._area, ""))
        if tag == "input" and self.forms and found.get("name"):
            checkable = found.get("type") in {"radio", "checkbox"}
            if not checkable or "checked" in found:
                self.forms[-1].fields.append((found["name"], found.get("value", "")))

    def handle_endtag(self, tag):
        if tag == "textarea":
            self._area = ""
        if tag in {"script", "style", "option"}:
            self._silent -= 1

    def handle_data(self, data):
        if self._area:
            name, text = self.forms[-1].fields[-1]
            self.forms[-1].fields[-1] = (name, (text + data).removeprefix("\n"))
        if not self._silent:
            self._words.append(data)


class Browser:
    """Visits web in process at http://shop.test, or over TLS at https://shop.test."""

    def __init__(self, web: httpx.AsyncClient, *, secure: bool = False) -> None:
        self.origin = f"{'https' if secure else 'http'}://shop.test"
        headers = {
            "accept": "text/html,application/xhtml+xml",
            "user-agent": "Mozilla/5.0 (X11; Linux) Firefox/140.0",
        }
        if secure:
            headers["x-forwarded-proto"] = "https"
        self.client = httpx.AsyncClient(transport=web._transport, base_url=self.origin, headers=headers)

    @property
    def cookie(self):
        """The id that the shop gave this browser."""
        return next((c.value for c in self.client.cookies.jar if c.name.endswith("session")), None)

    async def get(self, path, **options):
        return await self._follow(await self.client.get(path, **options))

    async def post(self, path, fields, **headers):
        """Send `fields` as they are; headers may replace what a browser says of itself."""
        sent = {"origin": self.origin, "referer": f"{self.origin}/", **headers}
        return await self.client.post(
            path, data=dict(fields), headers={name.replace("_", "-"): value for name, value in sent.items()}
        )

    async def send(self, page, action, **changes):
        """Fill the form of `page` that goes to `action` with `changes` and send it."""
        form = page.form(action)
        fields = dict(form.fields) | changes
        if form.method == "get":
            return await self.get(form.action or page.path, params=fields)
        answer = await self.post(form.action, fields, referer=f"{self.origin}{page.path}")
        return await self._follow(answer)

    async def put_in_cart(self, slug="oak-lamp", quantity=1):
        return await self.send(await self.get(f"/product/{slug}"), "/cart/lines", quantity=quantity)

    async def log_in(self, email="buyer@example.com", password="buyer-password"):
        return await self.send(await self.get("/login"), "/login", email=email, password=password)

    async def _follow(self, answer):
        for _ in range(REDIRECTS_MAX):
            if answer.status_code != 303:
                return Page(answer)
            answer = await self.client.get(answer.headers["location"])
        raise AssertionError(f"{answer.request.url} leads in a circle")
