import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ByteReader, ByteWriter } from '../../../src/scoring/codec/bytes.ts'

function throughBytes(text: string): string {
  const writer = new ByteWriter()
  writer.text(text)
  return new ByteReader(writer.finish()).text()
}

test('reads a text back unchanged, whatever it begins with', () => {
  expect(throughBytes('\uFEFFSales')).toBe('\uFEFFSales')
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), text => {
      expect(throughBytes(text)).toBe(text)
    }),
  )
})

test('keeps a finished result unchanged, however much is written after it', () => {
  const writer = new ByteWriter()
  const sizes = fc.array(fc.oneof(fc.nat(60), fc.integer({ min: 3_000, max: 5_000 }), fc.nat(90_000)), {
    maxLength: 60,
  })
  fc.assert(
    fc.property(sizes, lengths => {
      const written = lengths.map((length, i) => {
        writer.restart()
        // Dropped by the restart.
        writer.double(i)
        writer.restart()
        for (let at = 0; at < length; at++) writer.byte((at + i) & 255)
        return writer.finish()
      })
      for (const [i, bytes] of written.entries()) {
        expect(bytes.length).toBe(lengths[i])
        expect(bytes.every((byte, at) => byte === ((at + i) & 255))).toBe(true)
      }
    }),
    { numRuns: 30 },
  )
})
