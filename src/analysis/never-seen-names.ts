import type { CompiledModel } from '../scoring/definition/compiled-model.ts'
import { writtenNames } from './unread-names.ts'

/**
 * The names and patterns that some model reads and that no seen name matches, each once, ascending. Overrides
 * are left out: most installations have none.
 */
export function neverSeenNames(models: readonly CompiledModel[], seen: ReadonlySet<string>): string[] {
  const written = new Set(models.flatMap(writtenNames))
  const names = [...seen]
  const isSeen = (name: string): boolean => {
    if (!name.endsWith('*')) return seen.has(name)
    const prefix = name.slice(0, -1)
    return names.some(each => each.startsWith(prefix))
  }
  return [...written].filter(name => !name.startsWith('override:') && !isSeen(name)).sort()
}
