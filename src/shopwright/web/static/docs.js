// Comfort only: the reference works without this file.
"use strict";

const menu = document.querySelector(".ref-menu");
if (matchMedia("(max-width: 56rem)").matches) menu.open = false;

// Typing narrows the calls at once; Enter asks the server for the same.
const find = document.querySelector(".ref-find input");
const calls = [...document.querySelectorAll(".call[data-find]")];
const links = new Map([...document.querySelectorAll("[data-calls] a")].map((link) => [link.hash.slice(1), link.parentNode]));
find.addEventListener("input", () => {
  const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const call of calls) {
    const fits = words.every((word) => call.dataset.find.includes(word));
    call.hidden = !fits;
    const link = links.get(call.id);
    if (link) link.hidden = !fits;
    shown += fits;
  }
  for (const group of document.querySelectorAll(".group")) {
    const own = [...group.querySelectorAll(".call[data-find]")];
    group.hidden = own.length ? own.every((call) => call.hidden) : words.length > 0;
  }
  for (const chapter of document.querySelectorAll(".chapter")) chapter.hidden = words.length > 0;
  document.querySelector(".none").hidden = shown > 0;
});
// A type is told with the first call that answers it, which may be narrowed away or folded.
const unfold = () => {
  const place = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!place || !place.matches("details")) return;
  for (const part of [place.closest(".call"), place.closest(".group")]) part.hidden = false;
  place.open = true;
  place.scrollIntoView();
};
addEventListener("hashchange", unfold);
unfold();
addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.target.closest("input, textarea")) { event.preventDefault(); find.focus(); }
});
