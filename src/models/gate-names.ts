import { suggestName } from './nearest-name.ts'
import type { Path } from './path.ts'
import type { Report } from './report.ts'

/** Reports names that are no gates of the model. */
export function checkGateNames(
  raw: readonly string[],
  path: Path,
  gateNames: readonly string[],
  report: Report,
): void {
  raw.forEach((name, index) => {
    if (gateNames.includes(name)) return
    const accepted = gateNames.length === 0 ? 'none, as the model has no gates' : gateNames.join(', ')
    const advice = suggestName(name, gateNames, 'define it under gates')
    report.add([...path, index], `${JSON.stringify(name)} is not a gate; accepted: ${accepted}; ${advice}`)
  })
}
