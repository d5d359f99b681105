// The head of the page: the study, its state, and what a reader decides.
import {isDark, isListOpen, openList, set} from "./display";
import {button, byId, el, put} from "./dom";
import {help} from "./help";
import {say} from "./notice";
import {isEmpty, pending} from "./queue";
import {askReject, askQuery, askSign} from "./sign";
import {app, on} from "./state";

export const toggleTheme = () => set({theme: isDark() ? "light" : "dark"});
export const toggleList = () => openList(!isListOpen());

const listButton = button("list", "Worklist", "W", toggleList);
const query = el("button", {type: "button", class: "action", onclick: askQuery}, "Query");
const reject = el("button", {type: "button", class: "action", onclick: askReject}, "Reject");
const signButton = el("button", {type: "button", class: "action main", onclick: askSign}, "Sign");

const logout = el("button", {type: "button", class: "action", onclick: () => void logOut()}, "Log out");

// logOut ends the session of an account. What was not sent waits for a question of the browser, see queue.
async function logOut(): Promise<void> {
  try {
    await fetch("/logout", {method: "POST", redirect: "manual"});
    location.assign("/");
  } catch {
    say("bad", "The server does not answer: you are still logged in.");
  }
}

function show(): void {
  const {session, study} = app;
  const item = app.items.find(i => i.id === app.id);
  const name = study?.name ?? item?.name ?? "";
  put(byId("study-name"), name);
  const state = item?.state;
  const chip = byId("study-state");
  chip.className = "state " + (state ?? "").replace(" ", "-");
  chip.textContent = study && state && session?.role !== "manager" ? state : "";
  document.title = session?.blind && name !== "" ? `t2map ${name}` : "t2map";
  listButton.setAttribute("aria-pressed", String(isListOpen()));
  for (const b of [query, reject, signButton]) b.hidden = session?.role === "manager"; // who only looks
  query.disabled = reject.disabled = !study; // neither needs a drawing
  signButton.disabled = !app.drawing;
  logout.hidden = !session?.password; // without accounts there is nothing to end
  const saved = byId("saved");
  const n = pending().length;
  saved.textContent = !app.drawing ? "" : isEmpty() ? `Saved · step ${app.drawing.step}` : n > 1 ? `Saving ${n} steps …` : "Saving …";
  saved.classList.toggle("busy", !isEmpty());
  byId("user").textContent = session ? (session.role === "reader" || session.role === "" ? session.user : `${session.user}, ${session.role}`) : "";
}

export function start(): void {
  byId("head-left").prepend(listButton);
  put(byId("head-right"), el("span", {id: "saved", class: "soft", "aria-live": "polite"}), query, reject, signButton,
    el("span", {class: "bar-line"}), el("span", {id: "user", class: "soft"}), logout,
    button("theme", "Light or dark", "D", toggleTheme), button("help", "Keys", "?", help));
  on(["session", "list", "study", "display", "queue", "values"], show);
}
