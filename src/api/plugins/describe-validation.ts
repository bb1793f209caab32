import type { ProblemEntry } from './problems.ts'

/** What Ajv says with `verbose`. */
export interface ValidationError {
  readonly keyword: string
  readonly instancePath: string
  readonly params: Readonly<Record<string, unknown>>
  readonly message?: string
  readonly data?: unknown
  readonly parentSchema?: {
    readonly description?: string
    readonly properties?: Readonly<Record<string, unknown>>
  }
}

const MAX_ENTRIES = 20
const MAX_FOUND_LENGTH = 100

/** For each thing that is wrong with a query: the field, what was found and what is accepted. */
export function describeValidation(errors: readonly ValidationError[]): ProblemEntry[] {
  return errors.slice(0, MAX_ENTRIES).map(error => {
    const { keyword, instancePath, params, message, data, parentSchema } = error
    if (keyword === 'additionalProperties') {
      const field = String(params['additionalProperty'])
      const found = (data as Readonly<Record<string, unknown>>)[field]
      const accepted = Object.keys(parentSchema?.properties ?? {}).join(', ')
      return { field, found: shorten(found), accepted: `one of the fields ${accepted}` }
    }
    const accepted = parentSchema?.description ?? message ?? ''
    return { field: instancePath.slice(1).replaceAll('/', '.'), found: shorten(data), accepted }
  })
}

function shorten(found: unknown): unknown {
  if (typeof found === 'number' || typeof found === 'boolean' || found === null) return found
  const text = typeof found === 'string' ? found : JSON.stringify(found)
  return text.length > MAX_FOUND_LENGTH ? `${text.slice(0, MAX_FOUND_LENGTH)}…` : text
}
