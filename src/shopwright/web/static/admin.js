// Comfort only: every page works without this file.
"use strict";

// "/" goes to the search field of the page.
addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const field = document.querySelector('[data-key="/"]');
  if (field) { event.preventDefault(); field.focus(); field.select(); }
});

// A page that comes back from the browser's memory may hold a form of an older session.
addEventListener("pageshow", (event) => {
  if (event.persisted && document.querySelector("form[method=post]")) location.reload();
});

// Selects that send their form when changed.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

// A form that changes something shows that it is being worked on.
document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-once]")) return;
  const button = event.submitter ?? event.target.querySelector("button[type=submit]");
  setTimeout(() => { button.disabled = true; }, 0);
});

// Leaving with changes that were not sent asks first.
const edited = new Set();
document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-guard]");
  if (form) edited.add(form);
});
document.addEventListener("submit", () => edited.clear());
addEventListener("beforeunload", (event) => { if (edited.size) event.preventDefault(); });

// What is under way is looked at again every second; the page's own refresh stands in without this file.
const look = async () => {
  const live = document.querySelector("[data-live]");
  if (!live || live.contains(document.activeElement)) return live && setTimeout(look, 1000);
  try {
    const answer = await fetch(location.href);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(live.id);
    if (answer.ok && fresh) live.replaceWith(fresh);
  } catch { /* the next look may do better */ }
  setTimeout(look, 1000);
};
if (document.querySelector("[data-live]")) setTimeout(look, 1000);
