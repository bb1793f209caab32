import type { CompiledGate } from '../definition/compile-model.ts'
import type { Value } from '../definition/model-definition.ts'

/** Whether a gate lets PQLs through. Rules: docs/how-a-score-is-defined.md, "Gates, triggers, PQLs". */
export function isGateOpen({ open, definition }: CompiledGate, values: readonly Value[]): boolean {
  const met = open(values)
  return met === undefined ? definition.missing === 'open' : met === true
}
