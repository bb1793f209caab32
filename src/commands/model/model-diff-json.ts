import type { AccountDiff } from '../../analysis/diff-account.ts'
import type { DiffSums } from '../../analysis/summarize-diffs.ts'
import type { ModelDiffHead } from '../../console/print-model-diff.ts'

/**
 * Writes the JSON of `upswell model diff --json` piece by piece, with a line for each account: a store may
 * hold millions. docs/try-a-model.md describes it.
 */
export class ModelDiffJson {
  readonly #head: ModelDiffHead
  readonly #write: (text: string) => Promise<void>
  #accounts = 0

  constructor(head: ModelDiffHead, write: (text: string) => Promise<void>) {
    this.#head = head
    this.#write = write
  }

  async begin(): Promise<void> {
    const { at, before, after, history } = this.#head
    const head = {
      modelId: after.model.id,
      at: isoTime(at),
      history,
      before: before.map(({ model, isActive, changes }) => ({
        modelVersion: model.version,
        active: isActive,
        changes: changes.map(change => ({ ...change, name: change.name ?? null })),
      })),
      after: { modelVersion: after.model.version, file: after.file },
    }
    // The closing brace comes with `end`.
    await this.#write(`${JSON.stringify(head).slice(0, -1)},\n"accounts":[`)
  }

  async add({ accountId, at, tier, tierLater, ...rest }: AccountDiff): Promise<void> {
    const later = tierLater && { ...tierLater, at: isoTime(tierLater.at) }
    const separator = this.#accounts++ === 0 ? '\n' : ',\n'
    await this.#write(
      separator + JSON.stringify({ accountId, at: isoTime(at), tier, tierLater: later, ...rest }),
    )
  }

  async end(sums: DiffSums): Promise<void> {
    await this.#write(`\n],\n"sums":${JSON.stringify(sums)}}\n`)
  }
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}
