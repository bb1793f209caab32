/** Copies `present` to the beginning of `larger`, and returns `larger`. */
export function enlarged<T extends Float64Array | Int32Array | Uint8Array>(present: T, larger: T): T {
  larger.set(present)
  return larger
}
