// The fields of votes and evidence in JSON. Reading checks the form of every one, and `InvalidField` names the first
// that is wrong.

import type { Hex } from '../encoding/bytes.ts'
import { type Fields, readBytes } from '../encoding/fields.ts'
import { NUMBER_MAX, type Value } from './log.ts'
import { isValue, SIGNATURE_BYTES } from './wire-fields.ts'

/** What is voted for: an id, or an empty text when nothing is. */
export function takeValue(fields: Fields, name: string): Value {
  return fields.parse(name, '32 bytes in lower-case hex, or an empty text', value =>
    typeof value === 'string' && isValue(value) ? value : null,
  )
}

/** A view, a sequence number or a height. */
export function takeNumber(fields: Fields, name: string): number {
  return fields.integer(name, { min: 0, max: NUMBER_MAX })
}

/** A signature of 65 bytes, valid or not. */
export function takeSignature(fields: Fields, name: string): Hex {
  const expected = `${SIGNATURE_BYTES} bytes in lower-case hex`
  return fields.parse(name, expected, value => readBytes(value, SIGNATURE_BYTES))
}
