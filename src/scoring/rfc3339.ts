import { HOUR_MS } from './time.ts'

const RFC_3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/

/** ms since 1970, cut to whole ms; undefined if the text is no such time or no such day exists. */
export function parseRfc3339(text: string): number | undefined {
  const match = RFC_3339.exec(text)
  if (match === null) return undefined
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  if (hour > 23 || minute > 59 || second > 60) return undefined
  const date = Date.UTC(year, month - 1, day)
  const check = new Date(date)
  if (check.getUTCFullYear() !== year || check.getUTCMonth() !== month - 1 || check.getUTCDate() !== day)
    return undefined
  const fraction = Math.floor(Number(`0.${match[7] ?? '0'}`) * 1000)
  const [offsetHour, offsetMinute] = [Number(match[9] ?? 0), Number(match[10] ?? 0)]
  if (offsetHour > 23 || offsetMinute > 59) return undefined
  const offsetMinutes = (match[8] === '-' ? -1 : 1) * (offsetHour * 60 + offsetMinute)
  return date + hour * HOUR_MS + (minute - offsetMinutes) * 60_000 + second * 1000 + fraction
}
