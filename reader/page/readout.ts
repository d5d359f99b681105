// The voxel under the pointer, from the maps, and the pinned voxel with its decay, from the server.
import * as api from "./api";
import {showCurve, colourOfFit} from "./curve";
import {display} from "./display";
import {byId, el, fixed, put, signal} from "./dom";
import {app, changed, on} from "./state";
import {messageOf} from "./study";
import * as voxels from "./voxels";

let waits = false;
let isNew = false; // the pinned voxel was not yet shown
let asking: AbortController | null = null;

// pin asks for the decay of a voxel, or for the mean of the brush around it.
export function pin(voxel: api.Vec3, isMean: boolean): void {
  const order = app.order;
  if (!order) return;
  const [i, j, k] = voxel,
    [nx, ny] = order.grid.size;
  if (i < 0 || j < 0 || i >= nx || j >= ny) return;
  asking?.abort();
  const mine = (asking = new AbortController());
  const id = app.id,
    v = order.index(i, j, k),
    radius = isMean ? display.radius : 0;
  app.pin = {voxel, radius, answer: app.pin?.answer ?? null, problem: ""};
  isNew = true;
  changed("pin");
  waits = true;
  const answer = isMean ? api.brush(id, v, radius, mine.signal) : api.voxel(id, v, mine.signal);
  answer.then(
    a => {
      if (mine !== asking) return;
      waits = false;
      if (!app.pin) return;
      app.pin.answer = a;
      changed("pin");
    },
    e => {
      if (mine !== asking) return;
      waits = false;
      if (!app.pin) return;
      app.pin.answer = null;
      app.pin.problem = messageOf(e);
      changed("pin");
    }
  );
}

export function unpin(): boolean {
  if (!app.pin) return false;
  asking?.abort();
  asking = null;
  waits = false;
  app.pin = null;
  changed("pin");
  return true;
}

export const isAsking = (): boolean => waits;

// words returns the text of a status: low signal.
const words = (status: string) => status.replaceAll("_", " ");

// showHover writes what the maps say of the voxel under the pointer.
function showHover(): void {
  const target = byId("hover");
  const {order, study, session} = app;
  if (!order || !study || !session) {
    put(target);
    return;
  }
  const at = app.hover;
  if (!at) {
    put(target, el("span", {class: "soft"}, "Point at a voxel to see its values; click it to see its decay."));
    return;
  }
  const v = order.index(...at);
  const value = (name: string) => {
    if (!study.maps?.some(m => m.name === name)) return null;
    const data = voxels.peek("map-" + name);
    return data ? data[v] : null;
  };
  const t2 = value("t2"),
    se = value("se"),
    status = value("status");
  const echo = voxels.ready(`echo-${app.echo}`);
  const label = session.labels.find(l => l.value === app.labels[v]);
  const position = order.position(at).map(x => fixed(x, 1));
  put(
    target,
    item("T2", `${fixed(t2, 1)} ± ${fixed(se, 1)} ms`, "wide"),
    item("R²", fixed(value("r2"), 3)),
    item("S0", signal(value("s0"))),
    item("Signal", signal(echo ? echo[v] : null)),
    item("", status === null ? "" : words(session.states[status] ?? `status ${status}`), "words"),
    label && item("", label.name, "words"),
    el("span", {class: "grow"}),
    item("Voxel", at.join(", ")),
    item("LPS", position.join(", ") + " mm", "far")
  );
}

function item(name: string, value: string, kind = ""): HTMLElement {
  return el("span", {class: "fact " + kind}, name && el("span", {class: "soft"}, name), name && " ", el("b", {}, value));
}

// showPin writes the decay of the pinned voxel.
function showPin(): void {
  const p = app.pin;
  byId("voxel-empty").hidden = p !== null;
  byId("voxel-body").hidden = p === null;
  if (!p) {
    byId("voxel-title").textContent = "";
    return;
  }
  const a = p.answer;
  byId("voxel-body").classList.toggle("old", waits); // the numbers are those of the voxel before
  const title = p.radius > 0 ? `Mean of ${a ? a.voxels : "…"} voxels around ${p.voxel.join(", ")}` : `Voxel ${p.voxel.join(", ")}`;
  byId("voxel-title").textContent = title;
  const fits = a?.fits ?? [];
  const first = fits.find(f => !f.problem);
  put(
    byId("voxel-main"),
    el("b", {class: "big"}, first ? fixed(first.t2_ms, 1) : "–"),
    el("span", {class: "unit"}, first ? `± ${fixed(first.se_ms, 1)} ms` : "ms"),
    el("span", {class: "grow"}),
    el("span", {class: "soft"}, p.problem || (first ? words(first.status) : a ? "no estimate" : "…"))
  );
  put(byId("fits"), ...fits.map((f, n) => fitRow(f, n)));
  showCurve(byId("curve"), byId("residuals"), a, app.study);
  if (isNew && a) byId("voxel").scrollIntoView({block: "nearest"});
  if (a) isNew = false;
}

function fitRow(f: api.Fit, n: number): HTMLElement {
  const dot = el("i", {class: "line", "aria-hidden": "true"});
  dot.style.backgroundColor = colourOfFit(n);
  const name = el("th", {scope: "row"}, dot, f.method);
  if (f.problem) return el("tr", {}, name, el("td", {colspan: 4, class: "words soft"}, f.problem));
  return el(
    "tr",
    {title: words(f.status)},
    name,
    el("td", {}, fixed(f.t2_ms, 2)),
    el("td", {}, "±\u00a0" + fixed(f.se_ms, 2)),
    el("td", {}, signal(f.s0)),
    el("td", {}, fixed(f.r2, 4))
  );
}

export function start(): void {
  on(["study", "hover", "voxels", "image", "mask"], showHover);
  on(["study", "pin", "display"], showPin);
}
