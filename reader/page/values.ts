// The T2 of the regions of the mask, as the server's tables have them, and their histogram.
import * as api from "./api";
import type {Row, Values} from "./api";
import {byId, el, fitCanvas, fixed, put, rgb, swatch} from "./dom";
import {app, on} from "./state";

let chosen = ""; // name of the region whose histogram is shown alone

function show(): void {
  const values = app.values ?? divided;
  byId("values-title").textContent = app.drawing ? "T2 of the drawing" : "T2 of the mask";
  const rows = [...(values?.rows ?? []), ...(divided?.compartments ?? [])];
  if (!rows.some(r => r.name === chosen)) chosen = "";
  put(
    byId("regions"),
    ...(values?.rows ?? []).map(r => row(r)),
    ...(divided?.compartments ?? []).map((r, n) => {
      const e = row(r);
      e.classList.toggle("first", n === 0);
      e.classList.toggle("old", isOld);
      return e;
    }),
    rows.length === 0 && el("tr", {}, el("td", {colspan: 5, class: "words soft"}, "The mask is empty."))
  );
  const notes = [values?.note || divided?.note, ...rows.map(r => (r.note && !(r.label && r.voxels === 0) ? `${r.name}: ${r.note}` : ""))].filter(n => n);
  put(byId("values-note"), ...notes.map(n => el("p", {}, n)));
  histogram(byId<HTMLCanvasElement>("histogram"), values);
}

function row(r: Row): HTMLElement {
  const e = el(
    "tr",
    {tabindex: "0", "aria-selected": r.name === chosen ? "true" : "false", class: r.used === 0 ? "faint" : ""},
    el("th", {scope: "row", title: r.name}, swatch(colourOf(r)), r.name),
    el("td", {class: "strong"}, fixed(r.mean_t2_ms, 1)),
    el("td", {}, fixed(r.sd_t2_ms, 1)),
    el("td", {}, fixed(r.median_t2_ms, 1)),
    el("td", {title: `${r.used} of ${r.voxels} voxels have an estimate`, class: r.used < 0.9 * r.voxels ? "doubt" : ""}, String(r.used))
  );
  const choose = () => {
    chosen = chosen === r.name ? "" : r.name;
    show();
  };
  e.addEventListener("click", choose);
  e.addEventListener("keydown", ev => {
    if (ev.key === "Enter") choose();
  });
  return e;
}

const colourOf = (r: Row) => (r.label ? (app.session?.labels.find(l => l.value === r.label)?.color ?? null) : null);

// histogram draws the counts of the regions one on the other: of those with labels of their own, whose voxels no two
// share, or of the chosen one.
function histogram(canvas: HTMLCanvasElement, values: Values | null): void {
  const width = canvas.clientWidth,
    height = canvas.clientHeight;
  const c = canvas.getContext("2d");
  if (!c || width === 0) return;
  const ratio = fitCanvas(canvas, width, height);
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  c.clearRect(0, 0, width, height);
  const rows = values?.rows ?? [];
  const labelled = rows.filter(r => r.label);
  const alone = rows.filter(r => r.name === chosen && (r.counts?.length ?? 0) > 0);
  const drawn = alone.length > 0 ? alone : labelled.length > 0 ? labelled : rows;
  const style = getComputedStyle(document.documentElement);
  const soft = style.getPropertyValue("--soft").trim(),
    line = style.getPropertyValue("--line").trim();
  const bin = values?.bin_ms || 2;
  const bins = Math.max(...drawn.map(r => r.counts?.length ?? 0), Math.ceil(80 / bin));
  const sums = Array.from({length: bins}, (_, n) => drawn.reduce((s, r) => s + (r.counts?.[n] ?? 0), 0));
  const most = Math.max(...sums, 1);
  const floor = height - 16,
    left = 2,
    step = (width - 4) / bins;
  sums.forEach((_, n) => {
    let y = floor;
    for (const r of drawn) {
      const h = ((r.counts?.[n] ?? 0) / most) * (floor - 4);
      if (h === 0) continue;
      c.fillStyle = rgb(colourOf(r) ?? [128, 138, 154]);
      c.fillRect(left + n * step, y - h, Math.max(step - 1, 0.75), h);
      y -= h;
    }
  });
  c.strokeStyle = line;
  c.beginPath();
  c.moveTo(left, floor + 0.5);
  c.lineTo(width - 2, floor + 0.5);
  c.stroke();
  c.fillStyle = soft;
  c.font = "11px system-ui, sans-serif";
  c.textBaseline = "top";
  const end = bins * bin;
  const tick = end > 160 ? 40 : 20;
  c.textAlign = "right";
  c.fillText("ms", width - 2, floor + 4);
  for (let ms = 0; ms < end && (ms / end) * width < width - 32; ms += tick) {
    c.textAlign = ms === 0 ? "left" : "center";
    const x = left + (ms / end) * (width - 4);
    if (ms > 0) c.fillRect(Math.round(x), floor, 1, 3);
    c.fillText(String(ms), x, floor + 4);
  }
}

// divide asks for the compartments of the mask, once it has not changed for a moment: dividing takes longer than a stroke. If
// there is no drawing, it asks for all values of the study's mask.
function divide(): void {
  clearTimeout(timer);
  asking?.abort();
  isOld = divided !== null;
  if (!app.study) return;
  timer = window.setTimeout(async () => {
    const mine = (asking = new AbortController());
    try {
      const answer = await api.values(app.id, mine.signal);
      if (mine.signal.aborted) return;
      divided = answer;
      isOld = false;
      show();
    } catch {
      // The next change asks again.
    }
  }, app.drawing ? 400 : 0);
}

let divided: Values | null = null;
let isOld = false; // the mask has changed since
let asking: AbortController | null = null;
let timer = 0;

export function start(): void {
  on(["study"], () => (divided = null));
  on(["study", "values"], divide);
  on(["study", "values", "display"], show);
  new ResizeObserver(() => histogram(byId<HTMLCanvasElement>("histogram"), app.values ?? divided)).observe(byId("histogram"));
}
