import type { Selection } from '../scoring/definition/feature-definition.ts'
import type { RawSelection } from './raw-model.ts'

/** Which signals are read: of usage and intent, unless it says otherwise, all names. */
export function readSelection(raw: RawSelection): Selection {
  const { of = ['usage', 'intent'], names, except = [] } = raw
  return {
    kinds: listOf(of),
    names: names === undefined ? undefined : listOf(names),
    except: listOf(except),
  }
}

/** One value or a list of them, as a list. */
export function listOf<Item extends string | number | boolean>(value: Item | readonly Item[]): Item[] {
  return typeof value === 'object' ? [...value] : [value]
}
