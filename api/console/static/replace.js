// Puts new HTML in the place of old: whoever has the focus in it keeps it; what was opened stays open.

export function replace(element, html) {
  if (!element) return;
  const held = element.contains(document.activeElement) ? place(element, document.activeElement) : null;
  const open = [...element.querySelectorAll("details[data-keep][open]")].map((details) => details.dataset.keep);
  const scrolled = [...element.querySelectorAll(".scroll")].map((box) => [box.scrollLeft, box.scrollTop]);
  element.innerHTML = html;
  for (const details of element.querySelectorAll("details[data-keep]")) {
    if (open.includes(details.dataset.keep)) details.open = true;
  }
  element.querySelectorAll(".scroll").forEach((box, i) => { if (scrolled[i]) [box.scrollLeft, box.scrollTop] = scrolled[i]; });
  if (held) find(element, held)?.focus({ preventScroll: true });
}

const FOCUSABLE = "a, button, summary, input, [tabindex]";

function place(element, active) {
  const all = [...element.querySelectorAll(FOCUSABLE)];
  return { name: name(active), index: all.indexOf(active) };
}

function find(element, held) {
  const all = [...element.querySelectorAll(FOCUSABLE)];
  return all.find((one) => held.name && name(one) === held.name) ?? all[held.index];
}

function name(one) {
  return one.getAttribute("href") ?? (one.getAttribute("aria-label") || one.textContent.trim());
}
