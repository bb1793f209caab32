const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

/** `1073741824` → `1.0 GiB` */
export function bytesText(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`
}

const SECOND_MS = 1_000
const DAY_MS = 86_400 * SECOND_MS

/** `604800000` → `7 days`; `90000` → `90 s` */
export function durationText(ms: number): string {
  if (ms >= DAY_MS) return `${Number((ms / DAY_MS).toFixed(1))} days`
  return ms >= SECOND_MS ? `${Number((ms / SECOND_MS).toFixed(1))} s` : `${ms} ms`
}

/** `1 replica`, `3 replicas` */
export function countText(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

/** The first names, and how many more there are. */
export function namesText(names: readonly string[], most = 6): string {
  const more = names.length - most
  return names.slice(0, most).join(', ') + (more > 0 ? ` and ${more} more` : '')
}
