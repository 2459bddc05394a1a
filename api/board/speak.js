// The language switch of a page, and its fixed words.
import { at } from "./dom.js";
import { english, switchLanguage, t } from "./words.js";

export function speak(again) {
  const words = () => {
    document.documentElement.lang = english() ? "en" : "zh-CN";
    document.querySelectorAll("[data-t]").forEach((element) => { element.textContent = t(element.dataset.t); });
    at("language").textContent = t("other");
    at("language").lang = english() ? "zh-CN" : "en";
  };
  at("language").addEventListener("click", () => { switchLanguage(); words(); again(); });
  words();
}
