import { describe, expect, test } from 'vitest'
import { column, cutText, plainText, textWidth } from '../../src/console/terminal-text.ts'

describe('plainText', () => {
  test.each([
    ['keeps an ordinary name', 'Northwind Robotics', 'Northwind Robotics'],
    ['keeps letters of any script', 'Žižkov 株式会社 Öl', 'Žižkov 株式会社 Öl'],
    ['removes colours with their letters', 'a\u001b[31mred\u001b[0mb', 'aredb'],
    ['removes the one-byte form of an escape', 'a\u009b2Jb', 'ab'],
    ['removes a terminal title', '\u001b]0;owned\u0007name', 'name'],
    ['removes a lone escape', 'a\u001bb', 'ab'],
    ['turns newlines and tabs into spaces', ' one\r\n\ttwo ', 'one two'],
    ['turns the line separators of Unicode into spaces', 'one\u2028two\u2029three', 'one two three'],
    ['removes changes of the direction of writing', 'abc\u202edef\u2066g', 'abcdefg'],
    ['removes invisible characters', 'a\u200bb\ufeffc\u0000d', 'abcd'],
    ['replaces half a character', 'a\ud800b', 'a\ufffdb'],
    ['keeps three of many marks on one letter', `Z${'\u0301'.repeat(50)}x`, `Z${'\u0301'.repeat(3)}x`],
  ])('%s', (_, text, plain) => {
    expect(plainText(text)).toBe(plain)
  })
})

describe('textWidth', () => {
  test.each([
    ['', 0],
    ['abc', 3],
    ['Öl', 2],
    ['O\u0308l', 2],
    ['株式会社', 8],
    ['한국', 4],
    ['ＡＢ', 4],
    ['🚀', 2],
    ['☁️', 2],
    ['→ ▲ …', 5],
    ['\u0301', 0],
  ])('of %j is %i columns', (text, width) => {
    expect(textWidth(text)).toBe(width)
  })
})

test('cutText keeps a text that fits', () => {
  expect(cutText('株式会社', 8)).toBe('株式会社')
})

test('cutText cuts between characters, never inside one', () => {
  expect(cutText('株式会社', 7)).toBe('株式会…')
  expect(cutText('株式会社', 6)).toBe('株式…')
  expect(cutText('a🚀b', 2)).toBe('a…')
  expect(cutText('abc', 0)).toBe('')
})

test('cutText leaves no space before the ellipsis', () => {
  expect(cutText('one two', 5)).toBe('one…')
})

test('column gives exactly the width, whatever the text', () => {
  for (const text of ['', 'abc', '株式会社', 'a very long name']) {
    for (let width = 1; width < 12; width++) {
      expect(textWidth(column(text, width))).toBe(width)
      expect(textWidth(column(text, width, 'right'))).toBe(width)
    }
  }
})

test('column fills after or before the text', () => {
  expect(column('ab', 4)).toBe('ab  ')
  expect(column('ab', 4, 'right')).toBe('  ab')
})
