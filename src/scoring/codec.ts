import { type Account, type ModelSet, NO_MODELS } from './account.ts'
import { type AccountActivity, createActivity, type Series } from './activity.ts'
import { type Buckets, createBuckets } from './buckets.ts'
import { ByteReader, ByteWriter } from './bytes.ts'
import { readNumber, readSorted, readValue, writeNumber, writeSorted, writeValue } from './codec-values.ts'
import { DIMENSIONS } from './model-definition.ts'
import type { CauseType } from './outputs.ts'
import { type Override, overrideOf } from './overrides.ts'
import { createStanding, type Standing, type TriggerState } from './standing.ts'
import { createUserBook, lastDayOf, maskOf, packUserDays, type UserChunk, type UserDays } from './users.ts'

/**
 * Accounts as compact bytes, canonical: equal state, equal bytes. The version comes first; a version that has shipped is never edited:
 * add the next one, and read the old one too. Version 1 was never shipped. Layout of version 2: how far the account is, its overrides, its
 * standings, its activity.
 */
const ACCOUNT_VERSION = 2
const CHUNK_VERSION = 2

const CAUSES: readonly CauseType[] = ['signal', 'late', 'window', 'model', 'override', 'gate']
const TRIGGER_STATUSES = ['idle', 'open', 'held'] as const

export class UnreadableStateError extends Error {}

/** One buffer for all: encoding is synchronous, and each result is a copy. */
const writer = new ByteWriter()

export function encodeAccount(account: Account): Uint8Array {
  const out = writer
  out.restart()
  out.byte(ACCOUNT_VERSION)
  out.varint(account.lastOffset + 1)
  out.varint(account.modelsOffset + 1)
  out.varint(account.activity.clock)
  writeNumber(out, account.dueAt)
  out.varint(account.standings.length)
  writeOverrides(out, account.activity.overrides)
  writeSorted(out, account.activity.endedModels, count => out.varint(count))
  for (const standing of account.standings) writeStanding(out, standing)
  writeActivity(out, account.activity)
  return out.finish()
}

/**
 * `modelSets` as the partition remembers them: one of them has the offset that the account's standings stand under.
 * @throws UnreadableStateError if the bytes are of an unknown version, cut short, or stand under a model set that is not there
 */
export function decodeAccount(id: string, bytes: Uint8Array, modelSets: readonly ModelSet[]): Account {
  return reading(id, () => {
    const input = new ByteReader(bytes)
    const head = readHead(input, modelSets)
    const activity = createActivity(head.clock)
    for (const [name, override] of head.overrides) activity.overrides.set(name, override)
    for (const [key, count] of head.endedModels) activity.endedModels.set(key, count)
    readActivity(input, activity)
    if (!input.atEnd()) throw new RangeError('there are bytes behind the end')
    const { lastOffset, modelsOffset, dueAt, standings } = head
    return { id, activity, users: createUserBook(), standings, modelsOffset, lastOffset, dueAt }
  })
}

/** The offset of the last record that was applied to an account, from its bytes. @throws UnreadableStateError */
export function lastOffsetIn(id: string, bytes: Uint8Array): number {
  return reading(id, () => {
    const input = new ByteReader(bytes)
    requireVersion(input)
    return input.varint() - 1
  })
}

/** What a reader of scores needs of an account. */
export interface AccountScores {
  readonly clock: number
  readonly lastOffset: number
  readonly dueAt: number
  readonly modelsOffset: number
  readonly overrides: ReadonlyMap<string, Override>
  readonly endedModels: ReadonlyMap<string, number>
  readonly standings: Standing[]
}

/** As `decodeAccount`, without reading the activity. */
export function decodeScores(id: string, bytes: Uint8Array, modelSets: readonly ModelSet[]): AccountScores {
  return reading(id, () => readHead(new ByteReader(bytes), modelSets))
}

