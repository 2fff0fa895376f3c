// The validators that a genesis file names, in its order, which gives each its place. The set has an id that every
// signature covers, so that what was signed for one set proves nothing in another.

import { type Address, addressBytes, parseAddress } from '../chain/address.ts'
import { sha256 } from '../chain/hash.ts'
import type { MemberIndex } from '../consensus/process.ts'
import { MEMBERS_MAX } from '../consensus/wire-fields.ts'
import { ByteWriter, type Hex, toHex } from '../encoding/bytes.ts'
import { Fields, InvalidField, type Json } from '../encoding/fields.ts'
import type { Genesis } from '../execution/genesis.ts'

/** A member of the committee. The name is for people: only the address counts. */
export interface Validator {
  readonly name: string
  readonly address: Address
}

/** Validators at most: a certificate carries a signature of nearly each. */
export const VALIDATORS_MAX = MEMBERS_MAX

const NAME_PATTERN = /^[A-Za-z0-9_-]{1,32}$/
const DOMAIN_TAG = new TextEncoder().encode('quorate/validator-set/1')

/** Validators with distinct addresses, in an order that never changes. */
export class ValidatorSet {
  readonly validators: readonly Validator[]
  /** SHA-256 of a tag, the number of validators and their addresses in order. */
  readonly id: Hex
  readonly #places: ReadonlyMap<Address, MemberIndex>

  /** Throws a RangeError unless there are 1 to 100 validators. */
  constructor(validators: readonly Validator[]) {
    if (validators.length < 1 || validators.length > VALIDATORS_MAX)
      throw new RangeError(`${validators.length} validators, not 1 to ${VALIDATORS_MAX}`)
    this.validators = validators
    this.id = idOf(validators)
    this.#places = new Map(validators.map(({ address }, place) => [address, place]))
  }

  /** n */
  get size(): number {
    return this.validators.length
  }

  /** The place of the validator with this address, or null when there is none. */
  indexOf(address: Address): MemberIndex | null {
    return this.#places.get(address) ?? null
  }
}

/** The validators of a network; null when its finality has none. Throws `InvalidField`. */
export function validatorsOf(genesis: Pick<Genesis, 'finality'>): ValidatorSet | null {
  const settings = new Fields('finality', genesis.finality)
  return settings.has('validators') ? readValidators(settings) : null
}

/** Takes `validators` from the settings of a genesis file's finality. Throws `InvalidField`. */
export function readValidators(settings: Fields): ValidatorSet {
  const path = settings.path('validators')
  const list = settings.parse('validators', `a list of 1 to ${VALIDATORS_MAX} validators`, readList)
  const [names, addresses] = [new Set<string>(), new Set<Address>()]
  const validators = list.map((entry, index) => {
    const fields = new Fields(`${path}[${index}]`, entry)
    const validator = readValidator(fields)
    if (names.has(validator.name)) throw new InvalidField(fields.path('name'), 'given twice')
    if (addresses.has(validator.address)) throw new InvalidField(fields.path('address'), 'given twice')
    names.add(validator.name)
    addresses.add(validator.address)
    return validator
  })
  return new ValidatorSet(validators)
}

function readList(value: Json): readonly Json[] | null {
  return Array.isArray(value) && value.length >= 1 && value.length <= VALIDATORS_MAX ? value : null
}

function readValidator(fields: Fields): Validator {
  const name = fields.parse('name', 'a name of 1 to 32 letters, digits, - and _', readValidatorName)
  const address = fields.parse('address', 'an address in one case or with its checksum', readAddress)
  fields.end()
  return { name, address }
}

/** The name as it may stand in a genesis file, or null. */
export function readValidatorName(value: Json): string | null {
  return typeof value === 'string' && NAME_PATTERN.test(value) ? value : null
}

function readAddress(value: Json): Address | null {
  return typeof value === 'string' ? parseAddress(value) : null
}

function idOf(validators: readonly Validator[]): Hex {
  const writer = new ByteWriter().sizedBytes(DOMAIN_TAG).u32(validators.length)
  for (const { address } of validators) writer.bytes(addressBytes(address))
  return toHex(sha256(writer.finish()))
}
