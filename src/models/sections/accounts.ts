import type {
  AccountList,
  FacetDefinition,
  ScopeDefinition,
} from '../../scoring/definition/model-definition.ts'
import { SIGNAL_LIMITS } from '../../signals/signal-limits.ts'
import { checkNames, valueAt, wellFormedEntries } from '../blocks.ts'
import { checkExpressionsIn, readCondition } from '../expressions/read-expression.ts'
import type { Scope } from '../expressions/scope.ts'
import type { Report } from '../problems.ts'
import type { RawAccountList } from '../raw-model.ts'

const encoder = new TextEncoder()

/** Reads which accounts the model scores. Without this section it scores all. */
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
  if (!report.isWellFormed(path)) {
    checkExpressionsIn(value, path, scope, report)
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

const PATH = ['facets']

export function readFacets(block: unknown, report: Report): FacetDefinition[] {
  checkNames(block, PATH, report)
  return wellFormedEntries<string>(block, PATH, report).map(([name, key]) => ({ name, key }))
}
