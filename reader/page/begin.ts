// The start of a drawing, and what was read of the study before.
import {byId, el, put} from "./dom";
import {fetchItems, openNext} from "./list";
import {say} from "./notice";
import {dateOf} from "./sign";
import {app, on} from "./state";
import {begin, messageOf} from "./study";

let isBusy = false;

async function from(start: string): Promise<void> {
  if (isBusy) return;
  isBusy = true;
  try {
    await begin(start);
    await fetchItems();
  } catch (e) {
    say("bad", `The drawing cannot begin: ${messageOf(e)}`);
  }
  isBusy = false;
}

function show(): void {
  const {study} = app;
  byId("empty").hidden = study !== null;
  byId("empty").textContent = app.id === "" ? "Choose a study from the worklist." : "Opening …";
  document.documentElement.dataset.study = app.id === "" ? "none" : "open";
  byId("begin").hidden = !study || app.drawing !== null || app.session?.role === "manager";
  byId("draw").hidden = !study || app.drawing === null;
  byId("values").hidden = !study;
  byId("voxel").hidden = !study;
  const reads = study?.reads ?? [];
  put(
    byId("reads"),
    ...[...reads].reverse().map(r =>
      el("li", {}, el("span", {class: "state " + r.state}, r.state), el("div", {},
        el("div", {}, `Revision ${r.revision}`, r.name && ` by ${r.name}`), el("div", {class: "soft"}, dateOf(r.time)),
        ...[r.meaning, r.reason, r.text, r.change && `Changed: ${r.change}`, `Mask ${r.mask_sha256.slice(0, 12)}`].filter(t => t).map(t => el("div", {class: "soft"}, t!)))))
  );
  const history = byId("history");
  history.hidden = reads.length === 0;
  if (app.drawing) byId("voxel").after(history);
  else byId("begin").after(history);
  put(
    byId("starts"),
    ...(study?.starts ?? []).map(s =>
      el("button", {type: "button", class: "start", disabled: !!s.problem, onclick: () => void from(s.id)}, el("b", {}, capital(s.name)),
        s.problem && el("span", {}, s.problem))
    )
  );
  byId("begin-title").textContent = reads.length > 0 ? "Draw a new revision from" : "Begin the drawing from";
  byId("next-study").hidden = reads.length === 0;
  const warning = study?.draft?.warning ?? study?.warning ?? "";
  byId("warning").textContent = warning;
  byId("warning").hidden = warning === "";
}

const capital = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1);

export function start(): void {
  byId("next-study").addEventListener("click", openNext);
  on(["study", "values"], show);
}
