// The login: the password goes to the API and nowhere else.
import { at } from "./dom.js";
import { send } from "./feed.js";
import { PAGES } from "./pages.js";
import { speak } from "./speak.js";

async function login(event) {
  event.preventDefault();
  const done = await send("/api/v1/login", { name: at("name").value, password: at("password").value });
  at("password").value = "";
  if (!done.ok) { at("told").textContent = done.said; at("password").focus(); return; }
  // Only pages of our own: an address that names another would be a trap.
  const to = new URLSearchParams(location.search).get("to");
  location.assign(PAGES.some(([path]) => path === to) ? to : "/");
}

at("login").addEventListener("submit", login);
speak(() => { at("told").textContent = ""; });
at("name").focus();
