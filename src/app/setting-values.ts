import { existsSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import { LEAST_MEMORY_MIB } from './memory-budget.ts'

// Values of settings. Each function returns the value of a text, or throws an Error that says what is
// accepted.

export function text(value: string): string {
  return value
}

export function listOf(parse: (item: string) => string): (value: string) => readonly string[] {
  return value =>
    value
      .split(',')
      .map(item => item.trim())
      .filter(item => item !== '')
      .map(parse)
}

/** Relative paths that do not exist in the working directory are looked for in `packageRoot`. */
export function modelPaths(packageRoot: string): (value: string) => readonly string[] {
  return value => {
    const paths = listOf(text)(value)
    if (paths.length === 0) throw new Error('at least one file or folder is accepted')
    return paths.map(path => {
      if (isAbsolute(path) || existsSync(path)) return path
      const shipped = resolve(packageRoot, path)
      return existsSync(shipped) ? shipped : path
    })
  }
}

export function hostAndPort(value: string): string {
  const match = /^[^\s:/@]+:(\d{1,5})$/.exec(value)
  if (match === null || Number(match[1]) < 1 || Number(match[1]) > 65_535)
    throw new Error('host:port is accepted, several separated by commas')
  return value
}

export function redisUrl(value: string): string {
  if (!/^rediss?:\/\//.test(value) || !URL.canParse(value))
    throw new Error('a URL such as redis://127.0.0.1:6379 or rediss://user:password@host:6380/0 is accepted')
  return value
}

export function wholeNumber(least: number, most: number): (value: string) => number {
  return value => {
    const number = Number(value)
    if (!/^\d+$/.test(value) || number < least || number > most)
      throw new Error(`a whole number from ${least} to ${most} is accepted`)
    return number
  }
}

/** 0: not set. */
export function memory(value: string): number {
  if (value === '0') return 0
  try {
    return wholeNumber(LEAST_MEMORY_MIB, 1_048_576)(value)
  } catch {
    throw new Error(`0, or a whole number of MiB from ${LEAST_MEMORY_MIB} to 1048576, is accepted`)
  }
}

export function name(value: string): string {
  if (!/^[A-Za-z0-9._-]{1,100}$/.test(value))
    throw new Error('1 to 100 letters, digits, dots, underscores and hyphens are accepted')
  return value
}

export function optionalName(value: string): string {
  return value === '' ? value : name(value)
}

export function trueOrFalse(value: string): boolean {
  if (value !== 'true' && value !== 'false') throw new Error('true or false is accepted')
  return value === 'true'
}

export function oneOf<T extends string>(accepted: readonly T[]): (value: string) => T {
  return value => {
    if (!(accepted as readonly string[]).includes(value))
      throw new Error(`one of ${accepted.join(', ')} is accepted`)
    return value as T
  }
}
