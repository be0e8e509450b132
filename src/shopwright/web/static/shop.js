// Comfort only: every page works without this file.
"use strict";

// A page that comes back from the browser's memory may hold a form of an older session.
addEventListener("pageshow", (event) => {
  if (event.persisted && document.querySelector("form[method=post]")) location.reload();
});

// Selects and numbers that send their form when changed.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]") && event.target.form) event.target.form.requestSubmit();
});

// An order form that was sent shows that it is being worked on. Sending it twice would do no harm.
document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-once]")) return;
  const button = event.target.querySelector("button[type=submit]");
  setTimeout(() => { button.disabled = true; button.textContent = "One moment…"; }, 0);
});

// Suggestions below the search field.
const field = document.querySelector(".top .search input");
if (field) {
  let box = null, timer = 0, latest = 0;
  const close = () => { box?.remove(); box = null; };
  const suggest = async () => {
    const words = field.value.trim(), mine = ++latest;
    if (words.length < 2) return close();
    let items = [];
    try {
      const answer = await fetch("/v1/search/suggest?q=" + encodeURIComponent(words));
      if (answer.ok) items = (await answer.json()).items ?? [];
    } catch { return close(); }
    if (mine !== latest) return;
    close();
    if (!items.length) return;
    box = document.createElement("div");
    box.className = "suggestions";
    for (const item of items.slice(0, 7)) {
      const text = typeof item === "string" ? item : item.name ?? item.title ?? item.text ?? "";
      const link = document.createElement("a");
      link.href = item.slug ? "/product/" + encodeURIComponent(item.slug) : "/search?q=" + encodeURIComponent(text);
      link.textContent = text;
      box.append(link);
    }
    field.form.append(box);
  };
  field.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(suggest, 150); });
  field.form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return close();
    if (!box || !["ArrowDown", "ArrowUp"].includes(event.key)) return;
    event.preventDefault();
    const stops = [field, ...box.querySelectorAll("a")];
    const step = event.key === "ArrowDown" ? 1 : -1;
    stops[(stops.indexOf(document.activeElement) + step + stops.length) % stops.length].focus();
  });
  document.addEventListener("click", (event) => { if (!field.form.contains(event.target)) close(); });
}
