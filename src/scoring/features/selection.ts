import { remembered } from '../../lib/remembered.ts'
import type { Selection } from '../definition/feature-definition.ts'

/** Whether a series is selected, by its key `kind:name`. */
export function compileSelection(selection: Selection): (key: string) => boolean {
  const kinds = new Set<string>(selection.kinds)
  const named = selection.names === undefined ? () => true : compileNames(selection.names)
  const excepted = compileNames(selection.except)
  return remembered(key => {
    const colon = key.indexOf(':')
    const name = key.slice(colon + 1)
    return kinds.has(key.slice(0, colon)) && named(name) && !excepted(name)
  })
}

/** Whether a text matches a name. A name is exact, or a prefix that ends in `*`. */
export function compileNames(names: readonly string[]): (text: string) => boolean {
  const exact = new Set(names.filter(name => !name.endsWith('*')))
  const prefixes = names.filter(name => name.endsWith('*')).map(name => name.slice(0, -1))
  return text => exact.has(text) || prefixes.some(prefix => text.startsWith(prefix))
}
