// Keeps a page true: parts of it come as HTML, made and escaped by the service; an answer comes as text.

export function follow(address) {
  const source = new EventSource(address);
  let text = "", thought = "";
  const said = (id, value) => {
    const element = document.getElementById(id);
    if (!element) return;
    element.textContent = value;
    element.hidden = !value;
    const none = document.getElementById("live-none");
    if (none) none.hidden = Boolean(text || thought);
  };
  const show = () => { said("live-text", text); said("live-thought", thought); };

  source.addEventListener("begin", () => { text = thought = ""; });
  source.addEventListener("restarted", () => { text = thought = ""; show(); });
  source.addEventListener("text", (event) => { text += JSON.parse(event.data); show(); });
  source.addEventListener("thought", (event) => { thought += JSON.parse(event.data); show(); });
  source.addEventListener("parts", (event) => {
    for (const [id, html] of Object.entries(JSON.parse(event.data))) replace(document.getElementById(id), html);
    show();
  });
  source.addEventListener("over", () => source.close());
  source.addEventListener("error", () => {
    // A connection that is cut is made again by the browser; one that is refused stays closed.
    const element = document.getElementById("cut-off");
    if (element) element.hidden = source.readyState !== EventSource.CLOSED;
  });
  window.addEventListener("pagehide", () => source.close());
}

// Whoever has the focus in what is replaced, keeps it; what was opened stays open.
function replace(element, html) {
  if (!element) return;
  const held = element.contains(document.activeElement) ? place(element, document.activeElement) : null;
  const open = [...element.querySelectorAll("details[data-keep][open]")].map((details) => details.dataset.keep);
  element.innerHTML = html;
  for (const details of element.querySelectorAll("details[data-keep]")) {
    if (open.includes(details.dataset.keep)) details.open = true;
  }
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
