import { DAY_MS, HOUR_MS } from './time.ts'

const ZERO = 48
const NINE = 57
const FRACTION_DIGITS = 9

/** ms since 1970, cut to whole ms. Undefined: the text is not an RFC 3339 time, or its day does not exist. */
export function parseRfc3339(text: string): number | undefined {
  const day = dayOfCivil(digits(text, 0, 4), digits(text, 5, 2), digits(text, 8, 2))
  const [hour, minute, second] = [digits(text, 11, 2), digits(text, 14, 2), digits(text, 17, 2)]
  const isPunctuated =
    text[4] === '-' && text[7] === '-' && isOneOf(text[10], 'Tt ') && text[13] === ':' && text[16] === ':'
  if (!isPunctuated || day === undefined) return undefined
  // 60 is a leap second.
  if (!isWithin(hour, 23) || !isWithin(minute, 59) || !isWithin(second, 60)) return undefined

  const fractionDigits = text[19] === '.' ? countDigits(text, 20) : undefined
  if (fractionDigits === 0 || (fractionDigits ?? 0) > FRACTION_DIGITS) return undefined
  const offset = offsetMinutes(text, fractionDigits === undefined ? 19 : 20 + fractionDigits)
  if (offset === undefined) return undefined
  const ms = fractionDigits === undefined ? 0 : wholeMs(text, fractionDigits)
  return day * DAY_MS + hour * HOUR_MS + (minute - offset) * 60_000 + second * 1000 + ms
}

/**
 * Days since 1970, in the proleptic Gregorian calendar. Undefined: the day does not exist, or its year is not
 * within 100 to 9999.
 */
export function dayOfCivil(year: number, month: number, day: number): number | undefined {
  if (!(year >= 100 && year <= 9999 && month >= 1 && month <= 12 && day >= 1)) return undefined
  if (day > daysInMonth(year, month)) return undefined
  // Years begin on 1 March here, so that the leap day comes last.
  // From 0000-03-01 to 1970-01-01 there are 719,468 days.
  const marchYear = month > 2 ? year : year - 1
  const marchMonth = month > 2 ? month - 3 : month + 9
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400)
  return marchYear * 365 + leapDays + Math.floor((153 * marchMonth + 2) / 5) + day - 1 - 719_468
}

function daysInMonth(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
}

/** The number in `count` digits; NaN: one of them is not a digit. */
function digits(text: string, from: number, count: number): number {
  let number = 0
  for (let at = from; at < from + count; at++) {
    const code = text.charCodeAt(at)
    if (!(code >= ZERO && code <= NINE)) return Number.NaN
    number = number * 10 + code - ZERO
  }
  return number
}

function countDigits(text: string, from: number): number {
  let at = from
  while (isWithin(digits(text, at, 1), 9)) at++
  return at - from
}

/** The first three digits of the fraction, which begins at index 20. */
function wholeMs(text: string, fractionDigits: number): number {
  if (fractionDigits === 1) return digits(text, 20, 1) * 100
  return fractionDigits === 2 ? digits(text, 20, 2) * 10 : digits(text, 20, 3)
}

/** Reads the offset, which must be the rest of the text. */
function offsetMinutes(text: string, from: number): number | undefined {
  if (isOneOf(text[from], 'Zz')) return text.length === from + 1 ? 0 : undefined
  const [hour, minute] = [digits(text, from + 1, 2), digits(text, from + 4, 2)]
  const isOffset = isOneOf(text[from], '+-') && text[from + 3] === ':' && text.length === from + 6
  if (!isOffset || !isWithin(hour, 23) || !isWithin(minute, 59)) return undefined
  return (text[from] === '-' ? -1 : 1) * (hour * 60 + minute)
}

function isOneOf(character: string | undefined, accepted: string): boolean {
  return character !== undefined && accepted.includes(character)
}

/** False for NaN. */
function isWithin(number: number, highest: number): boolean {
  return number >= 0 && number <= highest
}
