import { type RebuildOptions, rebuild } from '../src/commands/rebuild.ts'
import { collectGarbage, peakRssBytes, startClock, type Usage } from './measure.ts'

export interface RebuildUsage extends Usage {
  readonly peakRssBytes: number
}

/**
 * One `upswell rebuild`, in a process of its own: `node --expose-gc dist/bench/rebuild-run.js OPTIONS`, where OPTIONS are the command's as JSON; the settings are those of
 * the environment. Tells what it took to the process that forked it.
 */
collectGarbage()
const readClock = startClock()
process.exitCode = await rebuild(JSON.parse(process.argv[2]!) as RebuildOptions)
const usage: RebuildUsage = { ...readClock(), peakRssBytes: peakRssBytes() }
process.send?.(usage)
process.disconnect?.()
