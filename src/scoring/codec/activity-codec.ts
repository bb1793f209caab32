import { type AccountActivity, setValues } from '../activity/activity.ts'
import type { Buckets } from '../activity/buckets.ts'
import type { HourTable } from '../activity/hour-table.ts'
import { createSeries } from '../activity/series.ts'
import { DIMENSIONS } from '../definition/feature-definition.ts'
import type { ByteReader, ByteWriter } from './bytes.ts'
import { readDroppedOfVersion2 } from './extras-codec.ts'
import { readNumber, readSorted, readValue, writeNumber, writeSorted, writeValue } from './value-codec.ts'

// The activity in an account's bytes: part of versions 2 and 3 of the codec.

export function writeActivity(out: ByteWriter, activity: AccountActivity): void {
  out.varint(activity.firstDay)
  out.varint(activity.userCount)
  writeSeries(out, activity)
  writeUserDays(out, activity)
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
  writeRecentIds(out, activity)
}

/** @param version of the codec that wrote the bytes */
export function readActivity(input: ByteReader, activity: AccountActivity, version: number): void {
  activity.firstDay = input.varint()
  activity.userCount = input.varint()
  if (version === 2) activity.dropped = readDroppedOfVersion2(input)
  readSeries(input, activity)
  readUserDays(input, activity)
  for (const dimension of DIMENSIONS) {
    const values = readSorted(input, () => {
      const first = input.varint()
      return { first, last: first + input.varint() }
    })
    setValues(activity, dimension, values)
  }
  activity.latest = readSorted(input, () => {
    const value = readValue(input)
    const occurredAt = readNumber(input)
    const history = Array.from({ length: input.varint() }, () => ({
      value: readNumber(input),
      occurredAt: input.varint(),
    }))
    return { value, occurredAt, history }
  })
  readRecentIds(input, activity)
}

function writeSeries(out: ByteWriter, { series, hours }: AccountActivity): void {
  const hoursOf = hours.bySeries()
  out.varint(series.size)
  for (const each of series.list) {
    out.text(each.key)
    writeDays(out, each.days)
    writeHours(out, hours, hoursOf.get(each) ?? NO_HOURS)
  }
}

const NO_HOURS: readonly number[] = []

function readSeries(input: ByteReader, activity: AccountActivity): void {
  const active = new Set<number>()
  for (let left = input.varint(); left > 0; left--) {
    const series = createSeries(input.text())
    activity.series.add(series)
    readBuckets(input, (day, count, sum) => {
      series.days.append(day, count, sum)
      active.add(day)
    })
    readBuckets(input, (hour, count, sum) => activity.hours.put(hour, series, count, sum))
  }
  for (const day of active) activity.activeDays.push(day)
  activity.activeDays.sort((a, b) => a - b)
}

/** Sums are left out if every quantity was 1, which is nearly always so. */
function writeDays(out: ByteWriter, days: Buckets): void {
  const { length } = days
  const plain = days.isPlain()
  out.varint(length * 2 + (plain ? 0 : 1))
  let before = 0
  for (let i = 0; i < length; i++) {
    out.varint(days.at(i) - before)
    out.varint(days.count(i))
    if (!plain) out.varint(days.sum(i))
    before = days.at(i)
  }
}

function writeHours(out: ByteWriter, hours: HourTable, indexes: readonly number[]): void {
  const plain = indexes.every(i => hours.sum(i) === hours.count(i) * 1000)
  out.varint(indexes.length * 2 + (plain ? 0 : 1))
  let before = 0
  for (const i of indexes) {
    out.varint(hours.hour(i) - before)
    out.varint(hours.count(i))
    if (!plain) out.varint(hours.sum(i))
    before = hours.hour(i)
  }
}

function readBuckets(input: ByteReader, add: (at: number, count: number, sum: number) => void): void {
  const head = input.varint()
  const plain = head % 2 === 0
  let at = 0
  for (let left = Math.floor(head / 2); left > 0; left--) {
    at += input.varint()
    const count = input.varint()
    add(at, count, plain ? count * 1000 : input.varint())
  }
}

/** Users by day, for each n up to the highest. */
function writeUserDays(out: ByteWriter, { userDays }: AccountActivity): void {
  const { length } = userDays
  const levels = length === 0 ? 0 : userDays.n(length - 1) + 1
  out.byte(levels)
  for (let n = 0, i = 0; n < levels; n++) {
    const end = userDays.indexFrom(n + 1, 0)
    out.varint(end - i)
    let before = 0
    for (; i < end; i++) {
      const day = userDays.day(i)
      out.varint(day - before)
      out.varint(userDays.count(i))
      before = day
    }
  }
}

function readUserDays(input: ByteReader, { userDays }: AccountActivity): void {
  for (let n = 0, levels = input.byte(); n < levels; n++) {
    let day = 0
    for (let left = input.varint(); left > 0; left--) {
      day += input.varint()
      userDays.append(n, day, input.varint())
    }
  }
}

function writeRecentIds(out: ByteWriter, { recentIds }: AccountActivity): void {
  const { size } = recentIds
  out.varint(size)
  let before = 0
  for (let i = 0; i < size; i++) {
    const appliedAt = recentIds.appliedAt(i)
    out.double(recentIds.id(i))
    out.varint(appliedAt - before)
    before = appliedAt
  }
}

function readRecentIds(input: ByteReader, { recentIds }: AccountActivity): void {
  let appliedAt = 0
  for (let left = input.varint(); left > 0; left--) {
    const id = input.double()
    appliedAt += input.varint()
    recentIds.add(id, appliedAt)
  }
}
