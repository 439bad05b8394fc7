// The answer of a job as it is streamed: added to what is there already, at most once a frame.

export class Answer {
  #texts = { text: "", thought: "" };
  #due = false;

  restart() { this.#texts = { text: "", thought: "" }; }

  add(kind, text) {
    this.#texts[kind] += text;
    if (this.#due) return;
    this.#due = true;
    requestAnimationFrame(() => { this.#due = false; this.show(); });
  }

  show() {
    for (const [kind, text] of Object.entries(this.#texts)) put(document.getElementById(`live-${kind}`), text);
    const none = document.getElementById("live-none");
    if (none) none.hidden = Boolean(this.#texts.text || this.#texts.thought);
  }
}

function put(element, text) {
  if (!element) return;
  const shown = element.textContent;
  if (text.startsWith(shown)) element.append(text.slice(shown.length));
  else element.textContent = text;
  element.hidden = !text;
}
