// The open study: opening it, and its mask.
import * as api from "./api";
import {app, changed} from "./state";
import {Order} from "./order";
import * as voxels from "./voxels";
import {leave} from "./pulse";
import {forgetLost} from "./queue";
import {say} from "./notice";

let opening: AbortController | null = null;
let prepare: (order: Order) => Promise<void> = async () => {};

// onOpening says what prepares the picture of a study while its voxels are fetched.
export function onOpening(f: (order: Order) => Promise<void>): void {
  prepare = f;
}

// open opens a study. It resolves when the first picture can be drawn.
export async function open(id: string): Promise<void> {
  opening?.abort();
  const mine = (opening = new AbortController());
  voxels.forget();
  forgetLost();
  if (app.id && app.id !== id) leave(app.id);
  Object.assign(app, {id, study: null, order: null, drawing: null, values: null, pin: null, hover: null});
  app.labels = new Uint16Array(0);
  changed("study", "slice", "mask", "values", "pin", "hover", "list");
  const study = await api.study(id, mine.signal);
  if (mine.signal.aborted) return;
  const order = new Order(study.grid);
  // Side by side: what the server sends, and what the graphics need.
  const parts = Promise.all([
    maskOf(id, order, mine.signal),
    voxels.load("echo-0", order).catch(e => {
      if (!mine.signal.aborted) say("bad", `Echo 1 cannot be shown: ${messageOf(e)}`);
    }),
    prepare(order)
  ]);
  const [labels] = await parts;
  if (mine.signal.aborted) return;
  app.study = study;
  app.order = order;
  app.labels = labels;
  app.window = [...study.window];
  app.echo = 0;
  take(study.draft);
  app.k = fullest(order, labels);
  changed("study", "slice", "image", "mask", "values", "view");
}

// begin begins a drawing from a start.
export async function begin(start: string): Promise<void> {
  const id = app.id;
  const order = app.order;
  const draft = await api.begin(id, start);
  if (app.id !== id || !order || app.order !== order) return;
  const labels = await maskOf(id, order);
  if (app.order !== order || !app.study) return; // another study was opened
  app.study.draft = draft;
  app.labels = labels;
  take(draft);
  if (app.labels.some(l => l !== 0)) app.k = fullest(order, app.labels);
  changed("study", "slice", "mask", "values", "image");
}

// reload fetches the study and its mask once more, for instance after another tab has drawn.
export async function reload(): Promise<void> {
  const {id, order} = app;
  if (!order) return;
  const study = await api.study(id);
  const labels = await maskOf(id, order);
  if (app.order !== order) return; // another study was opened, or this one again
  app.study = study;
  app.labels = labels;
  take(study.draft);
  changed("study", "mask", "values", "image");
}

// take takes the state of a drawing and its values.
function take(draft: api.Draft | null): void {
  app.drawing = draft && {drawing: draft.drawing, step: draft.step, undo: draft.undo, redo: draft.redo};
  app.values = draft?.values ?? null;
}

// apply applies what a step has changed.
export function apply(step: api.Step): void {
  for (const [first, length, label] of step.changed ?? []) app.labels.fill(label, first, first + length);
  if (app.drawing) Object.assign(app.drawing, {step: step.step, undo: step.undo, redo: step.redo});
  app.values = step.values;
  changed("mask", "values", "image");
}

// maskOf fetches the mask of the drawing, or that of the study if there is no drawing.
async function maskOf(id: string, order: Order, signal?: AbortSignal): Promise<Uint16Array<ArrayBuffer>> {
  const {data} = await api.mask(id, signal);
  if (data.byteLength !== 2 * order.voxels) {
    throw new Error(`The mask has ${data.byteLength} bytes, want ${2 * order.voxels}.`);
  }
  return new Uint16Array(data);
}

// fullest returns the slice with most voxels of a mask, the middle one if it is empty.
function fullest(order: Order, labels: Uint16Array): number {
  let best = Math.floor(order.slices / 2),
    most = 0;
  for (let k = 0; k < order.slices; k++) {
    let n = 0;
    for (let v = k * order.inSlice; v < (k + 1) * order.inSlice; v++) if (labels[v] !== 0) n++;
    if (n > most) [best, most] = [k, n];
  }
  return best;
}

export const messageOf = (e: unknown): string => (e instanceof Error ? e.message : String(e));
