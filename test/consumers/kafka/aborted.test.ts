import { expect, it } from 'vitest'
import {
  type AbortedTransaction,
  type FetchedMessage,
  markAborted,
} from '../../../src/consumers/kafka/aborted.ts'

/**
 * A log as a row of `producer value`; `!` is the producer's abort marker, `.` its commit marker; a producer in lower case writes without transactions. The list is
 * what the broker says was aborted, `producer first offset`.
 */
it.each([
  ['nothing aborted', 'A1 A2 A. B3 B.', [], '1 2 3'],
  ['one aborted', 'A1 A2 A! B3 B.', ['A 0'], '3'],
  ['the same producer, before and after', 'A1 A. A2 A! A3 A.', ['A 2'], '1 3'],
  ['the same producer twice', 'A1 A! A2 A. A3 A!', ['A 0', 'A 4'], '2'],
  ['overlapping, listed as they ended', 'A1 B2 A3 B! A4 A! C5 C.', ['B 1', 'A 0'], '5'],
  ['overlapping with one that is committed', 'A1 B2 C3 A4 B! C5 A! C.', ['B 1', 'A 0'], '3 5'],
  ['a fetch that begins within two of them', 'B2 A3 B! A! A4 A.', ['B -7', 'A -9'], '4'],
  ['a producer without transactions among them', 'A1 b2 A3 A!', ['A 0', 'b 1'], '2'],
  ['the end of it not fetched yet', 'A1 B2 A3', ['A 0'], '2'],
])('leaves out what was aborted, and nothing else: %s', (_, log, list, expected) => {
  const messages = log.split(' ').map(readMessage)
  const partition = { messages, abortedTransactions: list.map(readTransaction) }
  markAborted(partition)
  const handedOver = messages.filter(({ isControlRecord }) => !isControlRecord)
  expect(handedOver.map(({ value }) => value).join(' ')).toBe(expected)
  expect(partition.abortedTransactions).toEqual([])
})

function readMessage(text: string, offset: number): FetchedMessage & { readonly value: string } {
  const [producerId, value] = [text[0]!, text.slice(1)]
  const isControlBatch = value === '!' || value === '.'
  return {
    offset: String(offset),
    value,
    key: isControlBatch ? Buffer.from([0, 0, 0, value === '!' ? 0 : 1]) : Buffer.alloc(4),
    isControlRecord: isControlBatch,
    batchContext: { producerId, inTransaction: producerId === producerId.toUpperCase(), isControlBatch },
  }
}

function readTransaction(text: string): AbortedTransaction {
  const [producerId, firstOffset] = text.split(' ')
  return { producerId: producerId!, firstOffset: firstOffset! }
}
