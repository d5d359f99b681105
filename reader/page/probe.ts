// window.t2map, for tests in a browser. It reads what the page shows and changes nothing but the slice.
import {app, isQuiet} from "./state";
import {isEmpty} from "./queue";
import {isAsking} from "./readout";
import {goTo, pane} from "./view";
import * as voxels from "./voxels";

const frame = () => new Promise(done => requestAnimationFrame(done));

export const probe = {
  // ready reports whether a study is open and drawn.
  get ready(): boolean {
    return app.study !== null && app.order !== null && pane.order === app.order;
  },
  // id, slice, echo, label, step, window and pin say what is shown.
  get id() {
    return app.id;
  },
  get slice() {
    return app.k;
  },
  get echo() {
    return app.echo;
  },
  get label() {
    return app.label;
  },
  get step() {
    return app.drawing?.step ?? -1;
  },
  get values() {
    return app.values;
  },
  get pin() {
    return app.pin;
  },
  goTo,
  // clientOf returns where the middle of a voxel is in the window, null if another slice is shown; voxelOf is its
  // inverse.
  clientOf(i: number, j: number, k: number): [number, number] | null {
    return k === app.k && pane.order ? pane.client([i, j]) : null;
  },
  voxelOf(x: number, y: number): [number, number, number] {
    return [...pane.voxelAt(x, y), app.k];
  },
  // drawnAt returns where NiiVue has drawn the middle of a voxel of the slice; it must be at clientOf.
  drawnAt(i: number, j: number): [number, number] | null {
    const p = pane.plate.place([i, j]);
    const box = pane.marks.getBoundingClientRect();
    const ratio = pane.plate.canvas.width / box.width;
    return p && [box.left + p[0] / ratio, box.top + p[1] / ratio];
  },
  // labels returns the mask of this tab in the order of the series, and runs its voxels that are not 0 as [first,
  // length, label].
  labels: () => app.labels,
  runs(): [number, number, number][] {
    const out: [number, number, number][] = [];
    app.labels.forEach((l, v) => {
      const last = out[out.length - 1];
      if (l === 0) return;
      if (last && last[2] === l && last[0] + last[1] === v) last[1]++;
      else out.push([v, 1, l]);
    });
    return out;
  },
  // idle resolves when no step waits, nothing is being fetched, and all is drawn.
  async idle(): Promise<void> {
    do await frame();
    while (!isEmpty() || !isQuiet() || voxels.isLoading() || isAsking());
    pane.plate.finish();
    await frame();
  }
};

declare global {
  interface Window {
    t2map: typeof probe;
  }
}

export function start(): void {
  window.t2map = Object.freeze(probe);
}
