// What must be done today: derived by the API from facts that the panels below show.
import { fill, h } from "./dom.js";
import { data } from "./feed.js";
import { said, t, urgencyWord } from "./words.js";

export function renderToday() {
  const tasks = data.today.items;
  if (!tasks.length) {
    fill("tasks", h("p", { class: "calm" }, h("span", { class: "sign", "aria-hidden": "true" }, "✓"), t("nothing")));
    return;
  }
  const item = (task) => h("li", { class: task.urgency }, h("span", { class: "urgency" }, urgencyWord(task.urgency)), h("a", { href: `#${task.view}` }, said(task)));
  fill("tasks", h("ul", { class: "tasks" }, tasks.map(item)));
}
