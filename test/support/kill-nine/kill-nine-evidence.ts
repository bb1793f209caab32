import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Topics } from './kill-nine-verdict.ts'
import type { Worker } from './kill-nine-workers.ts'

/**
 * Writes the logs of all workers and the records of all topics, one a line, since the seed of a failed run
 * does not repeat its timing. Returns the folder.
 */
export async function keepEvidence(workers: readonly Worker[], read: Topics | undefined): Promise<string> {
  // Beside the run's own temporary folder, which goes with the run.
  const folder = await mkdtemp(join(dirname(tmpdir()), 'upswell-torture-evidence-'))
  for (const [i, { role, output }] of workers.entries())
    await writeFile(join(folder, `worker-${String(i).padStart(3, '0')}-${role}.log`), output)
  for (const [topic, records] of read ?? []) {
    const lines = records.map(({ partition, offset, timestamp, key, value, headers }) => {
      const texts = Object.entries(headers).map(([name, header]) => [name, String(header)])
      const record = { partition, offset, timestamp, key: key === null ? null : String(key) }
      return JSON.stringify({ ...record, headers: Object.fromEntries(texts), value: String(value) })
    })
    await writeFile(join(folder, `${topic}.jsonl`), `${lines.join('\n')}\n`)
  }
  return folder
}
