import { Problem } from '../plugins/problems.ts'

/**
 * The model that a query is about: the one named, or the first.
 * @param ids those there are, ascending; not empty
 * @throws Problem UNKNOWN_MODEL
 */
export function chooseModel(ids: readonly string[], asked: string | undefined): string {
  if (asked === undefined) return ids[0]!
  if (ids.includes(asked)) return asked
  throw new Problem('UNKNOWN_MODEL', `model is ${JSON.stringify(asked)}; accepted: ${ids.join(', ')}.`)
}