function reading<T>(id: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new UnreadableStateError(`state of account ${JSON.stringify(id)}: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

function requireVersion(input: ByteReader): void {
  const version = input.byte()
  if (version !== ACCOUNT_VERSION)
    throw new RangeError(
      `version ${version}, where ${ACCOUNT_VERSION} can be read; empty the store: it is made anew from the log`,
    )
}

function readHead(input: ByteReader, modelSets: readonly ModelSet[]): AccountScores {
  requireVersion(input)
  const lastOffset = input.varint() - 1
  const modelsOffset = input.varint() - 1
  const clock = input.varint()
  const dueAt = readNumber(input)
  const set = modelsOffset < 0 ? NO_MODELS : modelSets.find(({ offset }) => offset === modelsOffset)
  if (set === undefined)
    throw new RangeError(
      `it stands under the models of offset ${modelsOffset}, which the partition does not hold`,
    )
  const count = input.varint()
  if (count !== set.models.length)
    throw new RangeError(`${count} standings under ${set.models.length} models`)
  const overrides = new Map<string, Override>()
  readSorted(input, overrides, () => readOverrideOf(input))
  const endedModels = new Map<string, number>()
  readSorted(input, endedModels, () => input.varint())
  const standings = set.models.map(model =>
    readStanding(input, createStanding(model, 0, { type: 'model' }, endedModels), overrides),
  )
  return { clock, lastOffset, dueAt, modelsOffset, overrides, endedModels, standings }
}

function writeOverrides(out: ByteWriter, overrides: ReadonlyMap<string, Override>): void {
  writeSorted(out, overrides, ({ signalId, reason, author, occurredAt, expiresAt, score, tier, hold }) => {
    for (const text of [signalId, reason, author]) out.text(text)
    out.varint(occurredAt)
    out.varint(expiresAt)
    writeValue(out, score ?? null)
    writeValue(out, tier ?? null)
    out.byte(hold ? 1 : 0)
  })
}

function readOverrideOf(input: ByteReader): Override {
  return {
    signalId: input.text(),
    reason: input.text(),
    author: input.text(),
    occurredAt: input.varint(),
    expiresAt: input.varint(),
    score: (readValue(input) as number | null) ?? undefined,
    tier: (readValue(input) as string | null) ?? undefined,
    hold: input.byte() === 1,
  }
}

function writeStanding(out: ByteWriter, standing: Standing): void {
  const { model } = standing
  for (let slot = 0; slot < model.features.length; slot++) writeValue(out, standing.values[slot] ?? null)
  for (const [i, points] of standing.points.entries()) {
    writeValue(out, points)
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

function readStanding(
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

function writeActivity(out: ByteWriter, activity: AccountActivity): void {
  const { tooOld, names, keys, values } = activity.dropped
  out.varint(activity.firstDay)
  for (const count of [activity.userCount, tooOld, names, keys, values]) out.varint(count)
  writeSorted(out, activity.series, ({ days, hours }) => {
    writeBuckets(out, days)
    writeBuckets(out, hours)
  })
  writeUserDays(out, activity.userDays)
  for (const dimension of DIMENSIONS) {
    writeSorted(out, activity.dimensions[dimension], ({ first, last }) => {
      out.varint(first)
      out.varint(last - first)
    })
  }
  writeSorted(out, activity.latest, latest => {
    writeValue(out, latest.value)
    writeNumber(out, latest.occurredAt)
    out.varint(latest.history.length)
    for (const entry of latest.history) {
      writeNumber(out, entry.value)
      out.varint(entry.occurredAt)
    }
  })
  out.varint(activity.recentIds.size)
  let before = 0
  for (const [id, appliedAt] of activity.recentIds) {
    out.double(id)
    out.varint(appliedAt - before)
    before = appliedAt
  }
}

function readActivity(input: ByteReader, activity: AccountActivity): void {
  activity.firstDay = input.varint()
  activity.userCount = input.varint()
  activity.dropped.tooOld = input.varint()
  activity.dropped.names = input.varint()
  activity.dropped.keys = input.varint()
  activity.dropped.values = input.varint()
  readSorted(input, activity.series, key => ({ key, days: readBuckets(input), hours: readBuckets(input) }))
  activity.activeDays.push(...unionOf(activity.series, 'days'))
  activity.activeHours.push(...unionOf(activity.series, 'hours'))
  readUserDays(input, activity.userDays)
  for (const dimension of DIMENSIONS) {
    readSorted(input, activity.dimensions[dimension], () => {
      const first = input.varint()
      return { first, last: first + input.varint() }
    })
  }
  readSorted(input, activity.latest, () => {
    const value = readValue(input)
    const occurredAt = readNumber(input)
    const history = Array.from({ length: input.varint() }, () => ({
      value: readNumber(input),
      occurredAt: input.varint(),
    }))
    return { value, occurredAt, history }
  })
  let appliedAt = 0
  for (let left = input.varint(); left > 0; left--) {
    const id = input.double()
    appliedAt += input.varint()
    activity.recentIds.set(id, appliedAt)
  }
}

function unionOf(series: ReadonlyMap<string, Series>, unit: 'days' | 'hours'): number[] {
  const union = new Set<number>()
  for (const one of series.values()) for (const at of one[unit].at) union.add(at)
  return [...union].sort((a, b) => a - b)
}

/** Sums are left out where every quantity was 1, which is nearly always. */
function writeBuckets(out: ByteWriter, { at, counts, sums }: Buckets): void {
  const plain = counts.every((count, i) => sums[i] === count * 1000)
  out.varint(at.length * 2 + (plain ? 0 : 1))
  let before = 0
  for (let i = 0; i < at.length; i++) {
    out.varint(at[i]! - before)
    out.varint(counts[i]!)
    if (!plain) out.varint(sums[i]!)
    before = at[i]!
  }
}

function readBuckets(input: ByteReader): Buckets {
  const buckets = createBuckets()
  const head = input.varint()
  const plain = head % 2 === 0
  let at = 0
  for (let left = Math.floor(head / 2); left > 0; left--) {
    at += input.varint()
    const count = input.varint()
    buckets.at.push(at)
    buckets.counts.push(count)
    buckets.sums.push(plain ? count * 1000 : input.varint())
  }
  return buckets
}

/** Users by day, up to the last n that any user has been active on. */
function writeUserDays(out: ByteWriter, userDays: readonly Buckets[]): void {
  let levels = userDays.length
  while (levels > 0 && userDays[levels - 1]!.at.length === 0) levels--
  out.byte(levels)
  for (let n = 0; n < levels; n++) {
    const { at, counts } = userDays[n]!
    out.varint(at.length)
    let before = 0
    for (let i = 0; i < at.length; i++) {
      out.varint(at[i]! - before)
      out.varint(counts[i]!)
      before = at[i]!
    }
  }
}

function readUserDays(input: ByteReader, userDays: Buckets[]): void {
  for (let n = 0, levels = input.byte(); n < levels; n++) {
    const { at, counts, sums } = createBuckets()
    userDays.push({ at, counts, sums })
    let day = 0
    for (let left = input.varint(); left > 0; left--) {
      day += input.varint()
      at.push(day)
      counts.push(input.varint())
      sums.push(0)
    }
  }
}

const BYTES_PER_USER = 14

/** A chunk of users: 14 bytes each, by ascending hash. */
export function encodeUserChunk(chunk: UserChunk): Uint8Array {
  const bytes = new Uint8Array(1 + chunk.users.size * BYTES_PER_USER)
  const view = new DataView(bytes.buffer)
  bytes[0] = CHUNK_VERSION
  let position = 1
  for (const user of [...chunk.users.keys()].sort((a, b) => a - b)) {
    const days = chunk.users.get(user)!
    view.setFloat64(position, user, true)
    view.setUint16(position + 8, lastDayOf(days), true)
    view.setUint32(position + 10, maskOf(days), true)
    position += BYTES_PER_USER
  }
  return bytes
}

/** @throws UnreadableStateError */
export function decodeUserChunk(id: string, bytes: Uint8Array): UserChunk {
  return reading(id, () => {
    if (bytes[0] !== CHUNK_VERSION)
      throw new RangeError(`user chunk of version ${bytes[0]}, where ${CHUNK_VERSION} can be read`)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const users = new Map<number, UserDays>()
    for (let position = 1; position < bytes.length; position += BYTES_PER_USER) {
      const days = packUserDays(view.getUint16(position + 8, true), view.getUint32(position + 10, true))
      users.set(view.getFloat64(position, true), days)
    }
    return { users, changed: false }
  })
}
