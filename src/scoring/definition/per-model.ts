import type { CompiledModel } from './compiled-model.ts'

/** Remembers the result of `make` for each model, for as long as the model is in use. */
export function perModel<Made>(make: (model: CompiledModel) => Made): (model: CompiledModel) => Made {
  const known = new WeakMap<CompiledModel, { readonly made: Made }>()
  return model => {
    const found = known.get(model)
    if (found !== undefined) return found.made
    const made = make(model)
    known.set(model, { made })
    return made
  }
}
