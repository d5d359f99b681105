// Thumbnails of all slices, with the mask on them.
import {byId, el, put} from "./dom";
import {app, changed, on} from "./state";
import {colours, goTo} from "./view";
import * as voxels from "./voxels";

// Longest side of a thumbnail, in pixels of its canvas.
const side = 96;

interface Thumb {
  button: HTMLButtonElement;
  context: CanvasRenderingContext2D;
  grey: Uint8ClampedArray | null;
  hash: string; // of the mask on it
  bar: HTMLElement;
}

let thumbs: Thumb[] = [];
let madeFor: unknown = null;
let size = [1, 1];
let timer = 0;

function make(): void {
  const {order} = app;
  if (!order) {
    thumbs = [];
    madeFor = null;
    put(byId("strip"));
    return;
  }
  if (madeFor === order) return;
  madeFor = order;
  const w = order.columns * order.dx,
    h = order.rows * order.dy;
  const scale = side / Math.max(w, h);
  size = [Math.max(1, Math.round(w * scale)), Math.max(1, Math.round(h * scale))];
  thumbs = Array.from({length: order.slices}, (_, k) => {
    const canvas = el("canvas", {width: size[0], height: size[1], "aria-hidden": "true"});
    const bar = el("i", {class: "has"});
    const button = el("button", {type: "button", class: "thumb", "aria-label": `Slice ${k + 1}`, tabindex: "-1",
      onclick: () => goTo(k)}, canvas, el("span", {}, String(k + 1)), bar);
    return {button, bar, context: canvas.getContext("2d")!, grey: null, hash: ""};
  });
  put(byId("strip"), ...thumbs.map(t => t.button));
}

// refresh draws what has changed, a few thumbnails at a time.
function refresh(): void {
  clearTimeout(timer);
  const {order} = app;
  const echo = voxels.ready("echo-0");
  if (!order || !echo || thumbs.length === 0) return;
  const end = performance.now() + 8;
  // From the current slice outwards.
  const nearest = thumbs.map((_, k) => k).sort((a, b) => Math.abs(a - app.k) - Math.abs(b - app.k));
  for (const k of nearest) {
    if (performance.now() > end) {
      timer = window.setTimeout(refresh, 16);
      return;
    }
    drawThumb(k, echo as Float32Array);
  }
}

function drawThumb(k: number, echo: Float32Array): void {
  const order = app.order!,
    t = thumbs[k],
    [w, h] = size;
  const steps = order.steps();
  const sources = (x: number, y: number) =>
    k * order.inSlice + steps.first +
    Math.min(Math.floor(((x + 0.5) * order.columns) / w), order.columns - 1) * steps.column +
    Math.min(Math.floor(((y + 0.5) * order.rows) / h), order.rows - 1) * steps.row;
  const fresh = !t.grey;
  if (!t.grey) {
    const [low, high] = app.study!.window;
    const grey = (t.grey = new Uint8ClampedArray(w * h));
    for (let y = 0; y < h; y++)
      for (let x = 0; x < w; x++) grey[x + w * y] = (255 * (echo[sources(x, y)] - low)) / (high - low || 1);
  }
  let count = 0,
    sum = 0;
  const first = k * order.inSlice;
  for (let n = 0; n < order.inSlice; n++) {
    const l = app.labels[first + n];
    if (l !== 0) {
      count++;
      sum = (sum * 31 + n * l) % 1000000007;
    }
  }
  const hash = `${count} ${sum}`;
  if (!fresh && hash === t.hash) return;
  t.hash = hash;
  t.bar.classList.toggle("on", count > 0);
  t.button.title = count > 0 ? `Slice ${k + 1}: ${count} voxels in the mask` : `Slice ${k + 1}`;
  const image = new ImageData(w, h);
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++) {
      const n = x + w * y,
        label = count > 0 ? app.labels[sources(x, y)] : 0;
      const c = label !== 0 ? colours.get(label)?.color : null;
      const g = t.grey[n];
      image.data.set(c ? [c[0], c[1], c[2], 255] : [g, g, g, 255], 4 * n);
    }
  t.context.putImageData(image, 0, 0);
}

function mark(): void {
  thumbs.forEach((t, k) => {
    if (k === app.k) t.button.setAttribute("aria-current", "true");
    else t.button.removeAttribute("aria-current");
  });
  const strip = byId("strip"),
    e = thumbs[app.k]?.button;
  if (!e) return;
  const from = e.offsetLeft - strip.offsetLeft;
  if (from < strip.scrollLeft + 40 || from + e.offsetWidth > strip.scrollLeft + strip.clientWidth - 40) {
    strip.scrollLeft = from - strip.clientWidth / 2 + e.offsetWidth / 2;
  }
}

let wait = 0;

export function start(): void {
  on(["study"], make);
  on(["study", "slice"], mark);
  on(["study", "mask", "voxels"], () => {
    clearTimeout(wait);
    wait = window.setTimeout(refresh, 60); // after the frame that shows the change itself
  });
  byId("strip").addEventListener("wheel", e => {
    byId("strip").scrollLeft += e.deltaY + e.deltaX;
    changed();
  }, {passive: true});
}
