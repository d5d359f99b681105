// Preferences of display. They are all that the page keeps in the browser, and they say nothing of a study.
import {changed} from "./state";

const key = "t2map.display";

export const display = {
  theme: "" as "" | "light" | "dark", // "" follows the system
  overlay: "t2", // the map over the image, "" for none
  opacity: 0.7,
  inMask: true, // the map is shown in the mask only
  smooth: false, // interpolation
  mask: "outline" as "outline" | "fill" | "hidden",
  list: true, // the worklist is open
  radius: 1.5 // of the brush, mm
};

const allowed: Record<string, (x: unknown) => boolean> = {
  theme: x => x === "" || x === "light" || x === "dark",
  mask: x => x === "outline" || x === "fill",
  opacity: x => typeof x === "number" && x >= 0 && x <= 1,
  radius: x => typeof x === "number" && x > 0 && x <= 30
};

// read reads the preferences. Values that cannot be are ignored.
export function read(): void {
  try {
    const kept = JSON.parse(localStorage.getItem(key) ?? "{}") as Record<string, unknown>;
    for (const [name, was] of Object.entries(display)) {
      const x = kept[name];
      if (typeof x === typeof was && (allowed[name]?.(x) ?? true)) Object.assign(display, {[name]: x});
    }
  } catch {
    // Without a store, or with a damaged one, the defaults hold.
  }
  apply();
}

// set changes preferences and keeps them.
export function set(values: Partial<typeof display>): void {
  Object.assign(display, values);
  try {
    localStorage.setItem(key, JSON.stringify(display));
  } catch {
    // They hold until the page is closed.
  }
  apply();
  changed("display", "image");
}

// On a narrow page the worklist lies over the image, and whether it is open is not kept.
const narrow = matchMedia("(max-width: 1180px)");
let isOverImage = false;
narrow.addEventListener("change", () => {
  isOverImage = false;
  apply();
  changed("display");
});

// isListOpen reports whether the worklist is shown, and openList shows or hides it.
export const isListOpen = (): boolean => (narrow.matches ? isOverImage : display.list);

export function openList(isOpen: boolean): void {
  if (narrow.matches) {
    isOverImage = isOpen;
    apply();
    changed("display");
  } else set({list: isOpen});
}

// closeOver closes the worklist if it lies over the image.
export function closeOver(): void {
  if (narrow.matches && isOverImage) openList(false);
}

function apply(): void {
  const root = document.documentElement;
  if (display.theme === "") delete root.dataset.theme;
  else root.dataset.theme = display.theme;
  root.dataset.list = isListOpen() ? "open" : "closed";
}

// isDark reports whether the page is dark now.
export function isDark(): boolean {
  return display.theme === "" ? matchMedia("(prefers-color-scheme: dark)").matches : display.theme === "dark";
}
