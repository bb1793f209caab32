import { describe, expect, test } from 'vitest'
import { dayOfDate } from '../../src/signals/time.ts'

describe('the day of a date', () => {
  const day = Date.UTC(2027, 2, 1) / 86_400_000

  test.each([
    ['a day', '2027-03-01', day],
    ['a time', '2027-03-01T23:59:59-11:00', day],
    ['milliseconds', Date.UTC(2027, 2, 1, 23), day],
    ['the first number that is a date', 1e11, 1157],
    ['the last one', 65_535 * 86_400_000, 65_535],
    ['a text before 1973', '1969-07-20', -165],
  ])('%s', (_, value, expected) => {
    expect(dayOfDate(value)).toBe(expected)
  })

  test.each([
    ['seconds', 1_803_859_200],
    ['microseconds', 1_803_859_200_000_000],
    ['nanoseconds', 1.8038592e18],
    ['days', 20_878],
    ['year, month and day in one number', 20_270_301],
    ['a number just too small', 1e11 - 1],
    ['a number just too large', 65_535 * 86_400_000 + 1],
    ['decimals', 1_803_859_200_000.5],
    ['a negative number', -1_803_859_200_000],
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['no dashes', '20270301'],
    ['another order', '01/03/2027'],
    ['white space before', ' 2027-03-01'],
    ['no such day', '2027-02-29'],
    ['an empty text', ''],
    ['null', null],
    ['true', true],
  ])('%s: none', (_, value) => {
    expect(dayOfDate(value)).toBeUndefined()
  })
})
