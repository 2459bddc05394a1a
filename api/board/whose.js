// Who is logged in, and the pages that are for them.
import { fill, h, at } from "./dom.js";
import { data, send } from "./feed.js";
import { PAGES } from "./pages.js";
import { personWord, t } from "./words.js";

export function renderWhose() {
  const mine = PAGES.filter(([, , right]) => !right || data.me.rights.includes(right) || (right === "meters" && data.me.role === "enterprise"));
  const links = mine.map(([path, word]) => h("a", { href: path, "aria-current": path === location.pathname ? "page" : null }, t(word)));
  if (data.me.door !== "session") { fill("whose", links); return; }
  const out = h("button", { type: "button", id: "out" }, t("logOut"));
  out.addEventListener("click", async () => { await send("/api/v1/logout", {}); location.assign("/board/login.html"); });
  fill("whose", links, h("b", {}, data.me.name), out);
  at("whose").title = personWord(data.me.role);
}
