import type { AccountList, ScopeDefinition } from '../scoring/definition/model-definition.ts'
import { SIGNAL_LIMITS } from '../signals/parse-signal.ts'
import { readCondition } from './conditions.ts'
import type { Scope } from './feature-scope.ts'
import type { RawAccountList } from './raw-model.ts'
import type { Report } from './report.ts'
import { salvageConditions } from './salvage-conditions.ts'
import { valueAt } from './sound-entries.ts'

const encoder = new TextEncoder()

/** Which accounts the model scores; all of them if it does not say. */
export function readAccounts(block: unknown, scope: Scope, report: Report): ScopeDefinition {
  return {
    include: readAccountList(block, 'include', scope, report),
    exclude: readAccountList(block, 'exclude', scope, report),
  }
}

function readAccountList(
  block: unknown,
  key: 'include' | 'exclude',
  scope: Scope,
  report: Report,
): AccountList | undefined {
  const path = ['accounts', key]
  const value = valueAt(block, key)
  if (value === undefined) return undefined
  if (!report.isSound(path)) {
    salvageConditions(value, path, scope, report)
    return undefined
  }
  const { ids = [], when } = value as RawAccountList
  ids.forEach((id, index) => {
    const bytes = encoder.encode(id).length
    if (bytes <= SIGNAL_LIMITS.accountIdBytes) return
    const found = `found an account's id of ${bytes} bytes in UTF-8`
    report.add(
      [...path, 'ids', index],
      `${found}; at most ${SIGNAL_LIMITS.accountIdBytes} are accepted; correct it`,
    )
  })
  const condition = when === undefined ? undefined : readCondition(when, [...path, 'when'], scope, report)
  return { ids: [...ids], when: condition }
}
