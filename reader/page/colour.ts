// Colours of maps. The colours of T2 are those of the server's pictures.
import type {MapInfo, Vec3} from "./api";
import type {Data} from "./voxels";

// Colours of the states of voxels, by their numbers; see volume.Status. What was not fitted has none.
export const stateColours: (Vec3 | null)[] = [
  null,
  [52, 152, 99], // fitted
  [70, 110, 190], // low signal
  [150, 90, 190], // not decaying
  [200, 60, 140], // not converged
  [235, 140, 40], // out of range
  [225, 200, 60], // poor fit
  [190, 75, 50], // at bound
  [240, 240, 240], // saturated
  [70, 190, 220] // fluid
];

let buffer = new Uint32Array(0);

// paint returns the colours of the voxels first … first + count of a map, with an opacity: red is the lowest byte. Voxels
// without a value, and those outside the mask if one is given, are transparent. The result is valid until the next call.
export function paint(map: MapInfo, data: Data, range: {first: number; count: number; opacity: number}, ramp: Vec3[],
  mask: Uint16Array | null): Uint32Array {
  const {first, count} = range;
  if (buffer.length !== count) buffer = new Uint32Array(count);
  buffer.fill(0);
  const alpha = Math.round(255 * range.opacity);
  const word = (c: Vec3 | null) => (c ? ((alpha << 24) | (c[2] << 16) | (c[1] << 8) | c[0]) >>> 0 : 0);
  if (data instanceof Uint8Array) {
    const words = stateColours.map(word);
    for (let n = 0; n < count; n++) if (!mask || mask[first + n] !== 0) buffer[n] = words[data[first + n]] ?? 0;
    return buffer;
  }
  const words = Uint32Array.from(ramp, word);
  const [low, high] = map.range;
  const scale = ramp.length / (high - low || 1),
    last = ramp.length - 1;
  for (let n = 0; n < count; n++) {
    if (mask && mask[first + n] === 0) continue;
    const x = (data[first + n] - low) * scale;
    if (x === x) buffer[n] = words[x < 0 ? 0 : x > last ? last : x | 0];
  }
  return buffer;
}
