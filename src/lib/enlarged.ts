/** `larger`, which begins with what `present` holds. */
export function enlarged<T extends Float64Array | Int32Array | Uint8Array>(present: T, larger: T): T {
  larger.set(present)
  return larger
}
