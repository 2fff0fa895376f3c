// What an account of the keystore is called, and what can be wrong with what a person calls it.
//
// Names become file names, so they are letters, digits, `-` and `_` only; they never look like an address, so that
// either can be asked for in the same place.

import { type Address, parseAddress } from '../chain/address.ts'

/** An account whose key is in the keystore. */
export interface Account {
  readonly name: string
  readonly address: Address
  /** The key file. */
  readonly path: string
}

/** Why a name cannot be an account's, or null. */
export function checkAccountName(name: string): string | null {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) return 'expected 1 to 64 letters, digits, - and _'
  if (!/^0x[0-9a-f]{40}$/i.test(name)) return null
  return parseAddress(name) === null
    ? 'it is an address with wrong capital letters (EIP-55)'
    : 'it is an address'
}

/** A name cannot be an account's. */
export class InvalidAccountName extends Error {
  override name = 'InvalidAccountName'

  constructor(given: string, problem: string) {
    super(`${JSON.stringify(given.slice(0, 80))} is not an account name: ${problem}`)
  }
}

/** No account of the keystore has this name or address. */
export class MissingAccount extends Error {
  override name = 'MissingAccount'
  readonly existing: readonly Account[]

  constructor(given: string, directory: string, existing: readonly Account[]) {
    const names = existing.map(account => account.name).join(', ')
    const remedy = existing.length === 0 ? 'it holds none: create or import one' : `it holds ${names}`
    super(`no account ${given} in ${directory}: ${remedy}`)
    this.existing = existing
  }
}

/** The name, or the key, is in the keystore already; nothing was written. */
export class AccountExists extends Error {
  override name = 'AccountExists'
  readonly path: string

  constructor(what: string, path: string) {
    super(
      `${what} exists already (${path}) and was left as it is: choose another name, or move that file away`,
    )
    this.path = path
  }
}
