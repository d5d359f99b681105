// The tools at the left of the image, and at the right of it what they use: labels, size, limits.
import {button, byId, el, put, swatch} from "./dom";
import type {Vec2} from "./api";
import {say} from "./notice";
import {isEmpty, push, settled} from "./queue";
import {app, changed, on} from "./state";
import * as tools from "./tools";
import {tool, type ToolName} from "./tools";
import {goTo} from "./view";

const names: [ToolName, string, string][] = [
  ["look", "Look", "V"],
  ["brush", "Brush", "B"],
  ["eraser", "Eraser", "E"],
  ["polygon", "Polygon: click or drag, Enter closes it", "P"],
  ["spline", "Spline: click, Enter closes it", "S"],
  ["fill", "Fill connected voxels within the limits", "F"],
  ["ruler", "Ruler in mm", "M"]
];

export function undo(): void {
  if (!app.drawing || tools.cancel()) return;
  if (isEmpty() && app.drawing.undo === 0) say("note", "There is nothing to undo.");
  else push({kind: "undo"});
}

export function redo(): void {
  if (!app.drawing) return;
  if (isEmpty() && app.drawing.redo === 0) say("note", "There is nothing to redo.");
  else push({kind: "redo"});
}

// copy copies the active label from a neighbouring slice to this one, or to the next one, and goes there.
export function copy(step: 1 | -1): void {
  const {order} = app;
  if (!order || app.k + step < 0 || app.k + step >= order.slices) return;
  tools.command({tool: "copy", from: app.k}, app.k + step);
  if (app.drawing) goTo(app.k + step);
}
export const smoothen = (all: boolean) => tools.command({tool: "smooth", all, radius_mm: smoothing});
export const fillHoles = (all: boolean) => tools.command({tool: "holes", all});
export const clear = (all: boolean) => tools.command({tool: "clear", all});

// Radius of smoothing in mm. Bumps narrower than half of it vanish.
const smoothing = 1;

// between interpolates the active label over the gap in which the current slice is, or the nearest gap beside it.
export async function between(): Promise<void> {
  const {id} = app;
  await settled(); // the gap is in the mask with the last stroke
  if (app.id !== id) return;
  const {order, labels, label, k} = app;
  if (!order || !app.drawing) return;
  const has = Array.from({length: order.slices}, (_, s) => labels.subarray(s * order.inSlice, (s + 1) * order.inSlice).includes(label));
  const gaps: Vec2[] = []; // [slice before, slice after]
  let before = -1;
  has.forEach((h, s) => {
    if (!h) return;
    if (before >= 0 && s - before > 1) gaps.push([before, s]);
    before = s;
  });
  const distance = ([a, b]: Vec2) => (k < a ? a - k : k > b ? k - b : 0);
  const gap = gaps.sort((a, b) => distance(a) - distance(b))[0];
  if (!gap) say("note", "There is no gap: no slices without this label lie between slices with it.");
  else tools.command({tool: "interpolate", from: gap[0]}, gap[1]);
}

const choices = new Map<ToolName, HTMLButtonElement>();
const needDrawing: HTMLButtonElement[] = [];
let undoButton: HTMLButtonElement, redoButton: HTMLButtonElement;

function makeRail(): void {
  for (const [name, title, key] of names) choices.set(name, button(name, title, key, () => tools.choose(name)));
  undoButton = button("undo", "Undo", "Ctrl+Z", undo);
  redoButton = button("redo", "Redo", "Ctrl+Shift+Z", redo);
  needDrawing.push(
    button("previous", "Copy the label to the previous slice", "Shift+N", () => copy(-1)),
    button("next", "Copy the label to the next slice", "N", () => copy(1)),
    button("between", "Interpolate the label over the gap between slices", "G", between),
    button("smooth", "Smooth the label in this slice", "L", () => smoothen(false)),
    button("holes", "Fill holes of the label in this slice", "U", () => fillHoles(false)),
    button("clear", "Clear the label in this slice", "Delete", () => clear(false))
  );
  put(byId("rail"), ...choices.values(), el("hr"), undoButton, redoButton, el("hr"), ...needDrawing);
}

const isManager = () => app.session?.role === "manager";

function showRail(): void {
  for (const [name, b] of choices) {
    b.setAttribute("aria-pressed", String(tool.name === name));
    b.classList.toggle("off", tools.isDrawing(name) && !app.drawing);
    b.hidden = tools.isDrawing(name) && isManager();
  }
  undoButton.disabled = !app.drawing?.undo;
  redoButton.disabled = !app.drawing?.redo;
  for (const b of needDrawing) b.disabled = !app.drawing;
  for (const b of [undoButton, redoButton, ...needDrawing]) b.hidden = isManager();
}

