import { Ajv, type ErrorObject } from 'ajv'
import schema from '../../schemas/scoring-model.schema.json' with { type: 'json' }
import { explainSchemaError, readSchemaError, withoutRepetitions } from './explain-schema-error.ts'
import type { Report } from './report.ts'

// `verbose` hands each error the schema and the data that it is about. ajv never changes the data here.
const validate = new Ajv({ allErrors: true, verbose: true, strict: true, strictRequired: false }).compile(
  schema,
)

/** Reports everything in which the data does not have the form that `schemas/scoring-model.schema.json` describes. */
export function checkSchema(data: unknown, report: Report): void {
  if (validate(data)) return
  const errors = ((validate.errors ?? []) as ErrorObject[]).map(readSchemaError)
  for (const error of withoutRepetitions(errors)) {
    const { path, part, message } = explainSchemaError(error)
    report.addUnsound(path, message, part)
  }
}
