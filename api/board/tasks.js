// 任务: who owes an answer to what, until when; replies with papers, returned or closed by the desk.
import { at, fill, h, table } from "./dom.js";
import { attached, fileLink } from "./attach.js";
import { data, send } from "./feed.js";
import { day, moment } from "./format.js";
import { acts, API, bound, page, tell } from "./page.js";
import { said, t } from "./words.js";

const head = (key, name) => ({ text: t(key), name });
const STATES = { open: "taskOpen", replied: "taskReplied", returned: "taskReturned", closed: "taskClosed", settled: "taskSettled" };
const STEPS = { assign: "stepAssign", reply: "stepReply", return: "stepReturn", close: "stepClose" };
const TONES = { open: "warn", replied: "dull", returned: "warn", closed: "good", settled: "good" };
let opened = "";

const replies = (row) => ["open", "returned"].includes(row.state) && (bound() || data.me.rights.includes("reply"));
const url = () => {
  const fields = new FormData(at("filter"));
  const asked = new URLSearchParams({ limit: "200" });
  for (const name of ["state", "whose"]) if (fields.get(name)) asked.set(name, fields.get(name));
  if (fields.get("overdue")) asked.set("overdue", "true");
  return `${API}/tasks?${asked}`;
};
const poll = page({ feeds: { tasks: url }, views: [[render, ["tasks", "me"]]], hint: () => (data.tasks ? "" : t("noRight")) });

function render() {
  const { counts, items } = data.tasks;
  fill("counts", ["open", "replied", "returned"].map((name) => h("span", {}, `${t(STATES[name])} `, h("b", {}, String(counts[name])))), h("span", { class: counts.overdue ? "late" : null }, `${t("overdue")} `, h("b", { id: "overdue" }, String(counts.overdue))));
  owners(items);
  if (!items.length) { fill("tasks", h("p", { class: "calm" }, h("span", { class: "sign", "aria-hidden": "true" }, "✓"), t("noTasks"))); return; }
  // What somebody is just writing outlives the next poll.
  if (opened && items.some((one) => one.task === opened) && at("tasks").querySelector("form:focus-within")) return;
  const cells = (row) => [[said(row), h("small", {}, `${row.source_name} ${row.source}`)], row.owner, [day(row.due), row.overdue ? h("small", { class: "late" }, t("overdue")) : ""], chip(row), moment(row.since), act(row)];
  fill("tasks", table(t("tasksPage"), [head("taskOf"), head("ownerOf"), head("due"), head("stateOf"), head("when"), head("answerTo")], items.map(cells)));
}

const chip = (row) => h("span", { class: `state ${TONES[row.state]}` }, h("span", { class: "sign", "aria-hidden": "true" }, row.state === "closed" || row.state === "settled" ? "✓" : "!"), t(STATES[row.state]));

function owners(items) {
  const select = at("filter").elements.whose;
  const known = [...select.options].map((one) => one.value);
  for (const name of [...new Set(items.map((one) => one.owner))].sort()) if (!known.includes(name)) select.append(h("option", { value: name }, name));
}

function act(row) {
  const box = h("details", { open: row.task === opened }, h("summary", {}, row.steps.length ? `${t("trail")} ${row.steps.length}` : t("answerTo")), h("ul", { class: "changes" }, row.steps.map((one) => line(row, one))));
  box.addEventListener("toggle", () => { if (box.open) opened = row.task; else if (opened === row.task) opened = ""; });
  if (replies(row)) box.append(replyForm(row));
  if (acts() && !["closed", "settled"].includes(row.state)) box.append(deskForm(row));
  return box;
}

const line = (row, one) => h("li", {}, h("span", {}, `${t(STEPS[one.action])} ${[one.note, one.owner, one.due].filter(Boolean).join(" · ")} `), one.attachment ? fileLink(h, `${API}/tasks/${row.task}/attachments/${one.id}`, one.attachment) : "", h("small", {}, `${one.person} · ${moment(one.time)}`));

function replyForm(row) {
  const note = h("input", { name: "note", required: true, maxlength: 200 });
  const file = h("input", { name: "file", type: "file" });
  const form = h("form", { class: "entry reply" }, h("label", {}, h("span", {}, t("noteOf")), note), h("label", {}, h("span", {}, t("attachment")), file), h("button", { type: "submit" }, t("reply")));
  form.addEventListener("submit", (event) => act1(event, async () => {
    const sent = await attached(file);
    return send(`${API}/tasks/${row.task}/replies`, { note: note.value, ...(sent ? { attachment: sent } : {}) });
  }));
  return form;
}

function deskForm(row) {
  const note = h("input", { name: "note", maxlength: 200 });
  const owner = h("input", { name: "owner", maxlength: 200, value: row.owner });
  const due = h("input", { name: "due", type: "date", value: row.due });
  const steps = ["assign", ...(row.state === "replied" ? ["return"] : []), "close"];
  const form = h("form", { class: "entry step" }, h("label", {}, h("span", {}, t("ownerOf")), owner), h("label", {}, h("span", {}, t("due")), due), h("label", {}, h("span", {}, t("reason")), note), steps.map((one) => h("button", { type: "submit", value: one }, t(STEPS[one]))));
  form.addEventListener("submit", (event) => act1(event, () => {
    const action = event.submitter?.value ?? "assign";
    return send(`${API}/desk/tasks/${row.task}/steps`, action === "assign" ? { action, owner: owner.value, due: due.value } : { action, note: note.value });
  }));
  return form;
}

async function act1(event, ask) {
  event.preventDefault();
  const done = await ask().catch((error) => ({ ok: false, said: error.message, told: {} }));
  tell(at("tasks-told"), done, done.told.record ?? "");
  if (!done.ok) return;
  opened = "";
  document.activeElement?.blur();
  await poll();
}

at("filter").addEventListener("change", () => { poll(); });
at("filter").addEventListener("submit", (event) => { event.preventDefault(); poll(); });