// selectLabel makes a label active, by its place in the palette.
export function selectLabel(n: number): void {
  const l = app.session?.labels[n];
  if (!l) return;
  app.label = l.value;
  if (tool.name === "eraser") tools.choose("brush");
  changed("tool", "view");
}

function showPalette(): void {
  byId("palette").classList.toggle("many", (app.session?.labels.length ?? 0) > 6);
  put(
    byId("palette"),
    ...(app.session?.labels ?? []).map((l, n) =>
      el(
        "button",
        {type: "button", role: "radio", class: "label", "aria-checked": String(l.value === app.label), title: n < 9 ? `${l.name} (Shift+${n + 1})` : l.name,
          onclick: () => selectLabel(n)},
        swatch(l.color),
        el("span", {}, l.name),
        n < 9 && el("kbd", {}, `⇧${n + 1}`)
      )
    )
  );
}

const size = el("input", {type: "range", min: 0, max: tools.radii.length - 1, step: 1, "aria-label": "Radius in mm",
  title: "Radius ([ ])", oninput: () => tools.setRadius(tools.radii[Number(size.value)])});
const sizeText = el("output");
const keep = el("input", {type: "checkbox", onchange: () => {
  tool.keep = keep.checked;
  changed("tool");
}});
const limited = el("input", {type: "checkbox", onchange: () => {
  tool.limited = limited.checked;
  changed("tool");
}});
const only = el("select", {"aria-label": "Map or echo of the limits", onchange: () => chooseOnly(only.value)});
const low = el("input", {type: "number", step: "any", "aria-label": "Lower limit", onchange: () => readLimits()});
const high = el("input", {type: "number", step: "any", "aria-label": "Upper limit", onchange: () => readLimits()});

function chooseOnly(name: string): void {
  tool.only = name;
  const map = app.study?.maps?.find(m => m.name === name);
  tool.limits = name === "t2" ? [10, 80] : map ? [...map.range] : app.study ? [...app.study.window] : [0, 1];
  changed("tool");
}

function readLimits(): void {
  const [a, b] = [Number(low.value), Number(high.value)];
  if (low.value !== "" && high.value !== "" && Number.isFinite(a) && Number.isFinite(b)) tool.limits = [Math.min(a, b), Math.max(a, b)];
  changed("tool");
}

export function toggleLimits(): void {
  tool.limited = !tool.limited;
  changed("tool");
}

function showOptions(): void {
  const radius = tools.radius();
  size.value = String(tools.radii.findIndex(r => r >= radius));
  sizeText.textContent = `${radius} mm`;
  byId("radius-name").textContent = tool.name === "fill" ? "Reach" : "Radius";
  byId("options").hidden = !tools.isDrawing(tool.name);
  byId("radius-row").hidden = tools.isArea();
  keep.checked = tool.keep;
  limited.checked = tool.limited;
  const maps = (app.study?.maps ?? []).filter(m => m.name !== "status");
  const echoes = (app.study?.te_ms ?? []).map((_, n) => [`echo-${n}`, `Echo ${n + 1}`]);
  put(only, ...[...maps.map(m => [m.name, m.title]), ...echoes].map(([value, text]) => el("option", {value}, text)));
  only.value = tool.only;
  low.value = String(tool.limits[0]);
  high.value = String(tool.limits[1]);
  limited.disabled = tool.name === "fill";
  limited.checked ||= limited.disabled;
  byId("limits").classList.toggle("off", !limited.checked);
}

export function start(): void {
  makeRail();
  put(
    byId("options"),
    el("label", {class: "row", id: "radius-row"}, el("span", {class: "name", id: "radius-name"}), size, sizeText),
    el("label", {class: "row check"}, keep, "Keep the voxels of other labels"),
    el("div", {class: "row", id: "limits"}, el("label", {class: "check", title: "Brush, polygon and spline change only voxels within the limits (T)"}, limited, "Only"),
      only, low, el("span", {class: "soft"}, "to"), high)
  );
  on(["session"], () => {
    app.label = app.session?.labels[0]?.value ?? 0;
  });
  on(["session", "tool"], showPalette);
  on(["session", "study", "tool", "display"], showOptions);
  on(["session", "study", "tool", "values", "queue"], showRail);
}
