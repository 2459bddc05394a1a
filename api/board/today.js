// What must be done today: derived by the API from facts that the panels below, or pages of their own, show.
import { at, fill, h } from "./dom.js";
import { data } from "./feed.js";
import { said, t, urgencyWord } from "./words.js";

const PAGES = { desk: "/board/desk.html", tasks: "/board/tasks.html" };
const GRAVE = ".line [data-code=at-risk], .line [data-code=missed]";

// The targets that press lie in groups that may be shut: whoever asks for them finds them open.
function unfold() {
  document.querySelectorAll("#groups details").forEach((one) => { if (one.querySelector(GRAVE)) one.open = true; });
}

// A panel that is not there for this role leads nowhere: then the words stand alone.
function about(task) {
  const page = PAGES[task.view];
  if (!page && (!at(task.view) || at(task.view).hidden)) return h("span", {}, said(task));
  const link = h("a", { href: page ?? `#${task.view}` }, said(task));
  if (task.view === "targets") link.addEventListener("click", unfold);
  return link;
}

export function renderToday() {
  const tasks = data.today.items;
  // Where nothing ever came, nothing is well.
  if (!tasks.length && !data.county.data_until) { fill("tasks", h("p", { class: "note" }, t("nothingYet"))); return; }
  if (!tasks.length) {
    fill("tasks", h("p", { class: "calm" }, h("span", { class: "sign", "aria-hidden": "true" }, "✓"), t("nothing")));
    return;
  }
  const item = (task) => h("li", { class: task.urgency }, h("span", { class: "urgency" }, urgencyWord(task.urgency)), about(task));
  fill("tasks", h("ul", { class: "tasks" }, tasks.map(item)));
}
