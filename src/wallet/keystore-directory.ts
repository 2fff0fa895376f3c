// A directory of key files, one for each account: `name.json` holds the account `name`. The directory belongs to its
// owner alone (0700, the files 0600); a file is written whole or not at all, and never over another.

import { randomUUID } from 'node:crypto'
import { lstat, mkdir, readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type Address, checksumAddress, parseAddress } from '../chain/address.ts'
import { addressOfSecretKey, isSecretKey } from '../chain/signature.ts'
import { FileTooLarge, NotRegularFile, readRegularFile, readSmallFile } from '../files/read-file.ts'
import { writeNewFile } from '../files/write-file.ts'
import {
  type Account,
  AccountExists,
  checkAccountName,
  InvalidAccountName,
  MissingAccount,
} from './account.ts'
import { decryptSecretKey, encryptSecretKey } from './key-cipher.ts'
import { checkWeakness, SCRYPT_STANDARD, type ScryptCost } from './key-derivation.ts'
import {
  type EncryptedKey,
  formatKeystoreFile,
  InvalidKeystore,
  KEYSTORE_FILE_BYTES_MAX,
  parseKeystoreFile,
} from './keystore-file.ts'
import { InvalidSecretKey, randomSecretKey } from './secret-key.ts'

/** The directory for key files is something else. */
export class InvalidKeystoreDirectory extends Error {
  override name = 'InvalidKeystoreDirectory'

  constructor(directory: string) {
    super(`${directory} is not a directory, or only a link to one: give the path of the directory itself`)
  }
}

/** The accounts in one directory. Passwords are UTF-8 bytes, which the caller clears. */
export class Keystore {
  readonly directory: string
  readonly #cost: ScryptCost
  readonly #warn: (line: string) => void

  /**
   * `cost` is what new files will cost to open; `SCRYPT_LIGHT` is for tests and play money. `warn` takes one line for the
   * person, such as that a file that was opened protects its key badly.
   */
  constructor(
    directory: string,
    cost: ScryptCost = SCRYPT_STANDARD,
    warn: (line: string) => void = () => {},
  ) {
    this.directory = resolve(directory)
    this.#cost = cost
    this.#warn = warn
  }

