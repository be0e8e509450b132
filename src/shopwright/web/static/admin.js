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
