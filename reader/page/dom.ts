// Elements. Texts reach the page as text only, never as markup.

type Child = Node | string | null | undefined | false;

// el makes an element. Properties that begin with "on" are listeners; the others are attributes.
export function el<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Record<string, unknown> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const e = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) e.addEventListener(key.slice(2), value as EventListener);
    else e.setAttribute(key, value === true ? "" : String(value));
  }
  e.append(...children.filter((c): c is Node | string => c !== null && c !== undefined && c !== false && c !== ""));
  return e;
}

const svgSpace = "http://www.w3.org/2000/svg";

export function svg(name: string, attributes: Record<string, unknown> = {}, ...children: Node[]): SVGElement {
  const e = document.createElementNS(svgSpace, name);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, String(value));
  e.append(...children);
  return e;
}

export function byId<T extends HTMLElement>(id: string): T {
  const e = document.getElementById(id);
  if (!e) throw new Error(`the page has no #${id}`);
  return e as T;
}

// put replaces the children of an element.
export function put(e: Element, ...children: Child[]): void {
  e.replaceChildren(...children.filter((c): c is Node | string => !!c));
}

export const rgb = (c: ArrayLike<number>, alpha = 1) => `rgb(${c[0]} ${c[1]} ${c[2]} / ${alpha})`;

// swatch is a small square of a colour.
export function swatch(c: ArrayLike<number> | null): HTMLElement {
  const e = el("i", {class: c ? "swatch" : "swatch none", "aria-hidden": "true"});
  if (c) e.style.backgroundColor = rgb(c);
  return e;
}

// fixed prints a number with a proper minus, an en dash if there is none.
export function fixed(x: number | null | undefined, digits: number): string {
  return x === null || x === undefined || !Number.isFinite(x) ? "–" : x.toFixed(digits).replace("-", "−");
}

// signal prints a magnitude, which may be of any size.
export function signal(x: number | null | undefined): string {
  if (x === null || x === undefined || !Number.isFinite(x)) return "–";
  const size = Math.abs(x);
  return fixed(x, size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 4);
}

// Paths of 20 × 20.
const icons: Record<string, string> = {
  look: "M10 3v4M10 13v4M3 10h4M13 10h4M10 9.9v.2",
  brush: "M16.5 3.5 9 11M9 11c-2-.5-4 .5-4 3 0 1.2-.8 2-2 2 1.500 1.200 6.500 1.300 7.500-1.500C11 13 10.500 11.500 9 11z",
  eraser: "M8 16.500h8.500M3.500 12 11 4.500l5 5-6 6H7z M7.200 8.300l5 5",
  polygon: "M4 7l7-3.500 5.500 5-3 7.500H5.500z M4 7v0M11 3.500v0M16.500 8.500v0",
  spline: "M3.500 13c0-4 2.500-9 6.500-9s7 3 6.500 6.500S13 12 11 14s-7.500 3.500-7.500-1z",
  fill: "M4 10.500 10 4.500l5.500 5.500-5.500 5.500c-.6.6-1.400.6-2 0L4 11.500c-.3-.3-.3-.7 0-1zM8 2.500l2 2M16.500 13c.8 1.200 1.300 2 1.300 2.700a1.300 1.300 0 0 1-2.600 0c0-.7.500-1.500 1.300-2.700z M4 11h11",
  ruler: "M3 13.500 13.500 3l3.500 3.500L6.500 17z M6 10.500l1.500 1.500M8.500 8l2.200 2.200M11 5.500 12.500 7",
  undo: "M4 8h8a4 4 0 0 1 0 8H8M7 5 4 8l3 3",
  redo: "M16 8H8a4 4 0 0 0 0 8h4M13 5l3 3-3 3",
  previous: "M12.500 10H5M8 7l-3 3 3 3M15.500 4v12",
  next: "M7.500 10H15M12 7l3 3-3 3M4.500 4v12",
  between: "M4 4.500h12M4 15.500h12M5.500 10h1M9.500 10h1M13.500 10h1",
  smooth: "M3 12c2.500 0 2.500-5 5-5s2 6 4.500 6S15 9 17 9",
  holes: "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM10 8a2 2 0 1 0 0 4 2 2 0 0 0 0-4z",
  clear: "M4.500 6h11M8 6V4h4v2M6 6l.7 10h6.600L14 6M8.500 9v4.500M11.500 9v4.500",
  list: "M3.500 5.500h13M3.500 10h13M3.500 14.500h13",
  split: "M3.500 4.500h13v11h-13zM10 4.500v11",
  theme: "M10 3.500a6.500 6.500 0 1 0 0 13zM10 3.500a6.500 6.500 0 0 1 0 13",
  help: "M7.500 8a2.500 2.500 0 1 1 3.500 2.300c-.7.3-1 .8-1 1.700M10 14.700v.1",
  close: "M5 5l10 10M15 5 5 15",
  fit: "M4 7.500V4h3.500M12.500 4H16v3.500M16 12.500V16h-3.500M7.500 16H4v-3.500",
  eye: "M2.500 10S5 5 10 5s7.500 5 7.500 5-2.500 5-7.500 5-7.500-5-7.500-5zM10 8a2 2 0 1 0 0 4 2 2 0 0 0 0-4z"
};

export function icon(name: string): SVGElement {
  return svg("svg", {viewBox: "0 0 20 20", class: "icon", "aria-hidden": "true"}, svg("path", {d: icons[name]}));
}

// button is a button with an icon, whose name and key are its tooltip.
export function button(name: string, title: string, key: string, run: () => void): HTMLButtonElement {
  const e = el("button", {type: "button", class: "tool", "aria-label": title, title: key ? `${title} (${key})` : title});
  if (key) e.setAttribute("aria-keyshortcuts", key);
  e.append(icon(name));
  e.addEventListener("click", run);
  return e;
}

// fitCanvas gives a canvas the pixels of the screen and returns their number per CSS pixel.
export function fitCanvas(c: HTMLCanvasElement, width: number, height: number): number {
  const ratio = devicePixelRatio || 1;
  const w = Math.max(1, Math.round(width * ratio)),
    h = Math.max(1, Math.round(height * ratio));
  if (c.width !== w || c.height !== h) {
    c.width = w;
    c.height = h;
  }
  return ratio;
}
