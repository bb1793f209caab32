// Says which format a value seems to have if it is no signal, and what to change. Two are common: the bytes
// of a serializer with a schema registry, and the envelope of Kafka Connect's JsonConverter.

/** Confluent's wire format: a zero byte, the id of a schema (int32), the data. */
const CONFLUENT_HEAD_BYTES = 5
/** AWS Glue's: version 3, compression 0 or 5, the UUID of a schema, the data. */
const GLUE_HEAD_BYTES = 18

/** About a value that is not JSON: the end of a sentence. Undefined: nothing is known. */
export function hintOfBytes(value: Uint8Array): string | undefined {
  const registry = registryOf(value)
  return registry === undefined
    ? undefined
    : `it looks like ${registry}. Upswell reads plain JSON: let the producer use a JSON serializer without a schema registry, or convert the records`
}

function registryOf(value: Uint8Array): string | undefined {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  if (value.length >= CONFLUENT_HEAD_BYTES && value[0] === 0)
    return `Confluent's wire format, schema id ${view.getUint32(1)}`
  if (value.length >= GLUE_HEAD_BYTES && value[0] === 3 && (value[1] === 0 || value[1] === 5))
    return `the wire format of AWS Glue, schema version ${uuidAt(value, 2)}`
  return undefined
}

function uuidAt(bytes: Uint8Array, at: number): string {
  const hex = Buffer.from(bytes.subarray(at, at + 16)).toString('hex')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

/** About an object that is no signal: the end of a sentence. Undefined: nothing is known. */
export function hintOfFields(fields: Readonly<Record<string, unknown>>): string | undefined {
  const names = Object.keys(fields)
  const isEnvelope = names.length === 2 && names.includes('schema') && names.includes('payload')
  return isEnvelope
    ? "it looks like the envelope {schema, payload} of Kafka Connect's JsonConverter. Set value.converter.schemas.enable=false in the connector, or send the payload alone"
    : undefined
}
