import { execFile } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import type { Finding } from '../sections.ts'
import { number } from './markdown.ts'

export interface FoundSection extends Finding {
  readonly title: string
}

/** Replaces bench/RESULTS.md and its pictures. Returns the path of the page. */
export async function writeResults(found: readonly FoundSection[], machine: string): Promise<string> {
  const pictures = join(PACKAGE_ROOT, 'bench/results')
  await rm(pictures, { recursive: true, force: true })
  await mkdir(pictures, { recursive: true })
  for (const { picture } of found)
    if (picture !== undefined) await writeFile(join(pictures, `${picture.name}.svg`), picture.svg)
  const page = join(PACKAGE_ROOT, 'bench/RESULTS.md')
  await writeFile(page, renderResults(found, machine))
  return page
}

export function renderResults(found: readonly FoundSection[], machine: string): string {
  const words = process.argv
    .slice(2)
    .join(' ')
    .replace(/--peer[ =]\S+/, '--peer DIR')
  return [
    '# Results',
    '',
    `Made by \`npm run bench -- ${words}\`; changes by hand are lost with the next run. [README.md](README.md) says what is timed.`,
    '',
    machine,
    '',
    ...found.flatMap(({ title, markdown, picture }) => [
      `## ${title}`,
      '',
      ...(picture === undefined ? [] : [`![${title}](results/${picture.name}.svg)`, '']),
      markdown.trimEnd(),
      '',
    ]),
  ].join('\n')
}

/** One line that describes the machine and the version. */
export async function describeMachine(loadBefore: number, loadAfter: number): Promise<string> {
  const day = new Date().toISOString().slice(0, 10)
  const memory = number(totalmem() / 2 ** 30)
  return (
    `${day}, ${await describeCommit()}, Node ${process.version}, ${availableParallelism()} cores of ${cpus()[0]?.model ?? 'an unknown kind'}, ` +
    `${memory} GiB, shared with the broker, Redis and whatever sends and reads; load ${loadBefore.toFixed(1)} before, ${loadAfter.toFixed(1)} after. ` +
    'Where there are several rounds: the median, and in brackets the range.'
  )
}

async function describeCommit(): Promise<string> {
  const git = async (...words: string[]): Promise<string> =>
    (await promisify(execFile)('git', ['-C', PACKAGE_ROOT, ...words])).stdout.trim()
  try {
    const commit = await git('rev-parse', '--short', 'HEAD')
    const changed = await git('status', '--porcelain', '--', 'src', 'bench/rolling-score.yaml')
    return `commit ${commit}${changed === '' ? '' : ' with changes'}`
  } catch {
    return 'no git'
  }
}
