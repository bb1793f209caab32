import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PACKAGE_ROOT } from '../../src/app/config.ts'

/** Kills every process of a run, found by its TMPDIR, and removes the run's folder. */
const SWEEP = join(PACKAGE_ROOT, '.ci/sweep')

/**
 * Gives this run of the tests a temporary folder of its own: TMPDIR, for this process and all that it starts.
 * When this process ends, however it dies, its folder and all processes of the run go too.
 */
export function useRunFolder(): void {
  // For processes that the sweep must not kill.
  const env = { ...process.env }
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'upswell-test-'))
  const guard = spawn('sh', [SWEEP, folder], {
    // Its input ends when this process does, after SIGKILL too.
    stdio: ['pipe', 'ignore', 'ignore'],
    // In a process group of its own, Ctrl-C does not reach it.
    detached: true,
    env,
  })
  guard.unref()
  process.env['TMPDIR'] = folder
  // A run that ends by itself has cleaned up before it ends.
  process.once('exit', () => {
    spawnSync('sh', [SWEEP, folder], { stdio: 'ignore', env })
    guard.kill('SIGKILL')
  })
}
