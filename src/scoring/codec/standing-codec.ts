import { type Override, overrideOf } from '../../signals/override.ts'
import type { CauseType } from '../events.ts'
import type { Standing, TriggerState } from '../standing.ts'
import type { ByteReader, ByteWriter } from './bytes.ts'
import { readNumber, readValue, writeNumber, writeValue } from './value-codec.ts'

// A standing in an account's bytes: part of versions 2 and 3 of the codec.

const CAUSES: readonly CauseType[] = ['signal', 'late', 'window', 'model', 'override', 'gate']
const TRIGGER_STATUSES = ['idle', 'open', 'held'] as const

export function writeStanding(out: ByteWriter, standing: Standing): void {
  const { model } = standing
  for (let slot = 0; slot < model.features.length; slot++) writeValue(out, standing.values[slot] ?? null)
  for (let i = 0; i < standing.points.length; i++) {
    writeValue(out, standing.points[i]!)
    out.byte(standing.known[i] ? 1 : 0)
  }
  for (const points of standing.groupPoints) writeNumber(out, points)
  for (const facet of standing.facets) writeValue(out, facet ?? null)
  const decided = standing.score !== standing.rulesScore
  out.byte((standing.inScope ? 1 : 0) + (decided ? 2 : 0))
  writeNumber(out, standing.rulesScore)
  if (decided) writeNumber(out, standing.score)
  writeNumber(out, standing.coverage)
  out.varint(standing.tier)
  out.varint(standing.tierSince)
  out.varint(standing.changedAt)
  out.byte(CAUSES.indexOf(standing.cause.type))
  writeValue(out, standing.cause.signalId ?? null)
  for (const state of standing.triggers) {
    out.byte(TRIGGER_STATUSES.indexOf(state.status))
    if (state.status === 'idle') {
      writeNumber(out, state.until)
    } else {
      out.text(state.pqlId)
      out.varint(state.qualifiedAt)
      out.varint(state.expiresAt)
    }
  }
  for (const until of standing.alerts) writeNumber(out, until)
}

export function readStanding(
  input: ByteReader,
  standing: Standing,
  overrides: ReadonlyMap<string, Override>,
): Standing {
  const { model, values, points, known, groupPoints, triggers } = standing
  for (let slot = 0; slot < model.features.length; slot++) values[slot] = readValue(input) ?? undefined
  for (let i = 0; i < points.length; i++) {
    points[i] = readValue(input) as number | null
    known[i] = input.byte() === 1
  }
  for (let i = 0; i < groupPoints.length; i++) groupPoints[i] = readNumber(input)
  for (let i = 0; i < standing.facets.length; i++)
    standing.facets[i] = (readValue(input) as string | null) ?? undefined
  const flags = input.byte()
  standing.inScope = flags % 2 === 1
  standing.override = overrideOf(overrides, model.definition.id)
  standing.rulesScore = readNumber(input)
  standing.score = flags >= 2 ? readNumber(input) : standing.rulesScore
  standing.coverage = readNumber(input)
  standing.tier = input.varint()
  standing.tierSince = input.varint()
  standing.changedAt = input.varint()
  const type = CAUSES[input.byte()]!
  const signalId = readValue(input) as string | null
  standing.cause = signalId === null ? { type } : { type, signalId }
  for (let i = 0; i < triggers.length; i++) triggers[i] = readTriggerState(input)
  for (let i = 0; i < standing.alerts.length; i++) standing.alerts[i] = readNumber(input)
  values[model.scoreSlot] = standing.score
  values[model.tierSlot] = model.definition.tiers[standing.tier]!.name
  return standing
}

function readTriggerState(input: ByteReader): TriggerState {
  const status = TRIGGER_STATUSES[input.byte()]!
  if (status === 'idle') return { status, until: readNumber(input) }
  return { status, pqlId: input.text(), qualifiedAt: input.varint(), expiresAt: input.varint() }
}
