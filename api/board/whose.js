// Who is logged in: the way to the desk, and out.
import { at, fill, h } from "./dom.js";
import { data, send } from "./feed.js";
import { t } from "./words.js";

export function renderWhose() {
  const here = location.pathname === "/" ? h("a", { href: "/board/desk.html" }, t("desk")) : h("a", { href: "/" }, t("backToBoard"));
  if (data.me.door !== "session") { fill("whose", here); return; }
  const out = h("button", { type: "button", id: "out" }, t("logOut"));
  out.addEventListener("click", async () => { await send("/api/v1/logout", {}); location.assign("/board/login.html"); });
  fill("whose", here, h("b", {}, data.me.name), out);
  at("whose").title = data.me.role;
}
