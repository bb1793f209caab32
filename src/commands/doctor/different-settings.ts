import type { TopicToCreate } from '../../log/log.ts'

/** A setting of a topic that is not as `upswell topics create` would make it. */
export interface DifferentSetting {
  readonly setting: string
  readonly wanted: string
  /** Undefined: the broker does not know the setting, or does not show it. */
  readonly found: string | undefined
}

/** Compares the settings of a topic that exists with those that Upswell gives to a new one. */
export function differentSettings(
  { config = {} }: Pick<TopicToCreate, 'config'>,
  found: Readonly<Record<string, string | null>>,
): DifferentSetting[] {
  return Object.entries(config).flatMap(([setting, wanted]) =>
    found[setting] === wanted ? [] : [{ setting, wanted, found: found[setting] ?? undefined }],
  )
}
