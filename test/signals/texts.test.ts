import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import {
  BLANK_PATTERN,
  isBlank,
  quoted,
  TIDY_PATTERN,
  untidiness,
  VISIBLE_PATTERN,
  withoutControls,
} from '../../src/signals/texts.ts'

/** Every UTF-16 code unit, as a text of its own. */
const UNITS = Array.from({ length: 0x1_0000 }, (_, code) => String.fromCharCode(code))
const ZERO_WIDTH = ['\u200b', '\u2060', '\ufeff']

test('blank is what Unicode calls white space or control, and three characters without width', () => {
  const expected = UNITS.filter(
    unit => /[\p{White_Space}\p{Control}]/u.test(unit) || ZERO_WIDTH.includes(unit),
  )
  expect(UNITS.filter(isBlank)).toEqual(expected)
  expect(['', ' \t\ufeff', 'a', ' a ', '🜁', '\ud800'].map(isBlank)).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
  ])
})

describe('an untidy text', () => {
  test.each([
    ['', 'is blank'],
    [' \n', 'is blank'],
    ['ac\u0000me', 'holds a control character'],
    ['ac\u2029me', 'holds a control character'],
    ['acme\n', 'holds a control character'],
    [' acme', 'begins or ends with white space or an invisible character'],
    ['acme\u200b', 'begins or ends with white space or an invisible character'],
    ['ac me', undefined],
    ['ac\u200bme', undefined],
    ['🜁', undefined],
  ])('%j: %s', (text, why) => {
    expect(untidiness(text)).toBe(why)
  })

  test('is what the pattern of the schemas refuses, with any character in any place', () => {
    // Validators compile patterns with the flag u.
    const pattern = new RegExp(TIDY_PATTERN, 'u')
    const differing = UNITS.flatMap(unit => [unit, `${unit}a`, `a${unit}a`, `a${unit}`]).filter(
      text => pattern.test(text) !== (untidiness(text) === undefined),
    )
    expect(differing).toEqual([])
  })
})

test('a schema for blank texts refuses what the schema for others accepts', () => {
  const [blank, visible] = [new RegExp(BLANK_PATTERN, 'u'), new RegExp(VISIBLE_PATTERN, 'u')]
  const texts = UNITS.flatMap(unit => [unit, `${unit} `])
  expect(texts.filter(text => blank.test(text) !== isBlank(text))).toEqual([])
  expect(texts.filter(text => visible.test(text) === isBlank(text))).toEqual([])
})

test('the published schema has the same patterns', () => {
  const published = readFileSync(join(PACKAGE_ROOT, 'schemas/signal.schema.json'), 'utf8')
  const { $defs } = JSON.parse(published) as { $defs: Record<string, { pattern: string }> }
  // The file writes the characters as escapes of a pattern, as the code does.
  expect([$defs['tidy']!.pattern, $defs['blank']!.pattern, $defs['visible']!.pattern]).toEqual([
    TIDY_PATTERN,
    BLANK_PATTERN,
    VISIBLE_PATTERN,
  ])
})

test('a quoted text shows what nobody would see', () => {
  expect(quoted('\ufeffacme \u00a0\u0085"\n')).toBe('"\\ufeffacme \\u00a0\\u0085\\"\\n"')
})

test('a text without controls shows them as escapes, and leaves all letters as they are', () => {
  const acting = '\u0000\t\n\u001b\u007f\u009b\u200b\u202e\u2028\ufeff\u{e0001}'
  expect(withoutControls(`"${acting}" é 株 🜁 e\u0301`)).toBe(
    '"\\u0000\\u0009\\u000a\\u001b\\u007f\\u009b\\u200b\\u202e\\u2028\\ufeff\\udb40\\udc01" é 株 🜁 e\u0301',
  )
})
