import { type RebuildOptions, rebuild } from '../../src/commands/rebuild.ts'
import { type ReplayOptions, replay } from '../../src/commands/replay/replay.ts'
import { collectGarbage, peakRssBytes, startClock, type Usage } from '../machine/measure.ts'

export type Command =
  | { readonly name: 'rebuild'; readonly options: RebuildOptions }
  | { readonly name: 'replay'; readonly options: ReplayOptions }

export interface CommandUsage extends Usage {
  readonly peakRssBytes: number
}

/**
 * Runs `upswell rebuild` or `upswell replay` once, in its own process: `node --expose-gc
 * dist/bench/rebuild/command-run.js COMMAND`, with the command as JSON. The settings are in the environment.
 * Sends its usage to the parent process.
 */
const { name, options } = JSON.parse(process.argv[2]!) as Command
collectGarbage()
const readClock = startClock()
process.exitCode = name === 'rebuild' ? await rebuild(options) : await replay(options)
const usage: CommandUsage = { ...readClock(), peakRssBytes: peakRssBytes() }
process.send?.(usage)
process.disconnect?.()
