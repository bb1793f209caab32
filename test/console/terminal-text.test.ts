import { describe, expect, test } from 'vitest'
import { column, cutText, plainText, textWidth } from '../../src/console/terminal-text.ts'

describe('plain text', () => {
  test.each([
    ['an ordinary name stays', 'Northwind Robotics', 'Northwind Robotics'],
    ['letters of any script stay', 'Žižkov 株式会社 Öl', 'Žižkov 株式会社 Öl'],
    ['colours go, with their letters', 'a\u001b[31mred\u001b[0mb', 'aredb'],
    ['the one-byte form of an escape goes too', 'a\u009b2Jb', 'ab'],
    ['a terminal title is not set', '\u001b]0;owned\u0007name', 'name'],
    ['a lone escape goes', 'a\u001bb', 'ab'],
    ['lines and tabs become spaces', ' one\r\n\ttwo ', 'one two'],
    ['the line separators of Unicode too', 'one\u2028two\u2029three', 'one two three'],
    ['the direction of writing is not turned', 'abc\u202edef\u2066g', 'abcdefg'],
    ['invisible characters go', 'a\u200bb\ufeffc\u0000d', 'abcd'],
    ['half a character is replaced', 'a\ud800b', 'a\ufffdb'],
    ['piled marks are cut down to three', `Z${'\u0301'.repeat(50)}x`, `Z${'\u0301'.repeat(3)}x`],
  ])('%s', (_, text, plain) => {
    expect(plainText(text)).toBe(plain)
  })
})

describe('width', () => {
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

test('a text that fits is not cut', () => {
  expect(cutText('株式会社', 8)).toBe('株式会社')
})

test('a text is cut between characters, never in one', () => {
  expect(cutText('株式会社', 7)).toBe('株式会…')
  expect(cutText('株式会社', 6)).toBe('株式…')
  expect(cutText('a🚀b', 2)).toBe('a…')
  expect(cutText('abc', 0)).toBe('')
})

test('no space is left before the ellipsis', () => {
  expect(cutText('one two', 5)).toBe('one…')
})

test('a column is as wide as asked, whatever is in it', () => {
  for (const text of ['', 'abc', '株式会社', 'a very long name']) {
    for (let width = 1; width < 12; width++) {
      expect(textWidth(column(text, width))).toBe(width)
      expect(textWidth(column(text, width, 'right'))).toBe(width)
    }
  }
})

test('a column fills behind, or in front', () => {
  expect(column('ab', 4)).toBe('ab  ')
  expect(column('ab', 4, 'right')).toBe('  ab')
})
