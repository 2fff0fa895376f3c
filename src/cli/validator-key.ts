// The file with a validator's secret key: {"address","secretKey"}, without a password, since a validator must be able to
// restart unattended. Instead only its owner may have access to the file. Messages never repeat its content.

import { type Address, checksumAddress, parseAddress } from '../chain/address.ts'
import { addressOfSecretKey } from '../chain/signature.ts'
import { toHex } from '../encoding/bytes.ts'
import { readSmallFile } from '../files/read-file.ts'
import { parseSecretKey, randomSecretKey } from '../wallet/secret-key.ts'
import { CommandError, EXIT } from './exit-codes.ts'
import { cannot, writeNewFile } from './files.ts'

/** A validator's key and the address that the genesis file names. */
export interface ValidatorKey {
  readonly address: Address
  /** 32 bytes. */
  readonly secretKey: Uint8Array
}

const FILE_BYTES_MAX = 1_000
/** Permission bits of all but the owner. */
const OTHERS = 0o077

/** Makes a key and writes it to a new file, durably and for its owner alone. Ends the command when that fails. */
export async function createValidatorKey(path: string): Promise<Address> {
  const secretKey = randomSecretKey()
  const address = addressOfSecretKey(secretKey)
  const file = { address: checksumAddress(address), secretKey: toHex(secretKey) }
  secretKey.fill(0)
  await writeNewFile(path, `${JSON.stringify(file, null, 2)}\n`, 0o600)
  return address
}

/** The key in a file. Ends the command when the file is malformed, or readable by others than its owner. */
export async function readValidatorKey(path: string): Promise<ValidatorKey> {
  const { bytes, mode } = await readSmallFile(path, FILE_BYTES_MAX).catch((error: Error) => {
    throw cannot('read', path, error)
  })
  const key = parseValidatorKey(bytes.toString('utf8'))
  bytes.fill(0)
  if ((mode & OTHERS) !== 0)
    throw new CommandError(EXIT.file, `others can read ${path} or write to it`, `Run: chmod 600 ${path}`)
  if (typeof key === 'string') throw new CommandError(EXIT.file, `${path} is not a validator's key: ${key}`)
  return key
}

/** The key in a file's text, or what is wrong with it. */
function parseValidatorKey(text: string): ValidatorKey | string {
  const file = parseJson(text)
  if (typeof file !== 'object' || file === null || Array.isArray(file)) return 'expected a JSON object'
  const fields = new Map<string, unknown>(Object.entries(file))
  const [address, secretKey] = [fields.get('address'), fields.get('secretKey')]
  if (fields.size !== 2 || typeof address !== 'string' || typeof secretKey !== 'string')
    return 'expected two texts, address and secretKey'
  const bytes = parseSecretKey(secretKey)
  if (bytes === null) return 'secretKey is not a secret key of 64 hex digits'
  const parsed = parseAddress(address)
  if (parsed === null) return 'address is not an address, or its checksum is wrong'
  return parsed === addressOfSecretKey(bytes)
    ? { address: parsed, secretKey: bytes }
    : 'address is not the one of secretKey'
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
