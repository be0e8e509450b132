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

// A picture that cannot be loaded, as one of another site may be, gives way to the shop's own blank.
const { noPicture } = document.currentScript.dataset;
const replace = (image) => {
  if (image.classList.contains("placeholder")) return;
  image.classList.add("placeholder");
  image.src = noPicture;
};
document.addEventListener("error", (event) => { if (event.target instanceof HTMLImageElement) replace(event.target); }, true);
for (const image of document.images) {
  if (image.complete && !image.naturalWidth) image.decode().catch(() => replace(image));
}

// Times in the reader's own zone.
for (const time of document.querySelectorAll("time[datetime]")) {
  const when = new Date(time.dateTime);
  const style = { dateStyle: "medium", timeStyle: "short" };
  if (!isNaN(when)) time.textContent = new Intl.DateTimeFormat(document.documentElement.lang, style).format(when);
}

// Suggestions below the search field.
const field = document.querySelector(".top .search input");
if (field) {
  let box = null, timer = 0, latest = 0;
  const said = document.createElement("span");
  said.className = "hidden";
  said.setAttribute("role", "status");
  field.form.append(said);
  const close = () => { box?.remove(); box = null; said.textContent = ""; };
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
      const folder = item.slug && { product: "/product/", category: "/category/" }[item.kind];
      const link = document.createElement("a");
      link.href = folder ? folder + encodeURIComponent(item.slug) : "/search?q=" + encodeURIComponent(item.text);
      link.textContent = item.text;
      box.append(link);
    }
    field.form.append(box);
    said.textContent = box.children.length + (box.children.length === 1 ? " suggestion" : " suggestions");
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
