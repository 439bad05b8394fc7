// Keeps a page true: parts of it come as HTML, made and escaped by the service; an answer comes as text.
// A page that nobody looks at lets go of its stream: a browser gives all pages of a host six connections together.
import { replace } from "./replace.js";
import { Answer } from "./answer.js";

const FIRST_PAUSE = 1000, LONGEST_PAUSE = 30000, SAID_FOR = 5000;

export function follow(address) {
  const answer = new Answer(), said = document.getElementById("connection");
  let source = null, timer = 0, pause = FIRST_PAUSE, over = false, lost = false;

  const say = (text) => { if (said) { said.textContent = text; said.hidden = !text; } };
  const away = (text) => { lost = true; say(text); };
  const back = () => {
    if (!lost) return;
    lost = false;
    say("Connected again. What is shown is up to date.");
    setTimeout(() => { if (!lost) say(""); }, SAID_FOR);
  };
  const end = () => { clearTimeout(timer); source?.close(); source = null; };
  const begin = () => {
    if (source || over || document.hidden) return;
    clearTimeout(timer);
    source = new EventSource(address);
    for (const [kind, act] of Object.entries(acts)) source.addEventListener(kind, act);
  };
  const again = (wait) => { end(); timer = setTimeout(begin, wait); };

  const acts = {
    open() { pause = FIRST_PAUSE; },
    error() {
      away("The connection to the service is lost; it is tried again. What is shown may be old.");
      again(pause);
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    },
    begin() { answer.restart(); },
    restarted() { answer.restart(); answer.show(); },
    text(event) { answer.add("text", JSON.parse(event.data)); },
    thought(event) { answer.add("thought", JSON.parse(event.data)); },
    parts(event) {
      for (const [id, html] of Object.entries(JSON.parse(event.data))) replace(document.getElementById(id), html);
      answer.show();
      back();
    },
    away() { away("The service cannot reach its store at present. What is shown may be old."); },
    back() { back(); },
    again() { again(0); },
    over() { over = true; end(); },
    refused(event) {
      over = true;
      end();
      say("");
      document.getElementById("cut-off-why").textContent = JSON.parse(event.data);
      document.getElementById("cut-off").hidden = false;
    },
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? end() : begin()));
  window.addEventListener("pagehide", end);
  window.addEventListener("pageshow", begin);
  begin();
}
