import type { Override } from '../../signals/override.ts'
import { type Account, type ModelSet, NO_MODELS } from '../account.ts'
import { createActivity, type DroppedCounts } from '../activity/activity.ts'
import { ManyIds } from '../activity/many-ids.ts'
import { createUserBook } from '../activity/users.ts'
import { createStanding, type Standing } from '../standing.ts'
import { readActivity, writeActivity } from './activity-codec.ts'
import { ByteReader, ByteWriter } from './bytes.ts'
import { type Extras, NO_EXTRAS, readExtras, writeExtras } from './extras-codec.ts'
import { readStanding, writeStanding } from './standing-codec.ts'
import { readNumber, readSorted, readValue, writeNumber, writeSorted, writeValue } from './value-codec.ts'

// Accounts as compact, canonical bytes: equal state, equal bytes. The version comes first. A version that has
// shipped is never edited: add the next one, and read the old one too. Version 1 was never shipped.
// Version 3:
//
//   byte                     version
//   varint × 3               lastOffset + 1, modelsOffset + 1, clock
//   number, varint           dueAt, number of standings
//   sorted maps              overrides, endedModels
//   extras-codec.ts          what few accounts have
//   standing-codec.ts        each standing
//   activity-codec.ts        the activity
//
// Version 2 has no extras. In its activity, four counts of what was dropped follow the number of users.
const ACCOUNT_VERSION = 3
const OLDEST_VERSION = 2

export class UnreadableStateError extends Error {}

/** @param out to encode many accounts, make one writer for all of them */
export function encodeAccount(account: Account, out = new ByteWriter()): Uint8Array {
  out.restart()
  out.byte(ACCOUNT_VERSION)
  out.varint(account.lastOffset + 1)
  out.varint(account.modelsOffset + 1)
  out.varint(account.activity.clock)
  writeNumber(out, account.dueAt)
  out.varint(account.standings.length)
  writeOverrides(out, account.activity.overrides)
  writeSorted(out, account.activity.endedModels, count => out.varint(count))
  writeExtras(out, account)
  for (const standing of account.standings) writeStanding(out, standing)
  writeActivity(out, account.activity)
  return out.finish()
}

/**
 * @param modelSets the partition's: one of them has the account's `modelsOffset`
 * @throws UnreadableStateError the version is unknown, the bytes are cut, or the model set is missing
 */
export function decodeAccount(id: string, bytes: Uint8Array, modelSets: readonly ModelSet[]): Account {
  return reading(id, () => {
    const input = new ByteReader(bytes)
    const head = readHead(input, modelSets)
    const activity = createActivity(head.clock)
    activity.overrides = head.overrides
    activity.endedModels = head.endedModels
    activity.dropped = head.dropped
    activity.formerTiers = head.formerTiers
    if (head.manyIdsAppliedAt !== undefined) activity.manyIds = new ManyIds(head.manyIdsAppliedAt)
    readActivity(input, activity, head.version)
    if (!input.atEnd()) throw new RangeError('there are bytes after the end')
    const { lastOffset, modelsOffset, dueAt, historyOffset, standings } = head
    return {
      id,
      activity,
      users: createUserBook(),
      standings,
      modelsOffset,
      lastOffset,
      dueAt,
      historyOffset,
    }
  })
}

/**
 * The offset of the last record that was applied to an account, from its bytes.
 * @throws UnreadableStateError
 */
export function lastOffsetIn(id: string, bytes: Uint8Array): number {
  return reading(id, () => {
    const input = new ByteReader(bytes)
    readVersion(input)
    return input.varint() - 1
  })
}

/** The clock of an account, ms, from its bytes. @throws UnreadableStateError */
export function clockIn(id: string, bytes: Uint8Array): number {
  return reading(id, () => {
    const input = new ByteReader(bytes)
    readVersion(input)
    input.varint()
    input.varint()
    return input.varint()
  })
}

/** An account without its activity and users: enough to read its scores. */
export interface AccountScores {
  readonly clock: number
  readonly lastOffset: number
  readonly dueAt: number
  readonly modelsOffset: number
  readonly overrides: ReadonlyMap<string, Override>
  readonly endedModels: ReadonlyMap<string, number>
  /** In accounts of version 2 the activity holds them, and here they are 0. */
  readonly dropped: DroppedCounts
  readonly formerTiers: ReadonlyMap<string, string>
  /** −1 in accounts of version 2. */
  readonly historyOffset: number
  readonly standings: Standing[]
}

/** Whether an older version of Upswell wrote the bytes, in a format that can still be read. */
export function isOlderFormat(bytes: Uint8Array): boolean {
  return bytes[0]! >= OLDEST_VERSION && bytes[0]! < ACCOUNT_VERSION
}

/** As `decodeAccount`, without the activity. */
export function decodeScores(id: string, bytes: Uint8Array, modelSets: readonly ModelSet[]): AccountScores {
  return reading(id, () => readHead(new ByteReader(bytes), modelSets))
}

/** Turns any error of `read` into one that names the account. @throws UnreadableStateError */
export function reading<T>(id: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new UnreadableStateError(`state of account ${JSON.stringify(id)}: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

function readVersion(input: ByteReader): number {
  const version = input.byte()
  if (version < OLDEST_VERSION || version > ACCOUNT_VERSION)
    throw new RangeError(
      `version ${version}, where ${OLDEST_VERSION} to ${ACCOUNT_VERSION} can be read; empty the store, and it is rebuilt from the log`,
    )
  return version
}

interface Head extends AccountScores, Extras {
  readonly version: number
}

function readHead(input: ByteReader, modelSets: readonly ModelSet[]): Head {
  const version = readVersion(input)
  const lastOffset = input.varint() - 1
  const modelsOffset = input.varint() - 1
  const clock = input.varint()
  const dueAt = readNumber(input)
  const set = modelsOffset < 0 ? NO_MODELS : modelSets.find(({ offset }) => offset === modelsOffset)
  if (set === undefined)
    throw new RangeError(
      `its standings belong to the models of offset ${modelsOffset}, which the partition does not hold`,
    )
  const count = input.varint()
  if (count !== set.models.length)
    throw new RangeError(`it has ${count} standings for ${set.models.length} models`)
  const overrides = readSorted(input, () => readOverrideOf(input))
  const endedModels = readSorted(input, () => input.varint())
  const extras = version >= 3 ? readExtras(input) : NO_EXTRAS
  const standings = set.models.map(model =>
    readStanding(input, createStanding(model, 0, { type: 'model' }, endedModels), overrides),
  )
  return { version, clock, lastOffset, dueAt, modelsOffset, overrides, endedModels, ...extras, standings }
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
