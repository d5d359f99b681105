// For adjudicators: the masks that readers have signed, and how well they agree.
import * as api from "./api";
import {byId, el, fixed, put} from "./dom";
import * as marks from "./marks";
import {say} from "./notice";
import {app, changed, on} from "./state";
import {messageOf} from "./study";

// Colours and lines of the readers' outlines.
const looks: {colour: string; dash: number[]}[] = [
  {colour: "#ffffff", dash: []},
  {colour: "#ff4fd8", dash: [5, 3]},
  {colour: "#ffe14f", dash: [2, 3]}
];

interface Shown {
  labels: Uint16Array;
  isOn: boolean;
  shapes: Map<number, marks.Shape | null>;
}

let comparison: api.Comparison | null = null;
let shown: (Shown & {read: api.Compared})[] = [];
let differences: Shown | null = null;
let fetchedFor = "";

// Drawn is what is drawn of a mask: its outlines, or its voxels if there is no dash.
interface Drawn {
  shape: marks.Shape;
  colour: string;
  dash: number[] | null;
}

// compared returns the outlines of the readers' masks in a slice, and where the first two differ.
export function compared(k: number): Drawn[] {
  const out: Drawn[] = [];
  const add = (s: Shown | null, look: {colour: string; dash: number[] | null}) => {
    if (!s?.isOn || !app.order) return;
    if (!s.shapes.has(k)) s.shapes.set(k, marks.shapeOf(app.order, s.labels, k, differenceColour));
    const shape = s.shapes.get(k);
    if (shape) out.push({shape, ...look});
  };
  add(differences, {colour: "", dash: null});
  shown.forEach((s, n) => add(s, looks[n % looks.length]));
  return out;
}

// different is the label of voxels in which two masks differ.
const different = 1;
const differenceColour = new Map([[different, {value: different, name: "", color: [255, 79, 216] as api.Vec3}]]);

// sums identify the reads that are shown, for a signature; there are none for other readers.
export const sums = (): string[] => shown.map(s => s.read.sum);

// signed are the first two reads with a mask, which the server compares.
const signed = () => shown.filter(s => s.read.state === "signed").slice(0, 2);

// fetchAgain fetches the masks once more, after a reader has signed again.
export async function fetchAgain(): Promise<void> {
  fetchedFor = "";
  await fetchMasks();
}

async function fetchMasks(): Promise<void> {
  const {id, study, session, order} = app;
  if (session?.role !== "adjudicator" || !study || !order) {
    if (!study) [shown, comparison, differences, fetchedFor] = [[], null, null, ""];
    return show();
  }
  if (fetchedFor === id) return;
  fetchedFor = id;
  try {
    const c = await api.masks(id);
    if (app.id !== id) return;
    comparison = c;
    shown = (c.reads ?? []).map(read => {
      const labels = new Uint16Array(order.voxels);
      for (const [first, length, label] of read.mask ?? []) labels.fill(label, first, first + length);
      return {read, labels, isOn: true, shapes: new Map()};
    });
    const [a, b] = signed();
    differences = a && b ? {labels: a.labels.map((l, v) => (l !== b.labels[v] ? different : 0)), isOn: false, shapes: new Map()} : null;
  } catch (e) {
    say("bad", `The readers' masks cannot be read: ${messageOf(e)}`);
  }
  show();
  changed("view");
}

function show(): void {
  byId("compare").hidden = shown.length === 0;
  const boxOf = (s: Shown) => {
    const box = el("input", {type: "checkbox", checked: s.isOn, onchange: () => {
      s.isOn = box.checked;
      changed("view");
    }});
    return box;
  };
  put(
    byId("compare-reads"),
    ...shown.map((s, n) => {
      const box = boxOf(s);
      const dot = el("i", {class: "line", "aria-hidden": "true"});
      dot.style.backgroundColor = looks[n % looks.length].colour;
      return el("label", {class: "row check"}, box, dot, `${s.read.reader}, revision ${s.read.revision}`, s.read.state !== "signed" && el("span", {class: "state " + s.read.state, title: s.read.reason}, s.read.state));
    }),
    differences && el("label", {class: "row check"}, boxOf(differences), "Voxels in which the first two differ")
  );
  const head = ["Region", ...signed().map(s => s.read.reader.replace(/^reader /, "")), "Dice", "P95 (mm)"];
  put(byId("compare-head"), ...head.map(text => el("th", {scope: "col", title: text}, text)));
  const regions = [...new Set(shown.flatMap(s => (s.read.values.rows ?? []).map(r => r.name)))];
  put(
    byId("compare-rows"),
    ...regions.map(name => {
      const agreement = comparison?.rows?.find(r => r.name === name);
      return el("tr", {}, el("th", {scope: "row"}, name),
        ...signed().map(s => el("td", {}, fixed(s.read.values.rows?.find(r => r.name === name)?.mean_t2_ms, 1))),
        el("td", {}, fixed(agreement?.dice, 3)), el("td", {}, fixed(agreement?.p95_mm, 1)));
    }),
    ...(comparison?.rows ?? []).filter(r => !regions.includes(r.name)).map(r => el("tr", {}, el("th", {scope: "row"}, r.name),
      ...signed().map(() => el("td")), el("td", {}, fixed(r.dice, 3)), el("td", {}, fixed(r.p95_mm, 1))))
  );
}

export function start(): void {
  on(["study", "session"], () => void fetchMasks());
}
