import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ByteReader, ByteWriter } from '../../src/scoring/bytes.ts'

function throughBytes(text: string): string {
  const writer = new ByteWriter()
  writer.text(text)
  return new ByteReader(writer.finish()).text()
}

test('a text comes back as it was, whatever it begins with', () => {
  expect(throughBytes('\uFEFFSales')).toBe('\uFEFFSales')
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), text => {
      expect(throughBytes(text)).toBe(text)
    }),
  )
})
