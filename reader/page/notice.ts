// Notices: short ones that go, and banners that stay as long as their cause.
import {byId, el} from "./dom";

export type Kind = "good" | "note" | "bad";

// say shows a text for some seconds; a bad one until it is closed.
export function say(kind: Kind, text: string): void {
  const list = byId("notices");
  const close = el("button", {type: "button", class: "plain", "aria-label": "Close", onclick: () => e.remove()}, "×");
  const e = el("div", {class: "notice " + kind, role: kind === "bad" ? "alert" : "status"}, el("span", {}, text), close);
  for (const other of [...list.children]) if (other.textContent === e.textContent) other.remove();
  list.append(e);
  if (kind !== "bad") setTimeout(() => e.remove(), kind === "good" ? 4000 : 8000);
}

const banners = new Map<string, HTMLElement>();

// banner shows a text below the head of the page, or removes it if it is empty.
export function banner(name: string, kind: Kind, text: string): void {
  let e = banners.get(name);
  if (text === "") {
    e?.remove();
    banners.delete(name);
    return;
  }
  if (!e) {
    e = el("div", {role: kind === "bad" ? "alert" : "status"});
    banners.set(name, e);
    byId("banners").append(e);
  }
  e.className = "banner " + kind;
  if (e.textContent !== text) e.textContent = text;
}
