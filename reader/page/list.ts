// The worklist.
import * as api from "./api";
import {closeOver, openList} from "./display";
import {byId, el, put} from "./dom";
import {say} from "./notice";
import {settled} from "./queue";
import {app, changed, on} from "./state";
import {messageOf, open} from "./study";

let marked = ""; // ID of the line that the keys have chosen
const filter = () => byId<HTMLInputElement>("filter");
const stateFilter = () => byId<HTMLSelectElement>("state-filter");
const states: api.State[] = ["to read", "draft", "signed", "query", "rejected"];

const refreshEvery = 20000; // ms

// fetchItems fetches the worklist. A quiet one does not say why that is not possible.
export async function fetchItems(isQuiet = false): Promise<void> {
  try {
    const items = await api.cases();
    if (JSON.stringify(items) === JSON.stringify(app.items)) return;
    app.items = items;
  } catch (e) {
    if (!isQuiet) say("bad", `The worklist cannot be read: ${messageOf(e)}`);
  }
  changed("list");
}

// statesOf returns the state of a study; for managers, who do not read, those of its readers.
export function statesOf(i: api.Item): api.State[] {
  if (app.session?.role !== "manager") return [i.state];
  const all = (i.readers ?? []).map(r => r.state);
  return all.length > 0 ? all : ["to read"];
}

const isDone = (s: api.State) => s === "signed" || s === "rejected";

function chips(i: api.Item): HTMLElement[] {
  if (i.problem) return [el("span", {class: "state"}, "cannot be read")];
  const chip = (s: api.State, text: string) => el("span", {class: "state " + s.replace(" ", "-")}, text);
  if (app.session?.role !== "manager" || !i.readers?.length) return [chip(i.state, i.state)];
  return i.readers.map(r => chip(r.state, `${r.reader} ${r.state}`));
}

function shown(): api.Item[] {
  const words = filter().value.toLowerCase().split(/\s+/).filter(w => w !== "");
  const state = stateFilter().value;
  return app.items.filter(i => {
    const text = [i.name, i.subject, i.visit, ...statesOf(i), ...(i.readers ?? []).map(r => r.reader)].join(" ").toLowerCase();
    return (state === "" || statesOf(i).some(s => s === state)) && words.every(w => text.includes(w));
  });
}

// openItem opens a study of the list, once all steps of the open one are saved.
export async function openItem(id: string): Promise<void> {
  if (id === app.id && app.study) return closeOver();
  marked = id;
  await settled();
  if (location.hash !== "#" + encodeURIComponent(id)) history.replaceState(null, "", "#" + encodeURIComponent(id));
  performance.mark("open-begin");
  try {
    await open(id);
    performance.mark("open-end");
    document.querySelector("#items [aria-current]")?.scrollIntoView({block: "nearest"});
    // Arrows turn slices from now on, and no longer the lines of the list.
    if (document.activeElement?.closest("#list")) document.querySelector<HTMLElement>("#panes .marks")?.focus({preventScroll: true});
  } catch (e) {
    if (e instanceof DOMException && e.name === "AbortError") return;
    if (app.id === id) app.id = "";
    say("bad", `The study cannot be opened: ${messageOf(e)}`);
    changed("study");
  }
  closeOver();
}

// openNext opens the next study that is to be read.
export function openNext(): void {
  const at = app.items.findIndex(i => i.id === app.id);
  const order = [...app.items.slice(at + 1), ...app.items.slice(0, Math.max(at, 0))];
  const next = order.find(i => (i.state === "to read" || i.state === "draft") && !i.problem);
  if (next) void openItem(next.id);
  else say("good", "There is no other study to read.");
}

// step marks the next line of the list.
export function step(n: number): void {
  openList(true);
  const items = shown();
  if (items.length === 0) return;
  const at = items.findIndex(i => i.id === (marked || app.id));
  marked = items[Math.min(Math.max(at + n, 0), items.length - 1)].id;
  show();
  document.querySelector<HTMLElement>("#items [data-marked]")?.focus();
}

export function openMarked(): void {
  if (marked) void openItem(marked);
}

function show(): void {
  const items = shown();
  const hadFocus = byId("items").contains(document.activeElement);
  put(
    byId("items"),
    ...items.map(i =>
      el(
        "button",
        {
          type: "button",
          class: "item",
          "aria-current": i.id === app.id ? "true" : undefined,
          "data-marked": i.id === marked,
          "data-state": i.state,
          disabled: i.problem !== undefined && i.problem !== "",
          title: i.problem,
          onclick: () => void openItem(i.id)
        },
        el("span", {class: "names"}, el("b", {}, i.subject || i.name), el("span", {}, i.problem || i.visit)),
        el("span", {class: "states"}, ...chips(i))
      )
    ),
    items.length === 0 && el("p", {class: "soft"}, app.items.length === 0 ? "There are no studies." : "No study matches.")
  );
  if (hadFocus) document.querySelector<HTMLElement>("#items [data-marked]")?.focus();
  const done = app.items.filter(i => statesOf(i).every(isDone)).length;
  byId("progress-text").textContent = `${done} of ${app.items.length} read`;
  byId<HTMLProgressElement>("progress").max = Math.max(app.items.length, 1);
  byId<HTMLProgressElement>("progress").value = done;
  const chosen = stateFilter().value;
  put(
    stateFilter(),
    el("option", {value: ""}, "All states"),
    ...states.map(s => el("option", {value: s}, `${s} (${app.items.filter(i => statesOf(i).includes(s)).length})`))
  );
  stateFilter().value = chosen;
}

export function start(): void {
  byId("stage").addEventListener("pointerdown", closeOver);
  filter().addEventListener("input", show);
  filter().addEventListener("keydown", e => {
    if (e.key === "Enter") {
      const first = shown().find(i => !i.problem);
      if (first) void openItem(first.id);
      filter().blur();
    } else if (e.key === "ArrowDown") {
      e.preventDefault();
      marked = "";
      step(1);
    }
  });
  stateFilter().addEventListener("change", show);
  byId("items").addEventListener("keydown", e => {
    if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      e.preventDefault();
      e.stopPropagation();
      step(e.key === "ArrowDown" ? 1 : -1);
    }
  });
  // Managers and adjudicators see what others have done meanwhile.
  setInterval(() => {
    if (document.visibilityState === "visible" && (app.session?.role === "manager" || app.session?.role === "adjudicator")) void fetchItems(true);
  }, refreshEvery);
  addEventListener("hashchange", () => {
    const id = decodeURIComponent(location.hash.slice(1));
    if (id !== "" && id !== app.id) void openItem(id);
  });
  on(["session", "list", "study"], show);
}
