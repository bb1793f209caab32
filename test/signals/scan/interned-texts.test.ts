import fc from 'fast-check'
import { expect, test } from 'vitest'
import { InternedNames, InternedTexts } from '../../../src/signals/scan/interned-texts.ts'

const TEXT = fc.constantFrom('a', 'b', 'ab', 'ba', 'report.exported', 'x'.repeat(64), 'x'.repeat(65))
/** Many share one of 4 slots; some also share the hash. */
const ASKED = fc.array(
  fc.tuple(TEXT, fc.constantFrom('usage' as const, 'intent' as const, 'outcome' as const), fc.nat(5)),
)

test('returns the text or name that was asked for, even if several share a slot', () => {
  fc.assert(
    fc.property(ASKED, asked => {
      const texts = new InternedTexts(4)
      const names = new InternedNames(4)
      for (const [text, kind, hash] of asked) {
        const bytes = Buffer.from(`"${text}"`)
        expect(texts.textOf(hash, bytes, 1, 1 + text.length)).toBe(text)
        expect(names.nameOf(kind, hash, bytes, 1, 1 + text.length)).toEqual({
          kind,
          name: text,
          seriesKey: `${kind}:${text}`,
        })
      }
    }),
  )
})

test('returns the same object for a repeated name, unless the name is long', () => {
  const names = new InternedNames(4)
  const nameOf = (name: string) => names.nameOf('usage', 7, Buffer.from(name), 0, name.length)
  expect(nameOf('report.exported')).toBe(nameOf('report.exported'))
  expect(nameOf('x'.repeat(65))).not.toBe(nameOf('x'.repeat(65)))
})
