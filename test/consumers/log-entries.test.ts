import { expect, test } from 'vitest'
import type { LogRecord } from '../../src/consumers/log.ts'
import { decodeRecord } from '../../src/consumers/log-entries.ts'
import { ModelLibrary } from '../../src/models/model-library.ts'

function record(kind: string, value: string | null, timestamp = 1_800_000_000_000): LogRecord {
  return {
    topic: 'signals',
    partition: 0,
    offset: 7,
    timestamp,
    key: null,
    value: value === null ? null : Buffer.from(value),
    headers: { 'upswell-record': Buffer.from(kind) },
  }
}

const TICK = { slice: 0, of: 2, scope: 'due', clock: 'wall' }

test('a tick is read', () => {
  expect(decodeRecord(record('tick', JSON.stringify(TICK)), new ModelLibrary())).toEqual({
    entry: { type: 'tick', offset: 7, timestamp: 1_800_000_000_000, ...TICK },
  })
})

test.each([
  ['tick', null],
  ['tick', ''],
  ['tick', '{'],
  ['tick', '[]'],
  ['tick', JSON.stringify({ ...TICK, slice: 2 })],
  ['tick', JSON.stringify({ ...TICK, slice: -1 })],
  ['tick', JSON.stringify({ ...TICK, of: 0.5 })],
  ['tick', JSON.stringify({ ...TICK, scope: 'some' })],
  ['tick', JSON.stringify({ ...TICK, clock: undefined })],
  ['models', null],
  ['models', '{}'],
  ['models', '[null]'],
  ['models', '[{"file":"a.yaml"}]'],
])('what a stranger calls a %s, %s, goes to dead-letter and stops nothing', (kind, value) => {
  expect(decodeRecord(record(kind, value), new ModelLibrary())).toMatchObject({
    rejection: { code: 'invalid-field', detail: expect.stringContaining(`says ${kind}`) },
  })
})

test('a tick of the far future goes there too: it would push every clock', () => {
  expect(decodeRecord(record('tick', JSON.stringify(TICK), 1e16), new ModelLibrary())).toMatchObject({
    rejection: { code: 'invalid-time' },
  })
})