  /** The accounts, sorted by name. Files that are damaged, or silent about their address, are in `damaged`. */
  async list(): Promise<Account[]> {
    return (await this.#scan()).accounts
  }

  /** What is wrong with files that have an account's name but can't be used. */
  async damaged(): Promise<InvalidKeystore[]> {
    return (await this.#scan()).damaged
  }

  /** Files of geth, which names them by time and address: no accounts of this keystore until they are imported. */
  async foreign(): Promise<string[]> {
    return (await this.#files()).filter(file => file.startsWith(FOREIGN_BEGINNING)).sort()
  }

  /** The account of this name or address. Throws `MissingAccount`, `InvalidAccountName` and `InvalidKeystore`. */
  async find(nameOrAddress: string): Promise<Account> {
    return (await this.#find(nameOrAddress)).account
  }

  /** Makes an account with a new random key. Throws `AccountExists` and `InvalidAccountName`. */
  async create(name: string, password: Uint8Array): Promise<Account> {
    const secretKey = randomSecretKey()
    try {
      return await this.importKey(name, secretKey, password)
    } finally {
      secretKey.fill(0)
    }
  }

  /** Puts a 32-byte secret key away. Throws `AccountExists`, `InvalidAccountName` and `InvalidSecretKey`. */
  async importKey(name: string, secretKey: Uint8Array, password: Uint8Array): Promise<Account> {
    const path = this.#pathOf(name)
    if (secretKey.length !== 32 || !isSecretKey(secretKey)) throw new InvalidSecretKey()
    const address = addressOfSecretKey(secretKey)
    await this.#prepareDirectory()
    await this.#assertNew(name, address)
    const text = formatKeystoreFile(randomUUID(), await encryptSecretKey(secretKey, password, this.#cost))
    await writeNewFile(path, text).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'EEXIST' ? new AccountExists(`the account ${name}`, path) : error
    })
    return { name, address, path }
  }

  /**
   * Imports a key file of another program (geth, ethers, cast). It is opened with `password` and encrypted again with this
   * keystore's costs, under `newPassword` if there is one. Throws the errors of `open` and `importKey`.
   */
  async importFile(
    name: string,
    file: string,
    password: Uint8Array,
    newPassword: Uint8Array = password,
  ): Promise<Account> {
    this.#pathOf(name)
    const secretKey = await this.#decrypt(await readKeyFile(file, readSmallFile), password, file)
    try {
      return await this.importKey(name, secretKey, newPassword)
    } finally {
      secretKey.fill(0)
    }
  }

  /**
   * The 32-byte secret key of an account; the caller clears it. Throws `WrongPassword`, `MissingAccount`,
   * `InvalidAccountName` and `InvalidKeystore`.
   */
  async open(nameOrAddress: string, password: Uint8Array): Promise<Uint8Array> {
    const { account, key } = await this.#find(nameOrAddress)
    return await this.#decrypt(key, password, account.path)
  }

  async #decrypt(key: EncryptedKey, password: Uint8Array, path: string): Promise<Uint8Array> {
    const secretKey = await decryptSecretKey(key, password, path)
    const weakness = checkWeakness(key.derivation)
    if (weakness !== null) this.#warn(`${path} protects its key badly: ${weakness}`)
    return secretKey
  }

  async #find(nameOrAddress: string): Promise<StoredKey> {
    const address = parseAddress(nameOrAddress)
    if (address !== null) {
      const { keys, accounts } = await this.#scan()
      const found = keys.find(({ account }) => account.address === address)
      if (found !== undefined) return found
      throw new MissingAccount(nameOrAddress, this.directory, accounts)
    }
    const path = this.#pathOf(nameOrAddress)
    try {
      return await readAccount(nameOrAddress, path)
    } catch (error) {
      if (!isMissing(error)) throw error
      throw new MissingAccount(nameOrAddress, this.directory, await this.list())
    }
  }

  async #scan(): Promise<Scan> {
    const scan: Scan = { keys: [], accounts: [], damaged: [] }
    for (const name of await this.#names()) {
      try {
        const stored = await readAccount(name, this.#pathOf(name))
        scan.keys.push(stored)
        scan.accounts.push(stored.account)
      } catch (error) {
        if (error instanceof InvalidKeystore) scan.damaged.push(error)
        // A file may go away between the listing and the reading.
        else if (!isMissing(error)) throw error
      }
    }
    return scan
  }

  async #files(): Promise<string[]> {
    return await readdir(this.directory).catch((error: NodeJS.ErrnoException) => {
      if (isMissing(error)) return []
      throw error.code === 'ENOTDIR' ? new InvalidKeystoreDirectory(this.directory) : error
    })
  }

  async #names(): Promise<string[]> {
    const names = (await this.#files())
      .filter(file => file.endsWith(FILE_ENDING))
      .map(file => file.slice(0, -FILE_ENDING.length))
    return names.filter(name => checkAccountName(name) === null).sort()
  }

  #pathOf(name: string): string {
    const problem = checkAccountName(name)
    if (problem !== null) throw new InvalidAccountName(name, problem)
    return join(this.directory, `${name}${FILE_ENDING}`)
  }

  async #prepareDirectory(): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
    if (!(await lstat(this.directory)).isDirectory()) throw new InvalidKeystoreDirectory(this.directory)
  }

  /** A friendly answer before the costly part; what makes sure is that the file is only ever created. */
  async #assertNew(name: string, address: Address): Promise<void> {
    const path = this.#pathOf(name)
    const isTaken = await lstat(path).then(
      () => true,
      error => !isMissing(error),
    )
    if (isTaken) throw new AccountExists(`the account ${name}`, path)
    const twin = (await this.list()).find(account => account.address === address)
    if (twin === undefined) return
    throw new AccountExists(`the key of ${checksumAddress(address)}, as the account ${twin.name},`, twin.path)
  }
}

interface StoredKey {
  readonly account: Account
  readonly key: EncryptedKey
}

interface Scan {
  readonly keys: StoredKey[]
  readonly accounts: Account[]
  readonly damaged: InvalidKeystore[]
}

const FILE_ENDING = '.json'
const FOREIGN_BEGINNING = 'UTC--'

async function readAccount(name: string, path: string): Promise<StoredKey> {
  const key = await readKeyFile(path, readRegularFile)
  if (key.address === null) {
    throw new InvalidKeystore(path, 'address: missing; import the file, which finds it out')
  }
  return { account: { name, address: key.address, path }, key }
}

async function readKeyFile(path: string, read: typeof readSmallFile): Promise<EncryptedKey> {
  try {
    const { bytes } = await read(path, KEYSTORE_FILE_BYTES_MAX)
    return parseKeystoreFile(bytes.toString('utf8'), path)
  } catch (error) {
    if (error instanceof FileTooLarge || error instanceof NotRegularFile) {
      throw new InvalidKeystore(path, error.message, { cause: error })
    }
    // Of one file only: the others can be used.
    if (error instanceof Error && 'code' in error && error.code === 'EACCES')
      throw new InvalidKeystore(path, 'it can not be read: permission denied', { cause: error })
    throw error
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
