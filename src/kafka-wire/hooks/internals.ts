import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/**
 * A module of kafkajs that is not part of its public interface, for example `protocol/error.js`. It is the
 * same object that kafkajs itself uses.
 * @throws Error when the installed kafkajs has no such module
 */
export function internal<Module>(path: string): Module {
  return require(`kafkajs/src/${path}`) as Module
}

export function installedVersion(): string {
  return (require('kafkajs/package.json') as { readonly version: string }).version
}
