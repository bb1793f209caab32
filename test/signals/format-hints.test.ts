import { expect, test } from 'vitest'
import { parseSignal } from '../../src/signals/parse-signal.ts'

const rejectionOf = (value: Uint8Array | string, place: 'edge' | 'log', defaultKind?: 'usage') => {
  const parsed = parseSignal(Buffer.from(value as string), { observedAt: 0, defaultKind, place })
  return 'rejection' in parsed ? parsed.rejection : undefined
}

const PLAIN =
  'Upswell reads plain JSON: let the producer use a JSON serializer without a schema registry, or convert the records'

test("says that a value looks like Confluent's wire format, with the schema id", () => {
  for (const data of [Buffer.from([6, 0xff, 0xc3]), Buffer.from('{"id":"e-1"}'), Buffer.alloc(0)]) {
    const value = Buffer.concat([Buffer.from([0, 0, 1, 0, 7]), data])
    for (const place of ['edge', 'log'] as const)
      expect(rejectionOf(value, place)).toEqual({
        code: 'not-json',
        detail: `the value is not JSON: it looks like Confluent's wire format, schema id 65543. ${PLAIN}`,
      })
  }
  const largest = Buffer.from([0, 0xff, 0xff, 0xff, 0xff])
  expect(rejectionOf(largest, 'edge')!.detail).toContain('schema id 4294967295.')
})

test('says that a value looks like the wire format of AWS Glue', () => {
  const uuid = 'b7b4a7f09c964e4aa68700de9d0d5f4a'
  for (const compression of ['00', '05']) {
    const value = Buffer.from(`03${compression}${uuid}0c2a`, 'hex')
    expect(rejectionOf(value, 'edge')!.detail).toBe(
      `the value is not JSON: it looks like the wire format of AWS Glue, schema version b7b4a7f0-9c96-4e4a-a687-00de9d0d5f4a. ${PLAIN}`,
    )
  }
})

test('gives no hint about other bytes, and shows them without control characters', () => {
  for (const value of [[0], [0, 0, 0, 1], [3, 0, 1], [1, 0, 0, 0, 7, 9], [0x7b, 0x00, 0x1b, 0x7f]]) {
    const { code, detail } = rejectionOf(Buffer.from(value), 'edge')!
    expect(code).toBe('not-json')
    expect(detail).toMatch(/^the value is not JSON: [ -~]+$/)
    expect(detail).not.toContain('looks like')
  }
})

test("says that an object looks like the envelope of Connect's JsonConverter", () => {
  const envelope = JSON.stringify({ schema: { type: 'struct' }, payload: { id: 'e-1', kind: 'usage' } })
  const hint =
    "it looks like the envelope {schema, payload} of Kafka Connect's JsonConverter. " +
    'Set value.converter.schemas.enable=false in the connector, or send the payload alone'
  expect(rejectionOf(envelope, 'edge', 'usage')).toEqual({
    code: 'unknown-field',
    detail: `schema and payload are not fields of a signal: ${hint}`,
  })
  expect(rejectionOf(envelope, 'log')).toEqual({
    code: 'missing-field',
    detail: `kind is missing; ${hint}`,
  })
  for (const other of [{ schema: {} }, { payload: {} }, { schema: {}, payload: {}, id: 'e-1' }])
    expect(rejectionOf(JSON.stringify(other), 'edge')!.detail).not.toContain('looks like')
})
