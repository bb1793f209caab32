// A skippable frame: magic uint32 · size uint32 · data. Frames of lz4 and of zstd may stand between such.
const SKIPPABLE_MAGIC = 0x184d2a50

/** Where the skippable frame that begins at `at` ends; undefined: another frame begins there. */
export function endOfSkippable(data: Buffer, at: number): number | undefined {
  const isSkippable = (data.readUInt32LE(at) & 0xfffffff0) === SKIPPABLE_MAGIC
  return isSkippable ? at + 8 + data.readUInt32LE(at + 4) : undefined
}
